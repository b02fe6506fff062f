"""两人企业豁免. The signed statement with which a company of too few people lets one person draft and review.

It names its reason and its last day, is signed by the head of the company, and never lets the drafter approve.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from controller.domain.document_signatures import ExemptionInForce
from controller.domain.errors import MisconfiguredError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.route import APPROVE, months_later
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.route_file import ROUTES_FILE
from controller.services.signed_statement import flaw_of
from controller.services.staff_directory import PostNeededError
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from controller.domain.person import Staff
    from controller.domain.route import Exemption, Routes
    from controller.services.ports import Clock, LibraryFiles
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import StatementFiling

EXEMPTION_CHAIN = "documents/TWO-PERSON-EXEMPTION/A-0"
"""Kept like the signatures on a document, because it is one: on the text of the exemption in the routes file."""
_SHORTEST_REASON = 4


class NoExemptionError(MisconfiguredError):
    """没有豁免条款. The routes file has no exemption that could be signed."""

    code = "exemption-missing"

    def __init__(self) -> None:
        super().__init__(
            T("签署路线文件没有豁免条款（exemption）。"),
            hint=T("在 {path} 写明豁免条款并经文件更改程序采用后再签。", path=ROUTES_FILE),
            where=ROUTES_FILE,
        )


class ExemptionRefusedError(RefusedError):
    """豁免不能这样签. No reason, or for longer than the company's own rule allows."""

    code = "exemption-refused"

    def __init__(self, *, months: int) -> None:
        super().__init__(
            T("豁免须写明理由，期限为 0 到 {months} 个月（0 表示立即停用）。", months=months),
            hint=T("例如：qms doc exempt --reason 质管部只有一人 --months {months}", months=months),
        )


class DocumentExemption:
    """两人企业豁免服务. Signs the exemption and tells whether one is in force."""

    def __init__(
        self, *, statements: StatementFiling, files: LibraryFiles, routes: Routes, staff: Staff, clock: Clock
    ) -> None:
        self._statements = statements
        self._files = files
        self._routes = routes
        self._staff = staff
        self._clock = clock

    def in_force(self) -> ExemptionInForce | None:
        """Return the exemption that is in force today, None when there is none."""
        rule = self._routes.exemption
        newest = self._statements.newest(EXEMPTION_CHAIN) if rule is not None else None
        if rule is None or newest is None or flaw_of(newest) is not None:
            return None
        stated = newest.statement
        since, until = _day(stated.new.get("since")), _day(stated.new.get("until"))
        same_text = stated.new.get("text") == rule.text
        if stated.by is None or since is None or until is None or not same_text:
            return None
        if not since <= self._clock.now().date() <= until:
            return None
        return ExemptionInForce(newest.digest, stated.by, stated.reason or "", since, until)

    def sign(self, signer: Signer, *, reason: str, months: int | None = None) -> date:
        """Sign the exemption for `months` from today (0 ends it, None: as long as allowed); return its last day.

        Raises:
            NoExemptionError: the routes file has none.
            PostNeededError: the signer does not hold a post that may sign it.
            ExemptionRefusedError: no reason is given, or it is for too long.
        """
        rule = self._routes.exemption
        if rule is None:
            raise NoExemptionError
        self._check_post(rule, signer)
        wanted = rule.valid_months if months is None else months
        if len(reason.strip()) < _SHORTEST_REASON or not 0 <= wanted <= rule.valid_months:
            raise ExemptionRefusedError(months=rule.valid_months)
        today = self._clock.now().date()
        until = date.fromordinal(months_later(today, wanted).toordinal() - 1)
        signer.ready(APPROVE)
        content = self._files.read(ROUTES_FILE)
        draft = StatementDraft(
            chain=EXEMPTION_CHAIN,
            event=Event.DOCUMENT_SIGNED,
            subject=rule.label,
            meaning=APPROVE,
            reason=reason.strip(),
            new={"since": today.isoformat(), "until": until.isoformat(), "text": rule.text},
            files={ROUTES_FILE: Digest.of(content)} if content is not None else {},
        )
        self._statements.file(draft, signer)
        return until

    def _check_post(self, rule: Exemption, signer: Signer) -> None:
        person = self._staff.people.get(signer.signatory.person)
        if person is None or not set(person.posts) & set(rule.signed_by):
            names = [self._staff.posts[key].name if key in self._staff.posts else key for key in rule.signed_by]
            raise PostNeededError(act=T("{label}", label=rule.label), name=signer.signatory.name, posts=names)


def _day(value: object) -> date | None:
    try:
        return datetime.strptime(value, "%Y-%m-%d").date() if isinstance(value, str) else None  # noqa: DTZ007 - a day
    except ValueError:
        return None
