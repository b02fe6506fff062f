"""附件收存. Turns the file names that values mention into digests, and keeps the bytes to be filed with the entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.form import FieldType
from controller.domain.identifiers import Digest
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.form import FormDefinition

LIMIT = 20 * 1024 * 1024
"""Largest attachment in bytes."""


class AttachmentMissingError(NotFoundError):
    """找不到附件文件."""

    code = "attachment-missing"

    def __init__(self, *, name: str, label: str) -> None:
        super().__init__(
            T("找不到“{label}”所写的附件文件“{name}”。", label=label, name=name[:120]),
            hint=T("附件路径按填写文件所在的目录计算,检查文件名后重试。"),
        )


class AttachmentTooLargeError(RefusedError):
    """附件太大."""

    code = "attachment-too-large"

    def __init__(self, *, name: str, size: int) -> None:
        super().__init__(
            T("附件“{name}”有 {size} MB,超过 {limit} MB。", name=name, size=size // 2**20, limit=LIMIT // 2**20),
            hint=T("压缩图片或拆分后再附。"),
        )


@dataclass(frozen=True)
class AttachedValues:
    """带附件的内容. The values with files replaced by their digests, and the bytes by digest hex."""

    values: Mapping[str, object]
    contents: Mapping[str, bytes]


def attach(definition: FormDefinition, values: Mapping[str, object], files: Mapping[str, bytes]) -> AttachedValues:
    """Replace each file path in attachment and external-signature fields by name, digest and size.

    Raises:
        AttachmentMissingError: a value names a file that is not among `files`.
        AttachmentTooLargeError: a file is larger than `LIMIT`.
    """
    contents: dict[str, bytes] = {}

    def stored(value: object, label: str) -> object:
        if not isinstance(value, str) or not value.strip() or value.strip() == "待补":
            return value
        data = files.get(value)
        if data is None:
            raise AttachmentMissingError(name=value, label=label)
        name = value.replace("\\", "/").rsplit("/", maxsplit=1)[-1]
        if len(data) > LIMIT:
            raise AttachmentTooLargeError(name=name, size=len(data))
        digest = Digest.of(data)
        contents[digest.hex] = data
        return {"name": name, "digest": digest.text, "size": str(len(data))}

    result = dict(values)
    for item in definition.fields:
        value = result.get(item.key)
        if item.type is FieldType.ATTACHMENT:
            result[item.key] = (
                [stored(entry, item.label) for entry in value] if isinstance(value, list) else stored(value, item.label)
            )
            if item.key not in values:
                del result[item.key]
        elif item.type is FieldType.EXTERNAL_SIGNATURE and isinstance(value, dict) and "file" in value:
            rest = {key: part for key, part in value.items() if key != "file"}
            result[item.key] = {**rest, "attachment": stored(value["file"], item.label)}
    return AttachedValues(result, contents)
