"""Statements are filed in chains, signed, several in one step, with branch `main`, at a time that is never earlier."""

from __future__ import annotations

import subprocess
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.adapters.git_archive import ClockBackwardsError, PathTakenError
from controller.adapters.git_controlled_files import EditedFileError
from controller.domain.identifiers import Digest
from controller.domain.statement import Event, InvalidChainError
from controller.file_formats.signature_file import check_signature
from controller.file_formats.statement_file import decode_statement, encode_statement
from controller.services.archive_ports import ControlledChange
from controller.services.library_adoption import library_statement
from controller.services.statement_filing import (
    StatementChainBrokenError,
    StatementDraft,
    StatementFiling,
    StatementMissingError,
)
from controller.services.workspace_identity import WorkspaceIdentity
from tests.builders import MORNING, WANG
from tests.memory_site import MemorySite
from tests.real_tools import need
from tests.signed_archive import TickingClock, found
from tests.signers import COMPANY, ORIGIN, WORKSPACE, company

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from tests.signed_archive import SignedArchive

SIGNING = "signatures/signing.yml"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SignedArchive]:
    """A workspace just founded: its trail holds one statement, each of three people has two."""
    need("git")
    with closing(found(tmp_path / "ws")) as made:
        yield made


def git(site: SignedArchive, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=site.folder, capture_output=True, check=True)
    return done.stdout.decode().strip()


def printed(subject: str, reason: str | None = None) -> StatementDraft:
    return StatementDraft("trail", Event.PRINTED, subject=subject, reason=reason)


# -- chains


def test_each_statement_names_the_one_before_it_in_its_chain(site: SignedArchive) -> None:
    first = site.statements.newest("trail")
    assert first is not None
    second = site.statements.file(printed("XX-YLQXJL-018-2026-0001"), site.signer("p003"))
    third = site.statements.file(printed("XX-YLQXJL-018-2026-0002", reason="客户要求"), site.signer("p002"))
    assert [item.statement.sequence for item in (second, third)] == [2, 3]
    assert [item.statement.previous for item in (second, third)] == [first.digest, second.digest]
    assert [item.path for item in (second, third)] == ["trail/0000/00/00000002", "trail/0000/00/00000003"]
    assert site.archive.tip() == third.commit


def test_what_the_machine_knows_is_written_by_the_machine(site: SignedArchive) -> None:
    filed = site.statements.file(printed("XX-YLQXJL-018-2026-0001", reason="客户要求"), site.signer("p003"))
    data = site.archive.read(f"{filed.path}.json") or b""
    statement = decode_statement(data, where=filed.path)
    assert statement == filed.statement
    assert Digest.of(data) == filed.digest
    assert statement.by == site.signer("p003").signatory
    assert (statement.workspace, statement.site, statement.origin) == (WORKSPACE, "main", ORIGIN)
    assert statement.certificate == site.signer("p003").certificate
    assert (statement.at, statement.reason) == (site.clock.moment.isoformat(timespec="seconds"), "客户要求")


def test_the_signature_beside_a_statement_is_over_its_bytes_at_its_time(site: SignedArchive) -> None:
    filed = site.statements.file(printed("XX-YLQXJL-018-2026-0001"), site.signer("p003"))
    signature = site.archive.read(f"{filed.path}.p7s") or b""
    checked = check_signature(signature, encode_statement(filed.statement))
    assert (checked.intact, checked.certificate) == (True, site.signer("p003").certificate)
    assert checked.signed_at == site.clock.moment


def test_what_nobody_was_there_to_sign_is_filed_without_signature(site: SignedArchive) -> None:
    filed = site.statements.file(StatementDraft("trail", Event.SIGN_IN_FAILED, subject="p003"), None)
    assert (filed.statement.by, filed.statement.certificate) == (None, None)
    assert site.archive.read(f"{filed.path}.p7s") is None
    assert "QMS-Signer: system" in git(site, "log", "-1", "--format=%B", filed.commit)


def test_a_commit_tells_what_happened_and_who_signed(site: SignedArchive) -> None:
    filed = site.statements.file(printed("XX-YLQXJL-018-2026-0001"), site.signer("p003"))
    body = git(site, "log", "-1", "--format=%an%n%B", filed.commit)
    assert "王芳" in body
    assert "QMS-Action: printed" in body
    assert "QMS-Signer: p003" in body


