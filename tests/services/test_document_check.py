from __future__ import annotations

import pytest

from controller.file_formats.clause_ids import clause_ids_of_text
from controller.services.document_check import check_documents
from controller.services.document_library import DocumentLibrary
from tests.memory_files import MemoryFiles

TEXT = """\
AB-YLQXCX-031退机消毒管理程序
1.目的:防止交叉污染。
2.依据:《医疗器械监督管理条例》。
3.范围:客户退回的全部设备。
4.职责:仓储人员负责。
5.内容:
5.1.收到退机后填写《退机消毒记录》。
5.2.作用时间不少于30分钟。
"""
DOCUMENT = """\
format: wenkong/document/1
number: AB-YLQXCX-031
title: 退机消毒管理程序
revision: A/0
class: 程序
owner: 质管部
basis: [WL-R1]
forms: [AB-YLQXJL-040]
links:
  '5.1': [AB-YLQXJL-040, WL-R1 第二十条, AB-YLQXTZ-07]
company_set:
  '5.2': 30分钟
"""
EXTERNAL = """\
format: wenkong/external-documents/1
documents:
- {id: WL-R1, title: 医疗器械监督管理条例, validity: 现行, certainty: 已核对原文}
- {id: WL-R9, title: 旧经营办法, validity: 废止, certainty: 二手核对}
- {id: WL-R8, title: 召回办法, validity: 待核实, certainty: 待核实}
"""
CHECKLIST = """\
format: wenkong/inspection-checklist/1
items:
- {no: 1, clause: '2.9', key: true, topic: 体系, looks_at: 清单, evidence: [AB-YLQXCX-031, AB-YLQXTZ-07, WL-R1]}
"""
FOLDER = "procedures/AB-YLQXCX-031"


def library(**changes: str) -> MemoryFiles:
    """Return a library with one document and what it refers to; `changes` replaces single files."""
    texts = {
        f"{FOLDER}/document.yml": changes.get("document", DOCUMENT),
        f"{FOLDER}/clauses.txt": changes.get("text", TEXT),
        f"{FOLDER}/clauses.yml": clause_ids_of_text(changes.get("ids_of", changes.get("text", TEXT))),
        "procedures/external_documents.yml": changes.get("external", EXTERNAL),
        "procedures/inspection_checklist.yml": changes.get("checklist", CHECKLIST),
        "templates/forms/AB-YLQXJL-040/form.yml": "title: 退机消毒记录\n",
        "templates/registers/TZ-07/register.yml": "number: AB-YLQXTZ-07\ntitle: 退机台账\n",
    }
    if "notes" in changes:
        texts[f"{FOLDER}/notes.yml"] = changes["notes"]
    return MemoryFiles({path: text.encode() for path, text in texts.items()})


def found(files: MemoryFiles) -> list[tuple[str, str, str]]:
    findings = check_documents(DocumentLibrary(files))
    return [
        (item.gravity.value, item.code, f"{(item.path or '').rpartition('/')[2]}:{item.line or ''}")
        for item in findings
    ]


def test_nothing_is_found_in_a_sound_library() -> None:
    assert found(library()) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("document", "[WL-R1]", "[WL-R9]", "warning basis-not-valid document.yml:"),
        ("document", "[WL-R1]", "[WL-R8]", "note basis-not-valid document.yml:"),
        ("document", "[WL-R1]", "[WL-R7]", "error link-target-missing document.yml:"),
        ("document", "WL-R1 第", "WL-R6 第", "error link-target-missing document.yml:"),
        ("document", "TZ-07]", "TZ-08]", "error link-target-missing document.yml:"),
        ("document", "forms: [AB-YLQXJL-040]", "forms: [AB-YLQXJL-041]", "error link-target-missing document.yml:"),
        ("document", "owner:", "related: [AB-YLQXCX-099]\nowner:", "error link-target-missing document.yml:"),
        ("document", "'5.1'", "'5.9'", "warning link-clause-missing document.yml:"),
        ("document", "'5.2'", "'6'", "warning link-clause-missing document.yml:"),
        ("document", "class: 程序", "class: 制度", "error document-class-wrong document.yml:"),
        ("document", "title: 退机消毒", "title: 退货消毒", "warning document-title-differs clauses.txt:1"),
        ("document", "owner:", "onwer: 质管部\nowner:", "warning document-key-unknown document.yml:"),
        ("document", "owner: 质管部\n", "", "error document-file-invalid document.yml:"),
        ("document", "owner:", "owner: 两次\nowner:", "error yaml-duplicate-key document.yml:7"),
        ("text", "AB-YLQXCX-031", "AB-YLQXCX-032", "error document-number-differs clauses.txt:1"),
        ("text", "退机消毒记录》", "退机消毒登记表》", "warning required-form-missing clauses.txt:7"),
        ("text", "监督管理条例》", "管理条例》", "warning citation-unknown clauses.txt:3"),
        ("text", "条例》", "条例》、《旧经营办法》", "warning basis-not-valid clauses.txt:3"),
        ("text", "5.2.作用", "5.3.作用", "warning clause-number-missing clauses.txt:8"),
        ("text", TEXT, "", "error document-empty clauses.txt:"),
        ("text", "5.2.", f"〔图表 sha256:{'a' * 64} 流程〕\n5.2.", "error island-missing clauses.txt:8"),
        ("ids_of", "30", "60", "warning clause-ids-stale clauses.yml:"),
        ("checklist", "AB-YLQXTZ-07", "AB-YLQXTZ-08", "warning evidence-missing inspection_checklist.yml:"),
        ("checklist", "no: 1", "no: 一", "error document-file-invalid inspection_checklist.yml:3"),
        ("external", "external-documents/1", "别的", "error document-file-invalid external_documents.yml:1"),
    ],
)
def test_every_broken_reference_is_found_where_it_stands(file: str, old: str, new: str, expected: str) -> None:
    sound = {"document": DOCUMENT, "text": TEXT, "ids_of": TEXT, "checklist": CHECKLIST, "external": EXTERNAL}[file]
    assert old in sound
    assert expected in [" ".join(item) for item in found(library(**{file: sound.replace(old, new)}))]


def test_a_citation_that_a_gap_note_speaks_of_is_only_noted() -> None:
    notes = "format: wenkong/notes/1\nnotes:\n- {id: G4, clause: '2', flag: 依据待确认}\n"
    files = library(text=TEXT.replace("监督管理条例》", "管理条例》"), notes=notes)
    assert found(files) == [("note", "citation-unknown", "clauses.txt:3")]


def test_the_finding_about_a_repealed_basis_says_how_certain_that_is() -> None:
    findings = check_documents(DocumentLibrary(library(document=DOCUMENT.replace("[WL-R1]", "[WL-R9]"))))
    assert str(findings[0].message) == "依据《旧经营办法》的有效性是“废止”（二手核对）。"


def test_a_folder_named_unlike_its_document_is_found() -> None:
    files = library()
    for path in list(files.content):
        if path.startswith(FOLDER):
            files.content[path.replace("031", "030")] = files.content[path]
    assert ("error", "document-folder-wrong", "document.yml:") in found(files)


def test_missing_lists_are_named() -> None:
    files = library()
    del files.content["procedures/external_documents.yml"]
    del files.content["procedures/inspection_checklist.yml"]
    assert [code for _gravity, code, _place in found(files)].count("library-list-missing") == 2
