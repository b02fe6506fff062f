"""见过的档案. Remembers outside the workspace how far this computer has seen its archive; implements `SeenHeads`.

It lies beside the record keys, so that whoever rewrites the workspace does not rewrite it along with it. What was seen
in one folder says nothing of a copy in another: a backup that is tried out elsewhere is no workspace taken back.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.services.archive_ports import SeenHead

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE = "seen.json"
_FORMAT = "wenkong/seen/1"
_LIMIT = 64 * 1024


class SeenHeadsFile:
    """见过的档案. One small file for all folders and sites of a workspace; what cannot be read or written: not seen."""

    def __init__(self, folder: Path, workspace: Path, *, together: bool = False) -> None:
        """`together`: the file lies in a folder that is copied and moved along with `workspace`."""
        self._path = folder / FILE
        self._workspace = workspace.resolve()
        self._name = str(self._workspace)
        if together:
            with suppress(ValueError):  # on another drive there is no way from here to there
                self._name = os.path.relpath(self._workspace, folder.resolve())

    @property
    def place(self) -> str:
        """Where it is kept, for people."""
        return str(self._path)

    def last(self, site: str) -> SeenHead | None:
        """Return the archive tip of `site` that was seen last, None when there is none or it cannot be read."""
        places = self._places()
        here = self._here(places)
        return _head(places[here], site) if here is not None else None

    def before(self, site: str) -> list[tuple[str, SeenHead]]:
        """Return the other folders in which the workspace was seen before it was in this one, with the tips there."""
        places = self._places()
        heads = ((item["folder"], _head(item, site)) for item in places[: self._here(places)])
        return [(str((self._path.parent / folder).resolve()), head) for folder, head in heads if head is not None]

    def remember(self, site: str, head: SeenHead) -> None:
        """Keep `head` as the last one seen of `site`; a folder that cannot be written is no error."""
        places = self._places()
        here = self._here(places)
        if here is None:
            here = len(places)
            places.append({"sites": {}})
        told = {"tip": head.tip, "records": head.records, "main": head.main}
        places[here] = {
            "folder": self._name,
            "identity": self._identity(),
            "sites": places[here]["sites"] | {site: told},
        }
        self._write(folders=places)

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
        kept = {key: value for key, value in self._content().items() if key in {"folders", "root"}}
        content = {"format": _FORMAT, "folders": []} | kept | changes
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

    def _places(self) -> list[dict[str, Any]]:
        """Return what was seen in each folder, the one that was seen first first."""
        found = self._content().get("folders")
        return [
            item
            for item in (found if isinstance(found, list) else [])
            if isinstance(item, dict) and isinstance(item.get("folder"), str) and isinstance(item.get("sites"), dict)
        ]

    def _here(self, places: Sequence[Mapping[str, Any]]) -> int | None:
        """Return which of `places` is this folder: by its path, or else the one that was moved here."""
        for number, item in enumerate(places):
            if item["folder"] == self._name:
                return number
        identity = self._identity()
        for number, item in enumerate(places):
            gone = not (self._path.parent / item["folder"]).exists()
            if gone and identity is not None and item.get("identity") == identity:
                return number
        return None

    def _identity(self) -> str | None:
        """Return what stays the same when the folder is moved, and is another in every copy."""
        try:
            found = (self._workspace / ".git").stat()
        except OSError:
            return None
        return f"{found.st_dev}-{found.st_ino}-{_born(found)}" if found.st_ino else None


def _born(found: os.stat_result) -> int:
    """Return when a file was made, where the system tells: numbers of files that are gone are given again."""
    return int(getattr(found, "st_birthtime", 0))


def _head(place: Mapping[str, Any], site: str) -> SeenHead | None:
    found = place["sites"].get(site)
    if not isinstance(found, dict) or not isinstance(found.get("tip"), str):
        return None
    records, main = found.get("records"), found.get("main")
    return SeenHead(
        found["tip"], records if isinstance(records, int) else None, main if isinstance(main, str) else None
    )
