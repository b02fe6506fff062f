"""现行文件. The library as it is in force today: what is approved for a later day still reads as before (4.2.4).

Everything that fills, prints or checks reads through here; whoever changes the library reads its newest state instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from controller.domain.effect_schedule import EffectSchedule
from controller.domain.references import short_number
from controller.file_formats.effect_file import EFFECT_FILE, read_effect
from controller.services.ports import ControlledFiles

if TYPE_CHECKING:
    from datetime import date

    from controller.domain.effect_schedule import PendingEffect
    from controller.services.ports import Clock, LibraryFiles


class DatedFiles(ControlledFiles, Protocol):
    """各次更改的受控文件. Controlled files that can also be read as an earlier commit had them."""

    def read(self, path: str, *, at: str | None = None) -> bytes | None:
        """Return the file's bytes as of commit `at`, the newest by default; None when there is none."""
        ...

    def folders(self, path: str, *, at: str | None = None) -> list[str]:
        """Return the names of the folders directly below `path`, sorted."""
        ...

    def files(self, path: str, *, at: str | None = None) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        ...


class EditedFiles:
    """文件夹里的文件. Implements `LibraryFiles`: the folder, with what is withdrawn only from a later day.

    The files of a withdrawn item leave the folder when it is approved; until its day the item is in force.
    """

    def __init__(self, working: LibraryFiles, approved: DatedFiles, in_force: FilesInForce) -> None:
        self._working = working
        self._approved = approved
        self._in_force = in_force

    def revision(self) -> str:
        """Return a name for the folder's present content; what was read counts for one check only."""
        return "working"

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None when there is none."""
        before = next((item.before for item in self._leaving() if item.covers(path)), None)
        return self._approved.read(path, at=before) if before is not None else self._working.read(path)

    def folders(self, path: str) -> list[str]:
        """Return the names directly below folder `path` that are folders, sorted."""
        found = set(self._working.folders(path))
        for item in self._leaving():
            found |= {own.rpartition("/")[2] for own in item.paths if own.rpartition("/")[0] == path}
        return sorted(found)

    def files(self, path: str) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        found = set(self._working.files(path))
        for item in self._leaving():
            for own in item.paths:
                if f"{own}/".startswith(f"{path}/") or path.startswith(f"{own}/"):
                    inside = self._approved.files(own, at=item.before)
                    found |= {name for name in inside if name.startswith(f"{path}/")}
        return sorted(found)

    def _leaving(self) -> list[PendingEffect]:
        """Return what waits to be withdrawn and has no file in the folder any more."""
        waiting = self._in_force.leaving()
        return [item for item in waiting if not any(self._working.files(own) for own in item.paths)]


class FilesInForce:
    """现行文件. Implements `ControlledFiles` for the day that the clock shows, or for `on`."""

    def __init__(self, approved: DatedFiles, clock: Clock, *, on: date | None = None) -> None:
        self._approved = approved
        self._clock = clock
        self._on = on
        self._read: tuple[str, EffectSchedule] = ("", EffectSchedule())

    def schedule(self) -> EffectSchedule:
        """Return what is approved and waits for its day.

        Raises:
            EffectFileError: the schedule cannot be read.
        """
        revision = self._approved.revision()
        if self._read[0] != revision:
            self._read = (revision, read_effect(self._approved.read(EFFECT_FILE)))
        return self._read[1]

    def leaving(self) -> list[PendingEffect]:
        """Return what is in force and withdrawn from a later day."""
        today = self._today()
        return [
            item for item in self.schedule().pending
            if item.revision is None and item.begins > today and item.before is not None
        ]  # fmt: skip

    def withdrawn_later(self, wanted: str) -> PendingEffect | None:
        """Return the withdrawal that waits for what is called `wanted`: its number, the end of it, its folder."""
        text = wanted.strip().upper()
        for item in self.leaving():
            if text in {item.number, short_number(item.number), *(own.rpartition("/")[2] for own in item.paths)}:
                return item
        return None

    def revision(self) -> str:
        """Return what tells two states of the library apart: the commit, and the day while something waits for one."""
        tip = self._approved.revision()
        return f"{tip} {self._today()}" if self.schedule().pending else tip

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None when there is none."""
        waiting = self._waiting(path)
        if waiting is None:
            return self._approved.read(path)
        return self._approved.read(path, at=waiting.before) if waiting.before is not None else None

    def folders(self, path: str) -> list[str]:
        """Return the names directly below folder `path` that are folders, sorted; empty when it does not exist."""
        inside = self._waiting(path)
        if inside is not None:
            return self._approved.folders(path, at=inside.before) if inside.before is not None else []
        found = set(self._approved.folders(path))
        for item in self.schedule().waiting(self._today()):
            for own in item.paths:
                above, _, name = own.rpartition("/")
                if above == path and "." not in name:
                    here = item.before is not None and bool(self._approved.files(own, at=item.before))
                    found = found | {name} if here else found - {name}
        return sorted(found)

    def files(self, path: str) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        inside = self._waiting(path)
        if inside is not None:
            return self._approved.files(path, at=inside.before) if inside.before is not None else []
        found = self._approved.files(path)
        for item in self.schedule().waiting(self._today()):
            for own in item.paths:
                if not own.startswith(f"{path}/"):
                    continue
                found = [name for name in found if name != own and not name.startswith(f"{own}/")]
                if item.before is not None:
                    alone = [own] if self._approved.read(own, at=item.before) is not None else []
                    found += self._approved.files(own, at=item.before) or alone
        return sorted(found)

    def _today(self) -> date:
        return self._on if self._on is not None else self._clock.now().date()

    def _waiting(self, path: str) -> PendingEffect | None:
        if not self.schedule().pending:
            return None
        return next((item for item in self.schedule().waiting(self._today()) if item.covers(path)), None)
