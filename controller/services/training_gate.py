"""阅知关卡. Who has not read the revision in force of a procedure cannot sign the stages of its forms (GSP, 6.2).

Correcting and voiding stay possible: they mend what is there, and nobody should have to wait for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.text import T
from controller.services.document_library import UnknownDocumentError
from controller.services.training_errors import TrainingMissingError

if TYPE_CHECKING:
    from controller.domain.form import FormDefinition
    from controller.domain.record import Signatory
    from controller.domain.text import Text
    from controller.services.document_library import DocumentLibrary
    from controller.services.training import Training


class ReadingGate:
    """阅知关卡. Implements the port `TrainingGate`.

    Args:
        library: the documents in force today.
        training: who has read what.
    """

    def __init__(self, library: DocumentLibrary, training: Training) -> None:
        self._library = library
        self._training = training

    def missing(self, procedure: str, person: str) -> Text | None:
        """Return why a person may not yet work by a procedure as it is in force; None when they may."""
        if not self._training.asked(procedure):
            return None
        try:
            document = self._library.document(procedure)
        except UnknownDocumentError:  # withdrawn: nobody can be asked to read it
            return None
        own = self._training.waits_for(procedure, document.revision.text, person)
        if own is None:
            return None
        facts = {"name": own.name, "number": procedure, "revision": document.revision.text, "title": document.title}
        return T("{name}尚未阅知现行的《{title}》{number} {revision}，不能签署它名下的表单", **facts)

    def check(self, definition: FormDefinition, subject: str, by: Signatory) -> None:
        """Make sure that `by` may sign a stage of a form; `subject` is the record or the form's title.

        Raises:
            TrainingMissingError: the person has not read the procedure that owns the form.
        """
        if definition.procedure is None:
            return
        number = definition.procedure.text
        problem = self.missing(number, by.person)
        if problem is not None:
            raise TrainingMissingError(subject=subject, problem=problem, number=number)
