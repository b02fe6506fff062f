"""表单模板生成. Draws a form's docx template from its definition and the house file.

The result is an ordinary docxtpl template (`docs/form-language.md` §1) that a manager may restyle in Word; the house
file's header, footer, fonts and logo are kept. The body is drawn by `form_page`. Same definition and same house file
give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from controller.adapters.form_page import FormPage
from controller.adapters.house_style import ensure_styles, house_file
from controller.adapters.word_markup import NAMESPACES, W_NAMESPACE, mm
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.file_formats.docx_package import open_docx, write_docx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.form import FormDefinition


def scaffold_form(definition: FormDefinition, house: bytes) -> bytes:
    """Return the docx template of `definition`, drawn on the house file.

    Raises:
        QmsError: the house file is not an acceptable docx (the errors of `open_docx`).
    """
    package = open_docx(house)
    root = etree.fromstring(package.contents[package.main])
    body = root.find(f"{{{W_NAMESPACE}}}body")
    assert body is not None
    section = body.find(f"{{{W_NAMESPACE}}}sectPr")
    for child in list(body):
        if child is not section:
            body.remove(child)
    landscape = definition.orientation == "landscape"
    width = _turn(section, landscape=landscape) if section is not None else mm(170)
    drawn = etree.fromstring(f"<w:body {NAMESPACES}>{FormPage(definition, width).markup()}</w:body>")
    for place, child in enumerate(drawn):
        body.insert(place, child)
    etree.cleanup_namespaces(root, keep_ns_prefixes=["w", "r"])
    parts = dict(package.contents)
    parts[package.main] = _bytes(root)
    styles = package.main.rpartition("/")[0] + "/styles.xml"
    if styles in parts:
        parts[styles] = ensure_styles(parts[styles])
    if landscape:
        for name in package.text_parts()[1:]:
            parts[name] = _widen(parts[name], width)
    properties = package.core_properties()
    if properties is not None:
        parts[properties] = _marked(parts[properties], _mark(parts, properties))
    return write_docx(parts)


class ScaffoldDrawing:
    """表单版式. Implements the port `FormDrawing`."""

    def draw(self, definition: FormDefinition, house: bytes) -> bytes:
        """Return `scaffold_form(definition, house)`."""
        return scaffold_form(definition, house)

    def house(self) -> bytes:
        """Return the house file for forms that the product ships."""
        return house_file("form")

    def is_untouched(self, docx: bytes) -> bool:
        """Tell whether `docx` still carries the mark of its own parts; Word keeps the mark but changes the parts."""
        try:
            package = open_docx(docx)
        except QmsError:
            return False
        properties = package.core_properties()
        if properties is None:
            return False
        return _mark(package.contents, properties).encode() in package.contents[properties]


_MARK = "wenkong-scaffold-"


def _mark(parts: Mapping[str, bytes], properties: str) -> str:
    """Return the mark of a drawn template: a digest over everything but the properties that carry it."""
    lines = "".join(f"{name} {Digest.of(data)}\n" for name, data in sorted(parts.items()) if name != properties)
    return _MARK + Digest.of(lines.encode()).hex


def _marked(properties: bytes, mark: str) -> bytes:
    root = etree.fromstring(properties)
    tag = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}keywords"
    words = root.find(tag)
    if words is None:
        words = etree.SubElement(root, tag)
    words.text = mark
    return _bytes(root)


def _bytes(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _turn(section: etree._Element, *, landscape: bool) -> int:
    """Turn the page as asked and return the width between its margins."""
    size = section.find(f"{{{W_NAMESPACE}}}pgSz")
    margins = section.find(f"{{{W_NAMESPACE}}}pgMar")
    if size is None or margins is None:
        return mm(170)
    wide, high = f"{{{W_NAMESPACE}}}w", f"{{{W_NAMESPACE}}}h"
    short, long = sorted((int(size.get(wide, "11906")), int(size.get(high, "16838"))))
    size.set(wide, str(long if landscape else short))
    size.set(high, str(short if landscape else long))
    size.set(f"{{{W_NAMESPACE}}}orient", "landscape" if landscape else "portrait")
    sides = sum(int(margins.get(f"{{{W_NAMESPACE}}}{side}", "1134")) for side in ("left", "right"))
    return (long if landscape else short) - sides


def _widen(part: bytes, width: int) -> bytes:
    """Stretch the tables of a header or footer to `width`, so that what stood at the right margin stays there."""
    root = etree.fromstring(part)
    for drawn in root.iter(f"{{{W_NAMESPACE}}}tbl"):
        columns = drawn.findall(f"{{{W_NAMESPACE}}}tblGrid/{{{W_NAMESPACE}}}gridCol")
        total = sum(int(column.get(f"{{{W_NAMESPACE}}}w", "0")) for column in columns)
        if not total:
            continue
        tags = {f"{{{W_NAMESPACE}}}{name}" for name in ("tblW", "gridCol", "tcW")}
        for sized in drawn.iter(*tags):
            if sized.get(f"{{{W_NAMESPACE}}}type", "dxa") == "dxa":
                length = int(sized.get(f"{{{W_NAMESPACE}}}w", "0"))
                sized.set(f"{{{W_NAMESPACE}}}w", str(length * width // total))
    return _bytes(root)
