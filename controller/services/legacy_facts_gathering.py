"""旧文件信息汇集. Puts together what control block, margins, title and file name say of an old document.

Where they differ, the one nearest to the text counts and a finding says so; what no place tells is left open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.legacy_facts import (
    class_of,
    leading_number,
    like_a_form,
    plain,
    read_day,
    read_number,
    read_revision,
    read_step,
)
from controller.domain.text import T, Text
from controller.file_formats.control_block import SIGNED_ON, Fact, read_grid, read_line
from controller.file_formats.document_titles import TITLE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from controller.domain.clause import Segment
    from controller.domain.document import SigningStep
    from controller.file_formats.control_block import ControlFacts, Grid

_LONGEST_TITLE = 80
_LONGEST_OWNER = 40
_GENERAL = frozenset({"程序文件", "管理制度", "制度文件", "质量手册", "作业指导书", "岗位职责"})
"""Names of a kind of document that stand on covers; no titles by themselves."""
_SEARCHED = re.compile(r"(?:文件)?编\s*号\s*[:：]\s*(?P<number>[A-Za-z][A-Za-z0-9/.－-]{2,38}\d)")
_SEARCHED_REVISION = re.compile(r"版\s*(?:本号?|次)\s*[:：]\s*(?P<revision>[A-Za-z0-9./]{1,8}|第.{1,3}版)")
_FORM_TITLE = re.compile(r"《([^《》\n]{2,40}(?:表|记录|单|台账|清单|登记簿|卡))》")
_FORM_NUMBER = re.compile(
    r"(?<![A-Za-z0-9])[A-Z][A-Z0-9]{0,9}-(?:[A-Z0-9]{1,8}-)*[A-Z0-9]*(?:JL|QR|BD|BG)[A-Z0-9]*(?:-[A-Z0-9]{1,8})*-\d{1,4}"
)
_IN_FORCE = re.compile(r"(?:自|从)?\s*(?P<day>[^\s，,。；;]{8,16}日)\s*(?:起|开始)\s*(?:施行|实施|执行|生效)")
_PLACES = {
    "block": T("控制栏"),
    "title": T("标题行"),
    "margin": T("页眉页脚"),
    "line": T("正文前的文字"),
    "file": T("文件名"),
}


@dataclass
class Gathered:
    """汇集的结果."""

    number: str | None = None
    title: str | None = None
    typed_revision: str | None = None
    revision: str | None = None
    class_word: str | None = None
    owner: str | None = None
    drafted: SigningStep | None = None
    reviewed: SigningStep | None = None
    approved: SigningStep | None = None
    effective: str | None = None
    cites: tuple[str, ...] = ()
    sure: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)


def gather(
    *,
    path: str,
    line: int,
    segment: Segment,
    facts: Sequence[ControlFacts],
    margins: Sequence[str],
    margin_grids: Sequence[Grid],
    alone: bool,
) -> Gathered:
    """Return what can be told of one document.

    Args:
        path: its file.
        line: where it begins.
        segment: its text.
        facts: what its control block says.
        margins: lines of the headers and footers of its file, where they are its own.
        margin_grids: tables there.
        alone: whether the file holds nothing else, so that its name counts.
    """
    return _Gathering(path, line, segment, facts, margins, margin_grids, alone=alone).run()


class _Gathering:
    def __init__(
        self,
        path: str,
        line: int,
        segment: Segment,
        facts: Sequence[ControlFacts],
        margins: Sequence[str],
        margin_grids: Sequence[Grid],
        *,
        alone: bool,
    ) -> None:
        self.path, self.line, self.segment, self.alone = path, line, segment, alone
        self.block = [pair for item in facts for pair in item.facts]
        self.rest = [cell for item in facts for cell in item.rest]
        found = [item for grid in margin_grids if (item := read_grid(grid)) is not None]
        found += [item for text in margins if (item := read_line(text)) is not None]
        self.margin = [pair for item in found for pair in item.facts]
        self.margin_rest = [*(cell for item in found for cell in item.rest), *margins]
        self.front = "\n".join(piece.source for piece in segment.pieces)[:600]
        self.got = Gathered()
        self.sure: list[str] = []

    def run(self) -> Gathered:
        got = self.got
        got.number, got.title = self._number(), self._title()
        self._revision()
        self._class()
        self._owner()
        got.drafted, got.reviewed, got.approved = (self._step(fact) for fact in SIGNED_ON)
        got.effective = self._effective()
        got.cites = self._cites()
        got.sure = tuple(self.sure)
        return got

    # -- what it is called -------------------------------------------------------------------------------------

    def _number(self) -> str | None:
        name = leading_number(self._stem()) if self.alone else None
        margin = "\n".join(self.margin_rest)
        told = [
            ("block", self._value(self.block, Fact.NUMBER)),
            ("title", self.segment.number),
            ("line", _found(_SEARCHED, self.front, "number")),
            ("margin", self._value(self.margin, Fact.NUMBER) or _found(_SEARCHED, margin, "number")),
            ("file", name[0] if name else None),
        ]
        typed = [(place, text) for place, text in told if text]
        read = [(place, number) for place, text in typed if (number := read_number(text)) is not None]
        if typed and not read:
            message = T("文件编号“{number}”的写法认不出来。", number=typed[0][1][:60])
            self._doubt("legacy-number-unclear", message, T("请在对照表的 former_number 里写对。"))
        if not read:
            if not typed:
                message = T("没有找到文件编号，对照表里给的是建议编号。")
                self._doubt("legacy-number-missing", message, T("请核对建议的编号。"))
            return None
        self._compare("number", read, T("编号"))
        return read[0][1]

    def _title(self) -> str | None:
        name = leading_number(self._stem()) if self.alone else None
        bare = name[1] if name else self._stem()
        lined = self.segment.title if self.segment.title not in _GENERAL else None
        told = [
            ("block", self._value(self.block, Fact.TITLE) or _titled(self.rest)),
            ("title", lined),
            ("margin", self._value(self.margin, Fact.TITLE) or _titled(self.margin_rest)),
            ("file", bare if self.alone and bare.endswith(TITLE_WORDS) else None),
        ]
        found = [(place, " ".join(text.split()).strip("《》 ")) for place, text in told if text and text.strip()]
        found = [(place, text) for place, text in found if 0 < len(text) <= _LONGEST_TITLE and text.isprintable()]
        if not found:
            message = T("没有找到文件名称。")
            self._doubt("legacy-title-missing", message, T("请在对照表里写 title，再把 import 改为 yes。"))
            return None
        place, title = found[0]
        if place in {"margin", "file"}:
            message = T("名称取自{place}：{title}。", place=_PLACES[place], title=title)
            self._doubt("legacy-title-unclear", message, T("请在对照表里核对。"))
        else:
            self._compare("title", found, T("名称"))
        return title

    def _class(self) -> None:
        found = class_of(self.got.number, self.got.title)
        if like_a_form(self.got.number, self.got.title):
            message = T("像是记录表单，不是程序文件。")
            self._doubt("legacy-form", message, T("表单用 qms form 建立；确实是文件时把 import 改为 yes。"))
        if found is None:
            message = T("看不出文件类别，按程序处理。")
            self._doubt("legacy-class-unclear", message, T("请在对照表里核对 class。"))
            self.got.class_word = "程序"
            return
        self.got.class_word = found.value
        if found.sure:
            self.sure.append("class")
        else:
            message = T("类别“{word}”是推断的。", word=found.value)
            self._doubt("legacy-class-unclear", message, T("请在对照表里核对 class。"), Gravity.NOTE)

    def _owner(self) -> None:
        owner = self._value(self.block, Fact.OWNER) or self._value(self.margin, Fact.OWNER)
        owner = " ".join(owner.split()) if owner else None
        if owner and len(owner) <= _LONGEST_OWNER and owner.isprintable():
            self.got.owner = owner
            self.sure.append("owner")
        else:
            message = T("没有写归口部门，暂写“待定”。")
            self._doubt("legacy-owner-missing", message, T("请在对照表里写 owner。"), Gravity.NOTE)

    # -- revision and days -------------------------------------------------------------------------------------

    def _revision(self) -> None:
        typed = self._value(self.block, Fact.REVISION)
        amendment = self._value(self.block, Fact.AMENDMENT) or ""
        if not typed:
            typed = self._value(self.margin, Fact.REVISION)
            amendment = amendment or self._value(self.margin, Fact.AMENDMENT) or ""
        if not typed:
            margin = "\n".join(self.margin_rest)
            typed = _found(_SEARCHED_REVISION, margin, "revision") or _found(_SEARCHED_REVISION, self.front, "revision")
        if not typed:
            message = T("没有写版本，按 A/0 处理。")
            self._doubt("legacy-revision-missing", message, T("请在对照表里核对 revision。"))
            return
        shown = f"{typed} {amendment}".strip() if amendment else typed
        self.got.typed_revision = shown[:40]
        found = read_revision(typed, amendment)
        if found is None:
            message = T("版本“{typed}”不是 A/0 这样的写法，按 A/0 处理。", typed=shown[:40])
            self._doubt("legacy-revision-unclear", message, T("请在对照表里核对 revision。"))
            return
        self.got.revision = found.value
        if found.sure:
            self.sure.append("revision")
        else:
            message = T("版本“{typed}”按 {revision} 处理。", typed=shown[:40], revision=found.value)
            self._doubt("legacy-revision-unclear", message, T("请在对照表里核对 revision。"))

    def _step(self, fact: Fact) -> SigningStep | None:
        typed = self._value(self.block, fact) or self._value(self.margin, fact)
        day = self._value(self.block, SIGNED_ON[fact]) or self._value(self.margin, SIGNED_ON[fact])
        if not typed:
            return None
        step = read_step(typed)
        if step is None:
            message = T("“{typed}”里认不出姓名。", typed=typed[:40])
            self._doubt("legacy-name-unclear", message, T("请在对照表的 {key} 里补上。", key=fact.value))
            return None
        if step.date is None and day:
            found = read_day(day)
            if found is None:
                self._unread_day(day)
            step = replace(step, date=found or " ".join(day.split())[:40])
        self.sure.append(fact.value)
        return step

    def _effective(self) -> str | None:
        typed = self._value(self.block, Fact.EFFECTIVE) or self._value(self.margin, Fact.EFFECTIVE)
        if typed:
            day = read_day(typed)
            if day is None:
                self._unread_day(typed)
                return " ".join(typed.split())[:40]
            self.sure.append("effective")
            return day
        source = "".join(piece.source for piece in self.segment.pieces)
        match = _IN_FORCE.search(source)
        day = read_day(match["day"]) if match else None
        issued = self._value(self.block, Fact.ISSUED)
        if day is not None:
            message = T("生效日期 {day} 取自正文。", day=day)
            self._doubt("legacy-effective-unclear", message, T("请在对照表里核对 effective。"), Gravity.NOTE)
        elif issued:
            message = T("只写了发布日期“{day}”，没有生效日期。", day=issued[:40])
            self._doubt("legacy-effective-unclear", message, T("请在对照表里补上 effective。"))
        return day

    def _unread_day(self, typed: str) -> None:
        message = T("日期“{typed}”认不出来，按原样保留。", typed=typed[:40])
        self._doubt("legacy-date-unclear", message, T("请在对照表里改成 2019-03-01 这样的写法。"))

    def _cites(self) -> tuple[str, ...]:
        source = "".join(piece.source for piece in self.segment.pieces)
        titles = (f"《{match[1]}》" for match in _FORM_TITLE.finditer(source))
        return tuple(dict.fromkeys([*(match[0] for match in _FORM_NUMBER.finditer(source)), *titles]))

    # -- helpers of all ----------------------------------------------------------------------------------------

    def _stem(self) -> str:
        return self.path.rpartition("/")[2].rpartition(".")[0]

    @staticmethod
    def _value(pairs: Sequence[tuple[Fact, str]], wanted: Fact) -> str | None:
        return next((value for fact, value in pairs if fact is wanted and plain(value)), None)

    def _compare(self, key: str, found: Sequence[tuple[str, str]], label: Text) -> None:
        """Note that the first place counts, and which others differ."""
        first, value = found[0]
        others = [(place, text) for place, text in found[1:] if "".join(text.split()) != "".join(value.split())]
        if not others:
            self.sure.append(key)
            return
        place, text = others[0]
        message = T(
            "{label}不一致：{first}是“{value}”，{place}是“{text}”；按前者处理。",
            label=label,
            first=_PLACES[first],
            value=value[:60],
            place=_PLACES[place],
            text=text[:60],
        )
        self._doubt(f"legacy-{key}-differs", message, T("请在对照表里核对。"))

    def _doubt(self, code: str, message: Text, hint: Text, gravity: Gravity = Gravity.WARNING) -> None:
        self.got.findings.append(Finding(code, gravity, message, path=self.path, line=self.line, hint=hint))


def _found(pattern: re.Pattern[str], text: str, group: str) -> str | None:
    match = pattern.search(text)
    return match[group] if match else None


def _titled(cells: Iterable[str]) -> str | None:
    """Return the cell that is a title: it ends with a word that titles of documents end with."""
    for cell in cells:
        text = " ".join(cell.split()).strip("《》")
        if text.endswith(TITLE_WORDS) and text not in _GENERAL and 4 <= len(text) <= _LONGEST_TITLE:  # noqa: PLR2004 - a title has four characters
            return text
    return None
