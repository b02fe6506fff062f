"""References of a small library: what leads where, who cites what, and what is found when a target moves on."""

from __future__ import annotations

import pytest

from controller.domain.library_day import ItemKind
from controller.domain.references import FormerItem, TargetState, Via
from controller.services.document_library import DocumentLibrary, UnknownDocumentError
from controller.services.former_items import FormerItems
from controller.services.reference_keeping import ReferenceKeeping
from tests.memory_files import MemoryFiles
from tests.memory_history import MemoryHistory

CLEANING = """\
AB-YLQXCX-031退机消毒管理程序
1.目的:防止交叉污染。
2.依据:《医疗器械监督管理条例》第二十条。
5.内容:
5.1.收到退机后填写《退机消毒记录》，按5.2执行。
5.2.质量问题按《质量投诉处理程序》（AB-YLQXCX-015，A/0）第三条办理。
"""
COMPLAINTS = """\
AB-YLQXCX-015质量投诉处理程序
第一条 投诉登记《退机消毒记录》。
第二条 结果见 JL-040 和 TZ-07。
第三条 按本程序第二条答复。
"""
BASE = {
    "procedures/AB-YLQXCX-031/document.yml": """\
format: wenkong/document/1
number: AB-YLQXCX-031
title: 退机消毒管理程序
revision: A/0
class: 程序
owner: 质管部
basis: [WL-R1]
forms: [AB-YLQXJL-040]
links:
  '5.2': [AB-YLQXCX-015]
""",
    "procedures/AB-YLQXCX-031/clauses.txt": CLEANING,
    "procedures/AB-YLQXCX-015/document.yml": """\
format: wenkong/document/1
number: AB-YLQXCX-015
title: 质量投诉处理程序
revision: A/0
class: 程序
owner: 售后服务部
related: [AB-YLQXCX-031]
""",
    "procedures/AB-YLQXCX-015/clauses.txt": COMPLAINTS,
    "procedures/external_documents.yml": """\
format: wenkong/external-documents/1
documents:
- {id: WL-R1, title: 医疗器械监督管理条例, validity: 现行, certainty: 已核对原文}
""",
    "procedures/inspection_checklist.yml": """\
format: wenkong/inspection-checklist/1
items:
- {no: 1, clause: '2.9', key: true, topic: 体系, looks_at: 清单, evidence: [AB-YLQXTZ-07]}
""",
    "templates/forms/AB-YLQXJL-040/form.yml": """\
number: AB-YLQXJL-040
title: 退机消毒记录
revision: A/0
procedure: AB-YLQXCX-031
print_note: 依据《医疗器械监督管理条例》第二十条。
""",
    "templates/registers/TZ-07/register.yml": """\
number: AB-YLQXTZ-07
title: 退机台账
procedure: AB-YLQXCX-031
forms: [AB-YLQXJL-040]
""",
    "signatures/posts.yml": "posts:\n  officer: {name: 质管员, duty: AB-YLQXCX-015, note: 按 CX-031 第5.1条上岗}\n",
}


def keeping(*former: FormerItem, **edits: tuple[str, str]) -> ReferenceKeeping:
    """Return what is found in the library; `edits` replaces words in the file whose path contains the key."""
    texts = dict(BASE)
    for name, (old, new) in edits.items():
        path = next(path for path in texts if name in path.replace("/", "_").replace("-", "_").replace(".", "_"))
        assert old in texts[path]
        texts[path] = texts[path].replace(old, new)
    files = MemoryFiles({path: text.encode() for path, text in texts.items()})
    return ReferenceKeeping(DocumentLibrary(files), lambda: former)


def found(kept: ReferenceKeeping) -> list[tuple[str, str]]:
    return [(item.code, str(item.message)) for item in kept.findings()]


