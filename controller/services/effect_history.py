"""生效日的历史. What every commit of branch `main` said of the days from which revisions govern (4.2.4, in force).

Each commit carries the schedule of effect of its moment (`signatures/effect.json`): what is new in it came with the
commit, and a day that differs was stated anew. Nothing but the commits is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.revision_timeline import RevisionEvent
from controller.domain.statement import CHANGES
from controller.file_formats.effect_file import EFFECT_FILE, EffectFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from controller.domain.effect_schedule import PendingEffect
    from controller.services.examination_ports import HistoricCommit

    Schedule = Mapping[tuple[str, str], PendingEffect]


@dataclass(frozen=True)
class StatedDays:
    """一次更改所定的生效日. What one commit stated about days."""

    commit: str
    change: str
    """Number of the change that the commit belongs to; empty: none."""
    coming: Mapping[str, PendingEffect]
    """Path of an item → its entry, where the commit brought one."""
    moved: Mapping[str, PendingEffect]
    """Path of an item → its entry, where the commit states its day anew."""

    def event(self, path: str, revision: str | None, known: datetime) -> RevisionEvent:
        """Return what became known when the commit changed the item at `path` to `revision`."""
        entry = self.coming.get(path)
        return RevisionEvent(
            known, revision, entry.begins if entry is not None else None, self.change, commit=self.commit
        )

    def anew(self, path: str, known: datetime) -> RevisionEvent | None:
        """Return that the first day of the item at `path` is stated anew, None when it is not."""
        entry = self.moved.get(path)
        if entry is None:
            return None
        return RevisionEvent(known, entry.revision, entry.begins, entry.change, moves=True, commit=self.commit)


class EffectHistory:
    """生效日的历史. Goes along the commits of `main`, oldest first.

    Args:
        schedule: gives what waits by its name in the store: change and item → entry, None for what cannot be read.
    """

    def __init__(self, schedule: Callable[[str], Schedule | None]) -> None:
        self._schedule = schedule
        self._waiting: Schedule = {}

    def passed(self, commit: HistoricCommit) -> StatedDays:
        """Take the next commit and return what it stated.

        Raises:
            EffectFileError: the schedule that it carries cannot be read.
        """
        folder, _slash, inside = commit.statement.partition("/")
        change = inside.partition("/")[0] if folder == CHANGES else ""
        written = next((item for item in commit.changes if item.path == EFFECT_FILE), None)
        if written is None:
            return StatedDays(commit.commit, change, {}, {})
        before = self._waiting
        found = self._schedule(written.content) if written.kind != "D" else {}
        if found is None:
            raise EffectFileError(where=EFFECT_FILE)
        self._waiting = found
        coming: dict[str, PendingEffect] = {}
        moved: dict[str, PendingEffect] = {}
        for key, item in found.items():
            old = before.get(key)
            if old is None:
                coming |= dict.fromkeys(item.paths, item)
            elif old.begins != item.begins:
                moved |= dict.fromkeys(item.paths, item)
        return StatedDays(commit.commit, change, coming, moved)
