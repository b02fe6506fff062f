"""改动方法. The five things done to every file: a byte, the end, a sibling's content, nothing, an older one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

BYTE, TRUNCATED, SWAPPED, DELETED, OLDER = "byte", "truncated", "swapped", "deleted", "older"
OPERATIONS = (BYTE, TRUNCATED, SWAPPED, DELETED, OLDER)


def with_byte(data: bytes, chance: random.Random) -> bytes:
    """Return `data` with one byte changed, or with one more when there is none."""
    if not data:
        return b"x"
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ chance.randrange(1, 256)]) + data[place + 1 :]


def cut(data: bytes, chance: random.Random) -> bytes:
    """Return `data` without its end: one byte, half, or everything."""
    return data[: chance.choice((len(data) - 1, len(data) // 2, 0))] if data else b"x"


def sibling(name: str, files: Mapping[str, bytes], *, near: Iterable[str]) -> str | None:
    """Return another file of the same kind with other content, the first of `near` (names) that is one."""
    return next((other for other in near if other != name and files[other] != files[name]), None)
