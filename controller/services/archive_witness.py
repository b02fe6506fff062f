"""档案见证. Compares the archive with what this computer has seen of it before (21 CFR 11.10 c).

An archive that was rewound, or whose history was made anew, is in itself as sound as any other; only a memory outside
of it can tell.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.text import T
from controller.services.ports import SeenHead

if TYPE_CHECKING:
    from controller.services.ports import ExaminedArchive, SeenHeads


class ArchiveWitness:
    """档案见证. Knows the archive tip of one site that was seen last."""

    def __init__(self, archive: ExaminedArchive, heads: SeenHeads, site: str) -> None:
        self._archive = archive
        self._heads = heads
        self._site = site

    def finding(self) -> Finding | None:
        """Return an error when what was seen before is no longer part of the archive.

        Raises:
            QmsError: the archive's history cannot be read.
        """
        seen, tip = self._heads.last(self._site), self._archive.tip()
        if seen is None or tip is None or seen.tip == tip or self._archive.holds(seen.tip):
            return None
        old, new, records = seen.tip[:12], tip[:12], seen.records
        message = (
            T("档案被退回或改写：本机上次见到的提交 {old} 不在现在的档案（{new}）中。", old=old, new=new)
            if records is None
            else T(
                "档案被退回或改写：本机上次见到的提交 {old}（当时有 {records} 份记录）不在现在的档案（{new}）中。",
                old=old,
                records=records,
                new=new,
            )
        )
        hint = T(
            "从备份恢复工作区，并查明是谁改动的。确属有意换回旧备份的，记下原因后删除“{place}”。",
            place=self._heads.place,
        )
        return Finding(code="archive-rewritten", gravity=Gravity.ERROR, message=message, hint=hint)

    def remember(self, records: int | None = None) -> None:
        """Keep the present tip as seen, unless what was seen before is missing from it; never fails a command."""
        with suppress(QmsError):
            seen, tip = self._heads.last(self._site), self._archive.tip()
            if tip is None or (seen is not None and seen.tip == tip and records in {None, seen.records}):
                return
            if seen is None or seen.tip == tip or self._archive.holds(seen.tip):
                self._heads.remember(self._site, SeenHead(tip, records))
