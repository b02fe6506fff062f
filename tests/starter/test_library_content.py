"""The starter library is whole: documents, registers, lists, posts and rules load and agree with each other."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller.domain.clause_findings import text_findings
from controller.domain.conformity import Gravity
from controller.domain.document import Validity
from controller.domain.register import RegisterDefinition, Source
from controller.domain.register_lint import register_findings
from controller.domain.retention import Span
from controller.file_formats.calendar_file import read_company_calendar, read_workdays
from controller.file_formats.clause_ids import clause_ids_of_text
from controller.file_formats.clause_text import parse_text, print_text
from controller.file_formats.document_file import (
    read_checklist,
    read_document,
    read_external_documents,
    read_notes,
)
from controller.file_formats.form_file import read_form
from controller.file_formats.register_file import examine_register
from controller.file_formats.retention_file import read_retention
from controller.file_formats.staff_file import read_staff
from controller.file_formats.yaml_text import load_yaml
from controller.services.document_check import check_documents
from controller.services.document_library import DocumentLibrary
from tests.memory_files import MemoryFiles

if TYPE_CHECKING:
    from controller.domain.form import FormDefinition
    from controller.domain.retention import RetentionRules

ROOT = Path(__file__).parents[2]
PROCEDURES = ROOT / "procedures"
RULES = [f"XX-YLQXZD-{serial:03d}" for serial in range(1, 34)]
DUTIES = [f"XX-YLQXZZ-{serial:03d}" for serial in range(1, 14)]
PROCEDURE_NUMBERS = [f"XX-YLQXCX-{serial:03d}" for serial in (1, 2, 3, 4, 9, 10, 13, 14, 15, 16, 17, 18, 19)]
DOCUMENTS = sorted([*RULES, *DUTIES, *PROCEDURE_NUMBERS])
REGISTERS = [f"TZ-{serial:02d}" for serial in range(1, 17)]
AFTER_SALES = "XX-YLQXCX-014"
AFTER_SALES_SHA256 = "8cec6edf401134435a4d0e928db0705f94743cd6347eb8aead474b1690f24068"
"""SHA-256 of the nine lines of the company's own 014, from its title to 5.3, line ends included."""
LAW_CLAUSE = re.compile(r"(WL-R\d+)(?: (?:第[一二三四五六七八九十百零]+条|\d+(?:\.\d+)+))?")


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def raw(number: str) -> bytes:
    return (PROCEDURES / number / "clauses.txt").read_bytes()


@lru_cache
def forms() -> dict[str, FormDefinition]:
    blocks = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "templates/blocks").glob("*.yml")}
    return {
        path.parent.name: read_form(path.read_text(encoding="utf-8"), blocks, where=path.parent.name)
        for path in sorted((ROOT / "templates/forms").glob("*/form.yml"))
    }


@lru_cache
def registers() -> dict[str, RegisterDefinition]:
    found: dict[str, RegisterDefinition] = {}
    for path in sorted((ROOT / "templates/registers").glob("*/register.yml")):
        definition = examine_register(path.read_text(encoding="utf-8"), where=path.parent.name).definition
        assert definition is not None, path
        found[path.parent.name] = definition
    return found


@lru_cache
def known_numbers() -> frozenset[str]:
    return frozenset([*DOCUMENTS, *forms(), *(str(item.number) for item in registers().values())])


@lru_cache
def retention() -> RetentionRules:
    return read_retention(text_of("records/retention.yml"), where="retention.yml")


def test_the_library_holds_exactly_its_documents_and_registers() -> None:
    assert sorted(path.parent.name for path in PROCEDURES.glob("*/document.yml")) == DOCUMENTS
    assert (len(PROCEDURE_NUMBERS), len(RULES), len(DUTIES)) == (13, 33, 13)
    assert sorted(registers()) == REGISTERS


def test_the_clauses_of_014_are_the_companys_own_text_byte_for_byte() -> None:
    data = raw(AFTER_SALES)
    assert hashlib.sha256(data).hexdigest() == AFTER_SALES_SHA256
    assert data.decode("utf-8").split("\n")[0] == "XX-YLQXCX-014售后服务质量控制管理程序"
    assert data.count(b"\n") == len(data.splitlines()) == 9


