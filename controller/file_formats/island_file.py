"""图表原件. What the clause grammar cannot express, kept verbatim: one OOXML element with the parts it needs.

Canonical JSON, so that the same content has the same digest, under which the text refers to it
(`〔图表 sha256:…〕`) and after which its file is named: `islands/<64 digits>.json`.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError
from controller.domain.text import T
from controller.file_formats.canonical_json import decode, encode

if TYPE_CHECKING:
    from controller.domain.record import Wire

FORMAT = "wenkong/island/1"
_PART_KEYS = ("owner", "relation", "type", "name", "content_type", "data")


class IslandDamagedError(DamagedError):
    """图表原件损坏."""

    code = "island-damaged"

    def __init__(self) -> None:
        super().__init__(T("图表原件已损坏。"), hint=T("从版本库恢复 islands 目录里的文件。"))


@dataclass(frozen=True)
class IslandPart:
    """图表所需的部件. A picture or other part, and how the element or another part refers to it."""

    owner: str
    """Part name of what refers to it; empty for the element itself."""
    relation: str
    """Relationship id used there."""
    type: str
    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class IslandFile:
    """图表原件. The element as XML text, namespaces declared, and its parts."""

    xml: str
    parts: tuple[IslandPart, ...] = ()


def write_island(island: IslandFile) -> bytes:
    """Return the bytes of an island; their digest is its name."""
    parts: list[Wire] = [
        {
            "owner": part.owner,
            "relation": part.relation,
            "type": part.type,
            "name": part.name,
            "content_type": part.content_type,
            "data": base64.b64encode(part.data).decode("ascii"),
        }
        for part in island.parts
    ]
    return encode({"format": FORMAT, "xml": island.xml, "parts": parts})


def read_island(data: bytes) -> IslandFile:
    """Read the bytes of an island.

    Raises:
        IslandDamagedError: they are not what `write_island` makes.
    """
    try:
        content = decode(data)
    except DamagedError as exc:
        raise IslandDamagedError from exc
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise IslandDamagedError
    xml, rows = content.get("xml"), content.get("parts")
    if not isinstance(xml, str) or not isinstance(rows, list):
        raise IslandDamagedError
    return IslandFile(xml, tuple(_part(row) for row in rows))


def _part(row: Wire) -> IslandPart:
    if not isinstance(row, dict) or any(not isinstance(row.get(key), str) for key in _PART_KEYS):
        raise IslandDamagedError
    owner, relation, kind, name, content_type, data = (str(row[key]) for key in _PART_KEYS)
    try:
        return IslandPart(owner, relation, kind, name, content_type, base64.b64decode(data, validate=True))
    except binascii.Error as exc:
        raise IslandDamagedError from exc
