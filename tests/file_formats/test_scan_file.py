"""A scan is what its bytes are: whole, of a size that can be looked at, with nothing hidden behind its end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from controller.file_formats.scan_file import LARGEST, ScanKind, ScanRefusedError, check_pixels, scan_kind
from tests.scans import as_bytes, plain_pdf, small_png

PNG = small_png()
JPEG = as_bytes(Image.linear_gradient("L"), "JPEG")


def test_the_kind_is_told_by_content_and_never_by_name() -> None:
    assert scan_kind(PNG) is ScanKind.PNG
    assert scan_kind(JPEG) is ScanKind.JPEG
    assert scan_kind(plain_pdf()) is ScanKind.PDF


def test_progressive_and_coloured_pictures_are_taken() -> None:
    colours = Image.new("RGB", (64, 64), (200, 30, 30))
    assert scan_kind(as_bytes(colours, "JPEG", progressive=1)) is ScanKind.JPEG
    assert scan_kind(as_bytes(colours.convert("P"), "PNG")) is ScanKind.PNG


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"PK\x03\x04", b"MZ", b"<svg/>", b"<html>%PDF-1.7 %%EOF", b"%PDF-1.7 no end", b"\xff\xd8\xff"],
)
def test_other_files_are_refused_whatever_they_call_themselves(data: bytes) -> None:
    with pytest.raises(ScanRefusedError):
        scan_kind(data)


@given(st.integers(1, len(PNG) - 1))
@settings(max_examples=40)
def test_a_cut_png_is_refused(end: int) -> None:
    with pytest.raises(ScanRefusedError):
        scan_kind(PNG[:end])


@given(st.integers(8, len(PNG) - 1), st.integers(1, 255))
@settings(max_examples=60)
def test_a_png_with_any_byte_changed_is_refused(place: int, by: int) -> None:
    changed = bytearray(PNG)
    changed[place] ^= by
    with pytest.raises(ScanRefusedError):
        scan_kind(bytes(changed))


@given(st.integers(1, len(JPEG) - 1))
@settings(max_examples=40)
def test_a_cut_jpeg_is_refused(end: int) -> None:
    with pytest.raises(ScanRefusedError):
        scan_kind(JPEG[:end])


@given(st.binary(max_size=400))
def test_anything_behind_a_picture_mark_is_refused_and_never_crashes(rest: bytes) -> None:
    for mark in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(ScanRefusedError):
            scan_kind(mark + rest)


@pytest.mark.parametrize("picture", [PNG, JPEG])
def test_another_file_hidden_behind_the_picture_is_refused_with_its_place(picture: bytes) -> None:
    with pytest.raises(ScanRefusedError) as refused:
        scan_kind(picture + b"PK\x03\x04 a zip")
    assert f"第 {len(picture)} 字节" in str(refused.value.message)
    assert scan_kind(picture + b"\0\0\n") in {ScanKind.PNG, ScanKind.JPEG}


def test_what_is_too_large_to_look_at_is_refused() -> None:
    with pytest.raises(ScanRefusedError, match="万像素"):
        check_pixels(100_000, 100_000)
    with pytest.raises(ScanRefusedError, match="万像素"):
        scan_kind(as_bytes(Image.new("1", (8000, 8000)), "PNG"))
    with pytest.raises(ScanRefusedError, match="MB"):
        scan_kind(PNG + b"\0" * LARGEST)
