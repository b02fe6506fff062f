"""人员证明的材料. What `domain.trust` judges: statements about people and the authority with their signatures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from controller.domain.person import PostHeld
from controller.domain.statement import AUTHORITY, Statement, statement_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.identifiers import Digest
    from controller.domain.record import Wire
    from controller.domain.signature import CheckedSignature

PEOPLE = "people/"
"""How the chains of people begin; the person's id follows."""
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class WitnessSignature:
    """见证签名. A signature over the same bytes by somebody else (`NNNN.<person>.p7s`)."""

    person: str
    """Who, according to the file's name; the certificate must be this person's."""
    signature: CheckedSignature
    path: str
    order: int
    """Place of its commit in the archive; at run time its time in seconds."""


@dataclass(frozen=True)
class TrustEvent:
    """人员事件. One statement of the chains `people/…` or `authority`, as filed."""

    statement: Statement
    digest: Digest
    path: str
    """Archive path of the statement, with `.json`."""
    order: int
    """Place of its commit in the archive; at run time its time in seconds."""
    signature: CheckedSignature | None
    witnesses: Sequence[WitnessSignature] = field(default=())

    @property
    def person(self) -> str:
        """The person that the chain is about; empty for the authority's."""
        chain = self.statement.chain
        return chain.removeprefix(PEOPLE) if chain.startswith(PEOPLE) else ""

    @property
    def at(self) -> datetime:
        """The time it states, aware."""
        return datetime.fromisoformat(self.statement.at)

    @property
    def day(self) -> date:
        """The day it states, in the company's time zone."""
        return self.at.date()

    @property
    def in_place(self) -> bool:
        """Whether it lies where its own words say."""
        statement = self.statement
        about = statement.chain == AUTHORITY or bool(self.person)
        return about and self.path == statement_path(statement.chain, statement.sequence) + ".json"

    def witnessed_on(self, witness: WitnessSignature) -> date:
        """Return the day of a witness's signature, in the time zone of the statement."""
        return witness.signature.signed_at.astimezone(self.at.tzinfo).date()


def person_order(person: str) -> tuple[tuple[int, str], ...]:
    """Return a key that sorts p2 before p10."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(person))


def posts_wire(posts: Sequence[PostHeld]) -> list[Wire]:
    """Return posts as they stand in statements."""
    return [
        {
            "post": item.post,
            "since": item.since.isoformat() if item.since else None,
            "until": item.until.isoformat() if item.until else None,
        }
        for item in posts
    ]


def posts_stated(new: Mapping[str, Wire]) -> tuple[PostHeld, ...] | None:
    """Return the posts that a statement names, None when it names none that can be understood."""
    listed = new.get("posts")
    if not isinstance(listed, list) or not listed:
        return None
    found: list[PostHeld] = []
    for item in listed:
        if not isinstance(item, dict) or set(item) != {"post", "since", "until"}:
            return None
        post, since, until = item["post"], item["since"], item["until"]
        if not isinstance(post, str) or not post:
            return None
        try:
            found.append(PostHeld(post, _day(since), _day(until)))
        except (TypeError, ValueError):
            return None
    return tuple(found)


def _day(value: Wire) -> date | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError
    return date.fromisoformat(value)
