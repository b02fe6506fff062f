"""Word 域代码. Finds the fields of a part that would fetch something, however their code is spread over the part.

A code may lie in several runs, in a field within a field, or in a deleted passage that comes back when the change is
rejected. It is judged as Word would read it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_FETCHING = re.compile(
    r"\b(?:DDEAUTO|DDE|INCLUDETEXT|INCLUDEPICTURE|IMPORT|LINK|DATABASE|RD|MACROBUTTON)\b", re.IGNORECASE
)
_NAMED = re.compile(r"\s*(?:=|\S+\s)")
"""A field code whose name is complete."""


@dataclass
class _OpenField:
    code: str = ""
    shown: bool = False
    """Whether its result has begun."""


class FieldCodes:
    """域代码的检查. Is told the elements of a part in order; `fetching` is the first code that fetches something."""

    def __init__(self) -> None:
        self.fetching: str | None = None
        self._fields: list[_OpenField] = []
        self._inside = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the beginning of an element, by its local name."""
        if name in {"instrText", "delInstrText"}:
            self._inside = True
        elif name == "fldSimple":
            for key, value in attributes.items():
                if key.endswith("instr"):
                    self._judge(value)
        elif name == "fldChar":
            self._mark(set(attributes.values()))

    def text(self, text: str) -> None:
        """Take characters of the element begun last."""
        if not self._inside:
            return
        if not self._fields:
            self._fields.append(_OpenField())
        self._fields[-1].code += text

    def end(self) -> None:
        """Take the end of an element."""
        self._inside = False

    def finish(self) -> None:
        """Judge what was never closed."""
        for field in self._fields:
            self._judge(field.code)

    def _mark(self, kinds: set[str]) -> None:
        if "begin" in kinds:
            around = self._fields[-1] if self._fields else None
            if around is not None and not around.shown and not _NAMED.match(around.code):
                # What the inner field shows would be part of the outer one's name: a way to hide it.
                self.fetching = self.fetching or around.code.strip() or "{}"
            self._fields.append(_OpenField())
        elif self._fields and kinds & {"separate", "end"}:
            self._judge(self._fields[-1].code)
            self._fields[-1].shown = True
            if "end" in kinds:
                self._fields.pop()

    def _judge(self, code: str) -> None:
        words = code.split(maxsplit=1)
        if words and _FETCHING.fullmatch(words[0]):
            self.fetching = self.fetching or code.strip()