@pytest.mark.parametrize("number", DOCUMENTS)
def test_a_document_has_its_number_title_numbered_clauses_and_their_ids(number: str) -> None:
    text = raw(number).decode("utf-8")
    document = read_document(text_of(f"procedures/{number}/document.yml"), where=number)
    parsed = parse_text(text)

    assert print_text(parsed) == text
    assert [(segment.number, segment.title) for segment in parsed.segments] == [(number, document.title)]
    assert str(document.number) == number
    assert text_findings(parsed) == []
    assert text_of(f"procedures/{number}/clauses.yml") == clause_ids_of_text(text)


@pytest.mark.parametrize("number", [number for number in DOCUMENTS if number != AFTER_SALES])
def test_our_own_documents_follow_the_layout_of_014(number: str) -> None:
    lines = raw(number).decode("utf-8").splitlines()
    heads = [line.split("：")[0] for line in lines[1:6]]
    inner = [line for line in lines[6:] if line]

    assert heads == ["1.目的", "2.依据", "3.范围", "4.职责", "5.内容"]
    assert [line.split(".")[:2] for line in inner] == [["5", str(count)] for count in range(1, len(inner) + 1)]
    assert len(inner) >= 4
    assert all(line.endswith("。") for line in inner)
    assert not any("XX-" in line for line in lines[1:]), "the clause ids would not fit another company's prefix"


@pytest.mark.parametrize("number", [*RULES, *DUTIES])
def test_rules_and_duties_say_that_the_company_must_adapt_them(number: str) -> None:
    assert read_document(text_of(f"procedures/{number}/document.yml"), where=number).status_note == "待企业修改"


def test_rules_that_not_every_company_needs_say_when_they_apply() -> None:
    conditions = {
        number: read_document(text_of(f"procedures/{number}/document.yml"), where=number).applies_if
        for number in DOCUMENTS
    }
    assert {number: word for number, word in conditions.items() if word} == {
        "XX-YLQXZD-027": "冷链业务",
        "XX-YLQXZD-028": "冷链业务",
        "XX-YLQXZD-029": "直调业务",
        "XX-YLQXZD-032": "网络销售",
    }


@pytest.mark.parametrize("number", DOCUMENTS)
def test_every_link_of_a_document_leads_somewhere(number: str) -> None:
    document = read_document(text_of(f"procedures/{number}/document.yml"), where=number)
    external = read_external_documents(text_of("procedures/external_documents.yml"), where="external")
    targets = {target for targets in document.links.values() for target in targets}
    laws = {LAW_CLAUSE.fullmatch(target) for target in targets if target.startswith("WL-")}
    (segment,) = parse_text(raw(number).decode("utf-8")).segments
    labels = {clause.label.rstrip(".") for clause in segment.clauses}

    assert {target for target in targets if not target.startswith("WL-")} <= known_numbers()
    assert None not in laws
    assert {law[1] for law in laws if law} | set(document.basis) <= {item.id for item in external.documents}
    assert set(document.forms) <= set(forms())
    assert set(document.related) <= known_numbers()
    assert {*document.links, *document.company_set} <= labels


def test_a_form_belongs_to_the_procedure_that_names_it_and_to_no_other() -> None:
    owners = {
        form: number
        for number in DOCUMENTS
        for form in read_document(text_of(f"procedures/{number}/document.yml"), where=number).forms
    }
    assert owners == {number: str(form.procedure) for number, form in forms().items()}


def test_every_form_has_a_retention_class_and_known_posts() -> None:
    posts = set(load_yaml(text_of("signatures/posts.yml"), where="posts")["posts"]) | {"any"}
    for number, form in forms().items():
        assert form.retention in retention().classes, number
        assert {post for stage in form.stages for post in stage.by} <= posts, number


def test_titles_of_forms_in_the_text_are_titles_of_the_library() -> None:
    titles = {form.title for form in forms().values()} | {item.title for item in registers().values()}
    titles |= {read_document(text_of(f"procedures/{number}/document.yml"), where=number).title for number in DOCUMENTS}
    laws = {
        item.title for item in read_external_documents(text_of("procedures/external_documents.yml"), where="").documents
    }
    for number in DOCUMENTS:
        if number == AFTER_SALES:
            continue
        named = set(re.findall(r"《([^》]+)》", raw(number).decode("utf-8")))
        assert named <= titles | laws, number


