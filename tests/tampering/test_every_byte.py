"""No byte of a signature, a stamp or a signed PDF can be another without being noticed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from controller.adapters.pdf_signature_check import PadesCheck
from controller.file_formats.certificate_file import to_der
from controller.file_formats.signature_file import SignatureDamagedError, check_signature
from controller.file_formats.timestamp_file import StampDamagedError, check_stamp
from tests.tampering.cases import SEED
from tests.tampering.rewriting import Branch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tampering.signed_company import SignedCompany

STATED, STAMPED = "trail/0000/00/00000001", "timestamps/0000/00/00000001"
SIGNED_PDF = "documents/XX-YLQXCX-014/A-0/0003.pdf"


def flipped(data: bytes, step: int = 1) -> Iterator[tuple[int, bytes]]:
    """Every `step`th byte changed, one at a time."""
    chance = random.Random(SEED)  # noqa: S311 - to be repeated, not secret
    for place in range(0, len(data), step):
        other = data[place] ^ chance.randrange(1, 256)
        yield place, data[:place] + bytes([other]) + data[place + 1 :]


def test_every_byte_of_a_signature_counts(whole_company: SignedCompany) -> None:
    files = Branch(whole_company.workspace, "archive/main").files
    data, signature = files[f"{STATED}.json"], files[f"{STATED}.p7s"]
    right = check_signature(signature, data)
    unnoticed = []
    for place, other in flipped(signature):
        try:
            found = check_signature(other, data)
        except SignatureDamagedError:
            continue
        if found == right:
            unnoticed.append(place)
    assert right.intact
    assert unnoticed == []


def test_every_byte_of_a_stamp_counts(whole_company: SignedCompany) -> None:
    files = Branch(whole_company.workspace, "archive/main").files
    root = to_der(Branch(whole_company.workspace, "main").files["signatures/timestamp-roots/tsa.pem"])
    data, stamp = files[f"{STAMPED}.json"], files[f"{STAMPED}.tsr"]
    unnoticed = []
    for place, other in flipped(stamp):
        try:
            found = check_stamp(other, data, [root])
        except StampDamagedError:
            continue
        if found.intact and found.trusted:
            unnoticed.append(place)
    assert check_stamp(stamp, data, [root]).trusted
    assert unnoticed == []


@pytest.mark.slow
def test_the_digits_of_a_pdf_s_last_signature_count(whole_company: SignedCompany) -> None:
    """They are the only bytes that no signature covers."""
    pdf = Branch(whole_company.workspace, "archive/main").files[SIGNED_PDF]
    check = PadesCheck()
    right = check.signatures(pdf)
    assert right is not None
    assert all(item.intact for item in right)
    begin = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    end = pdf.index(b">", begin)
    letter = next(place for place in range(begin, end) if pdf[place : place + 1].isalpha())
    places = (begin, begin + 1, begin + 40, letter, end - 1000, end - 1)
    others = [pdf[:place] + bytes([pdf[place] ^ 0x20]) + pdf[place + 1 :] for place in places]
    others += [pdf[: end - 1] + b"1" + pdf[end:], pdf + b"\n", pdf[:-1]]
    assert [check.signatures(other) == right for other in others] == [False] * len(others)
