"""人员的显示. How people, posts and certificates are shown, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.text import T, Text

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.cli.output import Output
    from controller.domain.trust import TrustedPerson


def posts_shown(application: Application, person: TrustedPerson, out: Output) -> str:
    """Return the posts of a person in one line, with their days where they have any."""
    shown = []
    for item in person.posts:
        known = application.staff.posts.get(item.post)
        name = known.name if known else item.post
        if item.until is not None:
            days = T("{name}（{since} 至 {until}）", name=name, since=item.since or "", until=item.until)
            shown.append(out.text(days))
        elif item.since is not None:
            shown.append(out.text(T("{name}（{since} 起）", name=name, since=item.since)))
        else:
            shown.append(name)
    return "、".join(shown)


def certificate_state(application: Application, person: TrustedPerson) -> Text:
    """Return in a few words whether the person can sign."""
    if not person.active:
        return T("已停用")
    standing = application.people_standing
    missing = standing.history().missing_witnesses(person.id)
    found = standing.certificate(person.certificate) if person.certificate is not None else None
    if found is None and missing:
        return T("申请中，未生效（还差 {count} 位见证人）", count=missing)
    if found is None:
        before = standing.history().certificates_of(person.id)
        revoked = bool(before) and standing.standing_now(before[-1]).code == "certificate-revoked"
        return T("证书已吊销") if revoked else T("没有证书")
    problem = standing.problem(person.id, found[1].digest)
    if problem is not None:
        return problem
    until = f"{found[1].not_after.astimezone(application.zone):%Y-%m-%d}"
    if missing:
        return T("有效至 {until}；新证书申请中，未生效（还差 {count} 位见证人）", until=until, count=missing)
    return T("有效至 {until}", until=until)


def person_data(application: Application, person: TrustedPerson) -> dict[str, object]:
    """Return the stable JSON shape of a person."""
    standing = application.people_standing
    found = standing.certificate(person.certificate) if person.certificate is not None else None
    certificate: dict[str, object] | None = None
    if found is not None:
        facts = found[1]
        certificate = {
            "digest": facts.digest.text,
            "fingerprint": facts.digest.paired,
            "issuer": facts.issuer,
            "not_before": facts.not_before.isoformat(),
            "not_after": facts.not_after.isoformat(),
            "counts": standing.problem(person.id, facts.digest) is None,
            "witnesses": list(person.witnesses),
        }
    return {
        "id": person.id,
        "name": person.name,
        "active": person.active,
        "posts": [
            {
                "post": item.post,
                "since": item.since.isoformat() if item.since else None,
                "until": item.until.isoformat() if item.until else None,
            }
            for item in person.posts
        ],
        "certificate": certificate,
        "missing_witnesses": standing.history().missing_witnesses(person.id),
    }
