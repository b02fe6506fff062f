"""Whose certificate counts, and from when until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from controller.domain.conformity import Gravity
from controller.domain.person import Person, PostHeld, Staff
from controller.domain.signing_rules import SigningRules
from controller.domain.statement import AUTHORITY, Event
from tests.trust_stories import Story, digest, small_company


def test_the_first_person_counts_by_their_own_word_and_the_lack_of_witnesses_is_told_for_ever() -> None:
    story = Story()
    story.found("p001", "王总", "general_manager")
    assert story.counts("p001")
    [note] = story.history().findings()
    assert (note.code, note.gravity, note.path) == (
        "enrolment-witness-missing",
        Gravity.NOTE,
        "people/p001/0002.json",
    )
    assert "王总" in str(note.message)


def test_the_second_person_needs_the_first_the_third_needs_both() -> None:
    story = Story()
    story.found("p001", "王总", "general_manager")
    story.register("p002", "林静", "quality_head", by="p001")
    path = story.enrol("p002")
    assert not story.counts("p002")
    assert story.history().missing_witnesses("p002") == 1
    story.witness(path, "p001")
    assert story.counts("p002")
    story.register("p003", "何洁", "hr_clerk", by="p001")
    path = story.enrol("p003")
    story.witness(path, "p001")
    assert not story.counts("p003")
    assert [(item.person, item.witnesses) for item in story.history().open_enrolments()] == [("p003", ("p001",))]
    assert "enrolment-open" in story.codes()
    story.witness(path, "p002")
    assert story.counts("p003")
    assert story.history().open_enrolments() == []
    assert [item.path for item in story.history().findings()] == ["people/p001/0002.json", "people/p002/0002.json"]


def test_who_was_registered_before_there_were_two_witnesses_needs_both_once_they_are_there() -> None:
    story = Story()
    story.found("p001", "王总", "general_manager")
    paths = {}
    for person, name, post in (
        ("p002", "林静", "quality_head"),
        ("p003", "何洁", "hr_clerk"),
        ("p004", "钱进", "sales"),
    ):
        story.register(person, name, post, by="p001")
        paths[person] = story.enrol(person)
    assert [story.history().missing_witnesses(person) for person in paths] == [1, 1, 1]
    for path in paths.values():
        story.witness(path, "p001")
    assert [story.counts(person) for person in paths] == [True, False, False]
    assert [item.needed for item in story.history().open_enrolments()] == [2, 2]
    story.witness(paths["p003"], "p002")
    story.witness(paths["p004"], "p003")
    assert [story.counts(person) for person in paths] == [True, True, True]


def test_an_enrolment_does_not_come_to_need_less_when_a_possible_witness_leaves() -> None:
    story = small_company()
    story.register("p004", "钱进", "sales_clerk", by="p001")
    path = story.enrol("p004")
    story.retire("p002", by="p003")
    story.wait(days=30)
    story.repost("p003", "sales_clerk", by="p001")
    story.wait(days=30)
    story.witness(path, "p001")
    assert not story.counts("p004")


def test_a_signature_counts_only_from_the_last_witness_on() -> None:
    story = small_company()
    history, key = story.history(), story.keys["p003"]
    complete = max(item.order for item in story.events["people/p003/0002.json"].witnesses)
    before = history.standing(key, order=complete - 1, at=story.now)
    assert (before.trusted, before.code, before.person) == (False, "certificate-not-enrolled", "p003")
    assert history.standing(key, order=complete, at=story.now).trusted


def test_a_certificate_of_the_authority_alone_counts_nowhere() -> None:
    story = small_company()
    forged = story.certificate("p002")
    standing = story.history().standing(forged, order=99, at=story.now)
    assert (standing.trusted, standing.code) == (False, "certificate-not-enrolled")
    assert "林静" in str(standing.why)
    unknown = story.history().standing(digest("never seen"), order=99, at=story.now)
    assert unknown.code == "certificate-missing"


def test_nobody_witnesses_for_themselves_or_in_anothers_name_or_without_the_post() -> None:
    story = small_company()
    story.join("p004", "钱进", "sales_clerk", by="p001", witnesses=("p001", "p002"))
    story.register("p005", "孙宁", "sales_clerk", by="p001")
    path = story.enrol("p005")
    story.witness(path, "p005")
    story.witness(path, "p004")
    story.witness(path, "p003", certificate=story.keys["p001"])
    story.witness(path, "p001")
    assert not story.counts("p005")
    assert {"witness-is-person", "enrolment-by-wrong-post", "signer-not-holder"} <= story.codes()


def test_two_witnesses_of_the_same_post_are_not_enough_where_others_could_sign() -> None:
    story = small_company()
    story.join("p004", "周全", "quality_officer", by="p001", witnesses=("p001", "p002"))
    story.join("p005", "郑直", "quality_officer", by="p001", witnesses=("p001", "p002"))
    path = story.join("p006", "吴悠", "sales_clerk", by="p001", witnesses=("p004", "p005"))
    assert not story.counts("p006")
    story.witness(path, "p003")
    assert story.counts("p006")


def test_where_everybody_else_has_the_same_post_two_of_them_are_needed_all_the_same() -> None:
    story = Story(rules=SigningRules(witness_posts=("quality_officer", "quality_head")))
    story.found("p001", "王总", "general_manager")
    for person, name in (("p002", "周全"), ("p003", "郑直")):
        story.join(person, name, "quality_officer", by="p001", witnesses=())
        if person == "p003":
            story.witness("people/p003/0002.json", "p002")
    path = story.join("p004", "吴悠", "sales_clerk", by="p001", witnesses=("p002",))
    assert not story.counts("p004")
    story.witness(path, "p003")
    assert story.counts("p004")
    assert "enrolment-witnesses-same-post" in story.codes()


def test_a_new_certificate_ends_the_old_one_for_later_signatures_only() -> None:
    story = small_company()
    old = story.keys["p002"]
    earlier = story.order
    path = story.enrol("p002", replaces=old)
    story.witness(path, "p001")
    assert story.history().standing(old, order=story.order, at=story.now).trusted
    story.witness(path, "p003")
    history = story.history()
    assert history.standing(old, order=earlier, at=story.now).trusted
    after = history.standing(old, order=story.order + 1, at=story.now)
    assert (after.trusted, after.code, after.path) == (False, "certificate-replaced", path)
    assert story.counts("p002")
    assert history.certificates_of("p002") == [old, story.keys["p002"]]


@pytest.mark.parametrize("who", ["p002", "p003"])
def test_the_person_or_a_witness_post_revokes(who: str) -> None:
    story = small_company()
    key = story.keys["p002"]
    path = story.revoke("p002", key, by=who)
    history = story.history()
    assert history.standing(key, order=story.order, at=story.now).trusted
    later = history.standing(key, order=story.order + 1, at=story.now)
    assert (later.code, later.path) == ("certificate-revoked", path)
    assert "林静" in str(later.why)


def test_others_cannot_revoke() -> None:
    story = small_company()
    story.join("p004", "钱进", "sales_clerk", by="p001", witnesses=("p001", "p002"))
    story.revoke("p002", story.keys["p002"], by="p004")
    assert story.counts("p002")
    assert "revoked-by-wrong-post" in story.codes()


def test_a_revocation_behind_a_gap_in_the_chain_is_obeyed_and_what_would_give_rights_is_not() -> None:
    story = small_company()
    key = story.keys["p003"]
    story.repost("p003", "hr_clerk", "quality_officer", by="p001")
    story.revoke("p003", key, by="p001")
    del story.events["people/p003/0003.json"]
    assert not story.counts("p003")
    assert "person-chain-wrong" in story.codes()
    story = small_company()
    story.repost("p003", "hr_clerk", "document_controller", by="p001")
    story.posts["p003"] = story.posts["p003"][:1]
    story.repost("p003", "general_manager", by="p001")
    del story.events["people/p003/0003.json"]
    person = story.history().person("p003")
    assert person is not None
    assert [item.post for item in person.posts] == ["hr_clerk"]


def test_a_retired_person_signs_no_more_and_the_id_is_never_used_again() -> None:
    story = small_company()
    story.retire("p003", by="p002")
    assert not story.counts("p003")
    assert story.history().standing(story.keys["p003"], order=story.order + 1, at=story.now).code == "person-retired"
    story.register("p003", "何洁", "hr_clerk", by="p001")
    assert "person-id-reused" in story.codes()
    story = small_company()
    story.register("P003", "何必", "hr_clerk", by="p001")
    assert "person-id-reused" in story.codes()


def test_registering_takes_a_post_and_another_person() -> None:
    story = small_company()
    story.join("p004", "钱进", "sales_clerk", by="p001", witnesses=("p001", "p002"))
    story.register("p005", "孙宁", "general_manager", by="p004")
    story.names["p006"] = "冒名"
    story.keys["p006"] = story.certificate("p006")
    story.register("p006", "冒名", "general_manager", by="p006")
    story.repost("p001", "general_manager", "quality_head", by="p001")
    assert {"registrar-post-wrong", "registrar-is-person"} <= story.codes()
    assert [person.id for person in story.history().people()] == ["p001", "p002", "p003", "p004"]


def test_posts_count_on_the_days_for_which_they_are_given() -> None:
    story = small_company()
    last = story.now.date() + timedelta(days=1)
    story.repost("p002", PostHeld("quality_head", date(2026, 1, 1), last), by="p003")
    history = story.history()
    assert history.witnesses_for("p003", SigningRules().witness_posts, at=story.now) == ["p001", "p002"]
    later = story.now + timedelta(days=3)
    assert history.witnesses_for("p003", SigningRules().witness_posts, at=later) == ["p001"]


def test_an_expired_certificate_neither_signs_nor_witnesses() -> None:
    story = Story()
    story.found("p001", "王总", "general_manager")
    story.register("p002", "林静", "quality_head", by="p001")
    story.witness(story.enrol("p002", story.certificate("p002", days=10)), "p001")
    story.wait(days=20)
    story.register("p003", "何洁", "hr_clerk", by="p002")
    assert "certificate-expired" in story.codes()
    assert not story.counts("p002")
    assert story.history().witnesses_for("p003", SigningRules().witness_posts, at=story.now) == ["p001"]


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"name": "别人"}, "certificate-names-other"),
        ({"serial": "p009"}, "certificate-names-other"),
        ({"serial": ""}, "certificate-names-other"),
        ({"issuer": digest("elsewhere")}, "certificate-issuer-wrong"),
        ({"authority": True}, "certificate-issuer-wrong"),
    ],
)
def test_the_certificate_must_name_the_person_and_come_from_the_root(what: dict[str, object], code: str) -> None:
    story = small_company()
    story.register("p004", "钱进", "sales_clerk", by="p001")
    certificate = story.certificate("p004", **what)  # type: ignore[arg-type]
    path = story.enrol("p004", certificate)
    story.witness(path, "p001")
    story.witness(path, "p002")
    assert not story.counts("p004")
    assert code in story.codes()


def test_an_outside_certificate_counts_by_its_enrolment_with_the_issuer_named_there() -> None:
    story = small_company()
    outside = story.new_root("outside authority")
    story.register("p004", "钱进", "sales_clerk", by="p001")
    certificate = story.certificate("p004", serial="", issuer=outside)
    path = story.enrol("p004", certificate, issuers=[outside.text])
    story.witness(path, "p001")
    story.witness(path, "p003")
    assert story.counts("p004")
    story.register("p005", "孙宁", "sales_clerk", by="p001")
    story.enrol("p005", story.certificate("p005", issuer=outside, name="别人"), issuers=[outside.text])
    assert "certificate-names-other" in story.codes()


def test_a_certificate_is_enrolled_once_and_only_by_its_own_key() -> None:
    story = small_company()
    story.register("p004", "林静", "sales_clerk", by="p001")
    story.enrol("p004", story.keys["p002"])
    assert "certificate-enrolled-twice" in story.codes()
    story = small_company()
    story.enrol("p002", replaces=story.keys["p002"], by="p001")
    assert "enrolment-not-by-person" in story.codes()


def test_what_a_new_certificate_replaces_must_be_told() -> None:
    story = small_company()
    story.enrol("p002")
    assert "enrolment-replaces-wrong" in story.codes()


def test_the_authority_is_replaced_by_two_people_and_old_certificates_go_on_until_new_ones_count() -> None:
    story = small_company()
    old, new = story.root, story.new_root("second root")
    path = story.file(AUTHORITY, Event.AUTHORITY_REPLACED, "p002", old={"root": old.text}, new={"root": new.text})
    assert story.history().roots == (old,)
    assert story.history().waiting_root == path
    assert "authority-replacement-open" in story.codes()
    story.witness(path, "p003")
    story.root = new
    assert story.history().roots == (old, new)
    assert "certificate-under-old-root" in story.codes()
    assert story.counts("p002")
    for person in ("p001", "p002", "p003"):
        enrolled = story.enrol(person, replaces=story.keys[person])
        for other in {"p001", "p002", "p003"} - {person}:
            story.witness(enrolled, other, certificate=story.history().person(other).certificate)  # type: ignore[union-attr]
        assert story.counts(person)
    assert "certificate-under-old-root" not in story.codes()
    stale = story.certificate("p002", issuer=old)
    story.enrol("p002", stale, replaces=story.keys["p002"])
    assert "certificate-issuer-wrong" in story.codes()


def test_a_new_root_by_one_person_or_without_the_post_does_not_count() -> None:
    story = small_company()
    new = story.new_root("mine")
    words = {"old": {"root": story.root.text}, "new": {"root": new.text}}
    path = story.file(AUTHORITY, Event.AUTHORITY_REPLACED, "p001", **words)  # type: ignore[arg-type]
    story.witness(path, "p001")
    assert story.history().roots == (story.root,)
    assert "witness-is-person" in story.codes()


def test_a_founding_with_another_root_than_the_known_one_leaves_nobody_trusted() -> None:
    story = Story()
    story.root = story.new_root("exchanged")
    story.found("p001", "王总", "general_manager")
    assert not story.counts("p001")
    assert "authority-root-differs" in story.codes()


def test_somebody_who_claims_to_be_earlier_than_the_founder_does_not_become_the_founder() -> None:
    story = small_company()
    intruder = Story(now=story.now - timedelta(days=300), certificates=story.certificates, issuers=story.issuers)
    intruder.names["a000"] = "混入者"
    intruder.keys["a000"] = intruder.certificate("a000")
    path = intruder.register("a000", "混入者", "general_manager", by="a000")
    story.events[path] = replace(intruder.events[path], order=-1)
    assert story.counts("p001")
    assert [person.id for person in story.history().people()] == ["p001", "p002", "p003"]
    assert "registrar-is-person" in story.codes()


@pytest.mark.parametrize("defect", ["unsigned", "broken", "other certificate", "other time", "other place"])
def test_a_statement_whose_signature_is_not_right_changes_nothing(defect: str) -> None:
    story = small_company()
    path = story.register("p004", "钱进", "sales_clerk", by="p001")
    event = story.events[path]
    signature = event.signature
    assert signature is not None
    changed = {
        "unsigned": replace(event, signature=None),
        "broken": replace(event, signature=replace(signature, intact=False)),
        "other certificate": replace(event, signature=replace(signature, certificate=story.keys["p002"])),
        "other time": replace(event, signature=replace(signature, signed_at=story.now + timedelta(seconds=1))),
        "other place": replace(event, path="people/p005/0001.json"),
    }[defect]
    story.events[path] = changed
    assert story.history().person("p004") is None
    [finding] = [item for item in story.history().findings() if item.gravity is Gravity.ERROR]
    assert finding.code in {"person-signature-wrong", "person-chain-wrong"}
    assert finding.path == changed.path


def test_the_order_of_the_archive_counts_and_not_the_time_that_somebody_claims() -> None:
    story = small_company()
    key = story.keys["p002"]
    early = story.now
    story.revoke("p002", key, by="p003")
    story.wait(days=1)
    story.order += 1
    backdated = story.history().standing(key, order=story.order, at=early - timedelta(hours=1))
    assert backdated.code == "certificate-revoked"


def test_changed_rules_judge_only_what_comes_after_them() -> None:
    story = small_company()
    story.rules = [
        (0, SigningRules()),
        (story.order + 1, SigningRules(registrar_posts=("quality_head",))),
    ]
    assert story.counts("p003")
    story.register("p004", "钱进", "sales_clerk", by="p001")
    assert story.history().person("p004") is None
    assert "registrar-post-wrong" in story.codes()


def test_everything_in_one_commit_is_understood_in_the_order_that_makes_sense() -> None:
    story = small_company()
    one = {path: replace(event, order=1) for path, event in story.events.items()}
    for path, event in one.items():
        one[path] = replace(event, witnesses=tuple(replace(item, order=1) for item in event.witnesses))
    story.events = dict(reversed(one.items()))
    assert [person.certificate for person in story.history().people()] == list(story.keys.values())
    assert "enrolment-open" not in story.codes()


def test_the_people_file_must_say_what_the_chains_say() -> None:
    story = small_company()
    listed = {
        item.id: Person(item.id, item.name, [post.post for post in item.posts], held=item.posts)
        for item in story.history().people()
    }
    assert list(story.history().differences(Staff(people=listed), path="people.yml")) == []
    more = listed["p002"]
    changed = dict(listed, p002=replace(more, held=(*more.held, PostHeld("general_manager"))))
    del changed["p003"]
    changed["p009"] = Person("p009", "凭空", [])
    found = list(story.history().differences(Staff(people=changed), path="people.yml"))
    assert [(item.code, item.subject) for item in found] == [
        ("people-file-differs", "林静"),
        ("people-file-differs", "何洁"),
        ("people-file-differs", "凭空"),
    ]
