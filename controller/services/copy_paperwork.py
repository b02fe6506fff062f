"""副本的记录. What JL-003 and JL-005 say of copies; filed with the statement in one act (CX-001 5.5, 5.9).

The forms belong to the company: a field or stage that it took out is left out, and a company without the form keeps the
signed statements alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.controlled_copies import OUTSIDE, Medium
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, RecordNumber
from controller.services.act_filing import AdvancingPart, OpeningPart
from controller.services.change_paperwork import (
    DESTRUCTION,
    ISSUE,
    destruction_values,
    issue_values,
    loss_values,
    return_values,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from controller.domain.controlled_copies import ControlledCopy, CopyHolder
    from controller.domain.form import FormDefinition
    from controller.domain.paper_signature import PaperSignature
    from controller.domain.person import Staff
    from controller.services.act_filing import ActMoment
    from controller.services.form_library import FormLibrary
    from controller.services.record_control import RecordControl

RETURN_REASONS = ("换版", "作废", "离岗", "破损", "其他")
"""回收原因, in the words of the form."""
OBSOLETE_COPY, PAPER_COPY = "作废文件副本", "纸质副本"
"""对象 of a destruction, in the words of the form."""
_OTHER = "其他"
"""Department of the form that stands for all others."""
_TARGET = re.compile(r"(?P<number>\S+) [A-Z]/\d{1,3} 发放号 (?P<copies>\d{2,5}(?:、\d{2,5})*)")


@dataclass(frozen=True)
class DestructionOrder:
    """销毁审批. The record that allows a destruction: which copies, how, and how far it has come."""

    record: RecordNumber
    number: str
    copies: tuple[str, ...]
    stage: str
    method: str


def target_of(text: str) -> tuple[str, tuple[str, ...]] | None:
    """Return document number and copies that JL-005 names: what is approved is just what may be destroyed."""
    match = _TARGET.fullmatch(text.strip())
    return (match["number"], tuple(match["copies"].split("、"))) if match else None


class CopyPaperwork:
    """副本的记录."""

    def __init__(self, forms: FormLibrary, records: RecordControl, staff: Staff) -> None:
        self._forms = forms
        self._records = records
        self._staff = staff

    def form(self, short: str) -> str | None:
        """Return the number of the form called `short` (`JL-003`), None when the company has none."""
        return next((number for number in self._forms.numbers() if _short(number) == short), None)

    def departments(self) -> list[str]:
        """Return the departments that may hold copies: those of the posts, and what else the form knows."""
        found = [post.department for post in self._staff.posts.values() if post.department]
        form = self.form(ISSUE)
        listed = _choices(self._forms.definition(form), "holder_dept") if form is not None else ()
        found += [item for item in listed if item != _OTHER and not any(name.startswith(item) for name in found)]
        return list(dict.fromkeys([*(item for item in found if item != OUTSIDE), OUTSIDE]))

    def issued(
        self, document: tuple[str, str, str], copy: str, holder: CopyHolder, medium: str, on: date
    ) -> OpeningPart | None:
        """Return the opening of JL-003 for a copy of a document (number, title, revision), None without the form."""
        form = self.form(ISSUE)
        if form is None:
            return None
        definition = self._forms.definition(form)
        number, title, revision = document
        values = issue_values(
            number=number,
            title=title,
            revision=revision,
            copy=copy,
            department=holder.department,
            paper=medium == Medium.PAPER,
            issued=on,
            holder=holder.person,
            holder_name="" if holder.person else holder.name,
        )
        return OpeningPart(form, _known(definition, values), source={"copy": copy}, key=ISSUE)

    def received(
        self, copy: ControlledCopy, *, paper: PaperSignature | None = None, scan: bytes | None = None
    ) -> AdvancingPart | None:
        """Return the receipt in JL-003: by the holder, or what came of asking for a signature on paper."""
        if paper is None:
            return self._next(copy, {}, "acknowledged")
        value: dict[str, object] = {**paper.value()}
        files = {}
        if paper.scan is not None and scan is not None:
            value["attachment"] = paper.scan.name
            files = {paper.scan.name: scan}
        return self._next(copy, {"paper_receipt": value}, "acknowledged_on_paper", files=files)

    def returned(self, copy: ControlledCopy, *, why: str, on: date) -> AdvancingPart | None:
        """Return the end of JL-003: the copy came back."""
        return self._next(copy, return_values(on=on, reason=why), "returned")

    def lost(self, copy: ControlledCopy, *, note: str, on: date) -> AdvancingPart | None:
        """Return the end of JL-003: the copy is lost."""
        return self._next(copy, loss_values(on=on, note=note), "lost")

    def _next(
        self,
        copy: ControlledCopy,
        values: Mapping[str, object],
        stage: str,
        *,
        files: Mapping[str, bytes] | None = None,
    ) -> AdvancingPart | None:
        """Return how the copy's record goes on; None when it has none, or its form has no such stage from here."""
        number = _record(copy.record)
        if number is None:
            return None
        stored = self._records.read(number)
        definition, here = stored.package.definition, stored.state.stage
        if stored.state.voided or stage not in {item.key for item in definition.stages if here in item.after}:
            return None
        return AdvancingPart(number, _known(definition, values), stage=stage, files=files or {})

    def request(
        self, number: str, copies: Sequence[ControlledCopy], *, kind: str, due: date, reason: str
    ) -> OpeningPart | None:
        """Return the opening of JL-005, None when the company has no such form."""
        form = self.form(DESTRUCTION)
        if form is None:
            return None
        values = destruction_values(
            number=number,
            revision=copies[0].revision,
            copies=[item.copy for item in copies],
            withdrawn=due,
            reason=reason,
        )
        values["target_type"] = kind
        return OpeningPart(form, _known(self._forms.definition(form), values), key=DESTRUCTION)

    def order(self, record: RecordNumber) -> DestructionOrder | None:
        """Return what a record JL-005 allows to be destroyed; None: it is another form, void, or names no copies."""
        stored = self._records.read(record)
        values = stored.state.values
        target = target_of(str(values.get("target_ref") or ""))
        if _short(stored.package.definition.number.text) != DESTRUCTION or stored.state.voided or target is None:
            return None
        return DestructionOrder(record, *target, stage=stored.state.stage, method=str(values.get("method") or ""))

    @staticmethod
    def destroyed(record: RecordNumber, *, on: date) -> AdvancingPart:
        """Return the destruction in JL-005."""
        return AdvancingPart(record, {"destroyed_on": on.isoformat()}, stage="destroyed")

    @staticmethod
    def witnessed(record: RecordNumber) -> AdvancingPart:
        """Return the end of JL-005: somebody else watched."""
        return AdvancingPart(record, {}, stage="witnessed")


def record_of(moment: ActMoment, key: str) -> dict[str, str]:
    """Return the fact that names the record opened in the same act, nothing when none was."""
    return {"record": moment.records[key].text} if key in moment.records else {}


def _record(text: str) -> RecordNumber | None:
    try:
        return RecordNumber(text) if text else None
    except InvalidIdentifierError:
        return None


def _short(number: str) -> str:
    try:
        return DocumentNumber(number).short
    except InvalidIdentifierError:
        return ""


def _known(definition: FormDefinition, values: Mapping[str, object]) -> dict[str, object]:
    """Return the values whose fields the form has, without the empty ones."""
    keys = {item.key for item in definition.fields}
    return {key: value for key, value in values.items() if key in keys and value != ""}


def _choices(definition: FormDefinition, key: str) -> tuple[str, ...]:
    return next((tuple(item.choices) for item in definition.fields if item.key == key), ())
