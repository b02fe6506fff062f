"""What a change touches, each with why: found in a small library with records, posts and copies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.adapters.sqlite_index import SqliteIndex
from controller.domain.change_impact import ChangeImpact, CopyOut, impact_data, impact_text
from controller.domain.record import Act
from controller.domain.text import T
from controller.file_formats.form_file import read_form
from controller.file_formats.register_file import read_register
from controller.services.archived_forms import ArchivedForms
from controller.services.document_library import DocumentLibrary
from controller.services.impact_finding import ChangeImpactFinding
from controller.services.indexing import Indexing
from controller.services.reference_keeping import ReferenceKeeping
from tests.builders import WORKSPACE, entry, record_files
from tests.memory_archive import MemoryArchive, MemoryForms
from tests.memory_files import MemoryFiles
from tests.services.test_workload_counting import STAFF

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COMPLAINT = """\
format: wenkong/form/1
number: XX-YLQXJL-018
title: 质量投诉处理记录
revision: A/0
procedure: XX-YLQXCX-015
owner: 质管部
retention: complaint
blocks: [product]
fields:
  channel: {label: 渠道, type: text}
stages:
  registered: {label: 已登记, by: [service]}
  closed: {label: 已结案, after: registered, by: [officer], final: true}
"""
PRODUCT = "format: wenkong/block/1\nname: product\ntitle: 产品块\nfields:\n  product: {label: 产品, type: text}\n"
REGISTER = """\
format: wenkong/register/1
id: TZ-07
number: XX-YLQXTZ-07
title: 质量投诉台账
revision: A/0
procedure: XX-YLQXCX-015
owner: 质管部
source: records
forms: [XX-YLQXJL-018]
columns:
  - {key: channel, label: 渠道}
"""
FILES = {
    "procedures/XX-YLQXCX-015/document.yml": """\
format: wenkong/document/1
number: XX-YLQXCX-015
title: 质量投诉处理程序
revision: A/0
class: 程序
owner: 售后服务部
basis: [WL-R9]
forms: [XX-YLQXJL-018]
""",
    "procedures/XX-YLQXCX-015/clauses.txt": """\
XX-YLQXCX-015质量投诉处理程序
4.职责：质管部调查。
5.内容：
5.1.售后服务员填写《质量投诉处理记录》，告知质量负责人。
5.2.质量负责人裁决。
""",
    "procedures/XX-YLQXCX-016/document.yml": """\
format: wenkong/document/1
number: XX-YLQXCX-016
title: 回访程序
revision: A/0
class: 程序
owner: 售后服务部
links:
  '5.2': [XX-YLQXCX-015]
""",
    "procedures/XX-YLQXCX-016/clauses.txt": """\
XX-YLQXCX-016回访程序
5.内容：
5.1.按《质量投诉处理程序》5.2回访。
5.2.不满意的转投诉。
""",
    "procedures/external_documents.yml": """\
format: wenkong/external-documents/1
documents:
- {id: WL-R9, title: 旧经营办法, validity: 废止, certainty: 二手核对}
""",
    "procedures/inspection_checklist.yml": """\
