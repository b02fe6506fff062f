"""附件收存. The files that values name, by digest, ready to be filed with the entry that names them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.record import Attachment
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 20 * 1024 * 1024
"""Largest attachment in bytes."""


class AttachmentTooLargeError(RefusedError):
    """附件太大."""

    code = "attachment-too-large"

    def __init__(self, *, name: str, size: int) -> None:
        super().__init__(
            T("附件“{name}”有 {size} MB，超过 {limit} MB。", name=name, size=size // 2**20, limit=LIMIT // 2**20),
            hint=T("压缩图片或拆分后再附。"),
        )


@dataclass(frozen=True)
class AttachedFiles:
    """随附文件. What the values may name, and the bytes behind the digests."""

    named: Mapping[str, Attachment] = field(default_factory=dict)
    """Path as written in the values → the attachment."""
    contents: Mapping[str, bytes] = field(default_factory=dict)
    """Digest hex → bytes."""


def attach(files: Mapping[str, bytes]) -> AttachedFiles:
    """Return `files` (path as written → bytes) as attachments.

    Raises:
        AttachmentTooLargeError: a file is larger than `LIMIT`.
    """
    named: dict[str, Attachment] = {}
    contents: dict[str, bytes] = {}
    for path, data in files.items():
        name = path.replace("\\", "/").rsplit("/", maxsplit=1)[-1]
        if len(data) > LIMIT:
            raise AttachmentTooLargeError(name=name, size=len(data))
        digest = Digest.of(data)
        named[path.strip()] = Attachment(name=name, digest=digest, size=len(data))
        contents[digest.hex] = data
    return AttachedFiles(named, contents)
