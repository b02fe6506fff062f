"""Word 自动编号. Works out the number that Word shows before a paragraph, so that it can be kept as typed text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.chinese_numeral import write_numeral

if TYPE_CHECKING:
    from lxml.etree import _Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LEVELS = 9
_HIGHEST = 9999
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
          (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip
_CHINESE = {
    "chineseCounting",
    "chineseCountingThousand",
    "japaneseCounting",
    "taiwaneseCounting",
    "taiwaneseCountingThousand",
}
_LEGAL = str.maketrans("零一二三四五六七八九十百千", "零壹贰叁肆伍陆柒捌玖拾佰仟")
_LETTERS = 26
_CIRCLED = 20


@dataclass(frozen=True)
class _Level:
    start: int
    kind: str
    text: str
    legal: bool
    restarts_after: int | None
    """The level (from 0) whose step restarts this one; None: any higher level, -1: never."""


@dataclass
class _Count:
    values: dict[int, int] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)


class WordNumbering:
    """自动编号. Counts through one document, paragraph by paragraph, in order."""

    def __init__(self, numbering: _Element | None, styles: _Element | None) -> None:
        self._abstract: dict[str, dict[int, _Level]] = {}
        self._links: dict[str, str] = {}
        self._num: dict[str, tuple[str, dict[int, int]]] = {}
        self._style_number: dict[str, tuple[str | None, int | None]] = {}
        self._style_parent: dict[str, str] = {}
        self._counts: dict[str, _Count] = {}
        self._default_style: str | None = None
        if styles is not None:
            self._read_styles(styles)
        if numbering is not None:
            self._read_numbering(numbering)

    def label(self, paragraph: _Element) -> str:
        """Return the number shown before `paragraph`, empty when it has none; counts it."""
        number, level = self._number_of(paragraph)
        if number is None or number == "0" or number not in self._num:
            return ""
        abstract, overrides = self._num[number]
        levels = self._abstract.get(abstract, {})
        described = levels.get(level)
        if described is None:
            return ""
        count = self._counts.setdefault(abstract, _Count())
        if number not in count.begun:
            count.begun.add(number)
            for place in overrides:
                count.values.pop(place, None)
        start = overrides.get(level, described.start)
        count.values[level] = count.values[level] + 1 if level in count.values else start
        for deeper in range(level + 1, _LEVELS):
            below = levels.get(deeper)
            if below is None or below.restarts_after is None or level <= below.restarts_after:
                count.values.pop(deeper, None)
        return self._shown(described, levels, count)

    def _shown(self, described: _Level, levels: dict[int, _Level], count: _Count) -> str:
        if described.kind == "bullet":
            return "•"
        text = described.text
        for place in range(_LEVELS):
            mark = f"%{place + 1}"
            if mark not in text:
                continue
            level = levels.get(place)
            value = count.values.get(place, level.start if level else 1)
            kind = "decimal" if described.legal or level is None else level.kind
            text = text.replace(mark, format_number(value, kind))
        if described.kind == "none" and "%" not in described.text and not text.strip():
            return ""
        return text + (" " if text[-1:].isalnum() and text.isascii() else "")

    # -- reading the definitions -------------------------------------------------------------------------------

    def _read_styles(self, styles: _Element) -> None:
        for style in styles.iter(f"{W}style"):
            identifier = style.get(f"{W}styleId")
            if identifier is None or style.get(f"{W}type") != "paragraph":
                continue
            if style.get(f"{W}default") in {"1", "true"}:
                self._default_style = identifier
            parent = style.find(f"{W}basedOn")
            if parent is not None:
                self._style_parent[identifier] = parent.get(f"{W}val") or ""
            properties = style.find(f"{W}pPr")
            self._style_number[identifier] = _number_properties(properties)

    def _read_numbering(self, numbering: _Element) -> None:
        by_style: dict[str, str] = {}
        for abstract in numbering.findall(f"{W}abstractNum"):
            identifier = abstract.get(f"{W}abstractNumId") or ""
            link, own = abstract.find(f"{W}numStyleLink"), abstract.find(f"{W}styleLink")
            if own is not None:
                by_style[own.get(f"{W}val") or ""] = identifier
            if link is not None:
                self._links[identifier] = link.get(f"{W}val") or ""
            self._abstract[identifier] = {
                place: _level(level)
                for level in abstract.findall(f"{W}lvl")
                if 0 <= (place := _integer(level.get(f"{W}ilvl"), -1)) < _LEVELS
            }
        for number in numbering.findall(f"{W}num"):
            target = number.find(f"{W}abstractNumId")
            abstract_id = (target.get(f"{W}val") if target is not None else None) or ""
            if abstract_id in self._links:
                abstract_id = by_style.get(self._links[abstract_id], abstract_id)
            overrides = {}
            for override in number.findall(f"{W}lvlOverride"):
                start = override.find(f"{W}startOverride")
                if start is not None:
                    overrides[_integer(override.get(f"{W}ilvl"), 0)] = _integer(start.get(f"{W}val"), 1)
            self._num[number.get(f"{W}numId") or ""] = (abstract_id, overrides)

    def _number_of(self, paragraph: _Element) -> tuple[str | None, int]:
        properties = paragraph.find(f"{W}pPr")
        number, level = _number_properties(properties)
        style = properties.find(f"{W}pStyle") if properties is not None else None
        identifier = style.get(f"{W}val") if style is not None else self._default_style
        seen: set[str] = set()
        while identifier is not None and identifier not in seen and (number is None or level is None):
            seen.add(identifier)
            styled_number, styled_level = self._style_number.get(identifier, (None, None))
            number = styled_number if number is None else number
            level = styled_level if level is None else level
            identifier = self._style_parent.get(identifier)
        return number, level or 0


def _number_properties(properties: _Element | None) -> tuple[str | None, int | None]:
    found = properties.find(f"{W}numPr") if properties is not None else None
    if found is None:
        return None, None
    number, level = found.find(f"{W}numId"), found.find(f"{W}ilvl")
    return (
        number.get(f"{W}val") if number is not None else None,
        _integer(level.get(f"{W}val"), 0) if level is not None else None,
    )


def _level(level: _Element) -> _Level:
    def value(name: str, default: str) -> str:
        found = level.find(f"{W}{name}")
        return default if found is None else found.get(f"{W}val") or default

    restart = level.find(f"{W}lvlRestart")
    legal = level.find(f"{W}isLgl")
    return _Level(
        start=_integer(value("start", "1"), 1),
        kind=value("numFmt", "decimal"),
        text=value("lvlText", ""),
        legal=legal is not None and legal.get(f"{W}val") not in {"0", "false"},
        restarts_after=None if restart is None else _integer(restart.get(f"{W}val"), 0) - 1,
    )


def _integer(text: str | None, default: int) -> int:
    return (
        int(text)
        if text is not None and text.isascii() and text.isdigit() and len(text) <= len(str(_HIGHEST))
        else default
    )


def format_number(value: int, kind: str) -> str:
    """Return `value` in one of Word's number formats; a format not known here is written in digits."""
    if kind in _CHINESE:
        return write_numeral(value)
    if kind in {"chineseLegalSimplified", "ideographLegalTraditional"}:
        return write_numeral(value).translate(_LEGAL)
    if kind == "ideographDigital":
        return "".join("〇一二三四五六七八九"[int(digit)] for digit in str(value))
    if kind in {"decimalEnclosedCircle", "decimalEnclosedCircleChinese"} and 1 <= value <= _CIRCLED:
        return chr(ord("①") + value - 1)
    if kind == "decimalFullWidth":
        return str(value).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    if kind == "decimalZero":
        return f"{value:02d}"
    if kind in {"upperLetter", "lowerLetter"} and value > 0:
        letters = chr(ord("A") + (value - 1) % _LETTERS) * ((value - 1) // _LETTERS + 1)
        return letters if kind == "upperLetter" else letters.lower()
    if kind in {"upperRoman", "lowerRoman"} and value > 0:
        text, rest = "", value
        for worth, sign in _ROMAN:
            count, rest = divmod(rest, worth)
            text += sign * count
        return text if kind == "upperRoman" else text.lower()
    return "" if kind == "none" else str(value)
