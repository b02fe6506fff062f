"""草稿的保存. Saves drafts of changes: what the folder holds, what comes back from Word (4.2.4, 4.2.5).

A draft is changed only by whoever names the state that he started from; nobody writes over anybody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.library_day import ItemKind
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.document_file import read_document, write_document
from controller.services.act_filing import StatementPart
from controller.services.change_chain import chain_of, check_open, missing_contents
from controller.services.library_check import is_library_file
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.change_request import ChangedItem, ChangeRequest
    from controller.domain.record import Wire
    from controller.services.act_filing import ActFiling
    from controller.services.archive_ports import Archive
    from controller.services.change_chain import ChangeRequests
    from controller.services.files_in_force import DatedFiles
    from controller.services.ports import LibraryFiles
    from controller.services.signing_ports import Signer

_CONTENTS = (".yml", ".txt", ".docx", ".json", ".png", ".jpg", ".jpeg")
"""How the names of files end that documents, forms and registers consist of."""


class NothingToTakeError(RefusedError):
    """没有可收入的修改. The folder holds nothing of the change's items that the draft does not have."""

    code = "change-nothing-to-take"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("文件夹里没有更改 {number} 所列文件的新修改。", number=number),
            hint=T(
                "先改文件夹里的文件；程序文件请用 qms doc checkout 和 checkin。要把草稿里的文件恢复成现行内容，"
                "用 qms change take {number} --undo 文件。",
                number=number,
            ),
        )


class DraftElsewhereError(RefusedError):
    """草稿在别处改过. What the draft holds came from elsewhere; taking the folder's file would lose it."""

    code = "change-edited-elsewhere"

    def __init__(self, *, number: str, path: str) -> None:
        super().__init__(
            T("更改 {number} 的草稿里，{path} 是从 Word 签入的，或在另一台电脑上收入的，没有覆盖它。",
              number=number, path=path),
            hint=T(
                "不要文件夹里的这一份：qms change discard {path}（会另存）；确要以它为准：先 qms change take "
                "{number} --undo {path}，再收入。",
                number=number,
                path=path,
            ),
            where=path,
        )  # fmt: skip


class StrangeFileError(RefusedError):
    """不是受控文件的内容. A program or an archive does not belong into the folder of a document or form."""

    code = "change-file-strange"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("{path} 不是受控文件的内容，没有收入。", path=path),
            hint=T("把它移出这个文件夹，再试一次。"),
            where=path,
        )


