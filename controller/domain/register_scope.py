"""台账表达式可用的名称. What an expression of a register may speak of, and the functions registers add.

The lists here are the contract of `docs/form-language.md` §2 in code: lint checks against them, building fills them.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from controller.domain.expression_functions import FunctionMisuseError
from controller.domain.register import Source
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.expression import Expression

RECORD_PARTS = (
    "number", "form", "form_title", "form_revision", "year", "serial", "stage", "stage_label", "opened_at", "opened_by",
    "changed_at", "changed_by", "voided", "late", "retention", "retention_until",
    "retention_permanent", "retention_reason", "entries",
)  # fmt: skip
DOCUMENT_PARTS = (
    "no", "number", "title", "class", "revision", "owner", "status", "procedure", "forms", "basis", "approved_on",
    "effective_on", "distribution", "holders", "next_review", "approval_days", "copies_outstanding", "invalid_basis",
    "note",
)  # fmt: skip
FORM_PARTS = (
    "no", "number", "title", "revision", "procedure", "owner", "department", "keeper", "retention", "retention_rule",
    "approved_on", "effective_on", "status", "fields", "stages", "records", "voided", "first_used", "last_used",
)  # fmt: skip
ENTRY_PARTS = (
    "record", "form", "sequence", "act", "act_label", "at", "by", "person", "post", "meaning", "stage", "reason",
    "entered_for", "fields", "old", "new", "digest", "previous",
)  # fmt: skip
ROOTS: Mapping[Source, tuple[str, tuple[str, ...]]] = {
    Source.RECORDS: ("record", RECORD_PARTS),
    Source.DOCUMENTS: ("document", DOCUMENT_PARTS),
    Source.FORMS: ("form", FORM_PARTS),
    Source.ENTRIES: ("entry", ENTRY_PARTS),
}
"""Source → the name that stands for the row, and its parts."""


def year_month(day: object) -> object:
    """`2026-05`; none for none."""
    return None if day is None else f"{_day(day, 'year_month'):%Y-%m}"


def year_quarter(day: object) -> object:
    """`2026-Q2`; none for none."""
    if day is None:
        return None
    found = _day(day, "year_quarter")
    return f"{found.year}-Q{(found.month + 2) // 3}"


def _day(value: object, name: str) -> date:
    if isinstance(value, date):
        return value
    raise FunctionMisuseError(T("函数 {name} 需要{needs}", name=name, needs=T("日期")))


REGISTER_FUNCTIONS: Mapping[str, object] = {"year_month": year_month, "year_quarter": year_quarter}
"""Functions added for registers; `linked` comes from the building service, because it reads records."""
SUPPLIED = (*REGISTER_FUNCTIONS, "linked")


def parts_used(expression: Expression) -> dict[str, set[str]]:
    """Return name → the parts of it that the expression reads (`record.number` → `record`: `number`)."""
    from jinja2 import nodes

    found: dict[str, set[str]] = {}
    for node in (expression.tree, *expression.tree.find_all((nodes.Getattr, nodes.Getitem))):
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            found.setdefault(node.node.name, set()).add(node.attr)
        elif (
            isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Name) and isinstance(node.arg, nodes.Const)
        ):
            found.setdefault(node.node.name, set()).add(str(node.arg.value))
    return found
