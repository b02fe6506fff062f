"""攻击手法. What an attacker has at hand: history made anew, entries past every rule, a clone to work in."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from controller.bootstrap import open_workspace
from controller.domain.conformity import Gravity
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.record import Signatory
from controller.file_formats.entry_file import decode_entry, encode_entry
from controller.file_formats.signature_file import detached_signature
from controller.services.archive_ports import ArchiveChange
from tests.real_tools import need
from tests.tampering.rewriting import Branch, Written
from tests.tampering.signed_company import (
    PASSPHRASE,
    TRAINING,
    ZONE,
    SignedCompany,
    git,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from controller.domain.conformity import Finding
    from controller.domain.record import Entry
    from controller.domain.signature import SigningKey
    from tests.signers import TestKey


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