def test_every_reference_of_a_document_leads_to_its_target() -> None:
    told = [(item.clause, item.via, item.target, item.articles) for item in keeping().of("AB-YLQXCX-031")]
    assert told == [
        ("", Via.FORMS, "AB-YLQXJL-040", ()),
        ("", Via.BASIS, "WL-R1", ()),
        ("2", Via.TEXT, "WL-R1", ("第二十条",)),
        ("5.1", Via.TEXT, "AB-YLQXJL-040", ()),
        ("5.1", Via.TEXT, "AB-YLQXCX-031", ("5.2",)),
        ("5.2", Via.LINKS, "AB-YLQXCX-015", ()),
        ("5.2", Via.TEXT, "AB-YLQXCX-015", ("第三条",)),
    ]


def test_a_form_is_cited_by_documents_registers_and_short_numbers() -> None:
    cited = [(item.source.number, item.clause, item.via) for item in keeping().to("AB-YLQXJL-040")]
    assert cited == [
        ("AB-YLQXCX-015", "第一条", Via.TEXT),
        ("AB-YLQXCX-015", "第二条", Via.TEXT),
        ("AB-YLQXCX-031", "", Via.FORMS),
        ("AB-YLQXCX-031", "5.1", Via.TEXT),
        ("AB-YLQXTZ-07", "", Via.SOURCES),
    ]


def test_posts_and_the_checklist_cite_too() -> None:
    kept = keeping()
    assert [(i.source.title, i.via, i.articles) for i in kept.to("AB-YLQXCX-031") if i.source.kind == "post"] == [
        ("质管员", Via.TEXT, ("第5.1条",))
    ]
    assert [(i.source.number, i.via) for i in kept.to("AB-YLQXTZ-07")] == [
        ("AB-YLQXCX-015", Via.TEXT),
        ("2.9", Via.EVIDENCE),
    ]


def test_what_is_asked_for_may_be_a_number_a_short_number_or_a_title() -> None:
    kept = keeping()
    assert kept.resolve("jl-040") == kept.resolve("《退机消毒记录》") == "AB-YLQXJL-040"
    with pytest.raises(UnknownDocumentError):
        kept.resolve("JL-041")


def test_nothing_is_wrong_with_a_sound_library() -> None:
    assert found(keeping()) == []


COMPLAINTS_TEXT = "procedures_AB_YLQXCX_015_clauses"
CLEANING_TEXT = "procedures_AB_YLQXCX_031_clauses"


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "message"),
    [
        (COMPLAINTS_TEXT, "第二条答复", "第九条答复", "reference-clause-missing",
         "条款 第三条引用本文件的“第九条”，本文件没有这一条。"),
        (CLEANING_TEXT, "第三条办理", "第8条办理", "reference-clause-missing",
         "条款 5.2引用《质量投诉处理程序》的“第8条”，该文件没有这一条。"),
        (CLEANING_TEXT, "A/0", "A/1", "reference-revision",
         "条款 5.2写的是《质量投诉处理程序》的版本 A/1，现行版本是 A/0。"),
        (CLEANING_TEXT, "《质量投诉处理程序》", "《投诉程序》", "reference-renamed",
         "条款 5.2引用的《投诉程序》现名《质量投诉处理程序》。"),
        (CLEANING_TEXT, "AB-YLQXCX-015", "AB-YLQXCX-051", "reference-renumbered",
         "条款 5.2引用的 AB-YLQXCX-051 现编号 AB-YLQXCX-015。"),
        (COMPLAINTS_TEXT, "JL-040", "JL-044", "reference-number-unknown", "正文提到的编号 JL-044 不在文件库里。"),
        ("posts", "CX-031 第5.1条", "CX-031 第5.4条", "reference-clause-missing",
         "岗位“质管员”引用《退机消毒管理程序》的“第5.4条”，该文件没有这一条。"),
        ("posts", "duty: AB-YLQXCX-015", "duty: AB-YLQXZZ-015", "link-target-missing",
         "岗位“质管员”指向的 AB-YLQXZZ-015 不存在。"),
        ("external", "现行", "废止", "basis-not-valid", "依据《医疗器械监督管理条例》的有效性是“废止”（已核对原文）。"),
        ("procedures_AB_YLQXCX_015_document", "owner:", "forms: [AB-YLQXJL-040]\nowner:", "form-owner-several",
         "表单 AB-YLQXJL-040 同时列在 AB-YLQXCX-015、AB-YLQXCX-031 名下，只能归一份文件。"),
        ("procedures_AB_YLQXCX_031_document", "forms: [AB-YLQXJL-040]", "forms: []", "form-owner-differs",
         "表单 AB-YLQXJL-040 写明归 AB-YLQXCX-031，该文件的 forms 没有列它。"),
        ("procedures_AB_YLQXCX_015_document", "owner:", "status_note: 作废\nowner:", "reference-withdrawn",
         "条款 5.2引用的 AB-YLQXCX-015《质量投诉处理程序》已作废。"),
    ],
)  # fmt: skip
def test_each_kind_of_broken_reference_is_told(file: str, old: str, new: str, code: str, message: str) -> None:
    assert (code, message) in found(keeping(**{file: (old, new)}))


