"""证书机构管理. A new root for the company after the old one was lost or given away, by two people together.

Old certificates go on counting until each person has enrolled a new one under the new root.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.passphrase import check_authority_passphrase
from controller.domain.statement import AUTHORITY, Event
from controller.domain.text import T
from controller.file_formats.certificate_file import to_pem
from controller.services.archive_ports import ControlledChange
from controller.services.library_check import ROOT_FILE
from controller.services.people_standing import certificate_path
from controller.services.person_control import check_holder, check_reason
from controller.services.person_enrolment import WITNESSING
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from controller.domain.person import Staff
    from controller.domain.signing_rules import SigningRules
    from controller.services.people_standing import PeopleStanding
    from controller.services.ports import Clock
    from controller.services.signing_ports import AuthorityKey, Signer
    from controller.services.statement_filing import FiledStatement, StatementFiling
    from controller.services.workspace_identity import WorkspaceIdentity

ROOT_YEARS = 20
MEANING = "批准"


class SecondPersonNeededError(RefusedError):
    """须两人共同办理. One person alone cannot change the root (21 CFR 11.200 a 3)."""

    code = "second-person-needed"
    unauthorised = True

    def __init__(self) -> None:
        super().__init__(
            T("更换证书机构须由两位有见证岗位的人员共同办理。"),
            hint=T("两人都在本机登录，然后加 --with 另一人的姓名。"),
        )


class RootUnknownError(RefusedError):
    """没有根证书. The archive has no authority whose root could be replaced."""

    code = "root-unknown"

    def __init__(self) -> None:
        super().__init__(T("档案中没有有效的企业根证书。"), hint=T("请运行 qms verify 查看全部问题。"))


@dataclass(frozen=True)
class NewRoot:
    """新根证书."""

    root: bytes
    """DER."""
    in_force: bool
    """False while a second signature is missing."""
    filed: FiledStatement


class AuthorityControl:
    """证书机构管理."""

    def __init__(
        self,
        *,
        statements: StatementFiling,
        standing: PeopleStanding,
        staff: Staff,
        rules: SigningRules,
        authority: AuthorityKey,
        clock: Clock,
        identity: WorkspaceIdentity,
    ) -> None:
        self._statements = statements
        self._standing = standing
        self._staff = staff
        self._rules = rules
        self._authority = authority
        self._clock = clock
        self._identity = identity

    def replace(self, by: Signer, second: Signer | None, *, passphrase: str, reason: str) -> NewRoot:
        """Make a new root; `second` signs the same statement, and may be None only where nobody else could.

        Raises:
            SecondPersonNeededError: there is somebody who could sign as second.
            PostNeededError: one of the two may not.
            ReasonNeededError, PassphraseTooWeakError: nothing was made.
        """
        act = T("更换证书机构")
        posts = self._rules.witness_posts
        check_holder(self._staff, self._standing, by, posts, act, self._clock)
        why = check_reason(reason, act)
        if second is not None:
            check_holder(self._staff, self._standing, second, posts, act, self._clock)
        self._check_second(by, second)
        check_authority_passphrase(passphrase, rules=self._rules, company=self._identity.company)
        before = self._standing.history().roots
        if not before:
            raise RootUnknownError
        by.ready(MEANING)
        if second is not None:
            second.ready(WITNESSING)
        root = self._authority.found(
            company=self._identity.company,
            workspace=self._identity.id,
            passphrase=passphrase,
            at=self._clock.now(),
            years=ROOT_YEARS,
        )
        pem, digest = to_pem(root), Digest.of(root)
        draft = StatementDraft(
            AUTHORITY,
            Event.AUTHORITY_REPLACED,
            subject=self._identity.company,
            meaning=MEANING,
            reason=why,
            old={"root": before[-1].text},
            new={"root": digest.text, "reason": why},
            files={ROOT_FILE: Digest.of(pem)},
        )
        change = ControlledChange({ROOT_FILE: pem}, action=draft.event.value, subject=ROOT_FILE, note=why)
        filed = self._statements.file(draft, by, along={certificate_path(digest): pem}, controlled=change)
        if second is not None:
            self._statements.countersign(AUTHORITY, filed.statement.sequence, second)
        return NewRoot(root, self._standing.history().roots[-1] == digest, filed)

    def confirm(self, by: Signer) -> None:
        """Sign as second a change of root that was left with one signature.

        Raises:
            RootUnknownError: no change waits.
            PostNeededError: who acts may not.
        """
        waiting = self._standing.history().waiting_root
        if waiting is None:
            raise RootUnknownError
        act = T("更换证书机构")
        check_holder(self._staff, self._standing, by, self._rules.witness_posts, act, self._clock)
        by.ready(WITNESSING)
        self._statements.countersign(AUTHORITY, int(waiting.rpartition("/")[2].removesuffix(".json")), by)

    def _check_second(self, by: Signer, second: Signer | None) -> None:
        person = by.signatory.person
        history, now = self._standing.history(), self._clock.now()
        alone = not history.witnesses_for(person, self._rules.witness_posts, at=now)
        alone = alone and not history.lately_removed(person, at=now)
        if (second is None and not alone) or (second is not None and second.signatory.person == person):
            raise SecondPersonNeededError