def test_the_documents_check_finds_no_error_and_no_warning() -> None:
    folders = (PROCEDURES, ROOT / "templates")
    content = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }
    findings = check_documents(DocumentLibrary(MemoryFiles(content)))
    assert [str(item.message) for item in findings if item.gravity is not Gravity.NOTE] == []


def test_the_fourteen_gap_notes_lie_beside_the_clauses_they_concern() -> None:
    places: dict[str, tuple[str, str | None]] = {}
    for path in sorted(PROCEDURES.glob("*/notes.yml")):
        number = path.parent.name
        (segment,) = parse_text(raw(number).decode("utf-8")).segments
        labels = {clause.label.rstrip(".") for clause in segment.clauses}
        for note in read_notes(path.read_text(encoding="utf-8"), where=number):
            assert note.id not in places
            assert note.clause is None or note.clause in labels
            assert all((note.flag, note.statement, note.issue, note.suggestion))
            assert note.certainty in {"已核对原文", "二手核对", "待核实", "企业自定"}
            places[note.id] = (number, note.clause)
    assert sorted(places, key=lambda key: int(key[1:])) == [f"G{count}" for count in range(1, 15)]
    assert {key: place[1] for key, place in places.items() if place[0] == AFTER_SALES} == {
        "G4": "2",
        "G5": "5.3",
        "G10": "5.2",
        "G11": "5.1",
        "G12": None,
    }


def test_external_documents_say_how_sure_we_are_and_name_no_place_to_fetch_them() -> None:
    text = text_of("procedures/external_documents.yml")
    external = read_external_documents(text, where="external")
    by_id = {item.id: item for item in external.documents}

    assert {f"WL-R{count}" for count in range(1, 19)} <= set(by_id)
    assert external.checked_on == "2026-08"
    assert {item.certainty for item in external.documents} <= {"已核对原文", "二手核对", "待核实"}
    assert "http" not in text
    current = {item.id for item in external.documents if item.validity is Validity.CURRENT}
    assert {"WL-R1", "WL-R2", "WL-R3", "WL-R5"} <= current
    assert by_id["WL-R10"].validity is Validity.UNCHECKED
    assert by_id["WL-R10"].certainty == "待核实"
    assert by_id["WL-R20"].validity is Validity.REPEALED
    assert by_id["WL-R3"].document_no == "国家药监局公告2023年第153号"


def test_the_checklist_has_forty_nine_items_with_evidence_that_exists() -> None:
    items = read_checklist(text_of("procedures/inspection_checklist.yml"), where="checklist").items

    assert [item.no for item in items] == list(range(1, 50))
    assert sum(item.key for item in items) == 23
    assert len({item.clause for item in items}) == 49
    for item in items:
        assert item.evidence, item.no
        assert set(item.evidence) <= known_numbers(), item.no
        assert not re.search(r"[a-z]{3}", item.looks_at + (item.self_check or "")), item.no


@pytest.mark.parametrize("short", REGISTERS)
def test_a_register_reads_and_its_expressions_fit_the_forms(short: str) -> None:
    text = text_of(f"templates/registers/{short}/register.yml")
    findings = list(examine_register(text, where=short).findings)
    findings += list(register_findings(registers()[short], forms()))

    assert [f"{item.line} {item.message}" for item in findings] == []
    assert str(registers()[short].number) == f"XX-YLQX{short}"
    assert str(registers()[short].procedure) in PROCEDURE_NUMBERS
    assert len(registers()[short].columns) >= 9
    assert len(registers()[short].statistics) >= 4


def test_every_form_reaches_a_register() -> None:
    shown = {form for item in registers().values() if item.source is Source.RECORDS for form in item.forms}
    whole = [item.id for item in registers().values() if item.source in {Source.FORMS, Source.ENTRIES}]
    assert {"XX-YLQXJL-010", "XX-YLQXJL-013", "XX-YLQXJL-017", "XX-YLQXJL-018", "XX-YLQXJL-022"} <= shown
    assert whole == ["TZ-02", "TZ-16"]