class DraftSaving:
    """草稿的保存."""

    def __init__(
        self,
        requests: ChangeRequests,
        acts: ActFiling,
        archive: Archive,
        approved: DatedFiles,
        working: LibraryFiles,
    ) -> None:
        self._requests = requests
        self._acts = acts
        self._archive = archive
        self._approved = approved
        self._working = working

    def take(self, wanted: str, by: Signer) -> ChangeRequest:
        """Take what was edited in the folder of the change's items into its draft (forms, registers, lists).

        Raises:
            ChangeNotOpenError: the change is approved or given up.
            NothingToTakeError: nothing was edited.
            DraftElsewhereError: the draft has a file that the folder never had.
            StrangeFileError: a file is nothing that a controlled item consists of.
        """
        request = self._requests.read(wanted)
        check_open(request)
        found: dict[str, bytes | None] = {}
        for item in request.items:
            alone = set(item.paths) if item.kind is ItemKind.EXTERNAL else set()
            here = {path for own in item.paths for path in self._working.files(own) if is_library_file(path)} | alone
            there = {path for path in request.files if item.holds(path)}
            tip = {path for own in item.paths for path in self._approved.files(own)}
            for path in sorted(here | there | tip):
                edited, approved = self._working.read(path), self._approved.read(path)
                known = request.files.get(path)
                if edited == approved or (known == Digest.of(edited) if edited is not None else path not in there):
                    continue
                if request.edited.get(path, by.origin.computer) != by.origin.computer:
                    raise DraftElsewhereError(number=request.number, path=path)
                if edited is not None and not path.endswith(_CONTENTS):
                    raise StrangeFileError(path=path)
                found[path] = self._of_revision(request, item, path, edited)
        return self.save(request, found, by, said={"taken": True} if found else None)

    def _of_revision(self, request: ChangeRequest, item: ChangedItem, path: str, edited: bytes | None) -> bytes | None:
        """Return an edited control block with the revision that the change takes it to, which the folder may lack.

        The folder has the text in force: whoever edits its control block there means the rest of it.
        """
        if edited is None or item.kind is not ItemKind.DOCUMENT or path != f"{item.paths[0]}/document.yml":
            return edited
        known = request.files.get(path)
        if item.after is None or known is None:
            return edited
        try:
            begun = read_document(self._requests.content(request.number, known).decode(), where=path)
            document = read_document(edited.decode(), where=path)
        except (QmsError, UnicodeDecodeError):
            return edited  # told when the change is submitted
        if document.revision.text == item.after or begun.revision.text != item.after:
            return edited
        rows = [row for row in begun.history if row.revision == item.after]
        kept = replace(
            document,
            revision=begun.revision,
            history=(*document.history, *rows),
            drafted=begun.drafted,
            reviewed=begun.reviewed,
            approved=begun.approved,
            effective=begun.effective,
            status_note=begun.status_note,
        )
        return write_document(kept).encode()

    def undo(self, wanted: str, paths: Sequence[str], by: Signer) -> ChangeRequest:
        """Give files of a draft back the content that they have in the library; what was never there goes.

        Raises:
            ChangeNotOpenError: the change is approved or given up.
            NothingToTakeError: the draft has none of them otherwise than the library.
        """
        request = self._requests.read(wanted)
        check_open(request)
        known = {path: self._approved.read(path) for path in paths if path in request.edited}
        if len(known) < len(set(paths)):
            raise NothingToTakeError(number=request.number)
        return self.save(request, known, by)

    def save(
        self,
        request: ChangeRequest,
        changes: Mapping[str, bytes | None],
        by: Signer,
        *,
        beside: Sequence[StatementDraft] = (),
        said: Mapping[str, Wire] | None = None,
    ) -> ChangeRequest:
        """Save new contents of files of the draft (None takes one away), with further statements of the same act.

        `said` is what else the statement says, such as the comments that a Word file brought.

        Raises:
            ChangeNotOpenError: the change is approved or given up.
            NothingToTakeError: the draft has it all already.
            ActOvertakenError: somebody saved or signed since `request` was read.
        """
        check_open(request)
        old = request.files
        changed = {
            path: data
            for path, data in changes.items()
            if (Digest.of(data) if data is not None else None) != old.get(path)
        }
        if not changed and not beside:
            raise NothingToTakeError(number=request.number)
        contents = {path: data for path, data in changed.items() if data is not None}
        now = {path: digest for path, digest in old.items() if path not in changed}
        now |= {path: Digest.of(data) for path, data in contents.items()}
        parts = [StatementPart(draft) for draft in beside]
        if changed or said:
            stated = saved_statement(request.number, old, now)
            parts.append(StatementPart(replace(stated, new={**stated.new, **(said or {})})))
        by.ready("")
        self._acts.file(
            by,
            parts,
            along=missing_contents(self._archive, request.number, contents),
            expects={chain_of(request.number): request.sequence},
        )
        return self._requests.read(request.number)


def saved_statement(number: str, old: Mapping[str, Digest], now: Mapping[str, Digest]) -> StatementDraft:
    """Return the statement of a saved draft: what it was, and what it is now."""
    before: dict[str, Wire] = {path: old[path].text for path in old if old[path] != now.get(path)}
    gone: list[Wire] = [path for path in old if path not in now]
    return StatementDraft(
        chain=chain_of(number),
        event=Event.DRAFT_SAVED,
        subject=number,
        old={"files": before} if before else {},
        new={"deleted": gone} if gone else {},
        files=dict(now),
    )
