"""What somebody with Git, openssl and time on their hands might try; each is noticed and named."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.bootstrap import open_workspace
from controller.domain.conformity import Gravity
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.record import Signatory
from controller.file_formats import canonical_json
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.entry_file import decode_entry, encode_entry
from controller.file_formats.sealed_file import salted, seal
from controller.file_formats.signature_file import detached_signature
from controller.services.archive_ports import ArchiveChange
from tests.real_tools import need
from tests.signers import COMPANY, TestCompany, TestKey
from tests.tampering.rewriting import Branch, Written, point
from tests.tampering.signed_company import (
    COMPLAINT,
    PASSPHRASE,
    TRAINING,
    ZONE,
    SignedCompany,
    git,
    make_company,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from controller.domain.conformity import Finding
    from controller.domain.record import Entry
    from controller.domain.signature import SigningKey
    from tests.tampering.rewriting import Commit

ARCHIVE = "archive/main"
PEOPLE_FILE = "signatures/people.yml"


def errors(company: SignedCompany) -> list[Finding]:
    return [item for item in company.verify() if item.gravity is Gravity.ERROR]


def told(company: SignedCompany) -> set[tuple[str, str]]:
    """Code and place of every error."""
    return {(item.code, item.path or item.subject or "") for item in errors(company)}


def codes(company: SignedCompany) -> set[str]:
    return {code for code, _ in told(company)}


def forget(company: SignedCompany) -> None:
    """This computer never saw the archive."""
    (company.private / "seen.json").unlink()


def archive(company: SignedCompany) -> Branch:
    return Branch(company.workspace, ARCHIVE)


def rewrite(company: SignedCompany, files: Mapping[str, bytes | None]) -> None:
    """Make history anew with these contents in place of those filed; None: never filed."""
    branch = archive(company)

    def change(path: str, written: Written) -> dict[str, Written]:
        if path not in files:
            return {path: written}
        data = files[path]
        return {} if data is None else {path: Written(data)}

    branch.put(company.workspace, branch.with_files(change))
    forget(company)


def filed(company: SignedCompany, form: str, serial: int, name: str) -> str:
    year = datetime.now(ZONE).year
    (path,) = [
        path
        for path in archive(company).files
        if f"/{form}-" in path and path.endswith(f"-{serial:04d}/{name}") and f"/{year}" in path
    ]
    return path


def key_of(company: SignedCompany, person: str) -> SigningKey:
    """The person's key; of somebody who left, as it was before."""
    if person == "p006":
        company = SignedCompany(company.earlier[0])
    with closing(open_workspace(company.workspace)) as application:
        return application.personal_keys.unlock(person, PASSPHRASE)


def newest(company: SignedCompany) -> datetime:
    return datetime.fromtimestamp(archive(company).commits[-1].at, ZONE)


def next_training(
    company: SignedCompany, key: SigningKey | TestKey, *, at: datetime | None = None, **changes: Any
) -> tuple[str, dict[str, bytes]]:
    """A further training record as somebody else's program would write it: path of its signature, and its files."""
    before = filed(company, TRAINING, 3, "0001.json")
    last = decode_entry(archive(company).files[before], where=before)
    at = at or newest(company) + timedelta(minutes=1)
    number = RecordNumber.of(TRAINING, last.record.year, 4)
    facts: dict[str, Any] = {
        "record": number,
        "at": at.isoformat(),
        "certificate": Digest.of(key.certificate),
        "shown": None,
    }
    made: Entry = replace(last, **(facts | changes))
    data = encode_entry(made)
    stem = f"{number.folder}/0001"
    signature = detached_signature(data, at=at, key=key)
    return f"{stem}.p7s", {f"{stem}.json": data, f"{stem}.p7s": signature}


def file(company: SignedCompany, files: Mapping[str, bytes], *, at: datetime | None = None) -> None:
    """Add files to the archive, past every rule."""
    by = Signatory("p003", "陈晓", "质管员")
    with closing(open_workspace(company.workspace)) as application, application.archive.writing() as writer:
        writer.append(ArchiveChange(files, by, at or newest(company) + timedelta(minutes=1), "raw", {}))


def test_the_untouched_company_has_no_errors(company: SignedCompany) -> None:
    assert told(company) == set()


def test_history_made_anew_without_a_change_is_the_same_history(company: SignedCompany) -> None:
    branch = archive(company)
    first = replace(branch.commits[0], oid="")
    tip = git(company.workspace, "rev-parse", ARCHIVE).decode().strip()
    assert branch.put(company.workspace, [first, *branch.commits[1:]]) == tip


# --- history, with the real git -------------------------------------------------------------------------------------


