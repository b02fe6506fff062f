"""条件的逻辑. What can be told about a condition without values: never true, always true, misspelt options, none.

Cheap judgement only: a small number of combinations of the fields' possible values is tried; where there are too many,
nothing is said.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, TypeVar

from controller.domain.expression import Expression, ExpressionEvaluationError
from controller.domain.form import FieldType
from controller.domain.identifiers import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from jinja2 import nodes

    from controller.domain.form import Field

_NodeT = TypeVar("_NodeT", bound="nodes.Node")
_MOST_COMBINATIONS = 3000
_ORDERED = frozenset({"lt", "lteq", "gt", "gteq"})


def always_or_never(text: str, fields: Mapping[str, Field]) -> bool | None:
    """Return True or False when a condition is so whatever is entered, None when it varies or cannot be told."""
    expression = Expression.compile(text)
    if expression.functions:
        return None
    options: list[list[object]] = []
    combinations = 1
    for name in sorted(expression.names):
        possible = _possible(fields.get(name))
        if possible is None:
            return None
        options.append(possible)
        combinations *= len(possible)
        if combinations > _MOST_COMBINATIONS:
            return None
    outcomes: set[bool] = set()
    for values in product(*options):
        try:
            outcomes.add(expression.holds(dict(zip(sorted(expression.names), values, strict=True))))
        except ExpressionEvaluationError:
            return None
        if len(outcomes) > 1:
            return None
    return outcomes.pop() if outcomes else None


def _possible(field: Field | None) -> list[object] | None:
    """Return every value a field can have in a condition, None when there are too many."""
    if field is None:
        return None
    if field.type is FieldType.BOOL:
        return [None, True, False]
    if field.type is FieldType.CHOICE:
        return [None, *field.choices]
    if field.type is FieldType.INTEGER and field.min is not None and field.max is not None:
        least, most = Decimal(field.min), Decimal(field.max)
        if most - least <= 20:  # noqa: PLR2004 - a handful of values can be tried
            return [None, *(least + step for step in range(int(most - least) + 1))]
    return None


def wrong_choices(text: str, fields: Mapping[str, Field]) -> Iterator[tuple[str, str, str | None]]:
    """Yield field, text and nearest option where a choice field is compared with a text that is none of its options."""
    from jinja2 import nodes as kinds

    tree = Expression.compile(text).tree
    for compare in _all(tree, kinds.Compare):
        for operand in compare.ops:
            yield from _wrong(compare.expr, operand.expr, operand.op, fields)
            yield from _wrong(operand.expr, compare.expr, operand.op, fields)


def _wrong(
    named: nodes.Expr, other: nodes.Expr, sign: str, fields: Mapping[str, Field]
) -> Iterator[tuple[str, str, str | None]]:
    from jinja2 import nodes as kinds

    if not isinstance(named, kinds.Name):
        return
    field = fields.get(named.name)
    if field is None or field.type not in {FieldType.CHOICE, FieldType.MULTI_CHOICE}:
        return
    if field.type is FieldType.MULTI_CHOICE and sign not in {"in", "notin"}:
        return
    constants = other.items if isinstance(other, (kinds.List, kinds.Tuple)) else [other]
    for constant in constants:
        if (
            isinstance(constant, kinds.Const)
            and isinstance(constant.value, str)
            and constant.value not in field.choices
        ):
            yield field.key, constant.value, nearest(constant.value, field.choices)


def compared_with_none(text: str, fields: Mapping[str, Field], sure: Collection[str]) -> set[str]:
    """Return fields that are compared by size though nothing in the condition says that they are filled."""
    from jinja2 import nodes as kinds

    tree = Expression.compile(text).tree
    guarded: set[str] = set(sure)
    for test in _all(tree, kinds.Test):
        guarded |= {name.name for name in _all(test, kinds.Name)}
    for call in _all(tree, kinds.Call):
        if isinstance(call.node, kinds.Name) and call.node.name == "filled":
            guarded |= {name.name for name in _all(call, kinds.Name)}
    risky: set[str] = set()
    for compare in _all(tree, kinds.Compare):
        if not any(operand.op in _ORDERED for operand in compare.ops):
            continue
        names = {name.name for name in _all(compare, kinds.Name)}
        risky |= {name for name in names if name in fields and name not in guarded}
    return risky


def _all(tree: nodes.Node, kind: type[_NodeT]) -> list[_NodeT]:
    found = list(tree.find_all(kind))
    return [tree, *found] if isinstance(tree, kind) else found
