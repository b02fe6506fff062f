"""The mapping of an import: written with explanations, read back exactly, refused with line and nearest key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.document import HistoryRow, SigningStep
from controller.domain.identifiers import Digest
from controller.domain.legacy_document import MappedDocument
from controller.file_formats.mapping_file import MappingEntry, MappingRefusedError, read_mapping, write_mapping

if TYPE_CHECKING:
    from controller.domain.conformity import Finding

ONE = MappedDocument(
    source="采购/采购控制程序.docx",
    digest=Digest.of(b"file"),
    part=1,
    text=Digest.of(b"text"),
    wanted=True,
    number="XX-YLQXCX-101",
    title="采购控制程序",
    revision="B/0",
    class_word="程序",
    owner="采购部",
    former_number="QMST-QP-001",
    former_revision="第2版",
    drafted=SigningStep("赵敏", "2019-05-20"),
    approved=SigningStep("周明"),
    effective="2019-06-01",
    history=(HistoryRow("第1版", "2015-03-01", "全部", "首次: 发布", "赵敏", elsewhere=True),),
    forms=("XX-YLQXJL-013",),
    scan="批准页.pdf",
)


def written(document: MappedDocument = ONE) -> str:
    return write_mapping(
        [MappingEntry(document, ["《采购申请单》"], ["number"], ["第 3 行：版本“第2版”"])], folder="旧文件"
    )


def read(text: str) -> list[MappedDocument]:
    return read_mapping(text, where="对照表.yml")


def refusals(text: str) -> list[Finding]:
    with pytest.raises(MappingRefusedError) as caught:
        read(text)
    return list(caught.value.findings)


def test_what_is_written_is_read_back() -> None:
    text = written()
    assert text.startswith("# 旧文件导入对照表。")
    assert "- import: yes\n" in text
    assert read(text) == [replace(ONE, line=read(text)[0].line)]
    assert text.splitlines()[(read(text)[0].line or 0) - 1] == "- import: yes"


NAMES = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=30)


@given(NAMES, NAMES, st.booleans())
def test_any_name_survives(title: str, name: str, wanted: bool) -> None:
    document = replace(ONE, title=title, approved=SigningStep(name, name), owner=name, wanted=wanted)
    assert read(written(document)) == [replace(document, line=read(written(document))[0].line)]


@pytest.mark.parametrize(
    ("old", "new", "said", "hint"),
    [
        ("  former_number:", "  fomer_number:", "不认识的键 fomer_number", "former_number"),
        ("- import: yes", "- import: maybe", "import 应为 yes 或 no", ""),
        ("number: XX-YLQXCX-101", "number: QP-1", "不是有效的文件编号", "XX-YLQXCX-014"),
        ("number: XX-YLQXCX-101", "number: XX-YLQXZD-101", "不属于“程序”类", "CX"),
        ("revision: B/0", "revision: 第2版", "不是有效的版本", "A/0"),
        ("  class: 程序", "  class: 记录", "“记录”不可用", ""),
        ("    name: 周明", "    nmae: 周明", "不认识的键 nmae", "name"),
        ("  part: 1", "  part: 第一", "应为 1 到", ""),
        ("  text: sha256", "  text: sha1", "text 不是摘要", "不要改"),
        ("format: wenkong/legacy-import/1", "format: other", "format 应为", ""),
    ],
)
def test_every_refusal_names_its_line_and_what_would_be_right(old: str, new: str, said: str, hint: str) -> None:
    text = written().replace(old, new, 1)
    line = next(number for number, one in enumerate(text.splitlines(), 1) if new.strip() in one)
    found = refusals(text)
    assert [item for item in found if said in str(item.message) and item.line == line], [str(f.message) for f in found]
    assert any(hint in str(item.hint) for item in found)


def test_yes_and_no_may_be_chinese_and_what_is_not_wanted_need_not_be_complete() -> None:
    text = written(replace(ONE, wanted=False, title="")).replace("import: no", "import: 否")
    assert [item.wanted for item in read(text)] == [False]
    assert "缺少 title" in " ".join(
        str(item.message) for item in refusals(text.replace("import: 否", "import: 是").replace("title: ''", ""))
    )


def test_a_source_that_is_only_in_a_comment_cannot_break_out_of_it() -> None:
    document = replace(ONE, source="a\n- import: yes.docx")
    assert len(read(written(document))) == 1