def test_two_programs_file_into_one_chain(site: SignedArchive) -> None:
    from tests.archives import open_archive

    with closing(open_archive(site.folder)) as archive:
        other = StatementFiling(
            archive, WorkspaceIdentity(id=WORKSPACE, site="main", company=COMPANY), site.clock, ORIGIN
        )
        made = [
            program.file(printed(str(turn)), site.signer("p003")).statement
            for turn in range(3)
            for program in (site.statements, other)
        ]
    assert [item.sequence for item in made] == [2, 3, 4, 5, 6, 7]
    assert [item.previous for item in made[1:]] == [Digest.of(encode_statement(item)) for item in made[:-1]]


def test_a_chain_of_a_wrong_name_is_refused_and_nothing_filed(site: SignedArchive) -> None:
    tip = site.archive.tip()
    for chain in ("../people/p001", "people/..", "records", "documents/XX-YLQXCX-014/a", ""):
        with pytest.raises(InvalidChainError):
            site.statements.file(StatementDraft(chain, Event.PRINTED), site.signer("p003"))
    assert site.archive.tip() == tip


def test_after_a_lost_statement_nothing_follows(site: SignedArchive) -> None:
    site.file({"people/p002/0003.p7s": b"signature of a statement that is gone"}, WANG)
    tip = site.archive.tip()
    draft = StatementDraft("people/p002", Event.PERSON_REVOKED, subject="p002")
    with pytest.raises(StatementChainBrokenError, match="people/p002/0003"):
        site.statements.file(draft, site.signer("p002"))
    with pytest.raises(StatementChainBrokenError):
        site.statements.newest("people/p002")
    assert site.archive.tip() == tip


# -- several, and files beside them


def test_several_statements_are_one_commit_in_their_order(site: SignedArchive) -> None:
    before = int(git(site, "rev-list", "--count", "archive/main"))
    person = site.signer("p002")
    made = site.statements.file_all(
        [
            (printed("甲"), person),
            (StatementDraft("people/p002", Event.PERSON_REVOKED, subject="p002", reason="遗失"), person),
            (StatementDraft("trail", Event.REFUSED, subject="乙"), None),
        ],
        along={"certificates/" + "0" * 64 + ".pem": b"x"},
    )
    assert int(git(site, "rev-list", "--count", "archive/main")) == before + 1
    assert [(item.statement.chain, item.statement.sequence) for item in made] == [
        ("trail", 2),
        ("people/p002", 3),
        ("trail", 3),
    ]
    assert made[2].statement.previous == made[0].digest
    assert {item.commit for item in made} == {site.archive.tip()}
    assert {item.statement.at for item in made} == {site.clock.moment.isoformat(timespec="seconds")}
    assert site.archive.read("certificates/" + "0" * 64 + ".pem") == b"x"


def test_files_are_made_beside_a_statement_from_its_final_bytes(site: SignedArchive) -> None:
    def beside(data: bytes) -> Mapping[str, bytes]:
        return {".tsr": b"stamp over " + Digest.of(data).text.encode()}

    filed = site.statements.file(StatementDraft("timestamps", Event.HEADS_STAMPED), site.signer("p002"), beside=beside)
    assert site.archive.read("timestamps/0000/00/00000001.tsr") == b"stamp over " + filed.digest.text.encode()


def test_when_what_is_made_beside_it_fails_nothing_is_filed(site: SignedArchive) -> None:
    class OutOfReachError(Exception):
        pass

    def beside(_data: bytes) -> Mapping[str, bytes]:
        raise OutOfReachError

    tip = site.archive.tip()
    with pytest.raises(OutOfReachError):
        site.statements.file(printed("甲"), site.signer("p002"), beside=beside)
    assert site.archive.tip() == tip
    assert site.statements.file(printed("乙"), site.signer("p002")).statement.sequence == 2


def test_a_file_that_is_there_already_is_never_replaced(site: SignedArchive) -> None:
    tip = site.archive.tip()
    with pytest.raises(PathTakenError):
        site.statements.file(printed("甲"), site.signer("p002"), along={"site.json": b"{}"})
    assert site.archive.tip() == tip


# -- other people's signatures


