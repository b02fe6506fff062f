"""更改中的草稿. Where a checked-out document is worked on while it is part of a change."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.document import HistoryRow
from controller.domain.document_comparison import DocumentText, compare
from controller.domain.identifiers import Digest, DocumentNumber
from controller.domain.library_day import ItemKind
from controller.file_formats.document_file import write_document
from controller.services.change_chain import ChangeDamagedError
from controller.services.checkout_ports import DraftDesk
from controller.services.document_library import FOLDER, DocumentLibrary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.change_request import ChangedItem, ChangeRequest
    from controller.domain.document_comparison import Comparison
    from controller.services.change_chain import ChangeRequests
    from controller.services.draft_saving import DraftSaving
    from controller.services.ports import LibraryFiles
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import StatementDraft


class ChangeDesks:
    """更改中的草稿. Implements the port `DraftDesks`: the draft of the open change, else the folder."""

    def __init__(
        self, requests: ChangeRequests, saving: DraftSaving, approved: LibraryFiles, folder: LibraryFiles
    ) -> None:
        self._requests = requests
        self._saving = saving
        self._approved = approved
        self._folder = folder

    def of(self, wanted: str) -> DraftDesk:
        """Return where the document called `wanted` is worked on."""
        found = self._in_change(wanted)
        if found is None:
            return DraftDesk(self._folder)
        request, item = found

        def save(files: Mapping[str, bytes | None], stated: StatementDraft, by: Signer) -> None:
            told = dict(files)
            if told:
                told |= self._described(request, item, files, by)
            comments = stated.new.get("comments")
            said = {"item": item.number, "comments": comments} if comments else {}
            left = {path: Digest.of(data) for path, data in told.items() if data is not None}
            whole = replace(stated, files={**stated.files, **left})  # else the next check-in takes it for another's
            self._saving.save(request, told, by, beside=[whole], said=said)

        def earlier(digest: Digest) -> bytes | None:
            with suppress(ChangeDamagedError):
                return self._requests.content(request.number, digest)
            return None

        return DraftDesk(self._requests.draft(request, self._approved), save, request.number, earlier)

    def _in_change(self, wanted: str) -> tuple[ChangeRequest, ChangedItem] | None:
        text = wanted.strip().upper()
        for request in self._requests.open():
            for item in request.items:
                if item.kind is not ItemKind.DOCUMENT or item.after is None:
                    continue
                number = DocumentNumber(item.number)
                if text in {number.text, number.short, number.serial}:
                    return request, item
        return None

    def _described(
        self, request: ChangeRequest, item: ChangedItem, files: Mapping[str, bytes | None], by: Signer
    ) -> dict[str, bytes | None]:
        """Return the control block with the row of its revision history that says which clauses changed, and who."""
        after = _Overlaid(self._requests.draft(request, self._approved), files)
        library = DocumentLibrary(after)
        document = library.document(item.number)
        labels = ""
        if item.before is not None:
            labels = clauses_changed(compared(DocumentLibrary(self._approved), library, item.number))
        row = HistoryRow(document.revision.text, None, labels, request.reason, by.signatory.name)
        rows = [old for old in document.history if old.revision != document.revision.text]
        said = write_document(replace(document, history=(*rows, row)))
        return {f"{FOLDER}/{item.number}/document.yml": said.encode()}


class _Overlaid:
    """A library with some files as they will be."""

    def __init__(self, library: LibraryFiles, files: Mapping[str, bytes | None]) -> None:
        self._library = library
        self._files = files

    def read(self, path: str) -> bytes | None:
        return self._files[path] if path in self._files else self._library.read(path)

    def folders(self, path: str) -> list[str]:
        return self._library.folders(path)

    def files(self, path: str) -> list[str]:
        gone = {name for name, data in self._files.items() if data is None}
        here = {name for name, data in self._files.items() if data is not None and name.startswith(f"{path}/")}
        return sorted(here | {name for name in self._library.files(path) if name not in gone})


def document_text(library: DocumentLibrary, number: str) -> DocumentText:
    """Return a document as it can be compared: control block, pieces, digests of its files."""
    shown = library.show(number)
    folder = f"{FOLDER}/{number}"
    contents = ((path, library.files.read(path)) for path in library.files.files(folder))
    files = {path.removeprefix(f"{folder}/"): Digest.of(data) for path, data in contents if data is not None}
    return DocumentText(shown.document, shown.segment.pieces, files)


def compared(old: DocumentLibrary, new: DocumentLibrary, number: str) -> Comparison:
    """Return what changed in a document from one library to another."""
    return compare(document_text(old, number), document_text(new, number))


def clauses_changed(comparison: Comparison) -> str:
    """Return the numbers of the clauses that changed, as a revision history names them."""
    return "、".join(dict.fromkeys(change.place for change in comparison.changes if change.place))
