"""Who may sign now, read from an archive that may be damaged or tampered with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.identifiers import Digest
from controller.domain.signing_rules import SigningRules
from controller.services.people_standing import PeopleStanding, certificate_path
from tests.conftest import FOUNDED, StandingClock
from tests.memory_archive import MemoryArchive
from tests.signers import company

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.trust import TrustHistory
    from tests.conftest import Workspace

CLOCK = StandingClock(FOUNDED)


@pytest.fixture
def files(workspace: Workspace) -> dict[str, bytes]:
    """Everything of the founded archive that says who may sign."""
    application = workspace.open()
    found = {path: data for path, data in application.archive.walk() if not path.startswith("trail")}
    application.close()
    return found


def history(files: dict[str, bytes]) -> TrustHistory:
    archive = MemoryArchive()
    archive.file(files)
    return PeopleStanding(archive, CLOCK, SigningRules()).history()


def trusted(files: dict[str, bytes]) -> set[str]:
    return {person.id for person in history(files).people() if person.certificate is not None}


def test_what_was_founded_is_trusted_and_an_empty_archive_trusts_nobody(files: dict[str, bytes]) -> None:
    assert trusted(files) == {f"p00{number}" for number in range(1, 9)}
    assert history({}).people() == []


@pytest.mark.parametrize("spoil", [lambda data: data[:-3], lambda _data: b"", lambda data: data[::-1]])
@pytest.mark.parametrize(
    ("path", "person"),
    [
        ("people/p004/0001.json", "p004"),
        ("people/p004/0001.p7s", "p004"),
        ("people/p004/0002.json", "p004"),
        ("people/p004/0002.p7s", "p004"),
        ("people/p004/0002.p001.p7s", "p004"),
    ],
)
def test_a_spoilt_file_takes_trust_from_its_person_only(
    files: dict[str, bytes], path: str, person: str, spoil: Callable[[bytes], bytes]
) -> None:
    before = trusted(files)
    assert trusted(files | {path: spoil(files[path])}) == before - {person}


def test_without_root_site_or_founding_nobody_is_trusted_by_a_foreign_root(files: dict[str, bytes]) -> None:
    site = files["site.json"]
    assert trusted({path: data for path, data in files.items() if path != "authority/0001.json"}) == set()
    foreign = Digest.of(company().root).text
    own = next(iter(history(files).roots)).text
    assert trusted(files | {"site.json": site.replace(own.encode(), foreign.encode())}) == set()


def test_a_certificate_file_that_is_missing_or_another_one_does_not_count(files: dict[str, bytes]) -> None:
    known = history(files).person("p004")
    other = history(files).person("p005")
    assert known is not None
    assert other is not None
    assert known.certificate is not None
    assert other.certificate is not None
    mine = certificate_path(known.certificate)
    assert "p004" not in trusted({path: data for path, data in files.items() if path != mine})
    assert "p004" not in trusted(files | {mine: files[certificate_path(other.certificate)]})


def test_a_witness_signature_of_another_enrolment_is_worth_nothing_here(files: dict[str, bytes]) -> None:
    moved = files | {"people/p004/0002.p001.p7s": files["people/p005/0002.p001.p7s"]}
    assert trusted(moved) == trusted(files) - {"p004"}


def test_standing_is_read_again_only_when_the_archive_has_grown(files: dict[str, bytes]) -> None:
    archive = MemoryArchive()
    archive.file(files)
    standing = PeopleStanding(archive, CLOCK, SigningRules())
    first = standing.history()
    assert standing.history() is first
    archive.file({"trail/note.txt": b"x"})
    assert standing.history() is not first
