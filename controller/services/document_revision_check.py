"""文件版本检查. What somebody signed stays so: another text needs another revision (ISO 13485 4.2.4 a, c).

And what ever was approved by a change, or is in one, is changed by changes only: never by adopting an edited file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.paper_signature import paper_of
from controller.domain.statement import CHANGES, Event
from controller.domain.text import T
from controller.services.controlled_items import SCREEN_ONLY, item_of, path_of
from controller.services.document_history import MAIN
from controller.services.document_library import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from controller.domain.change_request import ChangeRequest
    from controller.services.document_library import DocumentLibrary
    from controller.services.history_ports import LibraryHistory
    from controller.services.statement_filing import StatementFiling


def check_document_revisions(
    working: DocumentLibrary,
    approved: DocumentLibrary,
    paths: Iterable[str],
    signed: Callable[[str, str], bool],
) -> list[Finding]:
    """Return a finding for every changed document whose revision somebody has signed already.

    Args:
        working: the documents as they would be adopted.
        approved: those in force.
        paths: every file that changed.
        signed: number, revision → whether somebody signed it, whatever it said then.
    """
    inside = (path.split("/", maxsplit=2) for path in paths if path.startswith(f"{FOLDER}/"))
    numbers = sorted({part[1] for part in inside if len(part) > 2 and part[2] not in SCREEN_ONLY})  # noqa: PLR2004 - folder, number, file
    findings: list[Finding] = []
    for number in set(numbers) & set(working.numbers()):
        try:
            new = working.document(number).revision
            old = approved.document(number).revision if number in approved.numbers() else new
        except QmsError:
            continue  # said by the check of the document
        if not signed(number, new.text) and not (new < old and signed(number, old.text)):
            continue
        message = T("{number} 的内容已改动，而版本 {revision} 已有人签署。", number=number, revision=new)
        path = f"{FOLDER}/{number}/document.yml"
        hint = T("在 {path} 里把 revision 提高（现为 {old}），写明修改内容，采用后重新签署。", path=path, old=old)
        findings.append(Finding("document-revision-kept", Gravity.ERROR, message, path=path, subject=number, hint=hint))
    return sorted(findings, key=lambda item: item.subject or "")


def check_change_control(
    paths: Iterable[str], history: LibraryHistory, open_changes: Callable[[], Iterable[ChangeRequest]]
) -> list[Finding]:
    """Return a finding for every item that cannot be adopted any more because changes govern it.

    Args:
        paths: every library file that would be adopted or taken away.
        history: the commits of the controlled library; each names the statement behind it.
        open_changes: the changes that are neither approved nor given up.
    """
    items: dict[str, str] = {}
    for path in paths:
        found = item_of(path)
        if found is not None and path.rpartition("/")[2] not in SCREEN_ONLY:
            items.setdefault(path_of(found[0], found[1]), found[1])
    if not items:
        return []
    governed: dict[str, str] = {}
    tip = history.tip(MAIN)
    for commit in history.log(tip, paths=tuple(items), statements=True) if tip is not None else ():
        folder, _slash, inside = commit.statement.partition("/")
        for touched in commit.changes if folder == CHANGES else ():
            governed |= {own: inside.partition("/")[0] for own in items if f"{touched.path}/".startswith(f"{own}/")}
    findings = []
    for request in open_changes():
        governed |= {own: request.number for item in request.items for own in item.paths if own in items}
    for own, change in sorted(governed.items()):
        number = items[own]
        message = T("{number} 由文件更改管理（更改 {change}），不能直接采用。", number=number, change=change)
        hint = T(
            "用 qms change open --document {number} --reason 原因 提出更改；已在更改中的，改好后收入它的草稿。",
            number=number,
        )
        findings.append(
            Finding("item-under-change-control", Gravity.ERROR, message, path=own, subject=number, hint=hint)
        )
    return findings


def signed_revision(statements: StatementFiling, number: str, revision: str) -> bool:
    """Tell whether somebody signed this revision of a document, electronically or on paper."""
    for stored in statements.chain(f"documents/{number}/{revision.replace('/', '-')}"):
        statement = stored.statement
        paper = paper_of(statement.new)
        if statement.event is Event.DOCUMENT_SIGNED or (paper is not None and paper.signed):
            return True
    return False
