"""纸质签署单. What is printed for a signature on paper: what is to be signed, its digests, and a code to find it by.

The sheet shows sensitive values masked, so that its scan may lie open in the archive. Seals are never drawn: the sheet
keeps a place for one (docs/signatures.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.field_values import display, display_rows
from controller.domain.form import FieldType
from controller.domain.paper_signature import PaperCode, paper_lines
from controller.domain.record_view import MASK
from controller.domain.text import T
from controller.services.entry_making import view_of
from controller.services.stage_control import StageRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import Protocol

    from controller.domain.document_signatures import DocumentSignatures
    from controller.domain.form import Field, FormDefinition
    from controller.domain.identifiers import Digest
    from controller.domain.record import Signatory, Wire
    from controller.domain.record_view import RecordView
    from controller.services.record_reading import StoredRecord
    from controller.services.workspace_identity import WorkspaceIdentity

    class PaperSheetDrawing(Protocol):
        """签署单版式."""

        def __call__(self, sheet: PaperSheet) -> bytes:
            """Return the sheet as docx."""
            ...


@dataclass(frozen=True)
class PaperSheet:
    """纸质签署单."""

    company: str
    subject: str
    """Record or document number."""
    facts: Sequence[tuple[str, str]]
    """Label → value: what is to be signed."""
    digests: Sequence[tuple[str, Digest]]
    """What each is the digest of, in a few words."""
    code: PaperCode
    meaning: str
    signer: str
    """Who is expected to sign; empty where not known."""
    by: Signatory
    """Who printed the sheet."""
    printed_at: str


def record_sheet(stored: StoredRecord, *, meaning: str, signer: str, by: Signatory, at: datetime) -> PaperSheet:
    """Return the sheet of a record as it stands.

    Raises:
        StageRefusedError: the record is void.
    """
    state, definition = stored.state, stored.package.definition
    if state.voided:
        raise StageRefusedError(
            subject=state.number.text,
            problem=T("已作废，不能再签名"),
            hint=T("需要时另立一份新记录，并引用本编号。"),
        )
    newest, head = stored.entries[-1]
    view = view_of(definition, state)
    facts = [
        ("表单", f"{definition.title}（{definition.number} {definition.revision}）"),
        ("记录编号", f"{state.number}　阶段：{view.stage_label}"),
        ("登记", f"{view.opened_by}　{view.opened_at[:16].replace('T', ' ')}"),
    ]
    facts += _values(definition, view)
    facts += [("已有纸质签名", line) for line in paper_lines(stored.entries)]
    digests = [(f"第 {newest.sequence} 个条目（最新）的摘要", head)]
    if newest.shown is not None:
        digests.append(("当时所示内容（敏感信息遮蔽）的摘要", newest.shown))
    return PaperSheet(
        company=newest.company,
        subject=state.number.text,
        facts=facts,
        digests=digests,
        code=PaperCode(newest.workspace, state.number.text, newest.sequence, head),
        meaning=meaning,
        signer=signer,
        by=by,
        printed_at=f"{at:%Y-%m-%d %H:%M}",
    )


def _values(definition: FormDefinition, view: RecordView) -> Iterator[tuple[str, str]]:
    """Yield everything that is filled in, whole: nobody signs what they were not shown. The form's subject is first."""
    first = definition.subject
    for item in sorted(definition.fields, key=lambda one: one.key != first):
        shown = MASK if item.key in view.masked else _shown(item, view.values.get(item.key))
        if shown:
            yield item.label, shown


def _shown(item: Field, value: Wire) -> str:
    if item.type is not FieldType.TABLE:
        return display(item, value)
    labels = {column.key: column.label for column in item.columns}
    rows = (
        "，".join(f"{labels[key]}：{cell}" for key, cell in cells.items() if cell)
        for cells in display_rows(item, value)
    )
    return "\n".join(f"{number}. {row}" for number, row in enumerate(filter(None, rows), 1))


def document_sheet(
    standing: DocumentSignatures,
    identity: WorkspaceIdentity,
    *,
    meaning: str,
    signer: str,
    by: Signatory,
    at: datetime,
) -> PaperSheet:
    """Return the sheet of a document revision as it stands on `main`."""
    facts = [
        ("文件名称", standing.title),
        ("文件编号", standing.number),
        ("版本", standing.revision),
        ("签署路线", standing.route.label),
    ]
    for item in standing.steps:
        signed = item.signature
        done = f"{signed.by.name}（{signed.by.post}）　{signed.at[:16].replace('T', ' ')}" if signed else "待签"
        facts.append((item.step.label, f"{done}（应由：{item.posts}）" if signed is None else done))
    return PaperSheet(
        company=identity.company,
        subject=f"{standing.number} {standing.revision}",
        facts=facts,
        digests=[(standing.contents_label, standing.contents)],
        code=document_code(standing, identity),
        meaning=meaning,
        signer=signer,
        by=by,
        printed_at=f"{at:%Y-%m-%d %H:%M}",
    )


def document_code(standing: DocumentSignatures, identity: WorkspaceIdentity) -> PaperCode:
    """Return the code of a sheet printed now."""
    subject = f"{standing.number}/{standing.revision.replace('/', '-')}"
    return PaperCode(identity.id, subject, len(standing.signatures), standing.contents)