format: wenkong/inspection-checklist/1
items:
- {no: 1, clause: '2.9', key: true, topic: 投诉处理, looks_at: 记录, evidence: [XX-YLQXCX-015]}
""",
    "templates/forms/XX-YLQXJL-018/form.yml": COMPLAINT,
    "templates/registers/TZ-07/register.yml": REGISTER,
}


def held(number: str) -> Sequence[CopyOut]:
    """Return one copy of the complaint procedure that is out."""
    copy = CopyOut(number, "01", "A/0", "售后服务部", T("新版生效后须收回"))
    return [copy] if number == "XX-YLQXCX-015" else []


@pytest.fixture
def finding(tmp_path: Path) -> ChangeImpactFinding:
    forms = MemoryForms(read_form(COMPLAINT, {"product": PRODUCT}, where="form.yml"))
    archive = MemoryArchive()
    opened = entry(1)
    closed = replace(entry(2), stage="closed", act=Act.ADVANCED, values={})
    archive.file(record_files([opened]) | record_files([entry(2), closed]))
    archive.file(record_files([entry(3), replace(entry(3), act=Act.VOIDED, values={}, reason="填错")]))
    index = SqliteIndex(tmp_path / "index.sqlite", workspace=WORKSPACE)
    library = DocumentLibrary(MemoryFiles({path: text.encode() for path, text in FILES.items()}))
    return ChangeImpactFinding(
        keeping=ReferenceKeeping(library),
        library=library,
        forms=forms,
        registers=lambda: [read_register(REGISTER, where="register.yml")],
        index=index,
        definitions=ArchivedForms(archive, forms),
        staff=STAFF,
        copies=held,
        catch_up=Indexing(archive, index, forms).catch_up,
    )


def test_a_changed_procedure_touches_everything_that_hangs_on_it(finding: ChangeImpactFinding) -> None:
    found = finding.impact(["XX-YLQXCX-015"])
    assert [(item.number, item.clauses, str(item.why)) for item in found.citing] == [
        ("XX-YLQXCX-016", ("5.1", "5.2"), "正文引用 XX-YLQXCX-015"),
        ("2.9", (), "列有 XX-YLQXCX-015"),
    ]
    assert [(item.number, str(item.why)) for item in found.forms] == [("XX-YLQXJL-018", "XX-YLQXCX-015 名下的表单")]
    assert [(item.number, str(item.why)) for item in found.registers] == [("XX-YLQXTZ-07", "取 XX-YLQXJL-018 的数据")]
    assert [(item.number, item.revision, item.stage) for item in found.records] == [
        ("XX-YLQXJL-018-2026-0001", "A/0", "已登记")
    ]
    assert [(item.id, item.by, str(item.why)) for item in found.laws] == [
        ("WL-R9", "XX-YLQXCX-015", "XX-YLQXCX-015 引用它；已废止（二手核对）")
    ]
    assert [(item.number, item.copy) for item in found.copies] == [("XX-YLQXCX-015", "01")]


def test_posts_to_train_are_those_named_and_those_who_fill_the_forms(finding: ChangeImpactFinding) -> None:
    found = finding.impact(["XX-YLQXCX-015"])
    assert {
        (item.name, tuple(name for _id, name in item.people), item.sure, str(item.why)) for item in found.posts
    } == {
        ("售后服务员", ("王芳", "赵磊"), True, "XX-YLQXCX-015 条款 5.1 提到售后服务员"),
        ("质管员", ("陈晓",), True, "填写 XX-YLQXJL-018 的“已结案”"),
        ("质量负责人", ("林静",), True, "XX-YLQXCX-015 条款 5.2 提到质量负责人"),
        ("不良事件监测员", ("陈晓",), False, "XX-YLQXCX-015 条款 4 提到质管部"),
    }


def test_with_the_changed_clauses_only_their_posts_are_trained(finding: ChangeImpactFinding) -> None:
    found = finding.impact(["XX-YLQXCX-015"], {"XX-YLQXCX-015": ["5.1"]})
    assert {item.name for item in found.posts} == {"售后服务员", "质管员"}


def test_a_changed_block_touches_the_forms_that_embed_it(finding: ChangeImpactFinding) -> None:
    found = finding.impact(["product"])
    assert [(item.number, str(item.why)) for item in found.forms] == [("XX-YLQXJL-018", "用到字段块 product")]
    assert [item.number for item in found.records] == ["XX-YLQXJL-018-2026-0001"]


def test_a_repealed_law_leads_to_the_documents_that_cite_it(finding: ChangeImpactFinding) -> None:
    for item in ("WL-R9", "WL"):
        found = finding.impact([item])
        assert [(citing.number, citing.of) for citing in found.citing] == [("XX-YLQXCX-015", "WL-R9")]
        assert [law.id for law in found.laws] == ["WL-R9"]


def test_a_new_item_touches_nothing(finding: ChangeImpactFinding) -> None:
    found = finding.impact(["XX-YLQXCX-099"])
    assert found == ChangeImpact(("XX-YLQXCX-099",))
    assert found.empty
    assert impact_text(found) == []


def test_the_impact_is_told_in_short_lines_and_as_data(finding: ChangeImpactFinding) -> None:
    found = finding.impact(["XX-YLQXCX-015"])
    assert [str(line) for line in impact_text(found)] == [
        "引用者 2 处：XX-YLQXCX-016（5.1、5.2）、投诉处理",
        "表单 1 张：XX-YLQXJL-018",
        "台账 1 个：XX-YLQXTZ-07",
        "在办记录 1 条：XX-YLQXJL-018-2026-0001（已登记）",
        "需培训的岗位 4 个：质管员、质量负责人、不良事件监测员、售后服务员",
        "依据的有效性要核对 1 项：《旧经营办法》已废止",
        "在外受控副本 1 份：XX-YLQXCX-015 01 号（售后服务部）",
    ]
    data = json.loads(json.dumps(impact_data(found), ensure_ascii=False))
    assert data["open_records"][0]["number"] == "XX-YLQXJL-018-2026-0001"
    assert data["posts"][0]["people"] == [{"person": "p2", "name": "陈晓"}]
    assert found.documents == ("XX-YLQXCX-016", "XX-YLQXJL-018", "XX-YLQXTZ-07")
