"""Signing a procedure's PDF three times, against pyHanko's own signer with its text stamp.

Ours draws the signature page with an embedded Chinese font and shows name, post, meaning, time and reason in Chinese;
the plain stack stamps Latin letters, because that is what comes with it.
"""

from __future__ import annotations

import io
import statistics
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from asn1crypto import keys, x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.stamp import TextStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from controller.adapters.pdf_office2pdf import Office2PdfConverter
from controller.adapters.pdf_signing import PadesSigning
from controller.adapters.procedure_layout import ProcedureLayout
from controller.adapters.working_files import WorkingFiles
from controller.domain.identifiers import Digest
from controller.domain.signature_page import SignatureMark, SignaturePage, SignatureSlot
from controller.services.document_library import DocumentLibrary
from controller.services.procedure_printing import ProcedurePrinting
from tests.signers import TestKey, company

AT = datetime.fromisoformat("2026-05-01T09:30:11+08:00")
COMPANY = "安泽医疗器械有限公司"
NUMBER = "XX-YLQXCX-014"
SLOTS = tuple(SignatureSlot(*slot) for slot in (("drafted", "起草"), ("reviewed", "审核"), ("approved", "批准")))
PEOPLE = (("p003", "陈晓", "质管员"), ("p002", "林静", "质量负责人"), ("p001", "周明", "企业负责人"))
REASON = "按现行法规核对全文，补充退货查验和不良事件上报时限"


def procedure_pdf() -> bytes:
    library = DocumentLibrary(WorkingFiles(Path(__file__).parents[1]))
    converter = Office2PdfConverter()
    try:
        return converter.convert(ProcedurePrinting(library, ProcedureLayout(), COMPANY).docx(NUMBER))
    finally:
        converter.close()


def page() -> SignaturePage:
    return SignaturePage(COMPANY, "售后服务质量控制管理程序", NUMBER, "A/0", Digest.of(b"c"), "摘要", SLOTS)


def sign(pdf: bytes, taken: list[float]) -> bytes:
    signing = PadesSigning()
    for place, (slot, (person, name, post)) in enumerate(zip(SLOTS, PEOPLE, strict=True)):
        key = company().key(person, name)
        mark = SignatureMark(name, post, slot.label, AT, key.digest, Digest.of(b"s"), REASON)
        started = time.perf_counter()
        pdf = (signing.add_approval if place else signing.certify)(pdf, slot.field, key, mark)
        taken.append((time.perf_counter() - started) * 1000)
    return pdf


def simple_signer(key: TestKey) -> SimpleSigner:
    private = serialization.load_pem_private_key(key.pem(), None)
    pkcs8 = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    registry = SimpleCertificateStore()
    registry.register_multiple([x509.Certificate.load(issuer) for issuer in key.issuers])
    return SimpleSigner(x509.Certificate.load(key.certificate), keys.PrivateKeyInfo.load(pkcs8), registry)


def sign_plainly(pdf: bytes, taken: list[float]) -> bytes:
    for place, (slot, (person, name, _)) in enumerate(zip(SLOTS, PEOPLE, strict=True)):
        signer = simple_signer(company().key(person, name))
        started = time.perf_counter()
        facts = PdfSignatureMetadata(
            field_name=slot.field, certify=place == 0, subfilter=SigSeedSubFilter.PADES, reason=REASON
        )
        spec = SigFieldSpec(slot.field, on_page=0, box=(50, 50 + 60 * place, 400, 100 + 60 * place))
        stamp = TextStampStyle(stamp_text=f"Signed by {person}\nTime: %(ts)s")
        out = PdfSigner(facts, signer=signer, stamp_style=stamp, new_field_spec=spec).sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf))
        )
        pdf = out.getvalue()
        taken.append((time.perf_counter() - started) * 1000)
    return pdf


def run(*, quick: bool) -> list[dict[str, Any]]:
    printed = procedure_pdf()
    ours: list[float] = []
    plain: list[float] = []
    pages: list[float] = []
    for _ in range(10 if quick else 60):
        started = time.perf_counter()
        waiting = PadesSigning().add_page(printed, page())
        pages.append((time.perf_counter() - started) * 1000)
        sign(waiting, ours)
        sign_plainly(printed, plain)
    mine, theirs = statistics.median(ours), statistics.median(plain)
    return [
        {
            "name": "add the signature page to a PDF",
            "ours_ms": statistics.median(pages),
            "plain_ms": None,
            "ratio": None,
        },
        {
            "name": "sign a PDF (PAdES, visible, Chinese)",
            "ours_ms": mine,
            "plain_ms": theirs,
            "ratio": theirs / mine,
            "p95_ms": statistics.quantiles(ours, n=20)[18],
            "goal": "≤ 60 ms",
            "reached": mine <= 60,
            "note": "plain: pyHanko's own signer with a Latin text stamp",
        },
    ]
