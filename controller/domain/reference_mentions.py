"""文中的引用. Titles in 书名号, document numbers and clause numbers as a text names them.

What belongs together is one mention. Nothing is looked up here: what a mention leads to, and whether that still
exists, is `domain.references`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.chinese_numeral import NUMERAL_CHARACTERS, read_numeral

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLASSES = "SC|ZD|CX|ZZ|JL|TZ"
_FULL = rf"(?<![A-Za-z0-9-])[A-Z][A-Z0-9]{{0,7}}-[A-Z]{{2,8}}?(?:{_CLASSES})-\d{{2,4}}(?![0-9A-Za-z]|-\d)"
_SHORT = rf"(?<![A-Za-z0-9-])(?:{_CLASSES})-\d{{2,4}}(?![0-9A-Za-z]|-\d)"
_OUTSIDE = r"(?<![A-Za-z0-9-])WL-[A-Z]{0,2}\d{1,4}(?![0-9A-Za-z])"
_TITLE = r"《(?P<title>[^《》\n]{2,60})》"
_NUMBER = rf"(?P<number>{_OUTSIDE}|{_FULL}|{_SHORT})"
_ANCHOR = re.compile(f"{_TITLE}|{_NUMBER}")
_THEN_TITLE = re.compile(rf"\s*{_TITLE}")
_IN_BRACKETS = re.compile(r"\s*[（(](?P<inside>[^（）()\n]{2,60})[）)]")
_NUMBER_INSIDE = re.compile(rf"{_FULL}|{_SHORT}|{_OUTSIDE}")
_EDITION = r"(?<![A-Za-z0-9/])[A-Z]/(?:0|[1-9]\d{0,2})(?![\d/])"
_REVISION = re.compile(_EDITION)
_THEN_REVISION = re.compile(rf"\s*(?:[,，、]?\s*版本\s*[:：]?)?\s*(?P<revision>{_EDITION})\s*版?")
_DECIMAL = r"\d{1,3}(?:\.\d{1,3}){1,5}"
_ARTICLE = re.compile(
    rf"第\s*(?:(?P<decimal>{_DECIMAL})\s*[条款项]|(?P<numeral>[{NUMERAL_CHARACTERS}]{{1,8}}|\d{{1,4}})\s*条)(?![线件形目])"
    rf"(?P<parts>(?:第[{NUMERAL_CHARACTERS}\d]{{1,4}}[款项目]|第?[（(][{NUMERAL_CHARACTERS}\d]{{1,3}}[）)]项?)*)"
)
_BARE = re.compile(
    rf"(?<![\d.]){_DECIMAL}(?![\d.]*(?:\d|[%％‰℃°]|\s*(?:mm|cm|kg|mg|ml|元|倍|分|小时|天|日|个月|年|万|版)))"
)
_ALSO = re.compile(r"\s*(?:[、及和与或至到~～—–-]|以及)\s*")
_POINTING = re.compile(
    r"(?:按照?|依照?|依据|根据|参见|详见|见|参照|符合|违反|执行|适用|同|本(?:程序|制度|规程|文件|职责|手册))\s*$"
)
"""Words after which a bare `5.2` is a clause and not a quantity."""
_LAW_WORD = re.compile(r"(?:条例|办法|规范|规定|规则|原则|法|通知|公告|标准|要求)\s*(?:的)?\s*$")
_OWN_WORD = re.compile(r"(?:本|上述|前述|前款|以下)(?:程序|制度|规程|文件|规范|规定|办法|职责|手册)?\s*(?:的)?\s*$")

_LOOK_BACK = 16
"""Characters before a clause number that tell whose clause it is."""


@dataclass(frozen=True)
class Mention:
    """引用. One thing a text names: by title, by number, or a clause of the text itself."""

    wording: str
    """As written, without what follows it."""
    start: int
    title: str = ""
    """What stands in 《》."""
    number: str = ""
    """Full (`XX-YLQXCX-015`), short (`JL-018`), or the id of an external document."""
    revision: str = ""
    """`A/0`, where one is named beside it."""
    articles: tuple[str, ...] = ()
    """Clauses named of it, `第二十条`, `5.3`; with neither title nor number: of the text itself."""

    @property
    def own(self) -> bool:
        """Whether it names clauses of the text it stands in."""
        return not self.title and not self.number


def mentions(text: str) -> list[Mention]:
    """Return everything `text` refers to, in order of place."""
    found: list[Mention] = []
    taken: list[tuple[int, int]] = []
    at = 0
    while (match := _ANCHOR.search(text, at)) is not None:
        mention, at = _anchored(text, match)
        found.append(mention)
        taken.append((match.start(), at))
    found += _alone(text, taken, found)
    return sorted(found, key=lambda item: item.start)


def article_number(article: str) -> tuple[int, ...]:
    """Return the number of a clause as counted: `第二十条` → (20,), `第5.3条` → (5, 3); empty: none is meant."""
    name = article.strip()
    match = _ARTICLE.match(name)
    if match is not None:
        if match["decimal"]:
            return tuple(int(part) for part in match["decimal"].split("."))
        value = read_numeral(match["numeral"])
        return (value,) if value is not None else ()
    bare = name.rstrip(".、条款 ").removeprefix("第")
    return tuple(int(part) for part in bare.split(".")) if re.fullmatch(r"\d+(?:\.\d+)*", bare) else ()


def _anchored(text: str, match: re.Match[str]) -> tuple[Mention, int]:
    """Return the mention that begins with a title or number, with all that belongs to it, and where that ends."""
    title, number, revision = match["title"] or "", match["number"] or "", ""
    end = match.end()
    while True:
        if not title and (more := _THEN_TITLE.match(text, end)):
            title, end = more["title"], more.end()
        elif not revision and (more := _THEN_REVISION.match(text, end)):
            revision, end = more["revision"], more.end()
        elif (more := _IN_BRACKETS.match(text, end)) and not (number and revision):
            inner = _NUMBER_INSIDE.search(more["inside"]) if not number else None
            edition = _REVISION.search(more["inside"]) if not revision else None
            if inner is None and edition is None:
                break
            number = inner[0] if inner is not None else number
            revision = edition[0] if edition is not None else revision
            end = more.end()
        else:
            break
    articles, after = _articles(text, end, bare=True)
    return Mention(match[0], match.start(), title, number, revision, articles), after if articles else end


def _articles(text: str, at: int, *, bare: bool) -> tuple[tuple[str, ...], int]:
    """Return the run of clause numbers that begins at `at` (第三十八条、第三十九条; 5.1至5.3), and where it ends."""
    found: list[str] = []
    joint = re.compile(r"\s*(?:中|的)?\s*").match(text, at)
    place = joint.end() if joint is not None else at
    while True:
        match = _ARTICLE.match(text, place) or (_BARE.match(text, place) if bare else None)
        if match is None:
            return tuple(found), at
        found.append("".join(match[0].split()))
        at = match.end()
        at += 1 if text[at : at + 1] in {"条", "款"} else 0
        more = _ALSO.match(text, at)
        if more is None:
            return tuple(found), at
        place = more.end()


def _alone(text: str, taken: list[tuple[int, int]], anchored: list[Mention]) -> Iterator[Mention]:
    """Yield clause numbers that follow no title or number; those of a law named before go to that law."""
    at = 0
    for match in re.finditer(rf"第\s*[{NUMERAL_CHARACTERS}\d]|(?<![\d.]){_DECIMAL}", text):
        if match.start() < at or any(first <= match.start() < last for first, last in taken):
            continue
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
        pointed = match[0][0] == "第" or _POINTING.search(before) is not None
        articles, after = _articles(text, match.start(), bare=match[0][0] != "第") if pointed else ((), 0)
        if not articles:
            continue
        at = after
        law = _LAW_WORD.search(before)
        if law is not None and _OWN_WORD.search(before) is None:
            word = law[0].strip().removesuffix("的").strip()
            named = [item for item in anchored if item.start < match.start() and item.title.endswith(word)]
            if named:
                yield Mention(text[match.start() : at], match.start(), named[-1].title, named[-1].number, "", articles)
            continue
        yield Mention(text[match.start() : at], match.start(), articles=articles)
