"""对象读取. Takes the members of a decoded JSON object by kind; entries and statements have closed sets of keys."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn, cast

from controller.domain.identifiers import Digest
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from controller.domain.record import Wire

_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


class ObjectReader:
    """对象读取. One JSON object whose members are taken by kind; anything else is damage, told by `damage`."""

    def __init__(self, value: Wire, damage: Callable[[Text], Exception], name: str = "") -> None:
        self.damage = damage
        self.name = name
        if not isinstance(value, dict):
            self.fail(T("{key} 应为对象", key=name.rstrip(".") or "JSON"))
        self.values: Mapping[str, Wire] = value

    def fail(self, problem: Text) -> NoReturn:
        """Raise the damage that `problem` describes."""
        raise self.damage(problem)

    def only(self, keys: frozenset[str]) -> None:
        """Make sure that exactly these keys are there."""
        for key in self.values:
            if key not in keys:
                self.fail(T("出现不认识的键 {key}", key=(self.name + key)[:60]))
        for key in sorted(keys - self.values.keys()):
            self.fail(T("缺少键 {key}", key=self.name + key))

    def _take(self, key: str) -> Wire:
        if key not in self.values:
            self.fail(T("缺少键 {key}", key=self.name + key))
        return self.values[key]

    def text(self, key: str) -> str:
        """Return a member that is text."""
        value = self._take(key)
        return value if isinstance(value, str) else self.fail(T("{key} 应为文字", key=self.name + key))

    def filled(self, key: str) -> str:
        """Return a member that is text and not empty."""
        return self.text(key) or self.fail(T("{key} 不能为空", key=self.name + key))

    def text_or_none(self, key: str) -> str | None:
        """Return a member that is text or null."""
        return None if self._take(key) is None else self.text(key)

    def digest_or_none(self, key: str) -> Digest | None:
        """Return a member that is a digest or null."""
        value = self.text_or_none(key)
        return None if value is None else Digest(value)

    def whole(self, key: str, *, least: int) -> int:
        """Return a member that is a whole number written as text, at least `least`."""
        value = self.text(key)
        if not _WHOLE.fullmatch(value) or int(value) < least:
            self.fail(T("{key} 应为不小于 {least} 的整数", key=self.name + key, least=least))
        return int(value)

    def moment(self, key: str) -> str:
        """Return a member that is a time with offset, to the second."""
        value = self.text(key)
        try:
            ok = bool(_MOMENT.fullmatch(value)) and datetime.fromisoformat(value).tzinfo is not None
        except ValueError:
            ok = False
        return value if ok else self.fail(T("{key} 应为带时区、精确到秒的时间", key=self.name + key))

    def mapping(self, key: str) -> dict[str, Wire]:
        """Return a member that is an object."""
        value = self._take(key)
        return value if isinstance(value, dict) else self.fail(T("{key} 应为对象", key=self.name + key))

    def items(self, key: str) -> list[Wire]:
        """Return a member that is a list."""
        value = self._take(key)
        return value if isinstance(value, list) else self.fail(T("{key} 应为列表", key=self.name + key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a member that is a list of texts."""
        values = self.items(key)
        if not all(isinstance(value, str) for value in values):
            self.fail(T("{key} 应为文字的列表", key=self.name + key))
        return tuple(cast("list[str]", values))

    def part(self, key: str, keys: str) -> ObjectReader:
        """Return a member that is an object with exactly the given keys (separated by spaces)."""
        part = ObjectReader(self._take(key), self.damage, f"{self.name}{key}.")
        part.only(frozenset(keys.split()))
        return part
