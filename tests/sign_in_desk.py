"""测试用登录台. One computer where people sign in: keys, sittings and counters in memory, and what they are asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

import pytest

from controller.domain.person import Person, Post, Staff
from controller.domain.personal_key import PassphraseWrongError, PersonalKeyMissingError
from controller.domain.signature import Origin
from controller.domain.signing_rules import SigningRules
from controller.services.signing_in import SigningIn
from controller.services.signing_ports import FailedAttempts, HeldKey, Sitting
from controller.services.statement_filing import StatementFiling
from controller.services.workspace_identity import WorkspaceIdentity
from tests.memory_site import MemorySite
from tests.signers import COMPANY, WORKSPACE, company

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.identifiers import Digest
    from controller.domain.signature import SigningKey
    from controller.domain.statement import Event
    from controller.domain.text import Text
    from controller.services.personal_signer import PassphraseAnswer, PassphraseQuestion
    from controller.services.signing_ports import PersonalKeys


AT = datetime.fromisoformat("2026-05-20T10:00:00+08:00")
RIGHT, WRONG, NEW = "窗台纸船17只海棠3株", "猜的口令-88-铁锚", "灯塔-92-银杏-雨"
STAFF = Staff(
    {
        "p002": Person("p002", "林静", ("quality_head",)),
        "p003": Person("p003", "陈晓", ("quality_officer",)),
        "p004": Person("p004", "王强", ("sales_clerk",)),
        "p005": Person("p005", "赵敏", ("sales_clerk",), active=False),
    },
    {
        "quality_head": Post("quality_head", "质量负责人"),
        "quality_officer": Post("quality_officer", "质管员"),
        "sales_clerk": Post("sales_clerk", "购销员"),
    },
)


@dataclass
class Keys:
    """In place of the key files: passphrases in memory, keys of the test company."""

    passphrases: dict[str, str] = field(default_factory=lambda: dict.fromkeys(["p002", "p003", "p004", "p005"], RIGHT))
    changed_on: str = AT.isoformat()
    tried: int = 0

    def held(self) -> Sequence[HeldKey]:
        return [HeldKey(person, b"", self.changed_on) for person in self.passphrases]

    def unlock(self, person: str, passphrase: str) -> SigningKey:
        self.tried += 1
        if person not in self.passphrases:
            raise PersonalKeyMissingError(person=person, place="keys")
        name = STAFF.people[person].name
        if passphrase != self.passphrases[person]:
            raise PassphraseWrongError(name=name)
        return company().key(person, name)

    def change_passphrase(self, person: str, *, old: str, new: str, at: datetime) -> None:
        assert self.passphrases[person] == old
        self.passphrases[person] = new
        self.changed_on = at.isoformat()


@dataclass
class OpenSittings:
    """Sittings in memory; ids count up."""

    kept: dict[str, Sitting] = field(default_factory=dict)
    opened: int = 0

    def open(self, person: str, key: SigningKey | None, *, at: datetime) -> Sitting:
        self.opened += 1
        self.kept[person] = Sitting(f"s{self.opened}", person, at.isoformat(), at.isoformat(), key)
        return self.kept[person]

    def all(self) -> Sequence[Sitting]:
        return sorted(self.kept.values(), key=lambda item: item.used_at, reverse=True)

    def touch(self, sitting: Sitting, *, at: datetime, signed: bool = False) -> None:
        present = self.kept[sitting.person]
        self.kept[sitting.person] = replace(present, used_at=at.isoformat(), signed=present.signed or signed)

    def close(self, person: str) -> None:
        self.kept.pop(person, None)


@dataclass
class Attempts:
    kept: dict[str, FailedAttempts] = field(default_factory=dict)

    def failures(self, person: str) -> FailedAttempts:
        return self.kept.get(person, FailedAttempts(0, ""))

    def note(self, person: str, *, at: datetime) -> FailedAttempts:
        self.kept[person] = FailedAttempts(self.failures(person).count + 1, at.isoformat())
        return self.kept[person]

    def clear(self, person: str) -> None:
        self.kept.pop(person, None)


class FullDiskError(Exception):
    """Nothing can be filed."""


class FullSite(MemorySite):
    """An archive whose disk may be full."""

    full = False

    def file(self, files: object) -> str:
        if self.full:
            raise FullDiskError
        return super().file(files)  # type: ignore[arg-type]


@dataclass
class Desk:
    """One computer with its keys, sittings and counters; each `command` is another run of the program."""

    moment: datetime = AT
    rules: SigningRules = field(default_factory=SigningRules)
    keys: Keys = field(default_factory=Keys)
    sittings: OpenSittings = field(default_factory=OpenSittings)
    attempts: Attempts = field(default_factory=Attempts)
    site: FullSite = field(default_factory=FullSite)
    waits: list[float] = field(default_factory=list)
    questions: list[PassphraseQuestion] = field(default_factory=list)
    answers: list[PassphraseAnswer | None] = field(default_factory=list)
    problems: dict[str, Text] = field(default_factory=dict)
    """Person id → why the certificate does not count."""

    def now(self) -> datetime:
        return self.moment

    @property
    def statements(self) -> StatementFiling:
        identity = WorkspaceIdentity(id=WORKSPACE, site="main", company=COMPANY)
        return StatementFiling(self.site, identity, self, self.origin(""))

    @staticmethod
    def origin(sitting: str) -> Origin:
        return Origin(computer="前台", account="office", sitting=sitting)

    def command(self) -> SigningIn:
        return SigningIn(
            staff=STAFF,
            keys=cast("PersonalKeys", self.keys),
            sittings=self.sittings,
            attempts=self.attempts,
            rules=self.rules,
            clock=self,
            statements=self.statements,
            standing=self._standing,
            origin=self.origin,
            wait=self.waits.append,
            ask=self._ask,
        )

    def _standing(self, person: str, _certificate: Digest) -> Text | None:
        return self.problems.get(person)

    def _ask(self, question: PassphraseQuestion) -> PassphraseAnswer | None:
        self.questions.append(question)
        return self.answers.pop(0)

    def guess(self, name: str = "林静", *, times: int = 1) -> None:
        for _ in range(times):
            with pytest.raises(PassphraseWrongError):
                self.command().sign_in(name, WRONG)

    def trail(self) -> list[tuple[Event, str | None, str, dict[str, object]]]:
        """Event, who signed it, subject and details of every statement in the trail, the oldest first."""
        found = [item.statement for item in self.statements.recent("trail", 1000)]
        return [
            (item.event, item.by.person if item.by else None, item.subject, dict(item.new)) for item in reversed(found)
        ]
