"""Table rules that office2pdf draws with holes are made whole; nothing else in the PDF changes."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from controller.adapters.pdf_table_rules import mend_table_rules


def bar(x: float, top: float, width: float, height: float) -> str:
    shape = f"0 0 m {width} 0 l {width} {height} l 0 {height} l"
    return f"q 1 0 0 -1 {x} {top} cm/c0 cs 0 0 0 scn {shape}\nh\nf\nQ"


def pdf(*content: str) -> bytes:
    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    stream = DecodedStreamObject()
    stream.set_data("\n".join(content).encode())
    page[NameObject("/Contents")] = writer._add_object(stream)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def bars(data: bytes) -> list[tuple[float, ...]]:
    """Return x, top, width and height of every bar on the page."""
    contents = PdfReader(BytesIO(data)).pages[0].get_contents()
    assert contents is not None
    found = re.findall(
        r"-1 ([\d.]+) ([\d.]+) cm\S* cs [\d ]+ scn 0 0 m ([\d.]+) 0 l [\d.]+ ([\d.]+) l", contents.get_data().decode()
    )
    return [tuple(round(float(number), 3) for number in row) for row in found]


TEXT = "BT /F1 9 Tf 50 150 Td (x) Tj ET"
FLOOR = bar(50, 100, 200, 0.48)


def test_a_rule_with_a_hole_becomes_whole() -> None:
    mended = bars(mend_table_rules(pdf(TEXT, bar(50, 200, 0.48, 20), bar(50, 120, 0.48, 20), FLOOR)))
    assert (50.0, 200.0, 0.48, 100.0) in mended


def test_two_pairs_stay_two_rules() -> None:
    left = (bar(50, 200, 0.48, 20), bar(50, 120, 0.48, 20))
    right = (bar(250, 200, 0.48, 20), bar(250, 120, 0.48, 20))
    mended = bars(mend_table_rules(pdf(*left, *right, FLOOR)))
    assert {(50.0, 200.0, 0.48, 100.0), (250.0, 200.0, 0.48, 100.0)} <= set(mended)


def test_the_last_row_of_a_page_gets_its_rule_below() -> None:
    mended = bars(mend_table_rules(pdf(bar(50, 120, 0.48, 20), bar(50, 120, 0.48, 20), bar(249.52, 120, 0.48, 20))))
    assert mended[-1] == (50.0, 100.0, 200.0, 0.48)


@pytest.mark.parametrize(
    "content",
    [
        (TEXT,),
        (bar(50, 120, 0.48, 20), bar(50, 120, 0.48, 20), FLOOR),
        (bar(50, 200, 80, 100),),
        (bar(50, 120, 0.48, 20), bar(90, 220, 0.48, 20), FLOOR),
    ],
    ids=["text only", "short row", "shading", "rules of two rows"],
)
def test_what_needs_no_mending_stays_byte_for_byte(content: tuple[str, ...]) -> None:
    original = pdf(*content)
    assert mend_table_rules(original) == original
