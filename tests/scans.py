"""测试用扫描件. Sheets rendered and scanned as people do it: a little crooked, noisy, grey; and hostile PDFs."""

from __future__ import annotations

import io
import random
import subprocess
import zlib
from typing import TYPE_CHECKING

from PIL import Image
from pypdf import PdfReader

from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path


def scanned(pdf: Path, *, turned: float = 2.0, dpi: int = 150) -> Image.Image:
    """Return the last page of `pdf`, where one signs, as a cheap scanner would give it back."""
    page, last = pdf.with_suffix(""), str(len(PdfReader(pdf).pages))
    words = [need("pdftoppm"), "-r", str(dpi), "-gray", "-f", last, "-singlefile", "-png", str(pdf), str(page)]
    subprocess.run(words, check=True)
    with Image.open(page.with_suffix(".png")) as opened:
        picture = opened.convert("L").rotate(turned, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=250)
    noise = Image.frombytes("L", picture.size, random.Random(1).randbytes(picture.width * picture.height))  # noqa: S311 - only noise
    return Image.blend(picture, noise, 0.15)


def as_bytes(picture: Image.Image, kind: str, **options: int) -> bytes:
    """Return the picture as a file of `kind`: PNG, JPEG or PDF."""
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def small_png() -> bytes:
    """Return a picture without any code."""
    return as_bytes(Image.new("L", (40, 30), 240), "PNG")


def pdf_of(objects: list[bytes], *, trailer: bytes = b"") -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is the catalogue."""
    data, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return data


def plain_pdf(*, catalogue: bytes = b"", page: bytes = b"", more: list[bytes] | None = None) -> bytes:
    """Return a PDF of one empty page, with further entries in the catalogue or the page, and further objects from 4."""
    return pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue,
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] %s >>" % page,
            *(more or []),
        ]
    )


def pdf_with_object_stream(hidden: bytes, catalogue: bytes) -> bytes:
    """Return a PDF with object 5 packed inside the compressed object 4, and further entries in the catalogue."""
    first = len(hidden.split(b"<<", maxsplit=1)[0])
    packed, data, places = zlib.compress(hidden), b"%PDF-1.7\n", []
    for number, content in enumerate(
        (
            b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue,
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
            b"<< /Type /ObjStm /N 1 /First %d /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream"
            % (first, len(packed), packed),
        ),
        1,
    ):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    rows = [(0, 0, 65535), *((1, place, 0) for place in places), (2, 4, 0), (1, len(data), 0)]
    table = b"".join(kind.to_bytes(1) + at.to_bytes(4) + rest.to_bytes(2) for kind, at, rest in rows)
    head = b"<< /Type /XRef /Size 7 /W [1 4 2] /Root 1 0 R /Length %d >>" % len(table)
    return data + b"6 0 obj\n%s\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (head, table, len(data))
