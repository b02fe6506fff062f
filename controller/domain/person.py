"""人员与岗位. People and posts as the files in `signatures/` describe them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.record import Signatory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date


@dataclass(frozen=True)
class Post:
    """岗位. A post and what it may do; keys are used by form stages and routes."""

    key: str
    name: str
    note: str | None = None
    department: str | None = None
    """归属部门."""
    duty: str | None = None
    """Number of the duty document (岗位职责) that describes the post."""
    key_post: bool = False
    """质量安全关键岗位."""
    business: bool = True
    """False for the post that keeps the system running and must not be held together with any other."""


@dataclass(frozen=True)
class PostHeld:
    """任职. A post with the days on which somebody holds it, first and last included."""

    post: str
    """Key of the post."""
    since: date | None = None
    """None: not known, long ago."""
    until: date | None = None
    """None: until further notice."""

    def on(self, day: date) -> bool:
        """Tell whether the post is held on `day`."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


@dataclass(frozen=True)
class Person:
    """人员. One human being; ids are never reused (21 CFR 11.100 a)."""

    id: str
    name: str
    posts: Sequence[str]
    """Post keys, the main post first; those held on the day for which the file was read."""
    active: bool = True
    held: tuple[PostHeld, ...] = ()
    """Every post on file with its days, the past and coming ones too."""


@dataclass(frozen=True)
class Staff:
    """在册人员. Everybody known to the workspace."""

    people: Mapping[str, Person] = field(default_factory=dict)
    posts: Mapping[str, Post] = field(default_factory=dict)

    def signatory(self, person: Person, post: str | None = None) -> Signatory:
        """Return `person` as the one who acts, in `post` or the main post."""
        key = post or (person.posts[0] if person.posts else "")
        known = self.posts.get(key)
        return Signatory(person=person.id, name=person.name, post=known.name if known else key)
