"""新增内容的摘要. Recomputes what the daily statements say was added (`docs/signatures.md`, Time)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from controller.domain.identifiers import Digest
from controller.domain.statement import Event
from controller.services.examination_ports import AddedFiles
from controller.services.record_examination import AddedLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from controller.services.commit_order import CommitOrder
    from controller.services.examination_ports import HeldStatement

_AT_ONCE = 1000


def archive_heads(held: Sequence[HeldStatement], site: str) -> list[str | None]:
    """Return the archive commit that each statement about heads names, None where it names none."""
    found: list[str | None] = []
    for item in held:
        if item.statement.event is not Event.HEADS_STAMPED:
            continue
        heads = item.statement.new.get("heads")
        head = heads.get(f"archive/{site}") if isinstance(heads, dict) else None
        found.append(head if isinstance(head, str) else None)
    return found


class AddedDigests:
    """新增内容的摘要. Takes every file of the archive once, in path order; then tells the digest of each period."""

    def __init__(self, order: CommitOrder, heads: Sequence[str | None]) -> None:
        self._order = order
        self._heads = [order.of_commit(head) if head else None for head in heads]
        self.bounds = sorted({place for place in self._heads if place is not None})
        """Places of the heads in the archive's order, ascending."""
        self._hashes = [sha256() for _ in self.bounds]
        self._files = [0 for _ in self.bounds]

    @property
    def wanted(self) -> bool:
        """Tell whether there is anything to compute."""
        return bool(self.bounds)

    def passing(self, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """Yield `files` as they are, taking each in."""
        if not self.wanted:
            yield from files
            return
        lines = AddedLines(self._order, self.bounds)
        for count, item in enumerate(lines.passing(files)):
            yield item
            if count % _AT_ONCE == _AT_ONCE - 1:
                self.feed(lines.lines)
                lines.lines.clear()
        self.feed(lines.lines)

    def feed(self, lines: Mapping[int, bytes | bytearray]) -> None:
        """Take in lines `<sha256>  <path>` by the place of their statement in `bounds`."""
        for place, text in lines.items():
            self._hashes[place].update(text)
            self._files[place] += text.count(b"\n")

    def results(self) -> list[AddedFiles | None]:
        """Return, for each statement, what was added since the one before; None where a head is not in the archive."""
        found: list[AddedFiles | None] = []
        before: int | None = -1
        for place in self._heads:
            if place is None or before is None or place < before:
                found.append(None)
            elif place == before:
                found.append(AddedFiles(Digest.of(b""), 0))
            else:
                index = self.bounds.index(place)
                begins = index == 0 or self.bounds[index - 1] == before
                digest = Digest("sha256:" + self._hashes[index].hexdigest())
                found.append(AddedFiles(digest, self._files[index]) if begins else None)
            before = place
        return found
