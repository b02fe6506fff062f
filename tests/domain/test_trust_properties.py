"""One person alone never gets a counting certificate in another's name, whatever they file and in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.signature import CheckedSignature
from controller.domain.statement import AUTHORITY, Event
from controller.domain.trust_events import TrustEvent, WitnessSignature, posts_wire
from tests.trust_stories import Story, held, small_company

if TYPE_CHECKING:
    from controller.domain.identifiers import Digest

KEEPER = "p001"
"""Keeps the authority, registers, witnesses: everything that one person can be."""
OTHERS = ("p002", "p003")
MOVES = st.lists(
    st.tuples(
        st.sampled_from(
            ["enrol", "witness", "pretend", "revoke", "repost", "retire", "register", "join", "root", "wait", "back"]
        ),
        st.sampled_from([*OTHERS, "p004", "p005"]),
        st.integers(min_value=0, max_value=3),
    ),
    max_size=14,
)


def move(story: Story, what: str, person: str, choice: int, forged: dict[str, list[Digest]]) -> None:
    """Let the keeper try something with the only keys at hand: the own one, and any that the authority can make."""
    known = story.history().person(person)
    story.names.setdefault(person, f"新人{person}")
    chain = f"people/{person}"
    mine = forged.setdefault(person, [])
    if what == "enrol":
        certificate = story.certificate(person)
        mine.append(certificate)
        replaces = known.certificate if known else None
        honest = story.keys.get(person)
        story.enrol(person, certificate, replaces=replaces)
        if honest is not None and person in OTHERS:
            story.keys[person] = honest
    elif what in {"witness", "pretend"}:
        enrolments = [
            path for path in story.events if path.startswith(chain) and "person-enrolled" in repr(story.events[path])
        ]
        if enrolments:
            by = KEEPER if what == "witness" else (*OTHERS, "p004", "p005")[choice]
            keys = [story.keys[KEEPER], *forged.get(by, [])]
            story.witness(enrolments[-1], by, certificate=keys[choice % len(keys)])
    elif what == "revoke" and known is not None and known.certificate is not None:
        story.revoke(person, known.certificate, by=KEEPER)
    elif what == "repost" and known is not None:
        old, new = posts_wire(known.posts), posts_wire(held(("sales_clerk", "hr_clerk")[choice % 2]))
        story.file(chain, Event.PERSON_POSTS_CHANGED, KEEPER, old={"posts": old}, new={"posts": new})
    elif what == "retire":
        story.retire(person, by=KEEPER)
    elif what == "register" and person not in OTHERS:
        story.register(person, story.names[person], ("hr_clerk", "quality_officer")[choice % 2], by=KEEPER)
    elif what == "join":
        certificate = story.certificate(person)
        mine.append(certificate)
        story.file(chain, Event.PERSON_REVOKED, person, certificate=certificate, new={"certificate": certificate.text})
    elif what == "root":
        root = story.new_root(f"root {len(story.certificates)}")
        words = {"old": {"root": story.root.text}, "new": {"root": root.text}}
        path = story.file(AUTHORITY, Event.AUTHORITY_REPLACED, KEEPER, **words)  # type: ignore[arg-type]
        story.witness(path, KEEPER)
    elif what == "wait":
        story.wait(hours=choice)
    elif what == "back":
        story.wait(hours=-choice)


@settings(max_examples=150, deadline=None)
@given(MOVES)
def test_the_keeper_of_the_authority_alone_becomes_nobody_else(moves: list[tuple[str, str, int]]) -> None:
    story = small_company()
    honest = {person: story.keys[person] for person in OTHERS}
    forged: dict[str, list[Digest]] = {}
    for what, person, choice in moves:
        move(story, what, person, choice, forged)
    history = story.history()
    for known in history.people():
        if known.id != KEEPER:
            assert known.certificate in {None, honest.get(known.id)}
    for certificates in forged.values():
        for certificate in certificates:
            for order in range(story.order + 2):
                assert not history.standing(certificate, order=order, at=story.now).trusted


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_mixing_up_of_what_was_filed_never_crashes_and_never_adds_trust(data: st.DataObject) -> None:
    story = small_company()
    honest = {person.certificate for person in story.history().people()}
    paths = sorted(story.events)
    for _ in range(data.draw(st.integers(min_value=1, max_value=4))):
        path, other = data.draw(st.sampled_from(paths)), data.draw(st.sampled_from(paths))
        event, donor = story.events.get(path), story.events.get(other)
        if event is None or donor is None:
            continue
        story.events[path] = data.draw(st.sampled_from(_tampered(event, donor)))
        if data.draw(st.booleans()):
            del story.events[other]
    history = story.history()
    list(history.findings())
    assert {person.certificate for person in history.people()} <= honest | {None}


def _tampered(event: TrustEvent, donor: TrustEvent) -> list[TrustEvent]:
    statement = event.statement
    broken = CheckedSignature(donor.statement.certificate or event.digest, event.at, intact=False)
    moved = tuple(
        WitnessSignature(item.person, item.signature, event.path.replace(".json", f".{item.person}.p7s"), item.order)
        for item in donor.witnesses
    )
    return [
        replace(event, statement=donor.statement),
        replace(event, statement=replace(statement, sequence=donor.statement.sequence)),
        replace(event, statement=replace(statement, previous=donor.statement.previous)),
        replace(event, statement=replace(statement, new=donor.statement.new)),
        replace(event, statement=replace(statement, by=donor.statement.by)),
        replace(event, statement=replace(statement, new={})),
        replace(event, statement=replace(statement, event=donor.statement.event)),
        replace(event, signature=donor.signature),
        replace(event, signature=broken),
        replace(event, signature=None, witnesses=()),
        replace(event, order=donor.order),
        replace(event, witnesses=moved),
        replace(event, statement=replace(statement, at=(event.at - timedelta(days=9)).isoformat())),
    ]


def test_revoking_the_other_witness_first_does_not_help() -> None:
    story = small_company()
    story.revoke("p003", story.keys["p003"], by=KEEPER)
    forged = story.certificate("p002")
    path = story.enrol("p002", forged, replaces=story.keys["p002"])
    story.witness(path, KEEPER)
    assert not story.counts("p002")
    assert story.history().missing_witnesses("p002") == 1
    assert story.history().lately_removed("p002", at=story.now) == ["p003"]


def test_taking_the_post_from_the_other_witness_first_does_not_help_either() -> None:
    for ends in (None, timedelta(days=0), timedelta(days=2)):
        story = small_company()
        day = story.now.date()
        if ends is None:
            story.repost("p003", "sales_clerk", by=KEEPER)
        else:
            story.repost("p003", replace(story.posts["p003"][0], until=day + ends), by=KEEPER)
            story.wait(days=ends.days + 1)
        forged = story.certificate("p002")
        story.witness(story.enrol("p002", forged, replaces=story.keys["p002"]), KEEPER)
        assert not story.counts("p002")


def test_after_a_week_or_with_a_second_signature_the_one_who_left_is_no_longer_waited_for() -> None:
    story = small_company()
    path = story.retire("p003", by=KEEPER)
    assert story.history().lately_removed("p002", at=story.now) == ["p003"]
    story.witness(path, "p002")
    assert story.history().lately_removed("p002", at=story.now) == []
    story = small_company()
    story.retire("p003", by=KEEPER)
    story.wait(days=7)
    story.witness(story.enrol("p002", replaces=story.keys["p002"]), KEEPER)
    assert story.counts("p002")
    notes = [item for item in story.history().findings() if item.path == "people/p002/0003.json"]
    assert [item.code for item in notes] == ["enrolment-witness-missing"]


def test_who_revokes_their_own_certificate_is_not_waited_for() -> None:
    story = small_company()
    story.revoke("p003", story.keys["p003"], by="p003")
    assert story.history().lately_removed("p002", at=story.now) == []
