"""清单的行. The rows of the master lists: controlled documents with registers (TZ-01), forms (TZ-02)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from controller.domain.identifiers import DOCUMENT_CLASSES
from controller.domain.register_scope import DOCUMENT_PARTS, REGISTER_FUNCTIONS
from controller.domain.text import T
from controller.services.register_rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.domain.register import RegisterDefinition
    from controller.domain.retention import RetentionClass, RetentionRules
    from controller.services.archived_forms import KnownForms
    from controller.services.document_facts import DocumentFacts
    from controller.services.index_ports import RecordIndex
    from controller.services.register_rows import DocumentList


def document_rows(
    documents: DocumentList,
    now: datetime,
    facts: DocumentFacts | None = None,
    registers: Sequence[RegisterDefinition] = (),
) -> Iterator[Row]:
    """Yield every controlled document, in order of number, then the registers, which are controlled too."""
    fixed = {"today": now.date(), "now": now, **REGISTER_FUNCTIONS}
    place = 0
    for item in documents.documents():
        place += 1
        parts: dict[str, object] = dict.fromkeys(DOCUMENT_PARTS)
        parts |= {
            "no": Decimal(place),
            "number": item.number.text,
            "title": item.title,
            "class": item.class_word,
            "revision": item.revision.text,
            "owner": item.owner,
            "status": item.status_note,
            "forms": Decimal(len(item.forms)),
            "basis": list(item.basis),
            "approved_on": _day(item.approved.date) if item.approved is not None else None,
            "effective_on": _day(item.effective),
        }
        if facts is not None:
            parts |= _facts(facts, item.number.text)
        yield Row(names={**fixed, "document": parts}, number=item.number.text)
    for register in registers:
        place += 1
        parts = dict.fromkeys(DOCUMENT_PARTS)
        parts |= {
            "no": Decimal(place),
            "number": register.number.text,
            "title": register.title,
            "class": DOCUMENT_CLASSES[register.number.class_code],
            "revision": register.revision.text,
            "owner": register.owner,
            "procedure": register.procedure.text if register.procedure is not None else None,
            "forms": Decimal(len(register.forms)),
            "basis": [],
        }
        if facts is not None:
            parts |= _facts(facts, register.number.text)
        yield Row(names={**fixed, "document": parts}, number=register.number.text)


def _facts(facts: DocumentFacts, number: str) -> dict[str, object]:
    out, owed = facts.copies(number)
    days = facts.approval_days(number)
    return {
        "approved_on": facts.approved(number),
        "effective_on": facts.effective(number),
        "status": facts.status(number),
        "next_review": facts.review_due(number),
        "distribution": facts.distribution(number) or None,
        "holders": Decimal(out),
        "copies_outstanding": Decimal(owed),
        "approval_days": Decimal(days) if days is not None else None,
        "invalid_basis": Decimal(facts.invalid_basis(number)),
        "note": facts.note(number) or None,
    }


def form_rows(
    forms: KnownForms,
    index: RecordIndex,
    retention: RetentionRules | None,
    now: datetime,
    *,
    facts: DocumentFacts | None = None,
    documents: DocumentList | None = None,
) -> Iterator[Row]:
    """Yield every form of the library with how it was used, in order of number."""
    fixed = {"today": now.date(), "now": now, **REGISTER_FUNCTIONS}
    use = index.form_use()
    owners = {item.number.text: item.owner for item in documents.documents()} if documents is not None else {}
    for place, number in enumerate(forms.numbers(), start=1):
        form = forms.definition(number)
        used = use.get(number)
        kind = retention.classes.get(form.retention) if retention is not None else None
        procedure = form.procedure.text if form.procedure is not None else None
        parts = {
            "no": Decimal(place),
            "number": number,
            "title": form.title,
            "revision": form.revision.text,
            "procedure": procedure,
            "owner": form.owner,
            "department": owners.get(procedure or "", form.owner),
            "keeper": facts.department(form.owner) if facts is not None else form.owner,
            "retention": kind.label if kind is not None else form.retention,
            "retention_rule": rule_text(kind) if kind is not None else None,
            "approved_on": facts.approved(number) if facts is not None else None,
            "effective_on": facts.effective(number) if facts is not None else None,
            "status": facts.status(number) if facts is not None else None,
            "fields": Decimal(len(form.fields)),
            "stages": Decimal(len(form.stages)),
            "records": Decimal(used.records if used is not None else 0),
            "voided": Decimal(used.voided if used is not None else 0),
            "first_used": _moment(used.first_opened_at) if used is not None else None,
            "last_used": _moment(used.last_opened_at) if used is not None else None,
        }
        yield Row(names={**fixed, "form": parts}, number=number)


def rule_text(kind: RetentionClass) -> str:
    """Return how long records of a class are kept, in words; of several the latest day wins."""
    if kind.permanent:
        return str(T("永久"))
    said = []
    if kind.permanent_if is not None:
        said.append(T("植入类永久") if kind.permanent_if == "is_implant" else T("符合条件的永久"))
    if kind.expiry_plus is not None:
        said.append(T("有效期满后 {span}", span=kind.expiry_plus.text))
    if kind.warranty_plus is not None:
        said.append(T("保修期满后 {span}", span=kind.warranty_plus.text))
    if kind.from_event is not None:
        said.append(T("{event}后 {span}", event=kind.from_event.label, span=kind.from_event.span.text))
    if kind.least is not None:
        said.append(T("不少于 {span}", span=kind.least.text))
    return "，".join(str(part) for part in said)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
