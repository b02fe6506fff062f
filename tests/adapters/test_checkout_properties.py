"""Any document there and back, and any edit: the text is what the edited file says, and clauses keep their ids."""

from __future__ import annotations

import io
from copy import deepcopy
from typing import TYPE_CHECKING

import docx as python_docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from controller.adapters.word_document import DocxWordReader
from controller.domain.chinese_numeral import write_numeral
from controller.file_formats.clause_text import table_text
from tests.checked_out import WHO, Sent, with_body
from tests.foreign_documents.word_files import word_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lxml.etree import _Element

    from controller.services.returned_text import ReturnedText

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NAMES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_KEPT = {
    name: DocxWordReader().read(word_files()[name], name=name)
    for name in ("nested", "picture-anchored", "text-box-choice", "table-with-links")
}
ISLANDS = {digest.hex: data for word in _KEPT.values() for digest, data in word.islands.items()}
ISLAND_LINES = [line for word in _KEPT.values() for line in word.text.splitlines() if line.startswith("〔图表")]
STYLES: dict[str, Callable[[int], str]] = {
    "chapter": lambda place: f"第{write_numeral(place)}章 ",
    "article": lambda place: f"第{write_numeral(place)}条 ",
    "chinese": lambda place: f"{write_numeral(place)}、",
    "paren-chinese": lambda place: f"（{write_numeral(place)}）",
    "arabic": lambda place: f"{place}.",
    "arabic-comma": lambda place: f"{place}、",
    "decimal": lambda place: f"5.{place}.",
    "paren-arabic": lambda place: f"({place})",
    "circled": lambda place: chr(ord("①") + place - 1),
}
WORDS = st.text(alphabet="消毒设备登记回访用户温度℃,。:;(《》 a1<&>|\\-\t旳\u3000\u00a0—…“”①", min_size=1, max_size=24)
CELLS = st.text(alphabet="项目要求|\\-n\n 无", max_size=8)
TABLES = st.tuples(st.integers(1, 4), st.integers(1, 3), st.booleans(), st.lists(CELLS, min_size=12, max_size=12)).map(
    lambda drawn: table_text(
        tuple(tuple(drawn[3][drawn[1] * row + column] for column in range(drawn[1])) for row in range(drawn[0])),
        header=drawn[2],
    )
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Return a text: clauses numbered in one or two ways, tables, kept tables and pictures, lines beside them."""
    outer, inner = draw(st.sampled_from(sorted(STYLES))), draw(st.sampled_from(sorted(STYLES)))
    pieces = [draw(st.sampled_from(["", "样机借用管理程序\n", "AB-YLQXCX-031退机消毒管理程序\n版本:A/1\n"]))]
    for place in range(1, draw(st.integers(1, 5)) + 1):
        pieces.append(f"{STYLES[outer](place)}{draw(WORDS).strip() or '目的'}\n")
        pieces += [f"{STYLES[inner](below)}{draw(WORDS)}\n" for below in range(1, draw(st.integers(0, 3)) + 1)]
        pieces.append(
            draw(
                st.one_of(
                    st.just(""),
                    TABLES,
                    st.sampled_from(ISLAND_LINES).map(lambda line: f"{line}\n"),
                    st.sampled_from(["\n", "没有编号的一段。\n", "第 3 页 共 9 页\n", "  \n\n"]),
                )
            )
        )
    return "".join(pieces).replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@pytest.mark.slow
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts())
def test_any_document_in_any_numbering_comes_back_with_its_text_and_ids(text: str) -> None:
    sent = Sent(text, ISLANDS)
    back = sent.back(sent.docx)
    ids = tuple(clause.id for clause in sent.document.segment.clauses)
    assert (back.text, back.unchanged, back.traced.ids) == (text, True, ids)
    assert (back.doubts, back.notes, back.changes) == ((), (), ())


# -- edits -------------------------------------------------------------------------------------------------------

SUBJECTS = (
    *(
        "目的是防止交叉污染并保护人员",
        "范围覆盖客户退回的全部仪器",
        "仓储主管安排待检区的货架",
        "按说明书挑选合适的清洁剂",
    ),
    *(
        "照片应当拍下铭牌与外壳裂纹",
        "温湿度每两小时抄写到日志",
        "电池超过三年必须更换新品",
        "培训合格者方可独立上岗操作",
    ),
    *("投诉要在二十四小时里回复", "发票复印件交给财务归档保存"),
)
EDITS = st.tuples(
    st.sampled_from(["insert", "delete", "move", "reword", "format"]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.booleans(),
)


def above(element: _Element) -> _Element:
    found = element.getparent()
    assert found is not None
    return found


class Edited:
    """A checked-out file being edited, beside what its lines ought to be."""

    def __init__(self, style: str, count: int) -> None:
        self.label = STYLES[style]
        self.text = "".join(f"{self.label(place)}{SUBJECTS[place - 1]}。\n" for place in range(1, count + 1))
        self.sent = Sent(self.text)
        self.document = python_docx.Document(io.BytesIO(self.sent.docx))
        ids = [clause.id for clause in self.sent.document.segment.clauses]
        assert len(ids) == count
        self.lines: list[tuple[str | None, str]] = list(zip(ids, self.text.splitlines(), strict=True))
        starts = {item.get(f"{W}name"): item for item in self.document.element.iter(f"{W}bookmarkStart")}
        self.blocks: list[_Element] = [above(starts[f"wk_{identifier}"]) for identifier in ids]
        self.added = 0

    def edit(self, kind: str, one: int, other: int, *, tracked: bool) -> None:
        place = one % len(self.blocks)
        if kind == "insert":
            self._insert(place, tracked=tracked)
        elif kind == "delete" and len(self.blocks) > 1:
            self._away(self.blocks.pop(place), "del", tracked=tracked)
            del self.lines[place]
        elif kind == "move" and len(self.blocks) > 1:
            self._move(place, other % len(self.blocks), tracked=tracked)
        elif kind == "reword":
            self._reword(place, tracked=tracked)
        elif kind == "format":
            for run in self.blocks[place].iter(f"{W}r"):
                if run.find(f"{W}rPr") is None:
                    change = f"<w:rPrChange {WHO}><w:rPr/></w:rPrChange>" if tracked else ""
                    run.insert(0, etree.fromstring(f"<w:rPr {NAMES}><w:b/>{change}</w:rPr>"))

    def _insert(self, place: int, *, tracked: bool) -> None:
        self.added += 1
        line = f"{self.label(len(self.blocks) + self.added)}新写的第{write_numeral(self.added)}句内容仅此处有。"
        self._here(place, self._paragraph(line, "ins", tracked=tracked))
        self.lines.insert(place, (None, line))

    def _here(self, place: int, paragraph: _Element) -> None:
        self.blocks[place].addprevious(paragraph)
        self.blocks.insert(place, paragraph)

    @staticmethod
    def _paragraph(line: str, kind: str, *, tracked: bool) -> _Element:
        run = f'<w:r><w:t xml:space="preserve">{line}</w:t></w:r>'
        if tracked:
            mark = f"<w:pPr><w:rPr><w:{kind} {WHO}/></w:rPr></w:pPr>"
            return etree.fromstring(f"<w:p {NAMES}>{mark}<w:{kind} {WHO}>{run}</w:{kind}></w:p>")
        return etree.fromstring(f"<w:p {NAMES}>{run}</w:p>")

    def _away(self, paragraph: _Element, kind: str, *, tracked: bool) -> None:
        if not tracked:
            above(paragraph).remove(paragraph)
            return
        properties = paragraph.find(f"{W}pPr")
        if properties is None:
            properties = etree.Element(f"{W}pPr")
            paragraph.insert(0, properties)
        mark = properties.find(f"{W}rPr")
        if mark is None:
            mark = etree.SubElement(properties, f"{W}rPr")
        mark.append(etree.fromstring(f"<w:{kind} {NAMES} {WHO}/>"))
        for run in list(paragraph.iter(f"{W}r")):
            holder = etree.fromstring(f"<w:{kind} {NAMES} {WHO}/>")
            run.addprevious(holder)
            holder.append(run)
        if kind == "del":
            for text in paragraph.iter(f"{W}t"):
                text.tag = f"{W}delText"

    def _move(self, place: int, to: int, *, tracked: bool) -> None:
        paragraph, line = self.blocks.pop(place), self.lines.pop(place)
        to = min(to, len(self.blocks) - 1)
        if tracked:
            self._here(to, self._paragraph(line[1], "moveTo", tracked=True))
            self._away(paragraph, "moveFrom", tracked=True)
        else:
            self._here(to, paragraph)
        self.lines.insert(to, line)

    def _reword(self, place: int, *, tracked: bool) -> None:
        identifier, line = self.lines[place]
        paragraph = self.blocks[place]
        run = next(item for item in reversed(list(paragraph.iter(f"{W}r"))) if item.find(f"{W}t") is not None)
        self.added += 1
        more = f"另加{write_numeral(self.added)}字。"
        new = etree.fromstring(f"<w:r {NAMES}><w:t>{more}</w:t></w:r>")
        if tracked:
            insertion = etree.fromstring(f"<w:ins {NAMES} {WHO}/>")
            insertion.append(new)
            new = insertion
        holder = above(run)  # the paragraph, or a tracked change in it
        (run if holder.tag == f"{W}p" or not tracked else holder).addnext(new)
        self.lines[place] = (identifier, line + more)

    def back(self) -> ReturnedText:
        return self.sent.back(with_body(self.sent.docx, etree.tostring(self.document.element, encoding="unicode")))


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(STYLES)), st.integers(2, 10), st.lists(EDITS, min_size=1, max_size=5))
def test_any_edit_gives_the_edited_text_and_clauses_keep_their_ids(
    style: str, count: int, edits: Sequence[tuple[str, int, int, bool]]
) -> None:
    edited = Edited(style, count)
    for kind, one, other, tracked in edits:
        edited.edit(kind, one, other, tracked=tracked)
    back = edited.back()
    assert back.text.splitlines() == [line for _, line in edited.lines]
    wanted = {line: identifier for identifier, line in edited.lines}
    doubted = {item.subject for item in back.doubts}
    old = {clause.id for clause in edited.sent.document.segment.clauses}
    for clause in back.segment.clauses:
        identifier = wanted[clause.source.strip().splitlines()[0]]
        if identifier is not None:
            assert clause.id == identifier
        else:
            assert clause.id not in old or clause.id in doubted
    assert len(set(back.traced.ids)) == len(back.traced.ids)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(STYLES)), st.integers(2, 8), st.lists(EDITS, min_size=1, max_size=4))
def test_edits_that_are_all_tracked_read_as_the_old_text_when_rejected(
    style: str, count: int, edits: Sequence[tuple[str, int, int, bool]]
) -> None:
    from controller.adapters.checkout_reading import CheckoutReading

    edited = Edited(style, count)
    before = deepcopy(edited.sent.document.text)
    for kind, one, other, _tracked in edits:
        if kind not in {"move", "delete"} or edited.added == 0:  # what was inserted and goes again was never there
            edited.edit(kind, one, other, tracked=True)
    data = with_body(edited.sent.docx, etree.tostring(edited.document.element, encoding="unicode"))
    untracked = CheckoutReading().read(data, name="改.docx").untracked
    assert [line for line in untracked.splitlines() if line.strip()] == before.splitlines()