def checkout(company: SignedCompany, folder: Path, branch: str) -> Path:
    """A clone in which a person would work."""
    git(company.home, "clone", "-q", "--branch", branch, str(company.workspace), str(folder))
    return folder


def run(folder: Path, *words: str, **environment: str) -> None:
    who = {f"GIT_{role}_{what}": "x@x" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {**os.environ, **who, "FILTER_BRANCH_SQUELCH_WARNING": "1", **environment}
    subprocess.run([need("git"), *words], cwd=folder, check=True, capture_output=True, env=env)


def bring_back(company: SignedCompany, clone: Path, branch: str) -> None:
    git(company.workspace, "fetch", "-q", "--update-head-ok", str(clone), f"+{branch}:{branch}")


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


# --- signatures -----------------------------------------------------------------------------------------------------


def test_a_signature_moved_to_another_record(company: SignedCompany) -> None:
    source, target = (filed(company, TRAINING, serial, "0001.p7s") for serial in (1, 3))
    rewrite(company, {target: archive(company).files[source]})
    assert ("signature-not-intact", target) in told(company)


def test_a_witness_s_signature_moved_to_another_enrolment(company: SignedCompany) -> None:
    source, target = "people/p003/0002.p001.p7s", "people/p005/0002.p001.p7s"
    rewrite(company, {target: archive(company).files[source]})
    assert target in {path for _, path in told(company)}


def test_an_entry_signed_by_another_enrolled_person(company: SignedCompany) -> None:
    path = filed(company, TRAINING, 3, "0001.json")
    data = archive(company).files[path]
    at = datetime.fromisoformat(decode_entry(data, where=path).at)
    signature = path.replace(".json", ".p7s")
    rewrite(company, {signature: detached_signature(data, at=at, key=key_of(company, "p002"))})
    found = told(company)
    assert ("signature-wrong-certificate", signature) in found
    assert ("signature-of-another-person", signature) in found


def test_an_entry_taken_over_by_another_enrolled_person(company: SignedCompany) -> None:
    """Names, certificate and signature fit each other: only what was stated over all heads shows it."""
    path = filed(company, TRAINING, 3, "0001.json")
    entry = decode_entry(archive(company).files[path], where=path)
    key = key_of(company, "p002")
    by = Signatory("p002", "林静", "质量负责人")
    data = encode_entry(replace(entry, by=by, certificate=Digest.of(key.certificate)))
    signature = detached_signature(data, at=datetime.fromisoformat(entry.at), key=key)
    rewrite(company, {path: data, path.replace(".json", ".p7s"): signature})
    assert {"heads-not-in-history", "heads-added-differs"} & codes(company)


def issued_by_the_keeper(company: SignedCompany, person: str, name: str) -> TestKey:
    """A certificate made with the company's own authority key, by whoever keeps it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with closing(open_workspace(company.workspace)) as application:
        certificate, root = application.authority_key.issue(
            public,
            person=person,
            name=name,
            company=application.settings.company,
            workspace=application.settings.workspace_id,
            passphrase=PASSPHRASE,
            at=newest(company),
            years=3,
        )
    return TestKey(private, certificate, (root,))


def certificate_file(key: SigningKey | TestKey) -> dict[str, bytes]:
    return {f"certificates/{Digest.of(key.certificate).hex}.pem": to_pem(key.certificate)}


def test_a_certificate_freshly_issued_by_the_authority_s_keeper_in_another_s_name(company: SignedCompany) -> None:
    key = issued_by_the_keeper(company, "p003", "陈晓")
    signature, files = next_training(company, key)
    file(company, files | certificate_file(key))
    assert told(company) == {("certificate-not-enrolled", signature)}


def test_a_certificate_of_another_company(company: SignedCompany) -> None:
    key = TestCompany("别的公司").key("p003", "陈晓")
    signature, files = next_training(company, key)
    file(company, files | certificate_file(key))
    assert told(company) == {("certificate-not-enrolled", signature)}


def test_a_certificate_that_is_nowhere_in_the_archive(company: SignedCompany) -> None:
    signature, files = next_training(company, issued_by_the_keeper(company, "p003", "陈晓"))
    file(company, files)
    assert told(company) == {("certificate-missing", signature)}


def test_a_revoked_certificate(company: SignedCompany) -> None:
    key = key_of(company, "p006")
    signature, files = next_training(company, key, by=Signatory("p006", "刘洋", "售后服务工程师"))
    file(company, files)
    assert ("certificate-revoked", signature) in told(company)


def test_a_revoked_certificate_dated_back_before_its_revocation(company: SignedCompany) -> None:
    key = key_of(company, "p006")
    early = newest(company) - timedelta(minutes=45)
    signature, files = next_training(company, key, at=early, by=Signatory("p006", "刘洋", "售后服务工程师"))
    file(company, files)
    found = told(company)
    assert ("time-differs-from-commit", signature.replace(".p7s", ".json")) in found
    assert ("certificate-revoked", signature) in found


def test_an_expired_certificate(company: SignedCompany) -> None:
    at = newest(company) + timedelta(days=3 * 366)
    signature, files = next_training(company, key_of(company, "p003"), at=at)
    file(company, files, at=at)
    assert told(company) == {("certificate-expired", signature)}


def test_a_certificate_replaced_by_its_holder_s_next_one(company: SignedCompany, whole_company: SignedCompany) -> None:
    old = whole_company.earlier[0] / "keys"
    for path in old.rglob("p005*"):
        write(company.home / "keys" / path.relative_to(old), path.read_bytes())
    key = key_of(company, "p005")
    signature, files = next_training(company, key, by=Signatory("p005", "赵敏", "售后服务部经理"))
    file(company, files)
    assert ("certificate-replaced", signature) in told(company)


def test_a_record_filed_with_git_alone(company: SignedCompany) -> None:
    signature, files = next_training(company, key_of(company, "p003"))
    file(company, {path: data for path, data in files.items() if path != signature})
    assert told(company) == {("signature-missing", signature)}


def test_sealed_values_exchanged(company: SignedCompany) -> None:
    first, second = (filed(company, COMPLAINT, serial, "0001.sealed") for serial in (1, 3))
    files = archive(company).files
    rewrite(company, {first: files[second], second: files[first]})
    assert {first, second} <= {path for _, path in told(company)}


def test_sealed_values_made_up_by_somebody_who_has_the_record_s_key(company: SignedCompany) -> None:
    path = filed(company, COMPLAINT, 1, "0001.sealed")
    with closing(open_workspace(company.workspace)) as application:
        key = application.keys.get(RecordNumber(path.split("/")[4]))
    assert key is not None
    rewrite(company, {path: seal(salted({"content": "一切正常"}), key)})
    assert ("sealed-differs", path) in told(company)


def test_stamps_exchanged(company: SignedCompany) -> None:
    first, second = (f"timestamps/0000/00/0000000{number}.tsr" for number in (1, 2))
    files = archive(company).files
    rewrite(company, {first: files[second], second: files[first]})
    assert {("stamp-invalid", first), ("stamp-invalid", second)} <= told(company)


# --- branches -------------------------------------------------------------------------------------------------------


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


# --- the trail ------------------------------------------------------------------------------------------------------


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


# --- the root -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made_anew(whole_company: SignedCompany, tmp_path_factory: pytest.TempPathFactory) -> SignedCompany:
    """Everything made and signed again with another root, under the same workspace id, people and numbers."""
    with closing(open_workspace(whole_company.workspace)) as application:
        ident = application.settings.workspace_id
    return make_company(tmp_path_factory.mktemp("anew"), workspace_id=ident)


def test_the_root_replaced_and_everything_signed_again(company: SignedCompany, made_anew: SignedCompany) -> None:
    shutil.rmtree(company.workspace)
    shutil.copytree(made_anew.workspace, company.workspace)
    found = told(company)
    assert ("root-replaced", "site.json") in found
    assert ("archive-rewritten", ARCHIVE) in found
    assert "witness-root-unknown" in {code for code, _ in found}


def test_the_root_replaced_together_with_the_private_folder(company: SignedCompany, made_anew: SignedCompany) -> None:
    """From inside all is well; the copies off the machine and the sealed sheet are of another root."""
    sealed_sheet = root_shown(company)
    for name in ("workspace", "keys"):
        shutil.rmtree(company.home / name)
        shutil.copytree(made_anew.home / name, company.home / name)
    assert codes(company) == {"witness-differs", "witness-root-unknown"}
    assert root_shown(company) != sealed_sheet
    shutil.rmtree(company.home / "stick")
    assert codes(company) == set()


def root_shown(company: SignedCompany) -> str:
    with closing(open_workspace(company.workspace)) as application:
        root = application.verify(spread=False).root
    assert root is not None
    return root.text


def test_the_root_in_site_json_exchanged(company: SignedCompany) -> None:
    site = canonical_json.decode(archive(company).files["site.json"], where="site.json")
    assert isinstance(site, dict)
    other = Digest.of(TestCompany(COMPANY).root).text
    rewrite(company, {"site.json": canonical_json.encode({**site, "root": other})})
    assert ("authority-root-differs", "authority/0001.json") in told(company)
