"""阅知的文本. What there is to read of a revision: the PDF with its signatures, else the pages as they are drawn.

A revision that is approved and not yet in force is read as it will be; one whose place another has taken is not read
any more. The same revision gives the same bytes each time, so that its digest says what was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.domain.identifiers import Digest
from controller.services.form_library import UnknownFormError
from controller.services.training_errors import TrainingTextGoneError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.services.document_signing import DocumentSigning
    from controller.services.form_library import FormLibrary
    from controller.services.form_rendering import FormRenderer


@dataclass(frozen=True)
class TrainingText:
    """阅知的文本. What is read, as a file."""

    number: str
    revision: str
    title: str
    data: bytes
    suffix: str
    """`.pdf` or `.docx`."""

    @property
    def digest(self) -> Digest:
        """Digest of the file: what a signature names as shown."""
        return Digest.of(self.data)


class TrainingTexts(Protocol):
    """阅知文本的来源."""

    def text(self, number: str, revision: str) -> TrainingText:
        """Return what there is to read of a revision.

        Raises:
            TrainingTextGoneError: it is neither in force nor waiting for its day, or has no text.
        """
        ...


@dataclass(frozen=True)
class ReadableLibrary:
    """可读的文件库. Documents and forms as one state of the library has them."""

    signing: DocumentSigning
    """Knows the documents of that state and who has signed them."""
    forms: FormLibrary


class LibraryTrainingTexts:
    """文件库中的阅知文本. Looks in the newest approved library first, then in what is in force today."""

    def __init__(self, libraries: Sequence[ReadableLibrary], renderer: FormRenderer) -> None:
        self._libraries = tuple(libraries)
        self._renderer = renderer

    def text(self, number: str, revision: str) -> TrainingText:
        """Return what there is to read of a revision.

        Raises:
            TrainingTextGoneError: it is neither in force nor waiting for its day, or has no text.
        """
        for library in self._libraries:
            found = self._document(library, number, revision) or self._form(library, number, revision)
            if found is not None:
                return found
        raise TrainingTextGoneError(number=number, revision=revision)

    @staticmethod
    def _document(library: ReadableLibrary, number: str, revision: str) -> TrainingText | None:
        signing = library.signing
        if number not in signing.library.numbers():
            return None
        standing = signing.standing(number)
        if standing.revision != revision:
            return None
        if any(item.signature is not None and item.signature.paper is None for item in standing.steps):
            return TrainingText(number, revision, standing.title, signing.shown(number), ".pdf")
        return TrainingText(number, revision, standing.title, signing.printing.docx(number), ".docx")

    def _form(self, library: ReadableLibrary, number: str, revision: str) -> TrainingText | None:
        if number not in library.forms.numbers():
            return None
        try:
            package = library.forms.package(number)
        except UnknownFormError:
            return None
        if package.definition.revision.text != revision:
            return None
        return TrainingText(number, revision, package.definition.title, self._renderer.render(package, None), ".docx")