def test_another_person_signs_the_same_bytes_and_only_once(site: SignedArchive) -> None:
    site.enrol("p004", [])
    done = site.statements.countersign("people/p004", 2, site.signer("p001"))
    signed_at = site.clock.moment
    stored = site.statements.chain("people/p004")[1]
    assert (done.digest, done.path) == (stored.digest, "people/p004/0002")
    assert sorted(stored.signatures) == ["", "p001"]
    checked = check_signature(stored.signatures["p001"], stored.data)
    assert (checked.intact, checked.certificate) == (True, site.signer("p001").certificate)
    assert checked.signed_at == signed_at
    tip = site.archive.tip()
    with pytest.raises(PathTakenError, match="p001"):
        site.statements.countersign("people/p004", 2, site.signer("p001"))
    assert site.archive.tip() == tip
    site.statements.countersign("people/p004", 2, site.signer("p002"))
    assert sorted(site.statements.chain("people/p004")[1].signatures) == ["", "p001", "p002"]


def test_nobody_signs_beside_a_statement_that_is_not_there(site: SignedArchive) -> None:
    tip = site.archive.tip()
    with pytest.raises(StatementMissingError, match="people/p002/0009"):
        site.statements.countersign("people/p002", 9, site.signer("p001"))
    assert site.archive.tip() == tip


# -- branch main


def change(site: SignedArchive, changes: Mapping[str, bytes | None]) -> str:
    draft = library_statement(site.library, changes, subject="签名规则", reason="改", meaning="批准")
    controlled = ControlledChange(changes, action="adopt", subject="签名规则", note="改")
    return site.statements.file(draft, site.signer("p002"), controlled=controlled).path


def test_main_moves_in_the_same_step_and_names_the_statement(site: SignedArchive) -> None:
    before = site.library.revision()
    path = change(site, {SIGNING: b"format: wenkong/signing/1\n", "records/new.yml": b"x: 1\n"})
    assert site.library.read(SIGNING) == b"format: wenkong/signing/1\n"
    assert (site.folder / "records/new.yml").read_bytes() == b"x: 1\n"
    assert git(site, "rev-parse", "main~1") == before
    assert f"QMS-Statement: {path}" in git(site, "log", "-1", "--format=%B", "main").splitlines()
    newest = site.statements.newest("trail")
    assert newest is not None
    assert newest.statement.files == {
        SIGNING: Digest.of(b"format: wenkong/signing/1\n"),
        "records/new.yml": Digest.of(b"x: 1\n"),
    }
    assert set(newest.statement.old["files"]) == {SIGNING}  # type: ignore[arg-type]


def test_a_file_that_goes_is_named_as_gone(site: SignedArchive) -> None:
    change(site, {SIGNING: None})
    newest = site.statements.newest("trail")
    assert newest is not None
    assert (dict(newest.statement.new), newest.statement.files) == ({"deleted": [SIGNING]}, {})
    assert site.library.read(SIGNING) is None


def test_when_main_cannot_move_nothing_is_stated_either(site: SignedArchive) -> None:
    (site.folder / SIGNING).write_bytes(b"edited by somebody who did not adopt it\n")
    tip, main = site.archive.tip(), site.library.revision()
    with pytest.raises(EditedFileError):
        change(site, {SIGNING: b"format: wenkong/signing/1\n"})
    assert (site.archive.tip(), site.library.revision()) == (tip, main)
    assert (site.folder / SIGNING).read_bytes() == b"edited by somebody who did not adopt it\n"


# -- time


def test_a_clock_behind_the_archive_files_nothing(site: SignedArchive) -> None:
    site.statements.file(printed("甲"), site.signer("p003"))
    tip = site.archive.tip()
    site.clock.moment -= timedelta(minutes=10)
    with pytest.raises(ClockBackwardsError):
        site.statements.file(printed("乙"), site.signer("p003"))
    with pytest.raises(ClockBackwardsError):
        site.statements.countersign("people/p002", 2, site.signer("p003"))
    with pytest.raises(ClockBackwardsError):
        site.statements.prepare(printed("丙"), site.signer("p003"))
    assert site.archive.tip() == tip


def test_a_clock_a_little_behind_states_and_signs_the_time_of_the_archive(site: SignedArchive) -> None:
    first = site.statements.file(printed("甲"), site.signer("p003"))
    site.clock.moment -= timedelta(minutes=2)
    second = site.statements.file(printed("乙"), site.signer("p003"))
    assert second.statement.at == first.statement.at
    signature = site.archive.read(f"{second.path}.p7s") or b""
    assert check_signature(signature, encode_statement(second.statement)).signed_at.isoformat() == _utc(
        first.statement.at
    )


