"""Signing an entry and checking signatures; against PKCS7SignatureBuilder, and asn1crypto with cryptography.

“Beyond filing” is measured in turn on one archive: the same entry filed bare, and filed with a signature made for it.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.adapters.git_archive import GitArchive
from controller.adapters.git_controlled_files import init_repository
from controller.adapters.workspace_lock import WorkspaceLock
from controller.domain.identifiers import Digest, DocumentNumber, RecordNumber, Revision
from controller.domain.record import Act, Entry, FormBinding, Signatory
from controller.domain.signature import Origin
from controller.file_formats.entry_file import decode_entry, encode_entry
from controller.file_formats.signature_file import check_signature, detached_signature
from controller.services.archive_ports import ArchiveChange
from tests.signers import TestCompany, TestKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.record import Wire

FORM = "XX-YLQXJL-018"
AT = datetime(2026, 5, 1, 9, 30, tzinfo=timezone(timedelta(hours=8)))
BY = Signatory(person="p003", name="王芳", post="售后主管")
PEOPLE = 30
VALUES: dict[str, Wire] = {
    "received_at": "2026-05-01T09:12+08:00",
    "channel": "电话",
    "product_name": "半导体激光脱毛仪",
    "model": "AZ-808 Pro",
    "lot_no": "B20260312",
    "serial_no": "AZ808P-2603-0418",
    "customer": "某某市第一人民医院皮肤科",
    "content_summary": "开机后手柄不出光，屏幕显示 E07，重启后仍不能使用；客户要求当天上门。",
    "handling": "电话指导检查水位与手柄接头，未恢复；已安排工程师次日上午到场，携带备用手柄一支。",
}


def entry_bytes(serial: int, certificate: Digest) -> bytes:
    number = RecordNumber.of(FORM, 2026, serial)
    return encode_entry(
        Entry(
            workspace="6a1f6a1e-7c52-4d0e-9b42-6a4f0f3f9f10",
            site="main",
            record=number,
            sequence=1,
            previous=None,
            act=Act.OPENED,
            form=FormBinding(DocumentNumber(FORM), Revision("A/0"), Digest.of(b"form")),
            by=BY,
            certificate=certificate,
            origin=Origin("pc-01", "office", "s-0001"),
            at=AT.isoformat(),
            meaning="记录",
            stage="registered",
            company="某某医疗器械有限公司",
            values=VALUES,
            shown=Digest.of(number.text.encode()),
        )
    )


def sign_plainly(data: bytes, key: TestKey) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.serialization import pkcs7

    builder = pkcs7.PKCS7SignatureBuilder().set_data(data)
    builder = builder.add_signer(x509.load_der_x509_certificate(key.certificate), key.private, hashes.SHA256())
    for issuer in key.issuers:
        builder = builder.add_certificate(x509.load_der_x509_certificate(issuer))
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCapabilities]
    return builder.sign(serialization.Encoding.DER, options)


def check_plainly(p7s: bytes, data: bytes) -> bool:
    from hashlib import sha256

    from asn1crypto import cms, tsp
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    assert tsp.SigningCertificateV2  # importing it is what makes the attribute known
    content = cms.ContentInfo.load(p7s, strict=True)["content"]
    signer = content["signer_infos"][0]
    attributes = {item["type"].native: item["values"][0] for item in signer["signed_attrs"]}
    named = attributes["signing_certificate_v2"]["certs"][0]["cert_hash"].native
    for choice in content["certificates"]:
        der = choice.chosen.dump()
        if sha256(der).digest() != named:
            continue
        if attributes["message_digest"].native != sha256(data).digest() or not attributes["signing_time"].native:
            return False
        public = x509.load_der_x509_certificate(der).public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        public.verify(signer["signature"].native, signer["signed_attrs"].untag().dump(), ec.ECDSA(hashes.SHA256()))
        return True
    return False


def each(times: int, act: Callable[[int], object]) -> float:
    """The median of `times` single calls, in milliseconds."""
    taken: list[float] = []
    for turn in range(times):
        started = time.perf_counter()
        act(turn)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def filing(key: TestKey, times: int) -> tuple[float, float]:
    """File bare and signed entries in turn; return both medians in milliseconds."""
    folder = Path(tempfile.mkdtemp(prefix="wenkong-bench-"))
    certificate = Digest.of(key.certificate)
    taken: tuple[list[float], list[float]] = ([], [])
    try:
        init_repository(folder, site="main", begin=[{"site.json": b"{}"}], by=BY, at=AT)
        archive = GitArchive(folder, lock=WorkspaceLock(folder / ".qms"))
        for turn in range(2 * times):
            started = time.perf_counter()
            with archive.writing() as writer:
                number = RecordNumber.of(FORM, 2026, writer.last_serial(FORM, 2026) + 1)
                data = entry_bytes(number.serial, certificate)
                files = {f"{number.folder}/0001.json": data}
                if turn % 2:
                    files[f"{number.folder}/0001.p7s"] = detached_signature(data, at=AT, key=key)
                writer.append(ArchiveChange(files, BY, AT, number.text, {"QMS-Action": "open"}))
            taken[turn % 2].append((time.perf_counter() - started) * 1000)
        archive.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return statistics.median(taken[0]), statistics.median(taken[1])


def row(name: str, ours: float, plain: float | None, most: float, **more: Any) -> dict[str, Any]:
    ratio = plain / ours if plain else None
    goal = {"goal": f"≤ {most:g} ms", "reached": ours <= most}
    return {"name": name, "ours_ms": ours, "plain_ms": plain, "ratio": ratio, **goal, **more}


def run(*, quick: bool) -> list[dict[str, Any]]:
    times = 300 if quick else 3000
    company = TestCompany("某某医疗器械有限公司")
    keys = [company.key(f"p{person:03d}", f"人员{person}") for person in range(PEOPLE)]
    entries = [entry_bytes(serial, Digest.of(keys[serial % PEOPLE].certificate)) for serial in range(1, times + 1)]
    pairs = [(data, keys[place % PEOPLE]) for place, data in enumerate(entries, 1)]
    signed = [detached_signature(data, at=AT, key=key) for data, key in pairs]
    wrong = [at for at, (p7s, data) in enumerate(zip(signed, entries, strict=True)) if not intact_both(p7s, data)]
    assert wrong == []
    bare, with_signature = filing(keys[0], 40 if quick else 200)
    return [
        row(
            "sign an entry (CMS)",
            each(times, lambda turn: detached_signature(pairs[turn][0], at=AT, key=pairs[turn][1])),
            each(times, lambda turn: sign_plainly(*pairs[turn])),
            0.5,
            signature_bytes=len(signed[0]),
            note="ours checks what it made, sets the time and names the certificates; the plain way does none of these",
        ),
        row("file a signed entry, beyond filing it bare", with_signature - bare, None, 5, note=f"{bare:.1f} ms bare"),
        row(
            f"check a signature, {PEOPLE} signers",
            each(times, lambda turn: check_signature(signed[turn], entries[turn])),
            each(times, lambda turn: check_plainly(signed[turn], entries[turn])),
            0.4,
        ),
        row(
            "decode an entry and check its signature",
            each(times, lambda turn: (decode_entry(entries[turn]), check_signature(signed[turn], entries[turn]))),
            None,
            0.6,
            note="100,000 in two processes within 60 s leaves 1.2 ms for each",
        ),
    ]


def intact_both(p7s: bytes, data: bytes) -> bool:
    """Both ways must find the signature right, at the time it was made."""
    checked = check_signature(p7s, data)
    return checked.intact and checked.signed_at == AT.astimezone(UTC) and check_plainly(p7s, data)
