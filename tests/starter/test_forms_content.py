"""The starter forms load without findings, ask little at first, and the sample records pass their checks."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from controller.domain.form import FieldType, FormDefinition, Personal
from controller.domain.form_check import check_values
from controller.domain.form_lint import KnownLibrary, lint_form
from controller.domain.form_stages import stages_passed
from controller.file_formats.calendar_file import read_company_calendar, read_workdays
from controller.file_formats.form_file import examine_form, read_form
from controller.file_formats.staff_file import read_staff
from controller.file_formats.yaml_text import load_yaml
from controller.services.attached_files import attach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.person import Staff
    from controller.domain.record import Attachment, Wire
    from controller.domain.working_days import WorkingDays

ROOT = Path(__file__).parents[2]
FORMS = ROOT / "templates" / "forms"
SAMPLES = ROOT / "records" / "samples"
NUMBERS = [f"XX-YLQXJL-{serial:03d}" for serial in range(1, 36)]
QUICK = ["XX-YLQXJL-013", "XX-YLQXJL-017", "XX-YLQXJL-018", "XX-YLQXJL-020"]
ZONE = ZoneInfo("Asia/Shanghai")


@lru_cache
def _blocks() -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "templates" / "blocks").glob("*.yml")}


@lru_cache
def _form(number: str) -> FormDefinition:
    path = FORMS / number / "form.yml"
    return read_form(path.read_text(encoding="utf-8"), _blocks(), where=number)


@lru_cache
def _staff() -> Staff:
    posts = (ROOT / "signatures" / "posts.yml").read_text(encoding="utf-8")
    people = (SAMPLES / "people.yml").read_text(encoding="utf-8")
    return read_staff(posts, people).require()


@lru_cache
def _calendar() -> WorkingDays:
    folder = ROOT / "records" / "calendars"
    national = read_workdays((folder / "cn-workdays.yml").read_text(encoding="utf-8"))
    company = read_company_calendar((folder / "company.yml").read_text(encoding="utf-8"))
    return company.applied_to(national.days)


def _retention_classes() -> set[str]:
    text = (ROOT / "records" / "retention.yml").read_text(encoding="utf-8")
    return set(load_yaml(text, where="retention.yml")["classes"])


def test_the_library_holds_exactly_the_thirty_five_forms() -> None:
    assert sorted(path.parent.name for path in FORMS.glob("*/form.yml")) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_a_form_loads_without_any_finding(number: str) -> None:
    text = (FORMS / number / "form.yml").read_text(encoding="utf-8")

    findings = list(examine_form(text, _blocks(), where=number).findings)
    findings += lint_form(_form(number), where=number, around=KnownLibrary(forms=NUMBERS))

    assert [f"{item.path}:{item.line} {item.message}" for item in findings] == []


@pytest.mark.parametrize("number", NUMBERS)
def test_a_form_draws_every_field_once_in_its_sections(number: str) -> None:
    definition = _form(number)

    drawn = [key for section in definition.sections for key in section.fields]
    asked = [field.key for field in definition.fields if field.key != "late_entry_reason"]

    assert sorted(drawn) == sorted(asked)


@pytest.mark.parametrize("number", NUMBERS)
def test_stages_belong_to_posts_and_retention_to_classes_that_exist(number: str) -> None:
    definition = _form(number)

    posts = {post for stage in definition.stages for post in stage.by if post != "any"}

    assert posts <= set(_staff().posts)
    assert definition.retention in _retention_classes()
    assert definition.procedure is not None
    assert (ROOT / "procedures" / definition.procedure.text).is_dir()


@pytest.mark.parametrize("number", QUICK)
def test_a_call_a_repair_a_complaint_and_a_visit_are_registered_with_eight_entries_or_fewer(number: str) -> None:
    definition = _form(number)
    first = definition.first_stage.key

    asked = [
        field.key
        for field in definition.fields
        if field.required_from == first
        and field.default is None
        and field.type not in {FieldType.COMPUTED, FieldType.PERFORMER}
    ]

    assert definition.quick
    assert 0 < len(asked) <= 8


def test_patient_identity_and_health_are_sensitive() -> None:
    report, staff_file = _form("XX-YLQXJL-022"), _form("XX-YLQXJL-034")
    patient = ["patient_name", "patient_birth", "patient_age", "patient_sex", "mrn", "history", "harm_desc", "process"]
    health = ["health_checks", "health_files"]

    marks = {field.key: field.personal for field in [*report.fields, *staff_file.fields]}

    assert {marks[key] for key in [*patient, *health]} == {Personal.SENSITIVE}


def test_the_survey_page_for_the_customer_asks_seven_rating_questions() -> None:
    survey = _form("XX-YLQXJL-021")

    questions = [key for key in survey.customer_page if key.startswith("q_")]

    assert len(questions) == 7
    assert all(survey.field(key) is not None for key in survey.customer_page)


# -- the sample records


@lru_cache
def _samples() -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    for path in sorted(SAMPLES.glob("*.yml")):
        loaded = load_yaml(path.read_text(encoding="utf-8"), where=path.name)
        if isinstance(loaded, list):
            records.extend(loaded)
    return records


@lru_cache
def _attachments() -> dict[str, Attachment]:
    folder = SAMPLES / "attachments"
    files = {path.relative_to(SAMPLES).as_posix(): path.read_bytes() for path in sorted(folder.iterdir())}
    return dict(attach(files).named)


def _resolved(value: Any, numbers: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith("@"):
        return numbers.get(value[1:], f"没有先立卷:{value}")
    if isinstance(value, list):
        return [_resolved(item, numbers) for item in value]
    if isinstance(value, dict):
        return {key: _resolved(item, numbers) for key, item in value.items()}
    return value


def _acts() -> list[tuple[datetime, int, dict[str, Any], dict[str, Any]]]:
    acts = []
    for record in _samples():
        for position, act in enumerate([record, *record.get("then", [])]):
            acts.append((datetime.fromisoformat(str(act["at"])).replace(tzinfo=ZONE), position, record, act))
    return sorted(acts, key=lambda item: item[0])


def test_the_samples_are_many_and_spread_over_forms_and_a_year() -> None:
    ids = [record["id"] for record in _samples()]
    moments = [at for at, _position, _record, _act in _acts()]

    assert len(ids) == len(set(ids)) >= 70
    assert len({record["form"] for record in _samples()}) == len(NUMBERS)
    assert (moments[-1] - moments[0]).days > 330
    assert moments[-1] < datetime(2026, 11, 1, tzinfo=ZONE)


def test_every_act_of_every_sample_record_passes_the_check_of_its_form() -> None:
    staff, calendar, attachments = _staff(), _calendar(), _attachments()
    numbers: dict[str, str] = {}
    serials: dict[tuple[str, int], int] = {}
    stored: dict[str, dict[str, Wire]] = {}
    stages: dict[str, str] = {}
    wrong: list[str] = []
    for at, position, record, act in _acts():
        name, definition = record["id"], _form(record["form"])
        stage = definition.stage(act.get("stage") or definition.first_stage.key)
        person = staff.people[act["person"]]
        assert stage is not None, f"{name}: no stage {act.get('stage')}"
        if position:
            if stages[name] not in stage.after:
                wrong.append(f"{name} {at}: {stages[name]} -> {stage.key} is no move")
        else:
            series = (record["form"], at.year)
            serials[series] = serials.get(series, 0) + 1
            numbers[name] = f"{record['form']}-{at.year}-{serials[series]:04d}"
        if "any" not in stage.by and not set(stage.by) & set(person.posts):
            wrong.append(f"{name} {at}: {person.name} may not do {stage.key}")
        checked = check_values(
            definition,
            _resolved(act.get("values") or {}, numbers),
            stage=stage.key,
            now=at,
            performer=staff.signatory(person),
            staff=staff,
            calendar=calendar,
            before=stored.get(name),
            attachments=attachments,
        )
        wrong.extend(
            f"{name} {stage.key}: {item.label} [{item.code}] {item.value} {item.rule} / {item.right}"
            for item in checked.problems
            if item.level == "error"
        )
        stored.setdefault(name, {}).update(checked.wire)
        stages[name] = stage.key
    assert wrong == [], "\n".join(wrong)
    assert set(stored) == {record["id"] for record in _samples()}
    assert {"registered", "handling", "closed", "released"} <= set(stages.values()), "some cases are still open"


def test_every_stage_of_every_form_can_be_reached() -> None:
    unreachable = [
        f"{number} {stage.key}"
        for number in NUMBERS
        for stage in _form(number).stages
        if _form(number).first_stage.key not in stages_passed(_form(number), stage.key)
    ]

    assert unreachable == []
