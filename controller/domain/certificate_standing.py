"""证书效力. Whether a certificate counted at a place in the archive's order and at a time, and if not, why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.domain.identifiers import Digest
    from controller.domain.people_state import PeopleState, Period
    from controller.domain.signature import CertificateFacts
    from controller.domain.text import Text


@dataclass(frozen=True)
class Standing:
    """证书效力. The answer for one certificate at one moment; `why` and `code` are there exactly when not trusted."""

    trusted: bool
    certificate: Digest
    person: str = ""
    """Id of whose certificate it is; empty when nobody ever stated that it is theirs."""
    name: str = ""
    code: str = ""
    """Stable code of the finding: `certificate-not-enrolled`, `certificate-revoked` …"""
    why: Text | None = None
    path: str | None = None
    """The statement that ended it."""


def standing_of(
    state: PeopleState,
    certificates: Mapping[Digest, CertificateFacts],
    certificate: Digest,
    *,
    order: int,
    at: datetime,
) -> Standing:
    """Return whether `certificate` counted at place `order` of the archive and at time `at` (aware)."""
    facts = certificates.get(certificate)
    if facts is None:
        why = T("证书 {certificate} 不在档案中", certificate=short(certificate))
        return Standing(False, certificate, code="certificate-missing", why=why)
    period = state.periods.get(certificate)
    if period is None or order < period.since:
        return _not_yet(state, certificate, facts, period)
    person = state.people[period.person]
    if period.until is not None and order > period.until:
        return Standing(
            False, certificate, person.id, person.name, period.ended_by, _ended(period, person.name), period.ended_path
        )
    if not facts.not_before <= at <= facts.not_after:
        if at > facts.not_after:
            code, why = (
                "certificate-expired",
                T("{name}的证书已于 {day} 到期", name=person.name, day=f"{facts.not_after:%Y-%m-%d}"),
            )
        else:
            code, why = (
                "certificate-not-yet-valid",
                T("{name}的证书从 {day} 起才有效", name=person.name, day=f"{facts.not_before:%Y-%m-%d}"),
            )
        return Standing(False, certificate, person.id, person.name, code, why)
    return Standing(True, certificate, person.id, person.name)


def short(certificate: Digest) -> str:
    """Return the first digits of a certificate's fingerprint, enough to tell it from others."""
    return certificate.hex[:16]


def _not_yet(state: PeopleState, certificate: Digest, facts: CertificateFacts, period: Period | None) -> Standing:
    claimed = state.claimed.get(certificate, "")
    person = state.people.get(claimed)
    name = person.name if person else facts.name
    if period is None and person is None:
        why = T("以“{name}”名义签发的证书 {certificate} 没有登记", name=name, certificate=short(certificate))
    else:
        why = T("{name}的证书 {certificate} 当时还没有完成见证", name=name, certificate=short(certificate))
    return Standing(False, certificate, claimed, name, "certificate-not-enrolled", why)


def _ended(period: Period, name: str) -> Text:
    day = f"{period.until_at:%Y-%m-%d %H:%M}" if period.until_at else ""
    if period.ended_by == "certificate-revoked":
        return T("{name}的证书已于 {time} 吊销", name=name, time=day)
    if period.ended_by == "person-retired":
        return T("{name}已于 {time} 停用", name=name, time=day)
    return T("{name}的证书已于 {time} 由新证书取代", name=name, time=day)
