"""补充与更正的界限. What may be added to a record as it goes on, and what is a correction that needs a reason.

Blank and 待补 are filled in, lists grow, rows gain cells; anything else that was entered stays until it is corrected
with a reason (GSP Art. 22; 21 CFR 11.10 e).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.field_values import display, is_pending
from controller.domain.form import FieldType
from controller.domain.form_problem import Problem, shown
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.domain.form import FormDefinition
    from controller.domain.record import Wire

_MACHINE = frozenset({FieldType.COMPUTED, FieldType.PERFORMER})


def replaced_values(
    definition: FormDefinition, before: Mapping[str, Wire], wire: Mapping[str, Wire]
) -> Iterator[Problem]:
    """Yield a problem for every field whose stored value `wire` would replace or clear instead of adding to it."""
    for field in definition.fields:
        if field.key not in wire or field.type in _MACHINE:
            continue
        old = before.get(field.key)
        # What the form filled in by default was entered by nobody.
        by_default = field.default is not None and display(field, old) == field.default
        if not by_default and not _adds(old, wire[field.key]):
            yield Problem(
                "already-entered",
                field.key,
                field.label,
                shown(field, wire[field.key]),
                T("已填写过，不能直接改写或清空"),
                T("用 qms record correct 更正，并写明原因"),
            )


def _adds(old: Wire, new: Wire) -> bool:
    """Tell whether `new` still says everything that `old` says."""
    if old is None or old == new or is_pending(old):
        return True
    if isinstance(old, list) and isinstance(new, list):
        return all(any(_adds(item, other) for other in new) for item in old)
    if isinstance(old, dict) and isinstance(new, dict):
        return all(_adds(value, new.get(key)) for key, value in old.items())
    return False
