"""档案见证. Compares the workspace with what this computer has seen of it before (21 CFR 11.10 c).

An archive that was rewound, or whose history was made anew, is in itself as sound as any other; only a memory outside
of it can tell. The same holds for branch `main`, and for the root certificate, with which everything could be signed
again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.domain.text import T
from controller.file_formats import canonical_json
from controller.services.archive_ports import SeenHead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.domain.text import Text
    from controller.services.archive_ports import ExaminedArchive, SeenHeads
    from controller.services.examination_ports import BranchHistory

_MAIN = "main"
_SITE_FILE = "site.json"


class ArchiveWitness:
    """档案见证. Knows the tips of one site's archive and of `main` that were seen last, and the root."""

    def __init__(
        self, archive: ExaminedArchive, heads: SeenHeads, site: str, *, history: BranchHistory | None = None
    ) -> None:
        self._archive = archive
        self._heads = heads
        self._site = site
        self._history = history

    def findings(self) -> Iterator[Finding]:
        """Yield an error for each branch of which something that was seen before is no longer part.

        Raises:
            QmsError: a branch's history cannot be read.
        """
        seen, tip = self._heads.last(self._site), self._archive.tip()
        if seen is not None and tip is not None and seen.tip != tip and not self._archive.holds(seen.tip):
            old, new, records = seen.tip[:12], tip[:12], seen.records
            message = (
                T("档案被退回或改写：本机上次见到的归档 {old} 不在现在的档案（{new}）中。", old=old, new=new)
                if records is None
                else T(
                    "档案被退回或改写：本机上次见到的归档 {old}（当时有 {records} 份记录）不在现在的档案（{new}）中。",
                    old=old,
                    records=records,
                    new=new,
                )
            )
            yield self._rewritten("archive-rewritten", message, f"archive/{self._site}")
        yield from self._copied()
        if seen is None or seen.main is None or self._history is None:
            return
        main = self._history.tip(_MAIN)
        if main != seen.main and not self._history.holds(_MAIN, seen.main):
            message = T(
                "受控文件被退回或改写：本机上次见到的更改 {old} 不在现在的历史（{new}）中。",
                old=seen.main[:12],
                new=(main or "")[:12],
            )
            yield self._rewritten("library-rewritten", message, _MAIN)

    def _copied(self) -> Iterator[Finding]:
        """Yield a note when this computer saw more of the archive in another folder: here is a copy of it."""
        for folder, head in self._heads.before(self._site):
            if self._archive.tip() not in {None, head.tip} and not self._archive.holds(head.tip):
                message = T(
                    "这里是工作区的一份副本或恢复件：本机先前在“{folder}”见过的归档 {old} 不在这里。",
                    folder=folder,
                    old=head.tip[:12],
                )
                hint = T("恢复演练时属正常；日常工作请确认用的是不是“{folder}”那一份。", folder=folder)
                yield Finding("archive-copy", Gravity.NOTE, message, path=f"archive/{self._site}", hint=hint)
                return

    def pinned(self) -> Digest | None:
        """Return the fingerprint of the root that this computer saw first, None when it saw none."""
        return self._heads.root()

    def remember(self, records: int | None = None) -> None:
        """Keep the present tips as seen, unless what was seen before is missing from them; never fails a command."""
        with suppress(QmsError):
            self._pin()
            seen, tip = self._heads.last(self._site), self._archive.tip()
            if tip is None:
                return
            main = self._history.tip(_MAIN) if self._history is not None else None
            same_main = main is None or (seen is not None and seen.main == main)
            if seen is not None and seen.tip == tip and records in {None, seen.records} and same_main:
                return
            if seen is not None and seen.tip != tip and not self._archive.holds(seen.tip):
                return
            kept = seen.main if seen is not None else None
            if main is not None and (kept is None or self._continues(kept, main)):
                kept = main
            counted = records if records is not None or seen is None or seen.tip != tip else seen.records
            self._heads.remember(self._site, SeenHead(tip, counted, kept))

    def _continues(self, old: str, new: str) -> bool:
        return old == new or (self._history is not None and self._history.holds(_MAIN, old))

    def _pin(self) -> None:
        if self._heads.root() is not None:
            return
        data = self._archive.read(_SITE_FILE)
        content = canonical_json.decode(data, where=_SITE_FILE) if data is not None else None
        root = content.get("root") if isinstance(content, dict) else None
        with suppress(InvalidIdentifierError):
            if isinstance(root, str):
                self._heads.pin(Digest(root))

    def _rewritten(self, code: str, message: Text, branch: str) -> Finding:
        hint = T(
            "从备份恢复工作区，并查明是谁改动的。确属有意换回旧备份的，记下原因后删除“{place}”。",
            place=self._heads.place,
        )
        return Finding(code=code, gravity=Gravity.ERROR, message=message, path=branch, hint=hint)
