"""每日摘要. What a daily statement (`heads-stamped`) says: where every branch stood and what the archive had gained."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.identifiers import Digest, InvalidIdentifierError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.record import Wire

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class DailyHeads:
    """每日摘要. The archive's gain is counted from the archive head of the statement before (all, for the first)."""

    heads: Mapping[str, str]
    """Branch (`main`, `archive/<site>`) → commit id."""
    added: Digest
    """SHA-256 over the lines `<sha256 of file>  <path>\\n` of every file added up to this head, in path order."""
    files: int
    """How many files that were."""
    authority: str | None = None
    """Address of the authority whose stamp lies beside the statement; None: it is filed without a stamp."""

    def as_values(self) -> dict[str, Wire]:
        """Return it as it stands in the statement's `new`."""
        values: dict[str, Wire] = {"heads": dict(self.heads), "added": self.added.text, "files": str(self.files)}
        return values | {"authority": self.authority}


def daily_heads(values: Mapping[str, Wire]) -> DailyHeads | None:
    """Return what a statement's `new` says, None when it is not of that shape."""
    heads, added, files = values.get("heads"), values.get("added"), values.get("files")
    authority = values.get("authority")
    if not isinstance(heads, dict) or not isinstance(added, str) or not isinstance(files, str):
        return None
    found = {name: commit for name, commit in heads.items() if isinstance(commit, str) and _COMMIT.fullmatch(commit)}
    if len(found) != len(heads) or not (files.isascii() and files.isdecimal() and len(files) < 10):  # noqa: PLR2004 - digits
        return None
    try:
        return DailyHeads(found, Digest(added), int(files), authority if isinstance(authority, str) else None)
    except InvalidIdentifierError:
        return None
