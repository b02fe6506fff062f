from __future__ import annotations

import pytest

from controller.domain.document import Validity
from controller.file_formats.document_file import (
    DocumentFileError,
    read_checklist,
    read_document,
    read_external_documents,
    read_notes,
    unknown_keys,
    write_checklist,
    write_document,
    write_external_documents,
    write_notes,
)

DOCUMENT = """\
format: wenkong/document/1
number: AB-YLQXCX-031
title: 退机消毒管理程序
revision: A/1
class: 程序
owner: 质管部
status_note: 待企业修改
applies_if: 维修业务
related:
- AB-YLQXZD-011
basis:
- WL-R3
forms:
- AB-YLQXJL-040
links:
  '4.1':
  - AB-YLQXJL-040
  - WL-R3 第二十条
company_set:
  '4.2': 30分钟
drafted:
  name: 王芳
  date: '2026-05-01'
approved:
  name: 陈晓
effective: '2026-06-01'
history:
- revision: A/0
  date: '2025-01-02'
  clauses: 全文
  reason: 新编
  by: 王芳
- revision: 第1版
  clauses: 全部
  reason: 首次发布
  by: 赵敏
  elsewhere: true
former_number: QMST-QP-001
former_revision: 第2版
former_block:
- 文件编号 | QMST-QP-001
later_key: 值
"""


def test_a_document_description_is_read_whole() -> None:
    document = read_document(DOCUMENT, where="document.yml")
    assert (str(document.number), document.title, str(document.revision)) == (
        "AB-YLQXCX-031",
        "退机消毒管理程序",
        "A/1",
    )
    assert document.links == {"4.1": ("AB-YLQXJL-040", "WL-R3 第二十条")}
    assert document.company_set == {"4.2": "30分钟"}
    assert document.drafted is not None
    assert (document.drafted.name, document.drafted.date, document.reviewed) == ("王芳", "2026-05-01", None)
    assert [(row.revision, row.by, row.elsewhere) for row in document.history] == [
        ("A/0", "王芳", False),
        ("第1版", "赵敏", True),
    ]
    assert (document.former_number, document.former_revision) == ("QMST-QP-001", "第2版")
    assert document.told_elsewhere == "系统外批准：起草 王芳 2026-05-01、批准 陈晓"


def test_what_is_written_is_what_was_read_unknown_keys_included() -> None:
    assert write_document(read_document(DOCUMENT, where="document.yml")) == DOCUMENT


def test_an_unknown_key_is_told_with_the_nearest_known_one() -> None:
    document = read_document(DOCUMENT.replace("later_key: 值", "revisoin: B/0"), where="document.yml")
    assert unknown_keys(document) == {"revisoin": "revision"}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("title: 退机消毒管理程序", "title: ''", 3),
        ("revision: A/1", "revision: 第一版", 4),
        ("number: AB-YLQXCX-031", "number: ../../etc/passwd", 2),
        ("format: wenkong/document/1", "format: wenkong/document/9", 1),
        ("class: 程序", "class: [程序]", 5),
        ("forms:\n- AB-YLQXJL-040", "forms: AB-YLQXJL-040", 13),
        ("links:\n  '4.1':", "links:\n  '4.1': 甲\n  '4.2':", 16),
        ("drafted:\n  name: 王芳", "drafted:\n  nam: 王芳", 21),
        ("history:\n- revision: A/0", "history:\n- 甲\n- revision: A/0", 27),
    ],
)
def test_a_wrong_key_is_refused_with_its_line(old: str, new: str, line: int) -> None:
    assert old in DOCUMENT
    with pytest.raises(DocumentFileError) as caught:
        read_document(DOCUMENT.replace(old, new), where="procedures/X/document.yml")
    assert caught.value.where == f"procedures/X/document.yml:{line}"


NOTES = """\
format: wenkong/notes/1
document: AB-YLQXCX-031
notes:
- id: G4
  clause: '2'
  flag: 依据待确认
  statement: 依据写了旧名称。
  issue: 没有查到这个名称。
  suggestion: 请归口部门确认。
  certainty: 待核实
  basis:
  - WL-R2
"""
EXTERNAL = """\
format: wenkong/external-documents/1
checked_on: 2026-08
documents:
- id: WL-R1
  title: 医疗器械监督管理条例
  validity: 现行
  certainty: 已核对原文
  effective: '2021-06-01'
  replaces: WL-R9
- id: WL-R9
  title: 某旧办法
  validity: 废止
  certainty: 二手核对
"""
CHECKLIST = """\
format: wenkong/inspection-checklist/1
source: WL-R4
items:
- no: 1
  clause: '2.9'
  key: true
  topic: 体系与规模相适应
  looks_at: 文件清单
  evidence:
  - AB-YLQXTZ-01
  self_check: 每类文件都有
- no: 2
  clause: '2.13'
  key: false
  topic: 持续改进
"""


def test_gap_notes_external_documents_and_checklist_are_read() -> None:
    (note,) = read_notes(NOTES, where="notes.yml")
    assert (note.id, note.clause, note.flag, note.basis) == ("G4", "2", "依据待确认", ("WL-R2",))
    external = read_external_documents(EXTERNAL, where="external.yml")
    assert [(item.id, item.validity, item.certainty) for item in external.documents] == [
        ("WL-R1", Validity.CURRENT, "已核对原文"),
        ("WL-R9", Validity.REPEALED, "二手核对"),
    ]
    assert external.documents[0].extra == {"replaces": "WL-R9"}
    checklist = read_checklist(CHECKLIST, where="checklist.yml")
    assert [(item.no, item.key, item.evidence) for item in checklist.items] == [
        (1, True, ("AB-YLQXTZ-01",)),
        (2, False, ()),
    ]


def test_lists_survive_a_read_and_write() -> None:
    external = read_external_documents(EXTERNAL, where="x")
    assert read_external_documents(write_external_documents(external), where="x") == external
    checklist = read_checklist(CHECKLIST, where="x")
    assert read_checklist(write_checklist(checklist), where="x") == checklist
    notes = read_notes(NOTES, where="x")
    assert write_notes(notes, document="AB-YLQXCX-031") == NOTES


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (EXTERNAL.replace("validity: 废止", "validity: 作废了"), 12),
        (EXTERNAL.replace("id: WL-R9", "id: WL-R1"), 10),
        (EXTERNAL.replace("title: 某旧办法", "title: ''"), 11),
    ],
)
def test_a_wrong_external_document_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(DocumentFileError) as caught:
        read_external_documents(text, where="external.yml")
    assert caught.value.where == f"external.yml:{line}"


def test_a_law_is_found_by_its_title_with_or_without_the_name_of_the_state() -> None:
    external = read_external_documents(EXTERNAL.replace("某旧办法", "中华人民共和国电子签名法"), where="x")
    found = external.titled("电子签名法")
    assert found is not None
    assert found.id == "WL-R9"
    assert external.titled("医疗器械管理条例") is None
