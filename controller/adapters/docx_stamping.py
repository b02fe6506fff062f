"""Word 打印标识. Puts watermark and document line into every header of a docx, made as Word makes its own.

Word, WPS and LibreOffice show it on every page, behind the text. Sections without a header get one.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from lxml import etree

from controller.adapters.word_markup import NAMESPACES, W_NAMESPACE, text_run
from controller.file_formats.docx_package import CONTENT_TYPES, open_docx, relationships, write_docx

if TYPE_CHECKING:
    from controller.domain.print_stamp import PrintStamp

_W = f"{{{W_NAMESPACE}}}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_HEADER_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/header"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_HEADER_CONTENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml"
_VML = 'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
_LETTER = 120
"""Height and width of one character of the watermark, points."""
_LINE = (
    '<w:shd w:val="clear" w:color="auto" w:fill="EDEDED"/>'
    '<w:spacing w:before="0" w:after="20" w:line="170" w:lineRule="exact"/><w:jc w:val="right"/>'
)
_SMALL = '<w:color w:val="333333"/><w:sz w:val="14"/><w:szCs w:val="14"/>'
_SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800" '
    'path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/>'
    '<v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/>'
    '<v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/><v:f eqn="mid @5 @6"/>'
    '<v:f eqn="mid @8 @5"/><v:f eqn="mid @7 @8"/><v:f eqn="mid @6 @7"/><v:f eqn="sum @6 0 @5"/></v:formulas>'
    '<v:path textpathok="t" o:connecttype="custom" o:connectlocs="@9,0;@10,10800;@11,21600;@12,10800" '
    'o:connectangles="270,180,90,0"/><v:textpath on="t" fitshape="t"/>'
    '<o:lock v:ext="edit" text="t" shapetype="t"/></v:shapetype>'
)


def stamped_docx(docx: bytes, stamp: PrintStamp) -> bytes:
    """Return `docx` with `stamp` on every page; same input, same bytes.

    Raises:
        QmsError: the file is not an acceptable docx (the errors of `open_docx`).
    """
    package = open_docx(docx)
    parts = dict(package.contents)
    folder, _, name = package.main.rpartition("/")
    list_name = f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"
    listed = parts.get(list_name, f'<Relationships xmlns="{_RELATIONS}"/>'.encode())
    headers = {
        found.id: posixpath.normpath(posixpath.join(folder, found.target)).lstrip("/")
        for found in relationships(listed)
        if found.type == _HEADER_TYPE and not found.external
    }
    root = etree.fromstring(parts[package.main])
    lacking = _lacking(root, even=_tells_even_from_odd(parts, folder))
    if lacking:
        rows, types = etree.fromstring(listed), etree.fromstring(parts[CONTENT_TYPES])
        for kind in lacking:
            part = posixpath.join(folder, f"header-stamp-{kind}.xml")
            identity = f"stamp{kind}"
            headers[identity] = part
            parts[part] = f"<w:hdr {NAMESPACES}></w:hdr>".encode()
            etree.SubElement(
                rows, f"{{{_RELATIONS}}}Relationship", Id=identity, Type=_HEADER_TYPE, Target=posixpath.basename(part)
            )
            etree.SubElement(types, f"{{{_TYPES}}}Override", PartName=f"/{part}", ContentType=_HEADER_CONTENT)
            _refer(root, kind, identity)
        parts[list_name], parts[CONTENT_TYPES], parts[package.main] = _bytes(rows), _bytes(types), _bytes(root)
    for number, part in enumerate(sorted(set(headers.values()) & set(parts)), 1):
        header = etree.fromstring(parts[part])
        header.insert(0, _line(stamp, number))
        parts[part] = _bytes(header)
    return write_docx(parts)


class DocxStamping:
    """Word 打印标识. Implements the port `PrintStamping` for docx."""

    def stamped(self, data: bytes, stamp: PrintStamp) -> bytes:
        """Return a copy of the docx `data` with `stamp` on every page; see `stamped_docx`."""
        return stamped_docx(data, stamp)


def _tells_even_from_odd(parts: dict[str, bytes], folder: str) -> bool:
    settings = parts.get(posixpath.join(folder, "settings.xml"))
    return settings is not None and etree.fromstring(settings).find(f"{_W}evenAndOddHeaders") is not None


def _lacking(root: etree._Element, *, even: bool) -> list[str]:
    """Return the kinds of header that the first section has none of; later sections take over what they lack."""
    sections = list(root.iter(f"{_W}sectPr"))
    if not sections:
        body = root.find(f"{_W}body")
        assert body is not None
        sections = [etree.SubElement(body, f"{_W}sectPr")]
    present = {found.get(f"{_W}type", "default") for found in sections[0].iter(f"{_W}headerReference")}
    needed = ["default"]
    if any(section.find(f"{_W}titlePg") is not None for section in sections):
        needed.append("first")
    if even:
        needed.append("even")
    return [kind for kind in needed if kind not in present]


def _refer(root: etree._Element, kind: str, identity: str) -> None:
    section = next(root.iter(f"{_W}sectPr"))
    section.insert(0, section.makeelement(f"{_W}headerReference", {f"{_W}type": kind, f"{_R}id": identity}))


def _line(stamp: PrintStamp, number: int) -> etree._Element:
    """Return the paragraph that holds the document line and, anchored to it, the watermark."""
    width = _LETTER * max(len(stamp.watermark), 2)
    style = (
        f"position:absolute;margin-left:0;margin-top:0;width:{width}pt;height:{_LETTER}pt;rotation:305;"
        "z-index:-251658752;mso-position-horizontal:center;mso-position-horizontal-relative:margin;"
        "mso-position-vertical:center;mso-position-vertical-relative:margin"
    )
    shape = (
        f'<v:shape id="PowerPlusWaterMarkObject{number}" o:spid="_x0000_s{4096 + number}" type="#_x0000_t136" '
        f'style="{style}" o:allowincell="f" fillcolor="#d9d9d9" stroked="f"><v:fill opacity=".6"/>'
        f'<v:textpath style="font-family:&quot;黑体&quot;;font-size:1pt" string={quoteattr(stamp.watermark)}/>'
        "</v:shape>"
    )
    picture = f"<w:r><w:rPr><w:noProof/></w:rPr><w:pict>{_SHAPE_TYPE}{shape}</w:pict></w:r>"
    markup = f"<w:p><w:pPr>{_LINE}</w:pPr>{picture}{text_run(stamp.ribbon, _SMALL)}</w:p>"
    return etree.fromstring(f"<w:hdr {NAMESPACES} {_VML}>{markup}</w:hdr>")[0]


def _bytes(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
