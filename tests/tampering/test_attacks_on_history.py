"""History amended, rebased, filtered, dated otherwise, branches taken back, with the real git: noticed and named."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from controller.file_formats.entry_file import decode_entry, encode_entry
from controller.file_formats.signature_file import detached_signature
from tests.tampering.attacking import (
    ARCHIVE,
    PEOPLE_FILE,
    archive,
    bring_back,
    checkout,
    codes,
    file,
    filed,
    forget,
    key_of,
    newest,
    rewrite,
    run,
    told,
)
from tests.tampering.rewriting import Branch, Written, point
from tests.tampering.signed_company import (
    TRAINING,
    SignedCompany,
    git,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tampering.rewriting import Commit


def test_the_untouched_company_has_no_errors(company: SignedCompany) -> None:
    assert told(company) == set()


def test_history_made_anew_without_a_change_is_the_same_history(company: SignedCompany) -> None:
    branch = archive(company)
    first = replace(branch.commits[0], oid="")
    tip = git(company.workspace, "rev-parse", ARCHIVE).decode().strip()
    assert branch.put(company.workspace, [first, *branch.commits[1:]]) == tip


def test_the_newest_commit_amended_with_its_date_kept(company: SignedCompany, tmp_path: Path) -> None:
    clone = checkout(company, tmp_path / "clone", ARCHIVE)
    at = f"{archive(company).commits[-1].at} +0800"
    path = "timestamps/0000/00/00000003.json"
    (clone / path).write_bytes((clone / path).read_bytes().replace(b'"p002"', b'"p001"'))
    run(clone, "commit", "-q", "-a", "--amend", "--no-edit", "--date", at, GIT_COMMITTER_DATE=at)
    bring_back(company, clone, ARCHIVE)
    forget(company)
    assert ("signature-not-intact", "timestamps/0000/00/00000003.p7s") in told(company)


def test_a_commit_left_out_by_rebase_with_dates_kept(company: SignedCompany, tmp_path: Path) -> None:
    clone = checkout(company, tmp_path / "clone", ARCHIVE)
    void = next(
        item
        for item in archive(company).commits
        if any(path.endswith("-0002/0002.json") and TRAINING in path for path in item.files)
    )
    run(clone, "rebase", "-q", "--committer-date-is-author-date", "--onto", f"{void.oid}~1", void.oid, ARCHIVE)
    bring_back(company, clone, ARCHIVE)
    forget(company)
    # What the record lost left no gap in it: the statements over all heads tell.
    assert {"heads-not-in-history"} <= codes(company)


def test_a_record_taken_out_of_every_commit_with_dates_kept(company: SignedCompany, tmp_path: Path) -> None:
    clone = checkout(company, tmp_path / "clone", ARCHIVE)
    record = filed(company, TRAINING, 2, "0001.json").rpartition("/")[0]
    run(clone, "filter-branch", "-f", "--index-filter", f"git rm -rq --cached --ignore-unmatch {record}")
    bring_back(company, clone, ARCHIVE)
    forget(company)
    missing = record.rpartition("/")[2]
    assert ("serial-gap", missing) in told(company)


def test_the_date_of_an_entry_edited_together_with_its_commit(company: SignedCompany) -> None:
    path = filed(company, TRAINING, 3, "0001.json")
    branch = archive(company)
    (place,) = [number for number, item in enumerate(branch.commits) if path in item.files]
    entry = decode_entry(branch.files[path], where=path)
    at = datetime.fromisoformat(entry.at) - timedelta(seconds=30)
    early = encode_entry(replace(entry, at=at.isoformat()))
    commits = list(branch.commits)
    commits[place] = replace(commits[place].moved(-30), files=commits[place].files | {path: Written(early)})
    branch.put(company.workspace, commits)
    forget(company)
    assert ("signature-not-intact", path.replace(".json", ".p7s")) in told(company)


def test_a_commit_dated_otherwise_than_its_entry(company: SignedCompany) -> None:
    path = filed(company, TRAINING, 3, "0001.json")
    branch = archive(company)
    branch.put(company.workspace, [item.moved(-30) if path in item.files else item for item in branch.commits])
    forget(company)
    assert ("time-differs-from-commit", path) in told(company)


def test_a_number_used_again_in_another_folder(company: SignedCompany) -> None:
    path = filed(company, TRAINING, 1, "0001.json")
    there = path.rpartition("/")[0].replace("/00/00/", "/00/01/")
    files = archive(company).files
    file(company, {f"{there}/0001.json": files[path], f"{there}/0001.p7s": files[path.replace(".json", ".p7s")]})
    found = told(company)
    assert ("serial-duplicate", path.split("/")[4]) in found
    assert ("record-misplaced", there) in found


def test_a_number_given_to_another_record_by_its_own_author(company: SignedCompany) -> None:
    """The author signs anew, in the same second: only what was stated over all heads shows it."""
    path = filed(company, TRAINING, 1, "0001.json")
    entry = decode_entry(archive(company).files[path], where=path)
    data = encode_entry(replace(entry, values={**entry.values, "topic": "另一个主题"}))
    signature = detached_signature(data, at=datetime.fromisoformat(entry.at), key=key_of(company, "p003"))
    rewrite(company, {path: data, path.replace(".json", ".p7s"): signature})
    assert {"heads-not-in-history", "witness-differs"} & codes(company)


def test_a_number_filed_over(company: SignedCompany) -> None:
    path = filed(company, TRAINING, 1, "0001.json")
    entry = decode_entry(archive(company).files[path], where=path)
    at = newest(company) + timedelta(minutes=1)
    data = encode_entry(replace(entry, at=at.isoformat(), values={**entry.values, "topic": "另一个主题"}))
    signature = detached_signature(data, at=at, key=key_of(company, "p003"))
    branch = archive(company)
    files = {path: Written(data), path.replace(".json", ".p7s"): Written(signature)}
    last = branch.commits[-1]
    again = replace(last, oid="", files=files).moved(int(at.timestamp()) - last.at)
    branch.put(company.workspace, [*branch.commits, again])
    assert ("history-rewritten", path) in told(company)


def test_the_archive_rewound_on_a_computer_that_saw_it(company: SignedCompany) -> None:
    point(company.workspace, ARCHIVE, archive(company).commits[-3].oid)
    assert ("archive-rewritten", ARCHIVE) in told(company)


def test_the_archive_rewound_together_with_the_private_folder(company: SignedCompany) -> None:
    """From inside nothing shows: the last statement over all heads is gone as well. Off the machine it is kept."""
    point(company.workspace, ARCHIVE, archive(company).commits[-3].oid)
    forget(company)
    assert codes(company) == {"witness-differs"}
    shutil.rmtree(company.home / "stick")
    assert codes(company) == set()


def test_the_whole_company_taken_back_to_an_earlier_day(company: SignedCompany, whole_company: SignedCompany) -> None:
    earlier = whole_company.earlier[0]
    for name in ("workspace", "keys"):
        shutil.rmtree(company.home / name)
        shutil.copytree(earlier / name, company.home / name)
    assert codes(company) == {"witness-differs"}


def test_main_rewound(company: SignedCompany) -> None:
    point(company.workspace, "main", git(company.workspace, "rev-parse", "main~1").decode().strip())
    found = codes(company)
    assert {"library-rewritten", "library-change-missing"} <= found
    forget(company)
    assert "library-change-missing" in codes(company)


def test_a_post_given_to_oneself_on_main(company: SignedCompany, tmp_path: Path) -> None:
    clone = checkout(company, tmp_path / "clone", "main")
    path = clone / PEOPLE_FILE
    text = path.read_text(encoding="utf-8")
    changed = text.replace("after_sales_manager", "quality_head")
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    run(clone, "commit", "-q", "-a", "-m", "people")
    bring_back(company, clone, "main")
    found = told(company)
    assert ("library-change-unsigned", "main") in found
    assert ("people-file-differs", PEOPLE_FILE) in found


def test_an_older_statement_named_for_another_change_of_main(company: SignedCompany, tmp_path: Path) -> None:
    clone = checkout(company, tmp_path / "clone", "main")
    last = Branch(company.workspace, "main").commits[-1]
    (clone / "signatures" / "signing.yml").write_bytes(b"format: wenkong/signing/1\nsitting_hours: 24\n")
    run(clone, "commit", "-q", "-a", "-m", last.message.decode(), GIT_COMMITTER_DATE=f"{last.at} +0800")
    bring_back(company, clone, "main")
    assert {"library-statement-used-twice", "library-change-differs"} <= codes(company)


def test_a_statement_taken_out_of_the_trail(company: SignedCompany) -> None:
    path = "trail/0000/00/00000004"
    rewrite(company, dict.fromkeys((f"{path}.json", f"{path}.p7s")))
    assert ("statement-gap", "trail/0000/00/00000005.json") in told(company)


def test_a_failed_login_taken_out_with_everything_after_it(company: SignedCompany) -> None:
    """The end of the trail and the heads stated after it, gone: what is left is whole in itself."""
    branch = archive(company)
    end = next(number for number, item in enumerate(branch.commits) if "trail/0000/00/00000009.json" in item.files)
    point(company.workspace, ARCHIVE, branch.commits[end - 1].oid)
    assert ("archive-rewritten", ARCHIVE) in told(company)
    forget(company)
    assert "witness-differs" in codes(company)


def test_a_failed_login_taken_out_with_the_heads_after_it_while_records_stay(company: SignedCompany) -> None:
    branch = archive(company)
    gone = ("trail/0000/00/00000009.", "timestamps/0000/00/00000003.")
    kept: list[Commit] = []
    for item in branch.commits:
        files = {path: written for path, written in item.files.items() if not path.startswith(gone)}
        if files:
            kept.append(replace(item, files=files))
    branch.put(company.workspace, kept)
    assert ("archive-rewritten", ARCHIVE) in told(company)
    forget(company)
    assert "witness-differs" in codes(company)
