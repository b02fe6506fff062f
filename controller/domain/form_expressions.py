"""表单里的表达式. Showing a condition to people, and the order in which computed fields are reckoned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.expression import Expression
from controller.domain.form import FieldType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.form import Field, FormDefinition

_WORD = re.compile(r"'[^']*'|\"[^\"]*\"|[A-Za-z_][A-Za-z0-9_]*")


def readable(expression: str, labels: Mapping[str, str]) -> str:
    """Return an expression with the labels of fields in place of their keys; text in quotes stays."""

    def replace(match: re.Match[str]) -> str:
        return match[0] if match[0][0] in "'\"" else labels.get(match[0], match[0])

    return _WORD.sub(replace, expression)


def computing_order(definition: FormDefinition) -> Sequence[Field]:
    """Return the computed fields, each after those it reckons with; fields in a circle are left out (see lint)."""
    waiting = {
        field.key: (field, Expression.compile(field.value).names)
        for field in definition.fields
        if field.type is FieldType.COMPUTED and field.value is not None
    }
    ordered: list[Field] = []
    while waiting:
        ready = [key for key, (_field, names) in waiting.items() if not names & waiting.keys()]
        if not ready:
            break
        ordered += [waiting.pop(key)[0] for key in ready]
    return ordered
