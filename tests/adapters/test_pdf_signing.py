"""PAdES signatures, checked by `pdfsig` and by pyHanko's own validation; the signature page as people read it."""

from __future__ import annotations

import asyncio
import io
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import keys, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader, PdfWriter

from controller.adapters.pdf_lettering import Lettering
from controller.adapters.pdf_signing import PadesSigning, PdfSigningError
from controller.domain.identifiers import Digest
from controller.domain.signature_page import SignatureMark, SignaturePage, SignatureSlot
from tests.real_tools import need
from tests.signers import company, other_company, outside_authority

if TYPE_CHECKING:
    from pathlib import Path

    from tests.signers import TestCompany

AT = datetime.fromisoformat("2026-05-01T09:30:11+08:00")
SLOTS = (
    SignatureSlot("drafted", "起草", "在册人员"),
    SignatureSlot("reviewed", "审核", "质量负责人"),
    SignatureSlot("approved", "批准", "企业负责人"),
)
PAGE = SignaturePage(
    company="安泽医疗器械有限公司",
    title="售后服务质量控制管理程序",
    number="XX-YLQXCX-014",
    revision="A/0",
    contents=Digest.of(b"clauses"),
    contents_label="文件全部源文件的摘要",
    slots=SLOTS,
)
PEOPLE = (("p003", "陈晓", "文件管理员"), ("p002", "林静", "质量负责人"), ("p001", "周明", "企业负责人"))


def print_out() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def mark(name: str, post: str, meaning: str, **more: Any) -> SignatureMark:
    facts: dict[str, Any] = {"at": AT, "certificate": Digest.of(b"c"), "statement": Digest.of(b"s"), "reason": None}
    return SignatureMark(name=name, post=post, meaning=meaning, **(facts | more))


def signed(signers: TestCompany, count: int = 3) -> list[bytes]:
    """The waiting PDF, and the PDF after each signature."""
    signing = PadesSigning()
    made = [signing.add_page(print_out(), PAGE)]
    for slot, (person, name, post) in list(zip(SLOTS, PEOPLE, strict=True))[:count]:
        key = signers.key(person, name)
        shown = mark(name, post, slot.label, certificate=key.digest)
        sign = signing.certify if len(made) == 1 else signing.add_approval
        made.append(sign(made[-1], slot.field, key, shown))
    return made


