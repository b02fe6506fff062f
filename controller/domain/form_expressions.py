"""表单里的表达式. Showing a condition to people, and the order in which computed fields are reckoned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.expression import Expression
from controller.domain.form import FieldType
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import nodes

    from controller.domain.form import Field, FormDefinition

_COMPARED = {
    "eq": T("是"),
    "ne": T("不是"),
    "lt": T("小于"),
    "lteq": T("不超过"),
    "gt": T("大于"),
    "gteq": T("不小于"),
    "in": T("属于"),
    "notin": T("不属于"),
}


def in_words(expression: str, labels: Mapping[str, str]) -> Text:
    """Return an expression as people say it: field labels for keys, 且/或/未填 for operators."""
    return _Words(labels).condition(Expression.compile(expression).tree)


class _Words:
    def __init__(self, labels: Mapping[str, str]) -> None:
        self.labels = labels

    def say(self, node: nodes.Node) -> Text:
        from jinja2 import nodes as kinds

        match node:
            case kinds.And() | kinds.Or():
                left, right = self._side(node.left), self._side(node.right)
                if isinstance(node, kinds.And):
                    return T("{left}且{right}", left=left, right=right)
                return T("{left}或{right}", left=left, right=right)
            case kinds.Not():
                return self._denied(node.node)
            case kinds.Test():
                return T("“{label}”未填", label=self.say(node.node))
            case kinds.Call() if isinstance(node.node, kinds.Name):
                return self._call(node)
            case kinds.Compare():
                told = self.say(node.expr)
                for item in node.ops:
                    told = T("{left} {sign} {right}", left=told, sign=_COMPARED[item.op], right=self.say(item.expr))
                return told
            case kinds.Name():
                return Text("{label}", {"label": self.labels.get(node.name, node.name)})
            case kinds.Const():
                return self._constant(node.value)
            case kinds.List() | kinds.Tuple():
                return Text("{items}", {"items": [self.say(item) for item in node.items]})
            case kinds.BinExpr():
                return T(
                    "{left} {sign} {right}", left=self.say(node.left), sign=node.operator, right=self.say(node.right)
                )
            case _:
                return T("规定的算式")

    @staticmethod
    def _constant(value: object) -> Text:
        if isinstance(value, bool):
            return T("“是”") if value else T("“否”")
        if value is None:
            return T("空")
        return Text("“{value}”" if isinstance(value, str) else "{value}", {"value": value})

    def _side(self, node: nodes.Node) -> Text:
        """One side of 且/或, bracketed where it would read wrongly otherwise."""
        from jinja2 import nodes as kinds

        return T("({part})", part=self.say(node)) if isinstance(node, kinds.Or) else self.condition(node)

    def condition(self, node: nodes.Node) -> Text:
        """Say a whole condition; a bare name is a question answered 是."""
        from jinja2 import nodes as kinds

        return T("“{label}”为是", label=self.say(node)) if isinstance(node, kinds.Name) else self.say(node)

    def _denied(self, node: nodes.Node) -> Text:
        from jinja2 import nodes as kinds

        if isinstance(node, kinds.Test):
            return T("“{label}”已填", label=self.say(node.node))
        if isinstance(node, kinds.Call) and isinstance(node.node, kinds.Name) and node.node.name == "filled":
            return T("“{label}”未填", label=self.say(node.args[0]))
        if isinstance(node, kinds.Name):
            return T("“{label}”不为是", label=self.say(node))
        return T("并非（{part}）", part=self.say(node))

    def _call(self, node: nodes.Call) -> Text:
        assert hasattr(node.node, "name")
        arguments = [self.say(item) for item in node.args]
        if node.node.name == "filled" and arguments:
            return T("“{label}”已填", label=arguments[0])
        return T("{name}({parts})", name=node.node.name, parts=arguments)


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
