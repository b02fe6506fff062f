"""口令. Which passphrases are good enough, how long they last, and what failed attempts cost (21 CFR 11.300 b, d).

A passphrase is compared as people see it: Unicode NFC, so that the same Chinese or accented words typed on another
keyboard or operating system open the same key. Keeping and trying passphrases is for the adapters.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from controller.domain.errors import RefusedError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.domain.signing_rules import SigningRules

LONGEST = 200
"""Characters a passphrase may have at most."""
LONGEST_DELAY = 30
"""Seconds that a further attempt waits at most."""
_DIGITS_ENOUGH = 16
"""A passphrase of digits alone must be this long: telephone numbers and birthdays are found at once."""
_LETTERS_ENOUGH = 4
"""Letters that must remain beside a name, an id or a common word."""

_ORDERED = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "!@#$%^&*()_+",
    "零一二三四五六七八九十百千万",
    "壹贰叁肆伍陆柒捌玖拾",
    "甲乙丙丁戊己庚辛壬癸",
    "子丑寅卯辰巳午未申酉戌亥",
)
"""What everybody's fingers or tongue run along by themselves, forwards and backwards."""
_NEIGHBOURS = frozenset(pair for line in _ORDERED for one, two in pairwise(line) for pair in (one + two, two + one))
_COMMON = (
    "administrator",
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "passwd",
    "iloveyou",
    "letmein",
    "welcome",
    "changeme",
    "default",
    "wenkong",
    "company",
    "system",
    "secret",
    "woaini",
    "5201314",
    "1314520",
    "admin",
    "login",
    "guest",
    "hello",
    "mima",
    "test",
    "user",
    "root",
    "我爱你",
    "质量管理",
    "医疗器械",
    "有限公司",
    "管理员",
    "用户名",
    "文控",
    "密码",
    "口令",
    "登录",
    "测试",
    "你好",
)
"""Words that stand in most people's first guess, the longer before those they contain."""


class PassphraseTooWeakError(RefusedError):
    """口令太弱. It would be among the first that somebody tries."""

    code = "passphrase-too-weak"

    def __init__(self, *, problem: Text, least: int, name: str | Text | None = None) -> None:
        """`name` says whose it is, where several are set at once."""
        super().__init__(
            T("{name}的口令不能用：{problem}。", name=name, problem=problem)
            if name
            else T("口令不能用：{problem}。", problem=problem),
            hint=T("请另设至少 {least} 个字的口令；三四个互不相干的词连起来（中文也可以）既好记又安全。", least=least),
        )


class Failures(Protocol):
    """登录失败. Failed attempts since the last success."""

    @property
    def count(self) -> int:
        """How many."""
        ...

    @property
    def last_at(self) -> str:
        """ISO time of the last one; empty when there is none."""
        ...


def normalised(text: str) -> str:
    """Return the passphrase in the one form (NFC) in which it is checked and used."""
    return unicodedata.normalize("NFC", text)


def check_passphrase(text: str, *, rules: SigningRules, person: str, name: str) -> None:
    """Refuse a new passphrase that is easily guessed for the person with id `person` and full name `name`.

    Raises:
        PassphraseTooWeakError: too short or long, repetitive, a run of keys, digits alone, or hardly more than the
            person's name, id or a word that everybody uses.
    """
    problem = _problem(normalised(text), least=rules.least_length, own=(name, person))
    if problem is not None:
        raise PassphraseTooWeakError(problem=problem, least=rules.least_length, name=name)


def check_authority_passphrase(text: str, *, rules: SigningRules, company: str) -> None:
    """Refuse a new passphrase of the company's authority that is easily guessed.

    Raises:
        PassphraseTooWeakError: as `check_passphrase`.
    """
    problem = _problem(normalised(text), least=rules.least_length, own=(company, "authority"))
    if problem is not None:
        raise PassphraseTooWeakError(problem=problem, least=rules.least_length, name=T("企业证书"))


def passphrase_rules(rules: SigningRules) -> Text:
    """Return what a new passphrase must be like, for whoever is about to choose one."""
    return T(
        "口令至少 {least} 个字，中文也可以；不用姓名、工号、电话、生日、连续的键或常见的词。"
        "三四个互不相干的词连起来最好记。",
        least=rules.least_length,
    )


def passphrase_expired(changed_on: str, now: datetime, rules: SigningRules) -> bool:
    """Tell whether a passphrase set at `changed_on` (ISO time) is too old; an unknown age counts as too old."""
    if rules.most_days <= 0:
        return False
    moment = _moment(changed_on)
    return moment is None or now - moment > timedelta(days=rules.most_days)


def attempt_delay(count: int) -> int:
    """Return the seconds that the next attempt waits after `count` failures: 1, 2, 4 … up to `LONGEST_DELAY`."""
    return 0 if count <= 0 else min(1 << min(count - 1, 16), LONGEST_DELAY)


def locked_until(failures: Failures, rules: SigningRules) -> datetime | None:
    """Return until when no attempt is taken (it may lie in the past), None when there were too few failures.

    After the lock one attempt is taken; failing again locks again.
    """
    last = _moment(failures.last_at)
    if rules.lock_after <= 0 or failures.count < rules.lock_after or last is None:
        return None
    return last + timedelta(minutes=rules.lock_minutes)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _problem(text: str, *, least: int, own: tuple[str, ...]) -> Text | None:
    if any(unicodedata.category(char) in {"Cc", "Cs", "Cn"} for char in text):
        return T("含有不可用的字符（如换行、制表符）")
    if text != text.strip():
        return T("首尾有空格，容易输错")
    if len(text) < least:
        return T("只有 {count} 个字，至少要 {least} 个", count=len(text), least=least)
    if len(text) > LONGEST:
        return T("超过 {limit} 个字", limit=LONGEST)
    plain = unicodedata.normalize("NFKC", text).casefold()
    if _period(plain) < min(least, len(plain)):
        return T("只是同样的字反复出现")
    if len(set(plain)) * 3 < min(least, len(plain)):
        return T("不同的字太少")
    if plain.isdecimal() and len(plain) < _DIGITS_ENOUGH:
        return T("只有数字，像电话、生日或证件号一样容易猜到")
    if _unforeseen(plain) * 2 <= min(least, len(plain)):
        return T("多是连续的字母、数字或键盘上相邻的键")
    if _hardly_more_than(plain, _variants(own)):
        return T("与本人的姓名或人员编号相近")
    if _hardly_more_than(plain, _COMMON):
        return T("是很多人都用的词")
    return None


def _period(text: str) -> int:
    """Return the length of the shortest beginning of which the whole text is a repetition, a last part cut off."""
    return next(
        (length for length in range(1, len(text) // 2 + 1) if text[length:] == text[:-length]),
        len(text),
    )


def _unforeseen(text: str) -> int:
    """Count the characters that neither repeat the one before nor lie beside it in a usual order."""
    return 1 + sum(1 for one, two in pairwise(text) if one != two and one + two not in _NEIGHBOURS)


def _variants(own: tuple[str, ...]) -> Iterator[str]:
    for word in own:
        squeezed = "".join(unicodedata.normalize("NFKC", word).casefold().split())
        if len(squeezed) > 1:
            yield squeezed
            yield squeezed[::-1]


def _hardly_more_than(text: str, words: tuple[str, ...] | Iterator[str]) -> bool:
    whole = rest = "".join(text.split())
    for word in words:
        rest = rest.replace(word, " ")
    return rest != whole and sum(1 for char in rest if char.isalpha()) < _LETTERS_ENOUGH
