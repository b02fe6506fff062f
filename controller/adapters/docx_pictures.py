"""模板中的图片. Puts docxtpl's `InlineImage` into a rendered docx: drawing, relationship, media part, content type.

Names and numbers follow the order in which pictures appear, and equal pictures are stored once, so that the same
values give the same bytes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from controller.domain.errors import RefusedError
from controller.domain.text import T
from controller.file_formats.docx_package import CONTENT_TYPES, DocxPackage, write_docx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.file_formats.zip_container import PackedPart

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONSHIPS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
)


class PictureUnreadableError(RefusedError):
    """图片无法读取. Not a picture of a kind that Word shows."""

    code = "picture-unreadable"

    def __init__(self) -> None:
        super().__init__(
            T("图片无法读取：不是 PNG、JPEG、GIF、BMP 或 TIFF。"), hint=T("请换成 PNG 或 JPEG 图片后再试。")
        )


def is_picture(value: object) -> bool:
    """Tell whether `value` is docxtpl's picture, without loading docxtpl."""
    return type(value).__name__ == "InlineImage" and type(value).__module__.startswith("docxtpl")


class PictureShelf:
    """图片架. The pictures one rendering has used so far, and what they add to the package."""

    def __init__(self, package: DocxPackage) -> None:
        self._package = package
        self._media: dict[str, tuple[str, bytes, str]] = {}
        self._relations: dict[str, dict[str, tuple[str, str]]] = {}
        """Part → relationship id → (attributes after the id, what it names)."""
        self._drawn = 0

    @property
    def used(self) -> bool:
        """Whether any picture has been drawn."""
        return self._drawn > 0

    def drawing(self, picture: Any, *, part: str) -> str:
        """Return the XML that shows `picture` in `part`, closing and reopening the text run around it.

        Raises:
            PictureUnreadableError: not a picture.
        """
        from docx.image.exceptions import (
            InvalidImageStreamError,
            UnexpectedEndOfFileError,
            UnrecognizedImageError,
        )
        from docx.image.image import Image
        from docx.oxml.shape import CT_Inline

        source = picture.image_descriptor
        if hasattr(source, "read"):
            source.seek(0)
            data = bytes(source.read())
        else:
            data = Path(source).read_bytes()
        try:
            image = Image.from_blob(data)
        except (InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError, ValueError) as exc:
            raise PictureUnreadableError from exc
        name = self._stored(data, image.ext, image.content_type)
        relation = self._relate(part, f'Type="{_OFFICE}/image" Target={quoteattr("/" + name)}')
        width, height = image.scaled_dimensions(picture.width, picture.height)
        self._drawn += 1
        inline = CT_Inline.new_pic_inline(self._drawn, relation, name.rpartition("/")[2], width, height)
        if picture.anchor:
            self._link(inline, str(picture.anchor), part)
        run = f"<w:drawing>{inline.xml}</w:drawing>"
        return f'</w:t></w:r><w:r>{run}</w:r><w:r><w:t xml:space="preserve">'

    def _link(self, inline: Any, url: str, part: str) -> None:
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        relation = self._relate(part, f'Type="{_OFFICE}/hyperlink" Target={quoteattr(url)} TargetMode="External"')
        for path in (".//wp:docPr", ".//pic:cNvPr"):
            link = OxmlElement("a:hlinkClick")
            link.set(qn("r:id"), relation)
            inline.xpath(path)[0].append(link)

    def _stored(self, data: bytes, extension: str, kind: str) -> str:
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._media:
            number = len(self._media) + 1
            while f"word/media/picture{number}.{extension}" in self._package.parts:
                number += 1
            taken = {name for name, _, _ in self._media.values()}
            while f"word/media/picture{number}.{extension}" in taken:
                number += 1
            self._media[digest] = (f"word/media/picture{number}.{extension}", data, kind)
        return self._media[digest][0]

    def _relate(self, part: str, attributes: str) -> str:
        known = self._relations.setdefault(part, {})
        for identifier, (text, _) in known.items():
            if text == attributes:
                return identifier
        identifier = f"rIdPicture{len(known) + 1}"
        known[identifier] = (attributes, part)
        return identifier

    def write(self, contents: Mapping[str, bytes]) -> bytes:
        """Return the docx with the rendered `contents` and everything the pictures need."""
        parts: dict[str, bytes | PackedPart] = {**self._package.parts, **contents}
        parts |= {name: data for name, data, _ in self._media.values()}
        for part, relations in self._relations.items():
            folder, _, file = part.rpartition("/")
            name = f"{folder}/_rels/{file}.rels"
            before = self._package.contents.get(name, _RELATIONSHIPS.encode()).decode()
            lines = "".join(f'<Relationship Id="{key}" {text}/>' for key, (text, _) in relations.items())
            if before.rstrip().endswith("/>"):
                before = _RELATIONSHIPS
            parts[name] = before.replace("</Relationships>", lines + "</Relationships>").encode()
        types = self._package.contents[CONTENT_TYPES].decode()
        lines = "".join(
            f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, _, kind in self._media.values()
        )
        parts[CONTENT_TYPES] = types.replace("</Types>", lines + "</Types>").encode()
        return write_docx(parts)
