"""记录链. Checks that entries form one unbroken chain and folds them into the record's state (21 CFR 11.10 e).

Later entries never change earlier ones; a correction is a new entry and the old value stays readable in the chain.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import DamagedError
from controller.domain.form_stages import reachable
from controller.domain.paper_signature import paper_problem
from controller.domain.record import Act, RecordState
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.domain.form import FormDefinition
    from controller.domain.identifiers import Digest
    from controller.domain.record import Attachment, Entry, SealedValue, Signatory, Wire

_MOVES = frozenset({Act.OPENED, Act.ADVANCED})


class BrokenChainError(DamagedError):
    """记录链断裂. The entries do not form one record."""

    code = "record-chain-broken"

    def __init__(self, *, finding: Finding) -> None:
        super().__init__(
            finding.message,
            hint=T("记录归档后不会改变；请运行 qms verify 查看全部问题，并用备份核对。"),
            where=finding.subject,
        )
        self.finding = finding


def chain_findings(entries: Sequence[tuple[Entry, Digest]], *, form: FormDefinition | None = None) -> Iterator[Finding]:
    """Yield everything that is wrong with a record's entries, given in sequence order, each with its bytes' digest.

    With `form`, stages must be those of the form and follow each other as it allows; a record may be opened late, at
    any stage that can be reached.
    """
    if not entries:
        return
    first = entries[0][0]
    number = first.record.text

    def wrong(code: str, message: Text, gravity: Gravity = Gravity.ERROR) -> Finding:
        return Finding(code=code, gravity=gravity, message=message, subject=number)

    before: Entry | None = None
    digest: Digest | None = None
    voided = False
    for place, (entry, own) in enumerate(entries, 1):
        if entry.sequence != place:
            message = T(
                "记录 {number} 第 {place} 个条目的序号是 {found}", number=number, place=place, found=entry.sequence
            )
            yield wrong("entry-sequence-wrong", message)
        if entry.previous != digest:
            message = T(
                "记录 {number} 第 {place} 个条目没有接在前一条目之后（前项摘要不符）", number=number, place=place
            )
            yield wrong("entry-previous-wrong", message)
        for name, mine, theirs in (
            (T("记录编号"), entry.record.text, number),
            (T("工作区"), entry.workspace, first.workspace),
            (T("站点"), entry.site, first.site),
            (T("表单"), entry.form.number.text, first.form.number.text),
            (T("表单版本"), entry.form.revision.text, first.form.revision.text),
            (T("表单摘要"), entry.form.digest.text, first.form.digest.text),
        ):
            if mine != theirs:
                message = T(
                    "记录 {number} 第 {place} 个条目的{name}是 {mine}，应为 {theirs}",
                    number=number,
                    place=place,
                    name=name,
                    mine=mine,
                    theirs=theirs,
                )
                yield wrong("entry-of-another-record", message)
        if entry.record.form != entry.form.number.text:
            message = T("记录 {number} 的编号与所用表单 {form} 不一致", number=number, form=entry.form.number)
            yield wrong("record-number-form-differs", message)
        if (entry.act is Act.OPENED) != (place == 1):
            message = T(
                "记录 {number} 第 {place} 个条目的动作不应是 {act}", number=number, place=place, act=entry.act.value
            )
            yield wrong("entry-act-misplaced", message)
        if voided:
            message = T("记录 {number} 已作废，之后不应再有第 {place} 个条目", number=number, place=place)
            yield wrong("entry-after-void", message)
        stage_problem = _stage_problem(entry, before, form)
        if stage_problem:
            yield wrong("entry-stage-wrong", stage_problem)
        if before and datetime.fromisoformat(entry.at) < datetime.fromisoformat(before.at):
            message = T(
                "记录 {number} 第 {place} 个条目的时间 {at} 早于前一条目 {before}",
                number=number,
                place=place,
                at=entry.at,
                before=before.at,
            )
            yield wrong("entry-time-backwards", message, Gravity.WARNING)
        paper = paper_problem(entry, entries[: place - 1]) if entry.act is Act.SIGNED_ON_PAPER else None
        if paper:
            yield wrong("entry-paper-signature-wrong", paper)
        for key in sorted(entry.values.keys() & entry.sealed.keys()):
            message = T(
                "记录 {number} 第 {place} 个条目的字段 {key} 同时有明文和封存值", number=number, place=place, key=key
            )
            yield wrong("entry-value-twice", message)
        voided = voided or entry.act is Act.VOIDED
        before, digest = entry, own


def _stage_problem(entry: Entry, before: Entry | None, form: FormDefinition | None) -> Text | None:
    """Tell why the entry's stage cannot be, None when it can."""
    number, place = entry.record.text, entry.sequence
    if before and entry.act not in _MOVES and entry.stage != before.stage:
        return T(
            "记录 {number} 第 {place} 个条目没有推进阶段，却由 {before} 变为 {stage}",
            number=number,
            place=place,
            before=before.stage,
            stage=entry.stage,
        )
    if form is None:
        return None
    stage = form.stage(entry.stage)
    if stage is None:
        return T(
            "记录 {number} 第 {place} 个条目的阶段 {stage} 不是表单的阶段",
            number=number,
            place=place,
            stage=entry.stage,
        )
    if entry.act is Act.OPENED and stage.key not in reachable(form.stages):
        return T("记录 {number} 不能从阶段 {stage} 开始", number=number, stage=stage.label)
    if entry.act is Act.ADVANCED and before and before.stage not in stage.after:
        return T(
            "记录 {number} 第 {place} 个条目不能由 {before} 推进到 {stage}",
            number=number,
            place=place,
            before=before.stage,
            stage=stage.label,
        )
    return None


def fold(entries: Sequence[tuple[Entry, Digest]], *, form: FormDefinition | None = None) -> RecordState:
    """Return the record's state after all `entries` (at least one), each given with the digest of its bytes.

    Raises:
        BrokenChainError: the entries are not one unbroken chain.
    """
    for finding in chain_findings(entries, form=form):
        if finding.gravity is Gravity.ERROR:
            raise BrokenChainError(finding=finding)
    values: dict[str, Wire] = {}
    sealed: dict[str, SealedValue] = {}
    signed: dict[str, tuple[Signatory, str]] = {}
    attachments: list[Attachment] = []
    corrected: set[str] = set()
    for entry, _ in entries:
        for key, value in entry.values.items():
            sealed.pop(key, None)
            values.pop(key, None)
            if value is not None:
                values[key] = value
        for key, stated in entry.sealed.items():
            values.pop(key, None)
            sealed[key] = stated
        if entry.act in _MOVES:
            signed[entry.stage] = (entry.by, entry.at)
        if entry.act is Act.CORRECTED:
            corrected.update(entry.values, entry.sealed)
        attachments.extend(item for item in entry.attachments if item not in attachments)
    first, last = entries[0][0], entries[-1][0]
    return RecordState(
        number=first.record,
        form=first.form,
        stage=last.stage,
        values=values,
        sealed=sealed,
        opened_at=first.at,
        opened_by=first.by,
        changed_at=last.at,
        changed_by=last.by,
        entries=len(entries),
        head=entries[-1][1],
        voided=last.act is Act.VOIDED,
        signed=signed,
        attachments=tuple(attachments),
        corrected=frozenset(corrected),
    )