def pdfsig(pdf: bytes, folder: Path) -> str:
    path = folder / "signed.pdf"
    path.write_bytes(pdf)
    done = subprocess.run([need("pdfsig"), "-nocert", str(path)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


def page_text(pdf: bytes, folder: Path) -> str:
    path = folder / "shown.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(
        [need("pdftotext"), "-f", "2", str(path), "-"], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("signers", [company, outside_authority], ids=["ecdsa", "rsa"])
def test_pdfsig_finds_every_signature_valid(signers: Any, tmp_path: Path) -> None:
    seen = pdfsig(signed(signers())[-1], tmp_path)
    assert seen.count("Signature is Valid.") == 3
    assert seen.count("ETSI.CAdES.detached") == 3
    assert seen.count("SHA-256") == 3
    assert [line.split(": ")[1] for line in seen.splitlines() if "Common Name" in line] == ["陈晓", "林静", "周明"]
    assert "\n  - Total document signed" in seen.rsplit("Signature #3", maxsplit=1)[1]


def test_pyhanko_trusts_every_signature_under_the_companys_root_and_sees_only_signing_since() -> None:
    statuses = validated(signed(company())[-1], company().root)
    assert [status.bottom_line for status in statuses] == [True, True, True]
    assert [status.modification_level for status in statuses] == [
        ModificationLevel.FORM_FILLING,
        ModificationLevel.FORM_FILLING,
        ModificationLevel.NONE,
    ]
    assert not any(status.trusted for status in validated(signed(company())[-1], other_company().root))


def validated(pdf: bytes, root: bytes) -> list[Any]:
    reader = PdfFileReader(io.BytesIO(pdf))
    found = []
    for signature in reader.embedded_signatures:
        trust = ValidationContext(trust_roots=[x509.Certificate.load(root)], moment=AT.astimezone(UTC))
        found.append(validate_pdf_signature(signature, trust))
    return found


def test_a_later_signature_leaves_what_was_signed_byte_for_byte() -> None:
    made = signed(company())
    for earlier, later in pairwise(made):
        assert later.startswith(earlier)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_changed_byte_in_what_was_signed_is_seen_by_pdfsig(share: float, tmp_path: Path) -> None:
    pdf = bytearray(signed(company(), 1)[-1])
    contents = pdf.index(b"/Contents <")
    place = int(share * contents)
    pdf[place] = (pdf[place] + 1) % 256
    path = tmp_path / "changed.pdf"
    path.write_bytes(pdf)
    done = subprocess.run([need("pdfsig"), "-nocert", str(path)], capture_output=True, text=True, check=False)
    assert "Signature is Valid" not in done.stdout


def test_a_page_put_in_after_signing_is_seen_by_pdfsig_and_pyhanko(tmp_path: Path) -> None:
    pdf = signed(company(), 1)[-1]
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    page["/Rotate"] = page["/MediaBox"][0]
    writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)
    assert "Not total document signed" in pdfsig(out.getvalue(), tmp_path)
    (status,) = validated(out.getvalue(), company().root)
    assert not status.bottom_line


def test_the_page_shows_who_is_awaited_and_then_who_signed_when_and_why(tmp_path: Path) -> None:
    made = signed(company(), 1)
    waiting, after = page_text(made[0], tmp_path), page_text(made[1], tmp_path)
    assert waiting.count("待签") == 3
    assert "应由：质量负责人" in waiting
    assert Digest.of(b"clauses").grouped in waiting
    assert "第 2 页（正文共 1 页，连本页共 2 页）" in waiting
    assert after.count("待签") == 2
    for shown in ("陈晓", "文件管理员", "2026-05-01", "09:30:11 UTC+08:00", "签名含义：起草", "（公章）"):
        assert shown in after
    assert f"陈述 {Digest.of(b's').hex[:16]}" in after
    assert "证书" in after


def test_a_hostile_name_and_a_long_reason_stay_in_their_cells(tmp_path: Path) -> None:
    signing = PadesSigning()
    waiting = signing.add_page(print_out(), PAGE)
    shown = mark("王\n强\x1b[2J\u202e阿依古丽·买买提江·阿卜杜拉", "𬭩\u0000岗", "起草", reason="理由" * 200)
    pdf = signing.certify(waiting, "drafted", company().key("p004", "王强"), shown)
    text = page_text(pdf, tmp_path)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "…" in text
    assert text.count("理由") < 60
    assert "Signature is Valid" in pdfsig(pdf, tmp_path)


def test_the_same_print_gets_the_same_bytes_and_only_the_signature_can_differ() -> None:
    signing = PadesSigning()
    first, second = (signing.add_page(print_out(), PAGE) for _ in range(2))
    assert first == second
    # RSA signatures of this kind are the same each time, so that the whole file is.
    key = outside_authority().key("p003", "陈晓")
    shown = mark("陈晓", "文件管理员", "起草")
    assert signing.certify(first, "drafted", key, shown) == signing.certify(first, "drafted", key, shown)


def test_with_a_timestamp_authority_the_signature_carries_its_token() -> None:
    key = company().key("p003", "陈晓")
    outside = outside_authority().key("tsa", "时间戳机构")
    private = keys.PrivateKeyInfo.load(_pkcs8(outside.pem()))
    authority = DummyTimeStamper(
        x509.Certificate.load(outside.certificate), private, fixed_dt=AT + timedelta(seconds=1)
    )
    asked: list[bytes] = []

    def stamp(digest: bytes) -> bytes:
        asked.append(digest)
        with ThreadPoolExecutor(1) as elsewhere:  # as a program that asks over the network would
            token: bytes = elsewhere.submit(asyncio.run, authority.async_timestamp(digest, "sha256")).result().dump()
        return token

    pdf = PadesSigning().add_page(print_out(), PAGE)
    pdf = PadesSigning().certify(pdf, "drafted", key, mark("陈晓", "文件管理员", "起草"), stamp=stamp)
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    (attribute,) = signature.signer_info["unsigned_attrs"]
    assert attribute["type"].native == "signature_time_stamp_token"
    token = attribute["values"][0]["content"]
    assert len(asked) == 1
    imprint = token["encap_content_info"]["content"].parsed["message_imprint"]["hashed_message"].native
    assert imprint == asked[0]
    assert imprint == sha256(signature.signer_info["signature"].native).digest()


def _pkcs8(pem: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization

    private = serialization.load_pem_private_key(pem, None)
    return private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize("field", ["drafted", "不存在"])
def test_a_place_that_is_signed_or_not_there_is_refused(field: str) -> None:
    pdf = signed(company(), 1)[-1]
    key = company().key("p002", "林静")
    with pytest.raises(PdfSigningError, match="不存在、已签署"):
        PadesSigning().add_approval(pdf, field, key, mark("林静", "质量负责人", "审核"))


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"PK\x03\x04 not a PDF"])
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(PdfSigningError):
        PadesSigning().add_page(data, PAGE)


def test_the_page_is_added_behind_the_print() -> None:
    pdf = PdfReader(io.BytesIO(signed(company(), 0)[0]))
    assert len(pdf.pages) == 2
    assert set(pdf.get_fields() or {}) == {"drafted", "reviewed", "approved"}


def test_no_line_sticks_out_because_of_the_signs_at_its_end() -> None:
    drawn = Lettering()
    text = "文件正文全部源文件的摘要按路径排列合在一起计算（SHA-256）：。按《程序》“核对”；再核对。" * 3
    for width in range(60, 300, 7):
        lines = drawn.wrapped(text, 9.5, width, most=1_000)
        assert max(drawn.width(line, 9.5) for line in lines) <= width
        assert "".join(lines) == text
        assert not any(line[0] in "，。；：）》”" for line in lines[1:])
