"""见过的档案. Remembers outside the workspace how far this computer has seen its archive; implements `SeenHeads`.

It lies beside the record keys, so that whoever rewrites the workspace does not rewrite it along with it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.services.ports import SeenHead

if TYPE_CHECKING:
    from pathlib import Path

FILE = "seen.json"
_FORMAT = "wenkong/seen/1"
_LIMIT = 64 * 1024


class SeenHeadsFile:
    """见过的档案. One small file for all sites of a workspace; what cannot be read or written counts as not seen."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    @property
    def place(self) -> str:
        """Where it is kept, for people."""
        return str(self._path)

    def last(self, site: str) -> SeenHead | None:
        """Return the archive tip of `site` that was seen last, None when there is none or it cannot be read."""
        found = self._sites().get(site)
        if not isinstance(found, dict) or not isinstance(found.get("tip"), str):
            return None
        records, main = found.get("records"), found.get("main")
        return SeenHead(
            found["tip"], records if isinstance(records, int) else None, main if isinstance(main, str) else None
        )

    def remember(self, site: str, head: SeenHead) -> None:
        """Keep `head` as the last one seen of `site`; a folder that cannot be written is no error."""
        self._write(sites=self._sites() | {site: {"tip": head.tip, "records": head.records, "main": head.main}})

    def root(self) -> Digest | None:
        """Return the fingerprint of the root certificate that was seen first, None when there is none."""
        found = self._content().get("root")
        try:
            return Digest(found) if isinstance(found, str) else None
        except InvalidIdentifierError:
            return None

    def pin(self, root: Digest) -> None:
        """Keep `root` as the root of this workspace; a folder that cannot be written is no error."""
        self._write(root=root.text)

    def _write(self, **changes: Any) -> None:
        kept = {key: value for key, value in self._content().items() if key in {"sites", "root"}}
        content = {"format": _FORMAT, "sites": {}} | kept | changes
        unfinished = self._path.with_name(f"{FILE}.{os.getpid()}.part")
        with suppress(OSError):
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")
                unfinished.replace(self._path)
            finally:
                unfinished.unlink(missing_ok=True)

    def _content(self) -> dict[str, Any]:
        try:
            with self._path.open("rb") as file:
                content = json.loads(file.read(_LIMIT))
        except (OSError, ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) and content.get("format") == _FORMAT else {}

    def _sites(self) -> dict[str, Any]:
        sites = self._content().get("sites")
        return sites if isinstance(sites, dict) else {}
