"""Drafts exchanged, days of effect edited, approvals moved and taken back: each is noticed and named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.identifiers import Digest
from controller.domain.statement import Event
from controller.file_formats.effect_file import EFFECT_FILE, read_effect, write_effect
from controller.file_formats.signature_file import detached_signature
from controller.file_formats.statement_file import decode_statement, encode_statement
from tests.tampering.attacking import archive, bring_back, checkout, file, forget, key_of, rewrite, run, told
from tests.tampering.cases import failures, sampled
from tests.tampering.content_cases import archive_cases
from tests.tampering.rewriting import Branch, Written
from tests.tampering.signed_company import CLAUSES, DOCUMENT, ZONE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tampering.signed_company import SignedCompany

CHANGE = f"changes/{datetime.now(ZONE).year}-0001"
CHAINS = ("changes/", "training/", "copies/")


def stated(company: SignedCompany, event: Event) -> str:
    """Path of the newest statement of the change about `event`, without its ending."""
    files = archive(company).files
    found = [path for path in files if path.startswith(f"{CHANGE}/0") and path.endswith(".json")]
    return max(path for path in found if json.loads(files[path])["event"] == event).removesuffix(".json")


def drafts(company: SignedCompany) -> list[str]:
    """Where the text of the document lies as it was when the change began and after each saving."""
    files = archive(company).files
    saved = [path for path in files if path.startswith(f"{CHANGE}/0") and path.endswith(".json")]
    named = [json.loads(files[path])["files"].get(CLAUSES) for path in sorted(saved)]
    return list(dict.fromkeys(f"{CHANGE}/files/{name.removeprefix('sha256:')}" for name in named if name))


def sooner(data: bytes) -> bytes:
    """The schedule with every day brought forward."""
    schedule = read_effect(data)
    early = [replace(item, begins=item.begins - timedelta(days=20)) for item in schedule.pending]
    return write_effect(replace(schedule, pending=tuple(early)))


@pytest.mark.slow
def test_whatever_is_done_to_a_change_a_reading_or_a_copy_is_noticed(
    whole_company: SignedCompany, tmp_path: Path
) -> None:
    cases = [case for case in archive_cases(whole_company) if case.place.startswith(CHAINS)]
    assert {case.place.split("/")[0] + "/" for case in cases} == set(CHAINS)
    assert failures(sampled(cases, 25), whole_company, tmp_path) == []


def test_a_draft_exchanged_for_another_one(company: SignedCompany) -> None:
    first, second = drafts(company)[-2:]
    rewrite(company, {first: archive(company).files[second]})
    assert ("change-content-differs", first) in told(company)


def test_a_draft_edited_together_with_the_statement_that_names_it(company: SignedCompany) -> None:
    last, path = drafts(company)[-1], stated(company, Event.DRAFT_SAVED)
    files = archive(company).files
    data = files[last].replace("稳定".encode(), "固定".encode())
    statement = decode_statement(files[f"{path}.json"], where=path)
    edited = encode_statement(replace(statement, files={**statement.files, CLAUSES: Digest.of(data)}))
    rewrite(company, {f"{path}.json": edited, last: data})
    assert {("change-content-differs", last), ("signature-not-intact", f"{path}.p7s")} <= told(company)


def test_a_draft_whose_author_states_and_signs_another_one_in_its_place(company: SignedCompany) -> None:
    path = stated(company, Event.DRAFT_SAVED)
    statement = decode_statement(archive(company).files[f"{path}.json"], where=path)
    other = Digest(f"sha256:{drafts(company)[-2].rpartition('/')[2]}")
    data = encode_statement(replace(statement, files={**statement.files, CLAUSES: other}))
    signature = detached_signature(data, at=datetime.fromisoformat(statement.at), key=key_of(company, "p003"))
    rewrite(company, {f"{path}.json": data, f"{path}.p7s": signature})
    submitted = stated(company, Event.CHANGE_SUBMITTED)
    assert ("statement-previous-wrong", f"{submitted}.json") in told(company)


def test_a_day_of_effect_edited_without_a_statement(company: SignedCompany, tmp_path: Path) -> None:
    clone = checkout(company, tmp_path / "clone", "main")
    (clone / EFFECT_FILE).write_bytes(sooner((clone / EFFECT_FILE).read_bytes()))
    run(clone, "commit", "-q", "-a", "-m", "effect")
    bring_back(company, clone, "main")
    assert {("library-change-unsigned", "main"), ("effect-differs", EFFECT_FILE)} <= told(company)


def test_a_day_of_effect_edited_in_the_commit_of_its_approval(company: SignedCompany) -> None:
    branch = Branch(company.workspace, "main")

    def change(path: str, written: Written) -> dict[str, Written]:
        data = written.data
        return {path: replace(written, data=sooner(data)) if path == EFFECT_FILE and data is not None else written}

    branch.put(company.workspace, branch.with_files(change))
    forget(company)
    approval = stated(company, Event.CHANGE_APPROVED)
    assert {("library-change-differs", f"{approval}.json"), ("effect-differs", EFFECT_FILE)} <= told(company)


def test_a_day_of_effect_that_the_approval_said_taken_out_of_the_schedule(company: SignedCompany) -> None:
    branch = Branch(company.workspace, "main")
    commits = [
        replace(item, files={path: written for path, written in item.files.items() if path != EFFECT_FILE})
        for item in branch.commits
    ]
    branch.put(company.workspace, commits)
    forget(company)
    assert f"{stated(company, Event.CHANGE_APPROVED)}.json" in {path for _, path in told(company)}


def test_an_approval_moved_to_another_change(company: SignedCompany) -> None:
    files, approval = archive(company).files, stated(company, Event.CHANGE_APPROVED)
    there = f"{CHANGE.removesuffix('1')}2/0001"
    file(company, {f"{there}.{kind}": files[f"{approval}.{kind}"] for kind in ("json", "p7s")})
    found = told(company)
    assert {(code, f"{there}.json") for code in ("statement-misplaced", "library-change-missing")} <= found


def test_a_whole_change_copied_under_another_number(company: SignedCompany) -> None:
    other = f"{CHANGE.removesuffix('1')}2"
    files = archive(company).files
    file(company, {path.replace(CHANGE, other): data for path, data in files.items() if path.startswith(CHANGE)})
    found = {path for code, path in told(company) if code == "statement-misplaced"}
    assert {f"{other}/{number:04}.json" for number in (1, 2, 3)} <= found


def test_an_approval_taken_back(company: SignedCompany) -> None:
    approval = stated(company, Event.CHANGE_APPROVED)
    rewrite(company, dict.fromkeys((f"{approval}.json", f"{approval}.p7s")))
    assert ("library-change-unsigned", f"{approval}.json") in told(company)


def test_a_copy_signed_for_by_somebody_else(company: SignedCompany) -> None:
    path = f"copies/{DOCUMENT}/0002"
    data = archive(company).files[f"{path}.json"]
    at = datetime.fromisoformat(decode_statement(data, where=path).at)
    rewrite(company, {f"{path}.p7s": detached_signature(data, at=at, key=key_of(company, "p003"))})
    assert ("signature-of-another-person", f"{path}.p7s") in told(company)
