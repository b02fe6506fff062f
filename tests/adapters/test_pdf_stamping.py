"""Marks on the pages of a PDF: on every page, upright as it is read, nothing hidden, signed originals left alone."""

from __future__ import annotations

import io
import subprocess
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    RectangleObject,
    StreamObject,
)

from controller.adapters.pdf_stamping import PdfStampError, stamped
from controller.domain.print_stamp import PrintStamp, StampKind
from tests.adapters.test_pdf_signing import print_out, signed
from tests.real_tools import need
from tests.signers import company

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime.fromisoformat("2026-11-22T10:00:00+08:00")
UPRIGHT, ACROSS = (595.0, 842.0), (842.0, 595.0)


def stamp(kind: StampKind = StampKind.UNCONTROLLED, **more: object) -> PrintStamp:
    facts: dict[str, object] = {
        "copy_no": None, "holder": None, "valid_until": date(2026, 12, 22), "by": "周明", "note": "",
    }  # fmt: skip
    facts |= more
    return PrintStamp(kind, "XX-YLQXCX-014", "A/1", printed_at=AT, **facts)  # type: ignore[arg-type]


def pages(*kinds: tuple[tuple[float, float], int]) -> bytes:
    """A PDF whose pages of given size and rotation each hold one line in Helvetica, drawn with state left open."""
    writer = PdfWriter()
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    fonts = DictionaryObject(
        {NameObject("/H"): DictionaryObject({NameObject(k): NameObject(v) for k, v in font.items()})}
    )
    resources = writer._add_object(DictionaryObject({NameObject("/Font"): fonts}))
    for number, ((width, height), turned) in enumerate(kinds, 1):
        page = writer.add_blank_page(width, height)
        stream = StreamObject()
        # `2 0 0 2` is never undone: what is drawn on top must not be twice as large.
        stream.set_data(f"2 0 0 2 0 0 cm BT /H 9 Tf 60 60 Td (Line {number} of text) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
        page[NameObject("/Resources")] = resources
        if turned:
            page[NameObject("/Rotate")] = NumberObject(turned)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def words(pdf: bytes, folder: Path, page: int) -> list[tuple[str, float, float]]:
    """Each word that is read on a page with the middle of its box, from the upper left, as the reader sees it."""
    path = folder / "words.pdf"
    path.write_bytes(pdf)
    program = need("pdftotext")
    run = subprocess.run(
        [program, "-bbox", "-f", str(page), "-l", str(page), str(path), "-"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Error" not in run.stderr
    found = []
    for line in run.stdout.splitlines():
        if "<word " in line:
            box = dict(part.split("=") for part in line.split(">")[0].replace('"', "").split()[1:])
            across = (float(box["xMin"]) + float(box["xMax"])) / 2
            found.append((line.split(">")[1].split("<")[0], across, (float(box["yMin"]) + float(box["yMax"])) / 2))
    return found


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("controlled", "受控"),
        ("uncontrolled", "非受控"),
        ("draft", "草案"),
        ("obsolete", "作废"),
        ("training", "培训用"),
        ("pending", "未生效"),
    ],
)
def test_every_page_says_document_revision_and_kind_of_copy(kind: str, label: str, tmp_path: Path) -> None:
    made = stamped(pages((UPRIGHT, 0), (UPRIGHT, 0)), stamp(StampKind(kind)))
    for page in (1, 2):
        said = " ".join(word for word, _, _ in words(made, tmp_path, page))
        assert f"Line {page} of text" in said
        assert f"XX-YLQXCX-014 A/1 · {label}" in said
        assert "打印 2026-11-22 周明" in said


def test_a_controlled_copy_names_number_and_holder_and_an_uncontrolled_one_its_last_day() -> None:
    controlled = stamp(StampKind.CONTROLLED, copy_no="03", holder="售后服务部", valid_until=None)
    assert controlled.ribbon == "XX-YLQXCX-014 A/1 · 受控 · 受控号 03 · 领用 售后服务部 · 打印 2026-11-22 周明"
    assert stamp().ribbon == "XX-YLQXCX-014 A/1 · 非受控 · 打印 2026-11-22 周明 · 有效至 2026-12-22"


@pytest.mark.parametrize("size", [UPRIGHT, ACROSS, (420.0, 595.0)])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_the_line_runs_along_the_right_edge_of_what_the_reader_sees(
    size: tuple[float, float], turned: int, tmp_path: Path
) -> None:
    made = stamped(pages((size, turned)), stamp())
    width, height = size if turned % 180 == 0 else size[::-1]
    ribbon = [(x, y) for word, x, y in words(made, tmp_path, 1) if word in {"XX-YLQXCX-014", "2026-12-22"}]
    assert len(ribbon) == 2
    (start_x, start_y), (end_x, end_y) = ribbon
    assert width - 26 < start_x < width - 10
    assert abs(start_x - end_x) < 3
    assert 0 < end_y < height / 2 < start_y < height


def test_pages_of_different_size_cropped_and_sharing_resources_are_all_marked(tmp_path: Path) -> None:
    reader = PdfReader(io.BytesIO(pages((UPRIGHT, 0), (ACROSS, 0), (UPRIGHT, 90))))
    writer = PdfWriter(clone_from=reader)
    writer.pages[0].cropbox = RectangleObject((100, 100, 500, 800))
    out = io.BytesIO()
    writer.write(out)
    made = stamped(out.getvalue(), stamp())
    for page in (1, 2, 3):
        said = [word for word, _, _ in words(made, tmp_path, page)]
        assert "XX-YLQXCX-014" in said
        assert str(page) in said
    (across,) = [x for word, x, _ in words(made, tmp_path, 1) if word == "XX-YLQXCX-014"]
    assert 374 < across < 390 or 474 < across < 490  # 16 points inside the crop's edge, told from either origin


def test_text_that_was_black_stays_black(tmp_path: Path) -> None:
    need("pdftoppm")
    dark: list[set[int]] = []
    plain = pages((UPRIGHT, 0))
    for name, data in (("plain", plain), ("marked", stamped(plain, stamp()))):
        path = tmp_path / f"{name}.pdf"
        path.write_bytes(data)
        subprocess.run(["pdftoppm", "-r", "72", "-gray", str(path), str(tmp_path / name)], check=True)
        picture = next(tmp_path.glob(f"{name}*.pgm")).read_bytes()
        pixels = picture.split(b"255\n", maxsplit=1)[1]
        inner = {at for at, grey in enumerate(pixels) if grey < 60 and at % 595 < 560}
        dark.append(inner)
    assert dark[0]
    assert dark[0] == dark[1]


def test_the_word_across_the_page_does_not_break_into_the_text_that_is_copied(tmp_path: Path) -> None:
    made = stamped(pages((UPRIGHT, 0)), stamp())
    assert [word for word, _, _ in words(made, tmp_path, 1) if word in {"非", "受", "控"}] == []


def test_a_mark_costs_a_few_kilobytes_once_and_little_for_each_page() -> None:
    one, many = pages((UPRIGHT, 0)), pages(*[(UPRIGHT, 0)] * 50)
    assert len(stamped(one, stamp())) - len(one) < 12_000
    assert (len(stamped(many, stamp())) - len(many) - 12_000) / 50 < 1_000


def test_the_same_copy_has_the_same_bytes() -> None:
    plain = pages((UPRIGHT, 0), (ACROSS, 90))
    assert stamped(plain, stamp()) == stamped(plain, stamp())
    original = signed(company(), 1)[-1]
    assert stamped(original, stamp()) == stamped(original, stamp())


def test_a_signed_pdf_is_copied_with_its_signatures_as_pictures_and_marked_a_copy(tmp_path: Path) -> None:
    original = signed(company())[-1]
    made = stamped(original, stamp())
    path = tmp_path / "copy.pdf"
    path.write_bytes(made)
    said = subprocess.run([need("pdfsig"), str(path)], capture_output=True, text=True, check=False)
    assert "does not contain any signatures" in said.stdout + said.stderr
    text = PdfReader(io.BytesIO(made)).pages[-1].extract_text()
    assert "副本，电子签名以原件为准" in text
    assert [name for name in ("陈晓", "林静", "周明") if name not in text] == []
    assert original not in made
    (tmp_path / "original.pdf").write_bytes(original)
    kept = subprocess.run(
        [need("pdfsig"), "-nocert", str(tmp_path / "original.pdf")], capture_output=True, text=True, check=True
    )
    assert kept.stdout.count("Signature is Valid") == 3


def test_a_very_long_holder_is_shortened_and_stays_on_the_page(tmp_path: Path) -> None:
    long = stamp(StampKind.CONTROLLED, copy_no="12", holder="驻外售后服务中心" * 40, valid_until=None)
    made = stamped(pages((ACROSS, 0)), long)
    assert "…" in PdfReader(io.BytesIO(made)).pages[0].extract_text()
    assert all(0 <= y <= 595 for _, _, y in words(made, tmp_path, 1))


@pytest.mark.parametrize("data", [b"", b"no pdf", print_out()[:200]])
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(PdfStampError):
        stamped(data, stamp())


def test_an_endless_page_tree_is_refused() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(print_out())))
    tree = writer._root_object["/Pages"].get_object()
    assert isinstance(tree, DictionaryObject)
    assert tree.indirect_reference is not None
    tree[NameObject("/Kids")] = ArrayObject([tree.indirect_reference])
    tree[NameObject("/Count")] = NumberObject(1)
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(PdfStampError):
        stamped(out.getvalue(), stamp())
