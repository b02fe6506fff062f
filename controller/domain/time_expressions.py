"""时限与频次. Every frequency and deadline that a Chinese text states: 每季度一次, 2个工作日内, 当日, 3月31日前.

Retention periods, validity periods and windows in which things are counted (30日内3起) are neither. What is only
probably meant is marked as not sure; 定期 is a frequency without a number, and 及时 says nothing that can be counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.chinese_numeral import NUMERAL_CHARACTERS, read_numeral

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class TimeKind(StrEnum):
    """种类."""

    FREQUENCY = "frequency"
    """频次: again and again, without anything having to happen first."""
    DEADLINE = "deadline"
    """时限: by when, once something has happened."""


class Relation(StrEnum):
    """时限的算法."""

    EVERY = "every"
    WITHIN = "within"
    """After the event."""
    BEFORE = "before"
    """Ahead of a day that is known: 到期前30天."""
    AT_ONCE = "at-once"
    ON_THE_DAY = "on-the-day"
    BY_DATE = "by-date"
    """Each year by a day of the calendar."""


@dataclass(frozen=True)
class TimeExpression:
    """一处时限或频次."""

    kind: TimeKind
    relation: Relation
    wording: str
    start: int
    end: int
    low: Decimal | None = None
    """Amount of `unit`; of a range the lower end."""
    high: Decimal | None = None
    unit: str = ""
    """分钟, 小时, 工作日, 日, 周, 月, 季度, 半年, 年."""
    per_year: Decimal | None = None
    """How often a year; None: not said, or each time something happens."""
    sure: bool = True


PER_YEAR: Mapping[str, Decimal] = {
    "工作日": Decimal(250),
    "日": Decimal(365),
    "周": Decimal(52),
    "旬": Decimal(36),
    "月": Decimal(12),
    "季度": Decimal(4),
    "半年": Decimal(2),
    "年": Decimal(1),
}
"""Unit → how many of it a year has, as loads are reckoned."""
_HALF = Decimal("0.5")
_DIGITS = str.maketrans("０１２３４５６７８９．", "0123456789.")
_NUM = rf"(?:\d{{1,4}}(?:\.\d{{1,2}})?|[{NUMERAL_CHARACTERS}]{{1,7}}|半)"
_RANGE = rf"(?P<low>{_NUM})(?:\s*(?:至|到|[-~～—–－])\s*(?P<high>{_NUM}))?"
_UNIT = r"\s*个?\s*(?P<unit>分钟|小时|工作日|自然日|日历日|星期|天|日|周|月|季度|年)(?![份度龄])"
_DURATION = rf"(?<![\d.×xX*{NUMERAL_CHARACTERS}第]){_RANGE}{_UNIT}"
_ONE_MORE = (
    rf"(?:{_NUM}(?:\s*(?:至|到|[-~～—–－])\s*{_NUM})?\s*个?\s*(?:分钟|小时|工作日|自然日|日历日|天|日|周|月|年))"
)
_UNITS = {"自然日": "日", "日历日": "日", "天": "日", "星期": "周", "季": "季度"}
_MONTHS = r"(?:\d{1,2}|[一二三四五六七八九十]{1,2})月"

_EVERY = re.compile(
    rf"每\s*(?:隔\s*)?(?:(?P<half>半)\s*个?\s*(?P<halved>年|月)|(?P<count>{_NUM})?\s*个?\s*"
    rf"(?P<unit>工作日|自然日|日历日|星期|季度|天|日|周|旬|月|季|年)(?![龄]))度?"
)
_TIMES = re.compile(rf"(?P<floor>至少|不少于|不低于)?\s*(?P<count>{_NUM})\s*[次遍回](?!性)")
_ONCE_IN = re.compile(
    rf"(?<![每\d.第{NUMERAL_CHARACTERS}])(?P<low>{_NUM})\s*个?\s*(?P<unit>工作日|天|日|周|星期|月|季度|年)\s*"
    rf"(?:至少|不少于|不低于)?\s*(?P<count>{_NUM})\s*次"
)
_BY_PERIOD = re.compile(r"(?:按|逐)(?P<unit>日|周|月|季度?|年)(?![份度数龄节初末底产历期限次平计\d])")
_VAGUE = re.compile(r"(?:不定期|定期)(?=[^限]|$)")
_BY_DATE = re.compile(
    rf"(?:每年|次年|当年|本年)?\s*(?P<month>{_MONTHS})\s*(?:{_NUM}\s*[日号]|底|末|上旬|中旬|下旬)?\s*(?:之前|以前|前)"
)
_WITHIN = re.compile(rf"{_DURATION}\s*(?:[（(]含[）)])?\s*(?P<mark>之内|以内|内|之前|以前|前)")
_LISTED = re.compile(
    rf"{_DURATION}(?=(?:\s*[、,，和或及/]\s*[^、，。；;\d]{{0,10}}{_ONE_MORE}){{1,8}}?\s*(?P<mark>之内|以内|内|到场|到达|答复|响应|报告|上报|通知|完成|提醒|办结))"
)
_AHEAD = re.compile(
    rf"(?:提前|(?<!目)前|不超过|不得超过|不迟于|不晚于|最迟|至迟|限|控制在)(?:不少于|至少|约)?\s*{_DURATION}"
)
_AHEAD_AGAIN = re.compile(rf"\s*[和、及或]\s*{_DURATION}")
_BEYOND = re.compile(rf"(?:超过|超出|逾期)\s*{_DURATION}(?=[^，。；;]{{0,6}}(?:才|未|没有|不|仍|的))")
_AT_ONCE = re.compile(r"(?P<day>当日|当天|当班|即日|同日|次日|第二天)|立即|立刻|即刻|马上")
_BARE = re.compile(rf"{_DURATION}")

_PERIOD_KEPT = re.compile(
    r"(?:保存|保管|保留|留存|归档|有效期|保修期?|质保期?|质量保证期|使用期限|效期|授权|任期|期满)[^，。；;]*$"
)
_MINIMUM = re.compile(r"(?:不少于|不低于|至少|连续|累计|满|近|最近|距|作用时间|每隔|经过|静置|间隔)[^，。；;、]{0,6}$")
_COUNTED = re.compile(rf"\s*(?:同[^，。；;]{{0,8}}|发生|出现|累计|连续|有|达)?\s*{_NUM}\s*(?:起|例|件|单|台|次|批)")
_PAST = re.compile(r"(?:以上|以下|以后|后再|后方可)")
_SERVICE = re.compile(r"\s*(?:热线|服务|值班|值守|电话|监控|监测|在线|不间断|开通|制)")
_FAR = 60
"""Characters within which words of one part of a sentence bear on each other."""
_CLAUSE_BREAK = re.compile(r"[，,。；;：:！!？?\n]")


def time_expressions(text: str) -> list[TimeExpression]:
    """Return the frequencies and deadlines of `text` in order of place; no two of them overlap."""
    reading = _Reading(text.translate(_DIGITS))
    for found in reading.candidates():
        reading.take(found, text)
    return sorted(reading.found, key=lambda item: item.start)


class _Reading:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[TimeExpression] = []
        self._covered = bytearray(len(text))

    def take(self, item: TimeExpression, original: str) -> None:
        """Keep what nothing taken before covers, with the wording as typed."""
        if any(self._covered[item.start : item.end]):
            return
        self._covered[item.start : item.end] = b"\x01" * (item.end - item.start)
        self.found.append(replace(item, wording=original[item.start : item.end].strip()))

    def candidates(self) -> Iterator[TimeExpression]:
        """Yield what may be a time, the most certain patterns first."""
        yield from self._frequencies()
        yield from self._dates()
        yield from self._deadlines()
        yield from self._bare()

    # -- frequencies

    def _frequencies(self) -> Iterator[TimeExpression]:
        for match in _EVERY.finditer(self.text):
            unit = "半年" if match["halved"] == "年" else _UNITS.get(match["unit"] or "", match["unit"] or "月")
            count = _value(match["count"]) if match["count"] else (_HALF if match["halved"] == "月" else Decimal(1))
            if count:
                times, end = self._times_after(match.end())
                yield _frequency(match.start(), end, count, unit, times)
        for match in _ONCE_IN.finditer(self.text):
            unit, length, often = _unit(match["unit"]), _value(match["low"]), _value(match["count"])
            if length == _HALF and unit == "年":
                unit, length = "半年", Decimal(1)
            if length and often:
                yield _frequency(match.start(), match.end(), length, unit, often)
        for match in _BY_PERIOD.finditer(self.text):
            yield _frequency(match.start(), match.end(), Decimal(1), _unit(match["unit"]), Decimal(1))
        for match in _VAGUE.finditer(self.text):
            yield TimeExpression(TimeKind.FREQUENCY, Relation.EVERY, "", match.start(), match.end(), sure=False)

    def _times_after(self, at: int) -> tuple[Decimal, int]:
        """Return how often within the period: the 次 that follows in the same part of the sentence, else once."""
        stop = _CLAUSE_BREAK.search(self.text, at, at + _FAR)
        match = _TIMES.search(self.text, at, stop.start() if stop is not None else at + _FAR)
        times = _value(match["count"]) if match is not None and "每" not in self.text[at : match.start()] else None
        if match is not None and times and match.start() - at <= 1:
            return times, match.end()
        return times or Decimal(1), at

    # -- deadlines

    def _dates(self) -> Iterator[TimeExpression]:
        for match in _BY_DATE.finditer(self.text):
            if not self._kept(match.start()):
                yield TimeExpression(
                    TimeKind.DEADLINE, Relation.BY_DATE, "", match.start(), match.end(), per_year=Decimal(1)
                )

    def _deadlines(self) -> Iterator[TimeExpression]:
        for match in _AHEAD.finditer(self.text):
            ahead = match[0].startswith(("提前", "前"))
            if self._kept(match.start()) and not ahead:
                continue
            relation = Relation.BEFORE if ahead else Relation.WITHIN
            yield _deadline(match, match.start(), relation)
            at = match.end()
            while ahead and (more := _AHEAD_AGAIN.match(self.text, at)) is not None:
                yield _deadline(more, more.start("low"), relation)
                at = more.end()
        for match in _LISTED.finditer(self.text):
            if not self._kept(match.start()):
                sure = match["mark"].endswith("内")
                yield _deadline(match, match.start(), Relation.WITHIN, sure=sure)
        for match in _WITHIN.finditer(self.text):
            before = match["mark"].endswith("前")
            unit, low = _unit(match["unit"]), _value(match["low"])
            window = not before and _COUNTED.match(self.text, match.end()) is not None
            month_name = match["unit"] == "月" and "个" not in match[0]
            if low is None or window or month_name or self._kept(match.start()) or (before and unit == "年"):
                continue
            yield _deadline(match, match.start(), Relation.BEFORE if before else Relation.WITHIN)
        for match in _BEYOND.finditer(self.text):
            if not self._kept(match.start()):
                yield _deadline(match, match.start(), Relation.WITHIN, sure=False)
        for match in _AT_ONCE.finditer(self.text):
            relation = Relation.ON_THE_DAY if match["day"] else Relation.AT_ONCE
            yield TimeExpression(TimeKind.DEADLINE, relation, "", match.start(), match.end())

    def _bare(self) -> Iterator[TimeExpression]:
        """Yield hours and working days without a word that says so: nearly always a deadline, but not surely."""
        for match in _BARE.finditer(self.text):
            unit = _unit(match["unit"])
            if unit not in {"小时", "工作日"} or self._kept(match.start()) or _SERVICE.match(self.text, match.end()):
                continue
            if _PAST.match(self.text, match.end()) or _COUNTED.match(self.text, match.end()):
                continue
            if not _MINIMUM.search(self.text, max(0, match.start() - _FAR), match.start()):
                yield _deadline(match, match.start(), Relation.WITHIN, sure=False)

    def _kept(self, at: int) -> bool:
        """Tell whether what begins at `at` is how long something is kept or valid, not by when something is done."""
        before = _CLAUSE_BREAK.split(self.text[max(0, at - _FAR) : at])[-1]
        return _PERIOD_KEPT.search(before) is not None


def _frequency(start: int, end: int, count: Decimal, unit: str, times: Decimal) -> TimeExpression:
    per_year = PER_YEAR[unit] / count * times
    return TimeExpression(
        TimeKind.FREQUENCY, Relation.EVERY, "", start, end, count, None, unit, per_year.quantize(Decimal("0.01"))
    )


def _deadline(match: re.Match[str], start: int, relation: Relation, *, sure: bool = True) -> TimeExpression:
    low, high = _value(match["low"]), _value(match["high"])
    return TimeExpression(
        TimeKind.DEADLINE,
        relation,
        "",
        start,
        match.end(),
        low,
        high,
        _unit(match["unit"]),
        sure=sure and low is not None,
    )


def _unit(name: str) -> str:
    return _UNITS.get(name, name)


def _value(text: str | None) -> Decimal | None:
    if not text:
        return None
    if text == "半":
        return _HALF
    if re.fullmatch(r"\d+\.\d+", text):
        return Decimal(text)
    value = read_numeral(text)
    return Decimal(value) if value is not None else None