def test_a_form_without_procedure_is_told() -> None:
    kept = keeping(
        procedures_AB_YLQXCX_031_document=("forms: [AB-YLQXJL-040]", "forms: []"),
        templates_forms=("procedure: AB-YLQXCX-031\n", ""),
    )
    assert found(kept) == [("form-owner-missing", "表单 AB-YLQXJL-040 没有归口的程序文件。")]


def test_a_product_model_that_looks_like_a_short_number_is_no_reference() -> None:
    kept = keeping(procedures_AB_YLQXCX_015_clauses=("JL-040", "型号 CX-2200 的设备"))
    assert found(kept) == []


def test_the_past_explains_names_that_are_gone() -> None:
    was = FormerItem(ItemKind.FORM, "AB-YLQXJL-040", "退机清洗记录")
    moved = FormerItem(ItemKind.REGISTER, "AB-YLQXTZ-70", "退机台账")
    gone = FormerItem(ItemKind.FORM, "AB-YLQXJL-044", "样机借用登记表")
    edits = {
        "procedures_AB_YLQXCX_031_clauses": ("《退机消毒记录》", "《退机清洗记录》"),
        "procedures_AB_YLQXCX_015_clauses": ("见 JL-040 和 TZ-07", "见 TZ-70 和《样机借用登记表》"),
    }
    assert found(keeping(was, moved, gone, **edits)) == [
        ("reference-renumbered", "条款 第二条引用的 TZ-70 现编号 AB-YLQXTZ-07。"),
        ("reference-withdrawn", "条款 第二条引用的 AB-YLQXJL-044《样机借用登记表》已作废。"),
        ("reference-renamed", "条款 5.1引用的《退机清洗记录》现名《退机消毒记录》。"),
    ]


def test_the_past_is_read_from_the_history_of_the_library() -> None:
    history = MemoryHistory()
    path = "templates/forms/AB-YLQXJL-044/form.yml"
    history.commit(1, {path: "number: AB-YLQXJL-044\ntitle: 借用表\n".encode()})
    history.commit(2, {path: "number: AB-YLQXJL-044\ntitle:\n  样机借用登记表\n".encode(), "README": b"x"})
    history.commit(3, {path: None})
    assert FormerItems(history)() == (
        FormerItem(ItemKind.FORM, "AB-YLQXJL-044", "借用表"),
        FormerItem(ItemKind.FORM, "AB-YLQXJL-044", "样机借用登记表"),
    )


def test_an_own_clause_reference_is_valid_when_the_clause_is_there() -> None:
    states = {item.wording: item.state for item in keeping().of("AB-YLQXCX-015") if item.articles}
    assert states == {"第二条": TargetState.VALID}
