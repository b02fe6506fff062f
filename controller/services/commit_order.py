"""归档次序. When each file came into the archive: position and time of its commit, in a few bytes a file.

The order of commits is what decides about certificates: who was enrolled, and who revoked, when a signature was filed.
Made by one pass over history (`services.archive_history`), sent to every process that examines records.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

_ID = 20
"""Bytes of a commit's id."""
_BESIDE = (".p7s", ".sealed")
"""What is added together with the entry of the same name, and found by its entry."""


class CommitOrder:
    """归档次序. Path → position and time of the commit that added it; filled once, then asked."""

    def __init__(self, salt: bytes, zone: tzinfo) -> None:
        self._salt = salt
        self._zone = zone
        self._keys = array("Q")
        self._orders = array("I")
        self._times = array("q")
        self._ids = bytearray()
        self.records = 0
        """How many records were opened."""
        self.complete = False
        """False when history could not be read to its end."""

    @property
    def commits(self) -> int:
        """How many commits there are."""
        return len(self._times)

    def add_commit(self, commit: str, at: int) -> int:
        """Take the next commit; return its position."""
        self._times.append(at)
        self._ids += bytes.fromhex(commit)
        return len(self._times) - 1

    def add_path(self, path: str) -> None:
        """Note that the commit taken last added `path`."""
        self._keys.append(self._key(path))
        self._orders.append(len(self._times) - 1)

    def close(self) -> None:
        """Make it ready to be asked."""
        places = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        self._keys = array("Q", (self._keys[place] for place in places))
        self._orders = array("I", (self._orders[place] for place in places))

    def of(self, path: str) -> int | None:
        """Return the position of the commit that first added `path`, None when unknown."""
        found = self._found(path)
        if found is None and path.endswith(_BESIDE):
            found = self._found(path.rpartition(".")[0] + ".json")
        return found

    def of_commit(self, commit: str) -> int | None:
        """Return the position of a commit, None when it is not part of the archive."""
        try:
            wanted = bytes.fromhex(commit)
        except ValueError:
            return None
        place = self._ids.find(wanted) if len(wanted) == _ID else -1
        while place > 0 and place % _ID:
            place = self._ids.find(wanted, place + 1)
        return None if place < 0 else place // _ID

    def seconds(self, order: int) -> int:
        """Return the time of the commit at `order` in seconds since 1970."""
        return self._times[order]

    def moment(self, order: int | None) -> str | None:
        """Return the time of the commit at `order` in the company's time zone, as ISO text."""
        if order is None:
            return None
        return in_zone(self._times[order], self._zone)

    def since(self, path: str) -> str | None:
        """Return when `path` was added, as ISO text, None when unknown."""
        return self.moment(self.of(path))

    def _found(self, path: str) -> int | None:
        key = self._key(path)
        place = bisect_left(self._keys, key)
        found: int | None = None
        while place < len(self._keys) and self._keys[place] == key:
            found = self._orders[place] if found is None else min(found, self._orders[place])
            place += 1
        return found

    def _key(self, path: str) -> int:
        digest = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8, key=self._salt).digest()
        return int.from_bytes(digest, "big")


def in_zone(seconds: int, zone: tzinfo) -> str | None:
    """Return a time given in seconds since 1970 as ISO text in `zone`, None when it is no time at all."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone(zone).isoformat()
    except (OverflowError, OSError, ValueError):
        return None
