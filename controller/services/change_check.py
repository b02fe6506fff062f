"""更改的检查. What the product's own checks find in the draft of a change, before anybody signs it (4.2.4)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.library_day import ItemKind
from controller.domain.text import T
from controller.services.controlled_items import ControlledItems
from controller.services.document_check import check_documents
from controller.services.document_library import DocumentLibrary
from controller.services.register_library import RegisterLibrary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.change_request import ChangedItem, ChangeRequest
    from controller.domain.document import ControlledDocument
    from controller.services.archived_forms import KnownForms
    from controller.services.ports import LibraryFiles


class ChangeCheck:
    """更改的检查.

    Args:
        forms: gives the findings of forms (`numbers`) as a library has them.
        known_forms: gives the forms of a library, for registers.
        revision_rows: gives what the revision table of a drafted document says otherwise than what was signed.
    """

    def __init__(
        self,
        forms: Callable[[LibraryFiles, Sequence[str]], Sequence[Finding]],
        known_forms: Callable[[LibraryFiles], KnownForms],
        revision_rows: Callable[[ControlledDocument, ChangeRequest], Sequence[Finding]],
    ) -> None:
        self._forms = forms
        self._known_forms = known_forms
        self._revision_rows = revision_rows

    def findings(self, request: ChangeRequest, draft: LibraryFiles) -> list[Finding]:
        """Return everything that is wrong with, or worth knowing of, the items of a change."""
        found: list[Finding] = []
        items = ControlledItems(draft)
        for item in request.items:
            if item.after is not None:
                found += _revision(items, item)
        documents = {item.number for item in request.items if item.kind is ItemKind.DOCUMENT and item.after is not None}
        if documents:
            library = DocumentLibrary(draft)
            found += [item for item in check_documents(library) if _about(item, request)]
            for number in sorted(documents & set(library.numbers())):
                with suppress(QmsError):  # what cannot be read is told already
                    found += self._revision_rows(library.document(number), request)
        forms = [item.number for item in request.items if item.kind is ItemKind.FORM and item.after is not None]
        if forms:
            found += self._forms(draft, forms)
        registers = [item for item in request.items if item.kind is ItemKind.REGISTER and item.after is not None]
        if registers:
            kept = RegisterLibrary(draft, self._known_forms(draft))
            found += [finding for finding in kept.findings() if _about(finding, request)]
        return found


def _revision(items: ControlledItems, item: ChangedItem) -> list[Finding]:
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
    hint = T("表单运行 qms form compile {number} --revise；台账和清单在文件里改 revision。", number=item.number)
    return [Finding("change-revision-wrong", Gravity.ERROR, message, path=where, subject=item.number, hint=hint)]


def _about(finding: Finding, request: ChangeRequest) -> bool:
    """Tell whether a finding concerns an item of the change."""
    if finding.path is None:
        return any(item.number == finding.subject for item in request.items)
    return any(item.holds(finding.path.partition(":")[0]) for item in request.items)
