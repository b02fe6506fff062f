"""更改的检查. What the product's own checks find in the draft of a change, before anybody signs it (4.2.4)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.library_day import ItemKind
from controller.domain.references import SourceKind, Via
from controller.domain.text import T
from controller.services.controlled_items import ControlledItems
from controller.services.document_check import check_documents
from controller.services.document_library import DocumentLibrary
from controller.services.reference_keeping import ReferenceKeeping
from controller.services.register_library import RegisterLibrary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.change_request import ChangedItem, ChangeRequest
    from controller.domain.document import ControlledDocument
    from controller.domain.references import FormerItem
    from controller.services.archived_forms import KnownForms
    from controller.services.ports import LibraryFiles


class ChangeCheck:
    """更改的检查.

    Args:
        forms: gives the findings of forms (`numbers`) as a library has them.
        known_forms: gives the forms of a library, for registers.
        revision_rows: gives what the revision table of a drafted document says otherwise than what was signed.
        former: gives every number and title the library once had.
    """

    def __init__(
        self,
        forms: Callable[[LibraryFiles, Sequence[str]], Sequence[Finding]],
        known_forms: Callable[[LibraryFiles], KnownForms],
        revision_rows: Callable[[ControlledDocument, ChangeRequest], Sequence[Finding]],
        former: Callable[[], Sequence[FormerItem]],
    ) -> None:
        self._forms = forms
        self._known_forms = known_forms
        self._revision_rows = revision_rows
        self._former = former

    def findings(self, request: ChangeRequest, draft: LibraryFiles) -> list[Finding]:
        """Return everything that is wrong with, or worth knowing of, the items of a change."""
        found: list[Finding] = []
        items = ControlledItems(draft)
        for item in request.items:
            if item.after is not None:
                found += _revision(items, item, request.number)
        documents = {item.number for item in request.items if item.kind is ItemKind.DOCUMENT and item.after is not None}
        if documents:
            library = DocumentLibrary(draft)
            found += [item for item in check_documents(library, self._former) if _about(item, request)]
            for number in sorted(documents & set(library.numbers())):
                with suppress(QmsError):  # what cannot be read is told already
                    found += self._revision_rows(library.document(number), request)
        if any(item.kind is ItemKind.DOCUMENT and item.after is None for item in request.items):
            found += _left_behind(request, ReferenceKeeping(DocumentLibrary(draft), self._former))
        forms = [item.number for item in request.items if item.kind is ItemKind.FORM and item.after is not None]
        if forms:
            found += self._forms(draft, forms)
        registers = [item for item in request.items if item.kind is ItemKind.REGISTER and item.after is not None]
        if registers:
            kept = RegisterLibrary(draft, self._known_forms(draft))
            found += [finding for finding in kept.findings() if _about(finding, request)]
        return found


def _left_behind(request: ChangeRequest, keeping: ReferenceKeeping) -> list[Finding]:
    """Return who still cites the documents that a change withdraws, and the forms of theirs that stay in force."""
    found: list[Finding] = []
    gone = {item.number for item in request.items if item.after is None}
    for item in request.items:
        if item.kind is not ItemKind.DOCUMENT or item.after is not None:
            continue
        where, number = item.paths[0], item.number
        listed = {one.target for one in keeping.of(number) if one.via is Via.FORMS}
        owned = sorted(
            form.number
            for form in keeping.targets.of_kind(ItemKind.FORM)
            if form.number not in gone and (form.procedure == number if form.procedure else form.number in listed)
        )
        if owned:
            hint = T(
                "取消后重新提出，一起作废：qms change open --kind 作废 --document {number} {documents}；"
                "还要用的表单，先在另一项更改里把它的 procedure 改为别的文件。",
                number=number,
                documents=" ".join(f"--document {form}" for form in owned),
            )
            message = T("{number} 名下还有现行的表单 {forms}，不能单独作废。", number=number, forms=owned)
            found.append(Finding("withdrawn-owns-forms", Gravity.ERROR, message, path=where, subject=number, hint=hint))
        kinds = (SourceKind.DOCUMENT, SourceKind.FORM, SourceKind.REGISTER)
        citing = sorted({one.source.number for one in keeping.to(number) if one.source.kind in kinds} - gone - {*owned})
        if citing:
            message = T("{number} 作废后，这些文件仍引用它：{documents}。", number=number, documents=citing)
            hint = T("看引用的地方：qms doc links --to {number}；需要改的，另提出更改。", number=number)
            found.append(
                Finding("withdrawn-still-cited", Gravity.WARNING, message, path=where, subject=number, hint=hint)
            )
    return found


def _revision(items: ControlledItems, item: ChangedItem, change: str) -> list[Finding]:
    """Return a finding where the draft does not have the revision that the change takes it to."""
    where = item.paths[0]
    try:
        state = items.state(item.kind, where.rpartition("/")[2])
    except QmsError as exc:
        return list(exc.findings) or [Finding(exc.code, Gravity.ERROR, exc.message, path=exc.where or where)]
    if state.revision == item.after:
        return []
    message = T(
        "{number} 的草稿版本是 {found}，这次更改应为 {wanted}。",
        number=item.number,
        found=state.revision,
        wanted=item.after or "",
    )
    hint = T("在 {path} 里把 revision 改为 {wanted}，再收入草稿。", path=where, wanted=item.after or "")
    if item.kind is ItemKind.FORM:
        hint = T("运行 qms form compile {number} --revise，再收入草稿。", number=item.number)
    elif item.kind is ItemKind.DOCUMENT:
        hint = T(
            "在 {path} 里把 revision 改为 {wanted}，再运行 qms change take {change}；"
            "正文用 qms doc checkout 和 checkin 修改。",
            path=f"{where}/document.yml",
            wanted=item.after or "",
            change=change,
        )
    return [Finding("change-revision-wrong", Gravity.ERROR, message, path=where, subject=item.number, hint=hint)]


def _about(finding: Finding, request: ChangeRequest) -> bool:
    """Tell whether a finding concerns an item of the change."""
    if finding.path is None:
        return any(item.number == finding.subject for item in request.items)
    return any(item.holds(finding.path.partition(":")[0]) for item in request.items)
