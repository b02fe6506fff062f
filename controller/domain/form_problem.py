"""填写问题. One thing that is wrong with what was entered, as data; and the outcome of a check."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from controller.domain.field_values import is_pending
from controller.domain.form import Level, Personal
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.form import Field
    from controller.domain.record import Wire

MASK = "***"
_LONGEST = 60


@dataclass(frozen=True)
class Problem:
    """一处问题. Which field, which value, which rule it breaks, and what would be right."""

    code: str
    """Stable, kebab-case: `required`, `type`, `choice`, `range`, `rule` …"""
    field: str
    """Field key; `parts.2.qty` for a cell; the stage or rule where no field is meant."""
    label: str
    """As printed: `更换配件 第2行 数量`."""
    value: str
    """The value as entered, shortened; `***` for sensitive fields; empty when there is none."""
    rule: Text
    right: Text
    level: Level = Level.ERROR
    id: str = ""
    """For warnings: what is stored with the entry when it is passed over."""

    @property
    def text(self) -> Text:
        """The whole problem as one sentence."""
        if self.value:
            return T(
                "{label}：“{value}”{rule}。{right}",
                label=self.label,
                value=self.value,
                rule=self.rule,
                right=self.right,
            )
        return T("{label}：{rule}。{right}", label=self.label, rule=self.rule, right=self.right)


@dataclass(frozen=True)
class CheckedValues:
    """检查结果. What the entry stores, and everything that is wrong."""

    wire: Mapping[str, Wire] = field(default_factory=dict)
    """The values this entry sets, in stored form; None clears one. To be used only when `ok`."""
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing forbids the entry; warnings do not."""
        return not any(problem.level is Level.ERROR for problem in self.problems)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Ids of the warnings that are passed over when the entry is made."""
        return tuple(dict.fromkeys(item.id for item in self.problems if item.level is Level.WARNING))


def shown(field: Field, value: object) -> str:
    """Return a typed or stored value for a message: shortened, on one line, masked when sensitive."""
    if value is None or value == "":
        return ""
    if is_pending(value):
        return "待补"
    if field.personal is Personal.SENSITIVE:
        return MASK
    return brief(value)


def brief(value: object) -> str:
    """Return a value in at most 60 characters on one line."""
    if isinstance(value, bool):
        text = "是" if value else "否"
    elif isinstance(value, Decimal):
        text = f"{value:f}"
    elif isinstance(value, (str, int, float, date)):
        text = str(value)
    elif isinstance(value, list):
        text = "、".join(brief(item) for item in value[:5])
    elif isinstance(value, dict):
        text = str(value.get("name") or value.get("kind") or "…")
    else:
        text = type(value).__name__
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
