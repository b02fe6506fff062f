"""签名规则文件. `signatures/signing.yml` → `SigningRules`, with every problem at once and its line.

What is not written has the value of the starter library; what is written must be within limits that keep signing in
meaningful (21 CFR 11.300): a lock that never falls or a passphrase of three characters is refused, not obeyed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.errors import MisconfiguredError
from controller.domain.signing_rules import Profile, SigningRules
from controller.domain.text import T
from controller.file_formats.definition_reading import DefinitionFileError, Part, Reading

if TYPE_CHECKING:
    from collections.abc import Collection


SIGNING_FILE = "signatures/signing.yml"
SIGNING_FORMAT = "wenkong/signing/1"

_KEYS = (
    "format",
    "profile",
    "sitting_hours",
    "idle_minutes",
    "passphrase",
    "failures",
    "certificate_years",
    "registrar_posts",
    "witness_posts",
    "informed_posts",
    "unmask_posts",
    "note",
)
_POST_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PROFILES = tuple(profile.value for profile in Profile)


class SigningRulesError(DefinitionFileError, MisconfiguredError):
    """签名规则有误. `signatures/signing.yml` cannot be used; `findings` has every problem with its line."""

    code = "signing-rules-invalid"
    says = T("签名规则有 {count} 处错误，第一处：{problem}")


def read_signing_rules(text: str, *, where: str = SIGNING_FILE, posts: Collection[str] | None = None) -> SigningRules:
    """Return the signing rules in `text`; with `posts`, the posts named must be among them.

    Raises:
        SigningRulesError: the file has errors; carries all of them.
    """
    reading = Reading()
    top = reading.file(text, where=where, title=T("签名规则"), expected=SIGNING_FORMAT)
    if top is None:
        raise SigningRulesError(findings=reading.findings)
    top.check_keys(_KEYS)
    rules = _rules(top, posts)
    if rules.idle_minutes > rules.sitting_hours * 60:
        hint = T("sitting_hours 为 {hours} 小时，idle_minutes 应不超过它。", hours=rules.sitting_hours)
        top.wrong("idle_minutes", "definition-value", T("idle_minutes 比登录的最长时间还长"), hint=hint)
    if reading.broken:
        raise SigningRulesError(findings=reading.findings)
    return rules


def _rules(top: Part, posts: Collection[str] | None) -> SigningRules:
    usual = SigningRules()
    passphrase = _below(top, "passphrase", ("least_length", "most_days"))
    failures = _below(top, "failures", ("lock_after", "lock_minutes"))
    return SigningRules(
        profile=Profile(top.one_of("profile", _PROFILES, usual.profile.value)),
        sitting_hours=top.whole_or("sitting_hours", usual.sitting_hours, (1, 24)),
        idle_minutes=top.whole_or("idle_minutes", usual.idle_minutes, (1, 480)),
        least_length=passphrase.whole_or("least_length", usual.least_length, (8, 64)),
        most_days=passphrase.whole_or("most_days", usual.most_days, (0, 3650)),
        lock_after=failures.whole_or("lock_after", usual.lock_after, (1, 20)),
        lock_minutes=failures.whole_or("lock_minutes", usual.lock_minutes, (1, 1440)),
        certificate_years=top.whole_or("certificate_years", usual.certificate_years, (1, 10)),
        registrar_posts=_posts(top, "registrar_posts", usual.registrar_posts, posts),
        witness_posts=_posts(top, "witness_posts", usual.witness_posts, posts, least=2),
        informed_posts=_posts(top, "informed_posts", usual.informed_posts, posts),
        unmask_posts=_posts(top, "unmask_posts", usual.unmask_posts, posts),
    )


def _below(top: Part, key: str, known: Collection[str]) -> Part:
    part = top.part(key, T("签名规则的 {key}", key=key))
    if part is None:
        return Part(top.reading, {}, top.where, top.lines, (*top.path, key), top.title)
    part.check_keys(known)
    return part


def _posts(
    top: Part, key: str, usual: tuple[str, ...], known: Collection[str] | None, *, least: int = 1
) -> tuple[str, ...]:
    if key not in top.data:
        return usual
    found = top.posts(key, known)
    for post in found:
        if known is None and not _POST_KEY.fullmatch(post):
            example = T("写岗位文件中的岗位键，例如 quality_head。")
            top.wrong(key, "definition-value", T("{key} 里的“{post}”不是岗位键", key=key, post=post[:40]), hint=example)
    if len(found) < least:
        apart = T("两位见证人不得同一岗位，所以 witness_posts 至少写两个岗位。") if least > 1 else None
        top.wrong(key, "definition-value", T("{key} 至少写 {least} 个岗位", key=key, least=least), hint=apart)
    return found
