"""Reading `signatures/signing.yml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.domain.signing_rules import Profile, SigningRules
from controller.file_formats.signing_rules_file import SigningRulesError, read_signing_rules

STARTER = Path(__file__).parents[2] / "signatures" / "signing.yml"
HEAD = "format: wenkong/signing/1\n"


def problems(text: str, **more: object) -> list[tuple[str, int | None, str]]:
    with pytest.raises(SigningRulesError) as caught:
        read_signing_rules(text, where="s.yml", **more)  # type: ignore[arg-type]
    return [(item.code, item.line, f"{item.message} {item.hint or ''}") for item in caught.value.findings]


def test_the_starter_file_says_what_the_program_takes_for_granted() -> None:
    assert read_signing_rules(STARTER.read_text(encoding="utf-8")) == SigningRules()


def test_what_is_not_written_has_its_usual_value() -> None:
    text = f"{HEAD}profile: part11\nfailures: {{lock_after: 3}}\nwitness_posts: [quality_head, hr_clerk]\n"
    rules = read_signing_rules(text)
    assert rules == SigningRules(profile=Profile.PART11, lock_after=3, witness_posts=("quality_head", "hr_clerk"))


def test_an_unknown_key_is_named_with_the_nearest_known_one() -> None:
    [(code, line, said)] = problems(f"{HEAD}passphrase:\n  least_lenght: 12\n")
    assert (code, line) == ("definition-key-unknown", 3)
    assert "least_lenght" in said
    assert "least_length" in said


@pytest.mark.parametrize(
    "wrong",
    [
        "sitting_hours: 25",
        "sitting_hours: 0",
        "idle_minutes: 0",
        "idle_minutes: true",
        "idle_minutes: '30'",
        "certificate_years: 11",
        "profile: part12",
        "passphrase: {least_length: 7}",
        "passphrase: {most_days: -1}",
        "passphrase: 10",
        "failures: {lock_after: 0}",
        "failures: {lock_minutes: 1.5}",
        "registrar_posts: []",
        "registrar_posts: [hr_clerk, hr_clerk]",
        "registrar_posts: null",
        "witness_posts: [quality_head]",
        "witness_posts: [质量负责人, 总经理]",
    ],
)
def test_a_value_that_would_undo_the_protection_is_refused(wrong: str) -> None:
    found = problems(f"{HEAD}{wrong}\n")
    assert all(line == 2 for _, line, _ in found)
    assert wrong.split(":", maxsplit=1)[0] in " ".join(said for _, _, said in found)


def test_idling_cannot_last_longer_than_a_sitting() -> None:
    [(code, line, said)] = problems(f"{HEAD}sitting_hours: 1\nidle_minutes: 61\n")
    assert (code, line) == ("definition-value", 3)
    assert "idle_minutes" in said


def test_posts_must_be_among_those_of_the_company() -> None:
    text = f"{HEAD}witness_posts: [quality_haed, hr_clerk]\nregistrar_posts: [hr_clerk]\ninformed_posts: [hr_clerk]\n"
    [(_, line, said)] = problems(text, posts=["quality_head", "hr_clerk"])
    assert line == 2
    assert "quality_head" in said


def test_another_format_and_text_that_is_no_yaml_are_told_apart() -> None:
    assert problems("format: wenkong/signing/9\n")[0][0] == "definition-format"
    assert problems("- a\n")[0][0] == "definition-value"
    assert problems(f"{HEAD}\tprofile: part11\n")[0][0] == "yaml-tab"