def test_statutory_retention_is_two_years_after_expiry_and_never_below_five_years() -> None:
    for key in ("sale", "purchase", "adverse_event"):
        found = retention().classes[key]
        assert (found.expiry_plus, found.least) == (Span(2, "y"), Span(5, "y")), key
        assert found.permanent_if == "is_implant", key
        assert found.basis[0].certainty == "已核对"
    assert retention().classes["document_history"].permanent


def test_the_calendar_knows_holidays_and_moved_working_days() -> None:
    national = read_workdays(text_of("records/calendars/cn-workdays.yml"))
    company = read_company_calendar(text_of("records/calendars/company.yml"))
    days = company.applied_to(national.days)

    assert not days.is_workday(date(2026, 2, 17))
    assert not days.is_workday(date(2025, 10, 8))
    assert days.is_workday(date(2026, 2, 28))
    assert days.is_workday(date(2024, 10, 12))
    assert not days.is_workday(date(2026, 3, 1))
    assert (set(national.years), company.late_entry_workdays) == ({2024, 2025, 2026}, 3)


def test_the_company_defaults_name_clauses_that_exist() -> None:
    defaults = load_yaml(text_of("records/calendars/company.yml"), where="company")["defaults"]
    assert len(defaults) >= 10
    for key, entry in defaults.items():
        number, clause = entry["clause"].split(" ")
        document = read_document(text_of(f"procedures/{number}/document.yml"), where=number)
        assert entry["basis"] == "企业自定", key
        assert clause in document.company_set, key


def test_posts_people_and_routes_agree() -> None:
    posts = text_of("signatures/posts.yml")
    starter = read_staff(posts, text_of("signatures/people.yml"))
    sample = read_staff(posts, text_of("records/samples/people.yml"))
    routes = load_yaml(text_of("signatures/routes.yml"), where="routes")

    assert (starter.findings, sample.findings) == ((), ())
    assert starter.staff.people == {}
    assert len(sample.staff.people) == 8
    assert {post.duty for post in starter.staff.posts.values() if post.duty} <= set(DUTIES)
    assert [post.key for post in starter.staff.posts.values() if post.key_post] == [
        "general_manager",
        "quality_head",
        "quality_officer",
    ]
    for route in [*routes["documents"].values(), *routes["forms"].values()]:
        steps = {step["step"] for step in route["steps"]}
        assert {post for step in route["steps"] for post in step["by"]} <= {*starter.staff.posts, "any"}
        assert {step for group in route.get("different_people", []) for step in group} <= steps
    approval = routes["documents"]["default"]
    assert approval["steps"][-1]["by"] == ["general_manager"]
    assert approval["different_people"] == [["drafted", "reviewed", "approved"]]


def test_the_lenient_company_defaults_and_corrections_are_in_the_text() -> None:
    visits = raw("XX-YLQXCX-016").decode("utf-8")
    returns = raw("XX-YLQXCX-010").decode("utf-8")
    records = raw("XX-YLQXCX-002").decode("utf-8")

    assert "重点客户" in visits
    assert "每半年一次，其他客户每年一次" in visits
    assert "每年向批发客户发放一次" in visits
    assert "先收下、隔离并标示“待判定”" in returns
    assert "拒收" not in returns
    assert "事后超过3个工作日才补记的，写明补记原因" in records


def test_the_glossary_names_only_what_the_program_has() -> None:
    glossary = text_of("docs/glossary.md")
    named = set(re.findall(r"`([A-Z][A-Za-z]+|[A-Z_]{4,}|[a-z_]{4,})`", glossary))
    program = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "controller").rglob("*.py"))
    words = set(re.findall(r"\w+", program))

    assert len(named) >= 60
    assert named - words == set()


def test_the_windows_start_file_has_dos_line_ends() -> None:
    data = (ROOT / "start" / "开始使用.bat").read_bytes()
    assert data.startswith(b"@echo off\r\nchcp 65001")
    assert data.count(b"\n") == data.count(b"\r\n")
