"""动作所集. The archive as an act under way sees it: the tip, and on top of it what the act itself is going to file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.services.archive_ports import ArchiveWriter


class GatheredFiles:
    """动作所集的文件. Implements `ArchiveReader`; valid as long as the writer is."""

    def __init__(self, writer: ArchiveWriter) -> None:
        self._writer = writer
        self._serials: dict[tuple[str, int], int] = {}
        self.files: dict[str, bytes] = {}
        """Path → bytes of everything that was gathered."""

    def read(self, path: str) -> bytes | None:
        """Return a file of the act, or of the tip; None when there is none."""
        return self.files[path] if path in self.files else self._writer.read(path)

    def listing(self, path: str) -> list[str]:
        """Return the names directly below `path`, those of the act among them, sorted."""
        above = f"{path}/" if path else ""
        own = {item.removeprefix(above).split("/")[0] for item in self.files if item.startswith(above)}
        return sorted({*self._writer.listing(path), *own})

    def add(self, files: Mapping[str, bytes]) -> None:
        """Gather `files`; what the archive holds already, byte for byte, is not gathered.

        Raises:
            ValueError: two parts of the act would write different bytes to one path.
        """
        for path, data in files.items():
            if self.files.get(path, data) != data:
                raise ValueError(path)
            if self._writer.read(path) != data:
                self.files[path] = data

    def next_serial(self, form: str, year: int) -> int:
        """Return the serial of the act's next record of `form`; it is taken with that."""
        last = self._serials.get((form, year)) or self._writer.last_serial(form, year)
        self._serials[form, year] = last + 1
        return last + 1
