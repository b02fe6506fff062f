"""What the archive of a new workspace begins with: the root, everybody enrolled before witnesses, the library."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

import pytest

from controller.domain.identifiers import Digest
from controller.domain.people_statement import ACKNOWLEDGEMENT
from controller.domain.person import Person, Post, PostHeld, Staff
from controller.domain.signing_rules import SigningRules
from controller.domain.statement import Event
from controller.file_formats.certificate_file import to_der
from controller.file_formats.signature_file import check_signature
from controller.file_formats.statement_file import decode_statement
from controller.services.founding import (
    CompanyFounding,
    Founder,
    FounderPostError,
    InactiveFounderError,
    check_all_active,
)
from controller.services.workspace_identity import WorkspaceIdentity
from tests.signers import COMPANY, ORIGIN, WORKSPACE, company

if TYPE_CHECKING:
    from controller.domain.signature import SigningKey
    from controller.domain.statement import Statement
    from controller.services.founding import Founding
    from controller.services.signing_ports import AuthorityKey, PersonalKeys

AUTHORITY_WORDS = "机构的口令"
AT = datetime.fromisoformat("2026-01-05T09:00:00+08:00")
POSTS = {
    "general_manager": Post("general_manager", "企业负责人"),
    "quality_head": Post("quality_head", "质量负责人"),
    "quality_officer": Post("quality_officer", "质管员"),
    "sales_clerk": Post("sales_clerk", "购销员"),
}
LIBRARY = {"qms.toml": b"format = 1\n", "signatures/people.yml": b"people: []\n"}


@dataclass
class Keys:
    """The keys of the test company, as if they were made now."""

    made: list[str] = field(default_factory=list)
    passphrases: list[str] = field(default_factory=list)

    def make(self, person: str, *, passphrase: str, **_rest: object) -> SigningKey:
        self.made.append(person)
        self.passphrases.append(passphrase)
        return company().key(person, f"name of {person}")


@dataclass
class Authority:
    founded: list[tuple[str, str]] = field(default_factory=list)

    def found(self, *, company: str, workspace: str, **_rest: object) -> bytes:
        self.founded.append((company, workspace))
        return _root()


def _root() -> bytes:
    return company().root


def people(*posts: str) -> list[Person]:
    """Return people p001, p002 … each with the posts named, in one string."""
    return [
        Person(
            f"p{place:03d}",
            f"人员{place}",
            tuple(named.split()),
            held=tuple(PostHeld(post) for post in named.split()),
        )
        for place, named in enumerate(posts, 1)
    ]


def found(*posts: str, keys: Keys | None = None, authority: Authority | None = None) -> Founding:
    everybody = people(*posts)
    founding = CompanyFounding(
        identity=WorkspaceIdentity(id=WORKSPACE, site="main", company=COMPANY),
        prefix="XX",
        staff=Staff({person.id: person for person in everybody}, POSTS),
        keys=cast("PersonalKeys", keys or Keys()),
        authority=cast("AuthorityKey", authority or Authority()),
        rules=SigningRules(),
        origin=ORIGIN,
    )
    founders = [Founder(person, f"口令 {person.id}", f"身份证 {person.id}") for person in everybody]
    return founding.found(founders, authority_passphrase=AUTHORITY_WORDS, at=AT, kept_at=AT, library=LIBRARY)


def test_nobody_is_there_from_the_beginning_who_has_left_already() -> None:
    working, left = people("quality_head", "sales_clerk")
    check_all_active(Staff({"p001": working}, POSTS))
    with pytest.raises(InactiveFounderError, match=left.name):
        check_all_active(Staff({"p001": working, "p002": replace(left, active=False)}, POSTS))


def files(made: Founding) -> dict[str, bytes]:
    every: dict[str, bytes] = {}
    for commit in made.begin:
        assert not every.keys() & commit.keys()
        every |= commit
    return every


def statement(made: Founding, path: str) -> Statement:
    return decode_statement(files(made)[f"{path}.json"], where=path)


def witnesses(made: Founding, person: str) -> set[str]:
    above = f"people/{person}/0002."
    named = {path.removeprefix(above) for path in files(made) if path.startswith(above)}
    return {name.removesuffix(".p7s") for name in named} - {"json", "p7s"}


def test_the_first_commit_names_the_root_and_holds_its_certificate() -> None:
    made = found("general_manager")
    root = Digest.of(_root())
    assert json.loads(made.begin[0]["site.json"])["root"] == root.text
    assert to_der(made.begin[0][f"certificates/{root.hex}.pem"]) == _root()
    assert to_der(made.library["signatures/ca/ca.pem"]) == _root()


def test_one_commit_for_each_person_in_their_order_and_one_for_the_library() -> None:
    made = found("general_manager", "quality_head", "sales_clerk")
    first = [sorted(path for path in commit if path.endswith(".json")) for commit in made.begin]
    assert first == [
        ["site.json"],
        ["authority/0001.json", "people/p001/0001.json", "people/p001/0002.json"],
        ["people/p002/0001.json", "people/p002/0002.json"],
        ["people/p003/0001.json", "people/p003/0002.json"],
        ["trail/0000/00/00000001.json"],
    ]


def test_every_statement_is_signed_by_who_states_it_at_the_time_it_states() -> None:
    made = found("general_manager", "quality_head", "sales_clerk")
    every = files(made)
    stated = [path.removesuffix(".json") for path in every if path.endswith(".json") and path != "site.json"]
    assert len(stated) == 8
    for path in stated:
        said = statement(made, path)
        checked = check_signature(every[f"{path}.p7s"], every[f"{path}.json"])
        assert (checked.intact, checked.certificate, checked.signed_at) == (True, said.certificate, AT)
        assert said.by is not None
        assert said.certificate == Digest.of(made.keys[said.by.person].certificate)
        assert (said.at, said.workspace, said.origin) == (AT.isoformat(), WORKSPACE, ORIGIN)


def test_only_the_first_person_is_registered_by_themself() -> None:
    made = found("general_manager", "sales_clerk", "quality_head")
    registered = [statement(made, f"people/p00{place}/0001") for place in (1, 2, 3)]
    assert [item.by.person for item in registered if item.by] == ["p001", "p001", "p001"]
    assert [item.event for item in registered] == [Event.PERSON_REGISTERED] * 3
    assert registered[1].new == {
        "name": "人员2",
        "posts": [{"post": "sales_clerk", "since": None, "until": None}],
        "identity_check": "身份证 p002",
    }


def test_everybody_enrols_their_own_certificate_and_states_what_they_answer_for() -> None:
    made = found("general_manager", "sales_clerk")
    enrolled = statement(made, "people/p002/0002")
    certificate = Digest.of(made.keys["p002"].certificate)
    assert enrolled.event is Event.PERSON_ENROLLED
    assert enrolled.by is not None
    assert enrolled.by.person == "p002"
    assert enrolled.previous == Digest.of(files(made)["people/p002/0001.json"])
    assert enrolled.new == {
        "certificate": certificate.text,
        "acknowledgement": ACKNOWLEDGEMENT.template,
        "replaces": None,
    }
    assert to_der(files(made)[f"certificates/{certificate.hex}.pem"]) == made.keys["p002"].certificate


def test_those_who_came_before_and_may_witness_do_so_at_most_two() -> None:
    made = found("general_manager", "sales_clerk", "quality_head", "quality_officer", "sales_clerk")
    assert [witnesses(made, f"p00{place}") for place in range(1, 6)] == [
        set(),
        {"p001"},
        {"p001"},
        {"p001", "p003"},
        {"p001", "p003"},
    ]


def test_two_witnesses_do_not_hold_only_the_same_post_where_there_is_another() -> None:
    made = found("quality_head", "quality_head", "quality_officer", "sales_clerk")
    assert witnesses(made, "p004") == {"p001", "p003"}


def test_witnesses_sign_the_bytes_of_the_enrolment() -> None:
    made = found("general_manager", "quality_head", "sales_clerk")
    every = files(made)
    for witness in ("p001", "p002"):
        checked = check_signature(every[f"people/p003/0002.{witness}.p7s"], every["people/p003/0002.json"])
        assert (checked.intact, checked.certificate) == (True, Digest.of(made.keys[witness].certificate))


def test_the_opening_of_the_site_covers_every_file_of_the_library_and_the_root() -> None:
    made = found("general_manager")
    opened = statement(made, "trail/0000/00/00000001")
    assert (opened.event, opened.meaning, opened.subject) == (Event.SITE_OPENED, "批准", "main")
    assert sorted(opened.files) == ["qms.toml", "signatures/ca/ca.pem", "signatures/people.yml"]
    assert opened.files["qms.toml"] == Digest.of(LIBRARY["qms.toml"])


def test_no_passphrase_is_anywhere_in_the_beginning() -> None:
    keys = Keys()
    made = found("general_manager", "sales_clerk", keys=keys)
    assert keys.passphrases == ["口令 p001", "口令 p002"]
    written = b"".join(files(made).values())
    assert [word for word in (*keys.passphrases, AUTHORITY_WORDS) if word.encode() in written] == []
    assert "口令 p001" not in repr(Founder(people("general_manager")[0], "口令 p001", "身份证"))


def test_who_may_not_register_others_founds_no_company_and_no_key_is_made() -> None:
    keys, authority = Keys(), Authority()
    with pytest.raises(FounderPostError, match="人员1") as refused:
        found("sales_clerk", "general_manager", keys=keys, authority=authority)
    assert refused.value.code == "founder-post-wrong"
    assert "企业负责人" in str(refused.value.hint)
    assert (keys.made, authority.founded) == ([], [])