def test_a_corrected_clock_is_believed_and_goes_on_from_there(site: SignedArchive) -> None:
    site.statements.file(printed("甲"), site.signer("p003"))
    site.clock.moment -= timedelta(minutes=30)
    draft = StatementDraft("trail", Event.CLOCK_CORRECTED, reason="本机时钟走快了半小时")
    corrected = site.statements.file(draft, site.signer("p002"), clock_corrected=True)
    after = site.statements.file(printed("乙"), site.signer("p003"))
    assert corrected.statement.at < after.statement.at
    assert after.statement.at == site.clock.moment.isoformat(timespec="seconds")


def _utc(at: str) -> str:
    from datetime import UTC, datetime

    return datetime.fromisoformat(at).astimezone(UTC).isoformat()


# -- prepared ones


def test_a_prepared_statement_is_filed_as_it_was_signed(site: SignedArchive) -> None:
    prepared = site.statements.prepare(printed("甲"), site.signer("p003"))
    filed = site.statements.file_prepared(prepared, {".pdf": b"%PDF"})
    assert filed is not None
    assert (filed.statement, filed.commit) == (prepared.made.statement, site.archive.tip())
    assert [site.archive.read(filed.path + suffix) for suffix in (".json", ".p7s", ".pdf")] == [
        prepared.made.data,
        prepared.made.files[f"{filed.path}.p7s"],
        b"%PDF",
    ]


def test_a_prepared_statement_is_not_filed_on_top_of_what_came_meanwhile(site: SignedArchive) -> None:
    prepared = site.statements.prepare(printed("甲"), site.signer("p003"))
    site.statements.file(printed("乙"), site.signer("p002"))
    tip = site.archive.tip()
    assert site.statements.file_prepared(prepared) is None
    assert site.archive.tip() == tip


# -- reading


def test_chains_of_people_documents_and_the_authority_are_listed(site: SignedArchive) -> None:
    draft = StatementDraft("documents/XX-YLQXCX-014/A-0", Event.DOCUMENT_SIGNED, meaning="起草")
    site.statements.file(draft, site.signer("p002"))
    assert site.statements.chains() == [
        "authority",
        "people/p001",
        "people/p002",
        "people/p003",
        "documents/XX-YLQXCX-014/A-0",
    ]


def test_a_chain_that_does_not_exist_is_empty(site: SignedArchive) -> None:
    assert site.statements.chain("people/p099") == []
    assert site.statements.newest("people/p099") is None
    assert list(site.statements.recent("timestamps", 5)) == []


def test_a_damaged_statement_hides_no_others_when_looking_back(site: SignedArchive) -> None:
    site.statements.file(printed("甲"), site.signer("p003"))
    site.file({"trail/0000/00/00000003.json": b"{}"}, WANG)
    site.statements.file(printed("乙"), site.signer("p003"))
    assert [item.statement.subject for item in site.statements.recent("trail", 3)] == ["乙", "甲"]


def test_what_somebody_must_sign_is_never_filed_without_anybody(site: SignedArchive) -> None:
    tip = site.archive.tip()
    with pytest.raises(ValueError, match="printed"):
        site.statements.file(printed("甲"), None)
    assert site.archive.tip() == tip


class Ticking(TickingClock):
    def now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


def test_a_long_chain_goes_over_folders_of_a_hundred_and_is_read_backwards() -> None:
    memory = MemorySite()
    identity = WorkspaceIdentity(id=WORKSPACE, site="main", company=COMPANY)
    statements = StatementFiling(memory, identity, Ticking(MORNING), ORIGIN)
    person = company().signer("p003", "王芳")
    statements.file_all([(StatementDraft("trail", Event.REFUSED, subject=str(place)), None) for place in range(1, 200)])
    last = statements.file(printed("200"), person)
    assert last.path == "trail/0000/02/00000200"
    assert [item.statement.subject for item in statements.recent("trail", 102)] == [
        str(place) for place in range(200, 98, -1)
    ]
    newest = statements.newest("trail")
    assert newest is not None
    assert (newest.digest, list(newest.signatures)) == (last.digest, [""])
