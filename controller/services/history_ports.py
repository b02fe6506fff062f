"""历史用端口. What change history needs from the world: commits that touch folders, and a drawing of redlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from controller.domain.redline_print import RedlinePrint
    from controller.services.examination_ports import HistoricCommit


class LibraryHistory(Protocol):
    """受控文件的历史. The commits of a branch and the contents they name."""

    def tip(self, branch: str) -> str | None:
        """Return the id of the newest commit of `branch`, None when there is none."""
        ...

    def log(
        self, tip: str, *, without: str | None = None, paths: Sequence[str] = (), statements: bool = False
    ) -> Iterator[HistoricCommit]:
        """Yield commits up to `tip` oldest first; with `paths` only what touches them, and only these changes.

        Raises:
            HistoryUnreadable: a commit or one of its folders is missing or damaged.
        """
        ...

    def contents(self, named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, bytes | None]]:
        """Yield name and bytes for each (name, content); None for what cannot be read."""
        ...

    def many(self, contents: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield each of many contents with its bytes, in order, without those that cannot be read."""
        ...


class RedlineDrawing(Protocol):
    """修订对照稿的绘制."""

    def draw(self, shown: RedlinePrint, house: bytes) -> bytes:
        """Return the docx with tracked changes.

        Raises:
            RedlineInexactError: accepting or rejecting all changes would not give the two texts exactly.
        """
        ...

    def house(self) -> bytes:
        """Return the house file for procedures that the product ships."""
        ...
