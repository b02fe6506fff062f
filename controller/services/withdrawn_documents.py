"""作废的文件. Tells of a number that is no longer in the library what became of it, instead of guessing another one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError
from controller.domain.text import T
from controller.services.change_drafting import ItemWaitingError
from controller.services.controlled_items import UnknownItemError
from controller.services.document_library import UnknownDocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, tzinfo

    from controller.services.document_history import DocumentHistory
    from controller.services.files_in_force import FilesInForce
    from controller.services.ports import Clock


class DocumentWithdrawnError(NotFoundError):
    """文件已作废. The document was in force once; its text and history are kept."""

    code = "document-withdrawn"

    def __init__(self, *, number: str, title: str, day: date, revision: str) -> None:
        super().__init__(
            T("{number}《{title}》已于 {day} 作废。", number=number, title=title, day=day),
            hint=T(
                "作废的内容用 qms doc show {number} --revision {revision} 查看，历史用 qms doc history {number}。",
                number=number,
                revision=revision,
            ),
        )
        self.number = number


class WithdrawnDocuments:
    """作废的文件."""

    def __init__(self, history: DocumentHistory, in_force: FilesInForce, clock: Clock, zone: tzinfo) -> None:
        self._history = history
        self._in_force = in_force
        self._clock = clock
        self._zone = zone

    def check(self, wanted: str) -> None:
        """Make sure that `wanted` is not the number of something withdrawn, already or from a later day.

        Raises:
            ItemWaitingError: it is in force and withdrawn from a later day.
            DocumentWithdrawnError: it is a document that is in force no more.
        """
        leaving = self._in_force.withdrawn_later(wanted)
        if leaving is not None:
            raise ItemWaitingError(number=leaving.number, day=leaving.begins, withdrawn=True)
        try:
            timeline = self._history.timeline(wanted)
        except UnknownDocumentError:
            return
        today = self._clock.now().astimezone(self._zone).date()
        last = timeline.revisions[-1] if timeline.revisions else None
        if last is not None and last.until is not None and last.until <= today:
            raise DocumentWithdrawnError(
                number=timeline.number, title=timeline.title, day=last.until, revision=last.revision
            )

    @contextmanager
    def told(self, wanted: str) -> Iterator[None]:
        """Say of a number that the block does not know what became of it, where something did; raises as `check`."""
        try:
            yield
        except (UnknownDocumentError, UnknownItemError):
            self.check(wanted)
            raise
