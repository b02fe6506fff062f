from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.passphrase import (
    LONGEST_DELAY,
    PassphraseTooWeakError,
    attempt_delay,
    check_passphrase,
    locked_until,
    normalised,
    passphrase_expired,
)
from controller.domain.signing_rules import SigningRules
from controller.services.signing_ports import FailedAttempts

RULES = SigningRules()
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def check(text: str, rules: SigningRules = RULES) -> None:
    check_passphrase(text, rules=rules, person="p002", name="欧阳静怡")


@pytest.mark.parametrize(
    "text",
    [
        "西湖边的柳树绿了三次",
        "correct horse battery",
        "Tulip-Kettle-Orbit",
        "t7#Lq9!vXw2m",
        "蓝色水壶 orbit 73",
        "静怡喜欢在雨天读旧报纸",
        "😀会飞的紫色自行车第四辆",
    ],
)
def test_a_passphrase_of_unrelated_words_is_accepted(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "只有 0 个字"),
        ("九个字不够长一些些", "至少要 10 个"),
        ("x" * 201, "超过 200 个字"),
        ("aaaaaaaaaaaa", "反复"),
        ("abcabcabcabcab", "反复"),
        ("静静静静静静静静静静静", "反复"),
        ("好的呀好的呀好的呀好的", "反复"),
        ("abababbabaabba", "不同的字太少"),
        ("13812345678", "只有数字"),
        ("19880612135", "只有数字"),
        ("１３８１２３４５６７８", "只有数字"),
        ("abcdefghijkl", "连续"),
        ("QWERTYuiop[]", "连续"),
        ("1qaz2wsx3edc", "连续"),
        ("zyxwvu987654", "连续"),
        ("一二三四五六七八九十", "连续"),
        ("欧阳静怡20260612", "姓名"),
        ("欧 阳 静 怡#1988!", "姓名"),
        ("怡静阳欧@19880612", "姓名"),
        ("P002-p002#8417", "姓名"),
        ("200p8463#517", "姓名"),
        ("password@9417", "很多人"),
        ("Ｐａｓｓｗｏｒｄ＠９４１７", "很多人"),
        ("P@ssw0rd!8351", "很多人"),
        ("文控管理员admin1", "很多人"),
        ("我爱你5201314!", "很多人"),
        ("柳树绿了\n三次又三次呀", "不可用"),
        ("柳树绿了\0三次又三次呀", "不可用"),
        ("柳树绿了\ud800三次又三次呀", "不可用"),
        (" 西湖边的柳树绿了三次", "空格"),
    ],
)
def test_what_is_easily_guessed_is_refused_with_its_reason(text: str, told: str) -> None:
    with pytest.raises(PassphraseTooWeakError, match=told) as refused:
        check(text)
    assert "至少 10 个字" in str(refused.value.hint)


def test_the_refusal_never_repeats_the_passphrase() -> None:
    with pytest.raises(PassphraseTooWeakError) as refused:
        check("password@9417")
    assert "9417" not in f"{refused.value} {refused.value.hint} {refused.value!r}"


def test_the_least_length_is_the_companys() -> None:
    check("西湖边的柳树绿了三次", SigningRules(least_length=8))
    with pytest.raises(PassphraseTooWeakError, match="至少要 14 个"):
        check("西湖边的柳树绿了三次", SigningRules(least_length=14))


@given(st.text(max_size=40), st.text(max_size=10), st.text(max_size=10), st.integers(0, 40))
def test_checking_any_text_for_anybody_accepts_or_refuses(text: str, person: str, name: str, least: int) -> None:
    try:
        check_passphrase(text, rules=SigningRules(least_length=least), person=person, name=name)
    except PassphraseTooWeakError as refused:
        assert refused.code == "passphrase-too-weak"  # noqa: PT017 - both outcomes are right
    else:
        assert len(normalised(text)) >= least


def test_one_passphrase_typed_on_two_systems_is_one_passphrase() -> None:
    composed, decomposed = "caf\u00e9 が", "cafe\u0301 か\u3099"
    assert composed != decomposed
    assert normalised(composed) == normalised(decomposed)


@given(st.text(max_size=20))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_a_passphrase_expires_after_its_days() -> None:
    rules = SigningRules(most_days=365)
    assert not passphrase_expired("2025-03-01T12:00:00+00:00", NOON, rules)
    assert passphrase_expired("2025-03-01T11:59:59+00:00", NOON, rules)
    assert not passphrase_expired("2025-03-01T20:00:00+08:00", NOON, rules)


def test_without_a_limit_no_passphrase_expires() -> None:
    assert not passphrase_expired("1999-01-01T00:00:00+00:00", NOON, SigningRules(most_days=0))


@pytest.mark.parametrize("damaged", ["", "gestern", "2026-02-28T12:00:00"])
def test_a_passphrase_of_unknown_age_has_expired(damaged: str) -> None:
    assert passphrase_expired(damaged, NOON, RULES)


def test_every_failure_doubles_the_delay_up_to_a_limit() -> None:
    assert [attempt_delay(count) for count in (-1, 0, 1, 2, 3, 4, 5)] == [0, 0, 1, 2, 4, 8, 16]
    assert attempt_delay(6) == attempt_delay(10_000) == LONGEST_DELAY


def test_the_fifth_failure_locks_and_every_further_one_locks_again() -> None:
    at = NOON.isoformat()
    assert locked_until(FailedAttempts(4, at), RULES) is None
    assert locked_until(FailedAttempts(5, at), RULES) == NOON + timedelta(minutes=15)
    later = (NOON + timedelta(minutes=16)).isoformat()
    assert locked_until(FailedAttempts(6, later), RULES) == NOON + timedelta(minutes=31)


def test_nobody_is_locked_without_failures_or_where_the_company_does_not_lock() -> None:
    assert locked_until(FailedAttempts(0, ""), RULES) is None
    assert locked_until(FailedAttempts(99, NOON.isoformat()), SigningRules(lock_after=0)) is None
