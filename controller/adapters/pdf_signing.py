"""PDF 签名. Adds the signature page to a print and signs it: PAdES B-B, with a timestamp B-T (ETSI EN 319 142-1).

The first signature certifies: from then on only the places kept for signatures may be filled. Every later one adds to
the end of the file and leaves what was signed as it is. The bytes are the same each time but for the signature itself.
"""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from asn1crypto import cms, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import Signer as PdfSigner
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from controller.adapters.pdf_addition import PdfAddition, numbers
from controller.adapters.pdf_lettering import embed_font
from controller.adapters.signature_page_drawing import (
    HEIGHT,
    WIDTH,
    mark_content,
    page_content,
    slot_box,
    waiting_content,
)
from controller.domain.errors import DamagedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    from controller.adapters.pdf_lettering import Lettering
    from controller.domain.signature import SigningKey
    from controller.domain.signature_page import SignatureMark, SignaturePage
    from controller.domain.text import Text

_DIGEST = "sha256"
_PRINTED_AND_LOCKED = 4 | 128
"""Flags of a place for a signature: shown on paper, not to be moved."""
_OWN_ROOM, _STAMP_ROOM = 3072, 16384
"""Bytes reserved for a signature beside its certificates, and for a timestamp."""


class PdfSigningError(DamagedError):
    """PDF 无法签名. The file is no PDF that can be signed, or the place for the signature is missing or taken."""

    code = "pdf-signing-failed"

    def __init__(self, *, problem: Text) -> None:
        super().__init__(
            T("PDF 无法签名：{problem}。", problem=problem),
            hint=T("没有签署任何内容。请重新打印后再试；若反复出现，请运行 qms verify。"),
        )


class PadesSigning:
    """PDF 签名. Implements the port `PdfSigning` with pyHanko."""

    def add_page(self, pdf: bytes, page: SignaturePage) -> bytes:
        """Return `pdf` with the signature page at its end, a place kept for every signature.

        Raises:
            PdfSigningError: the file cannot be read as a PDF.
            FontUnusableError: the packaged font is missing.
        """
        writer = _opened(pdf)
        try:
            fields = _append(writer, page)
            _add_form(writer, fields)
            writer.register_extension(ESIC_EXTENSION_1)
            writer.update_root()
            out = io.BytesIO()
            writer.write(out)
        except (PdfError, KeyError, ValueError, TypeError) as exc:
            raise PdfSigningError(problem=T("文件结构不完整")) from exc
        return out.getvalue()

    def certify(
        self,
        pdf: bytes,
        field: str,
        key: SigningKey,
        mark: SignatureMark,
        *,
        stamp: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        """Return `pdf` with its first signature, which allows nothing but filling the other places.

        Args:
            pdf: a print with its signature page.
            field: the place to sign in.
            key: the unlocked key.
            mark: what the signature shows.
            stamp: SHA-256 → timestamp token (RFC 3161, DER) over it.

        Raises:
            PdfSigningError: the file cannot be signed, or not there.
        """
        return _signed(pdf, field, key, mark, stamp, certify=True)

    def add_approval(
        self,
        pdf: bytes,
        field: str,
        key: SigningKey,
        mark: SignatureMark,
        *,
        stamp: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        """Return `pdf` with one more signature; what is there stays byte for byte. Arguments as in `certify`.

        Raises:
            PdfSigningError: the file cannot be signed, or not there.
        """
        return _signed(pdf, field, key, mark, stamp, certify=False)


class _KeySigner(PdfSigner):
    """Signs with a person's unlocked key."""

    def __init__(self, key: SigningKey) -> None:
        registry = SimpleCertificateStore()
        registry.register_multiple([x509.Certificate.load(issuer) for issuer in key.issuers])
        super().__init__(signing_cert=x509.Certificate.load(key.certificate), cert_registry=registry)
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Return the signature over the SHA-256 of `data`."""
        del digest_algorithm, dry_run
        return self._key.sign_raw(data)


class _Stamper(TimeStamper):
    """Gets timestamps from whoever the caller names."""

    def __init__(self, stamp: Callable[[bytes], bytes]) -> None:
        TimeStamper.__init__(self)
        self._stamp = stamp

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Return the token over `message_digest`."""
        del md_algorithm
        return cms.ContentInfo.load(self._stamp(message_digest))


def _opened(pdf: bytes) -> IncrementalPdfFileWriter:
    try:
        return PdfAddition(io.BytesIO(pdf), strict=False)
    except (PdfError, KeyError, ValueError, TypeError, AttributeError, IndexError) as exc:
        raise PdfSigningError(problem=T("不是有效的 PDF")) from exc


def _pages(writer: IncrementalPdfFileWriter) -> int:
    return int(writer.root["/Pages"]["/Count"])


def _append(writer: IncrementalPdfFileWriter, page: SignaturePage) -> generic.ArrayObject:
    """Add the page with its empty places; return those."""
    content, resources = _drawn(writer, page_content(page, before=_pages(writer)))
    stream = generic.StreamObject(stream_data=content)
    stream.compress()
    sheet = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Page"),
            pdf_name("/MediaBox"): numbers(0, 0, WIDTH, HEIGHT),
            pdf_name("/Contents"): writer.add_object(stream),
            pdf_name("/Resources"): resources,
        }
    )
    place = writer.insert_page(sheet)
    fields = generic.ArrayObject()
    for number, slot in enumerate(page.slots):
        box = slot_box(page, number)
        waiting = _appearance(writer, waiting_content(slot), box)
        fields.append(
            writer.add_object(
                generic.DictionaryObject(
                    {
                        pdf_name("/Type"): pdf_name("/Annot"),
                        pdf_name("/Subtype"): pdf_name("/Widget"),
                        pdf_name("/FT"): pdf_name("/Sig"),
                        pdf_name("/T"): generic.pdf_string(slot.field),
                        pdf_name("/TU"): generic.pdf_string(slot.label),
                        pdf_name("/F"): generic.NumberObject(_PRINTED_AND_LOCKED),
                        pdf_name("/P"): place,
                        pdf_name("/Rect"): numbers(*box),
                        pdf_name("/AP"): generic.DictionaryObject({pdf_name("/N"): waiting}),
                    }
                )
            )
        )
    sheet[pdf_name("/Annots")] = generic.ArrayObject(fields)
    return fields


def _add_form(writer: IncrementalPdfFileWriter, fields: generic.ArrayObject) -> None:
    form = writer.root.get("/AcroForm")
    if isinstance(form, generic.DictionaryObject) and "/Fields" in form:
        form["/Fields"].extend(fields)
        writer.update_container(form["/Fields"])
        return
    form = {pdf_name("/Fields"): fields, pdf_name("/SigFlags"): generic.NumberObject(1)}
    writer.root[pdf_name("/AcroForm")] = writer.add_object(generic.DictionaryObject(form))


def _signed(
    pdf: bytes,
    field: str,
    key: SigningKey,
    mark: SignatureMark,
    stamp: Callable[[bytes], bytes] | None,
    *,
    certify: bool,
) -> bytes:
    writer = _opened(pdf)
    signer = _KeySigner(key)
    reserved = 2 * (
        _OWN_ROOM
        + len(key.certificate)
        + sum(len(issuer) for issuer in key.issuers)
        + (_STAMP_ROOM if stamp is not None else 0)
    )
    signature = SignatureObject(
        timestamp=mark.at,
        subfilter=SigSeedSubFilter.PADES,
        name=mark.name,
        reason=_reason(mark),
        bytes_reserved=reserved,
    )
    try:
        box = _empty_place(writer, field)
        rules = SigMDPSetup(_DIGEST, certify=True, docmdp_perms=MDPPerm.FILL_FORMS) if certify else None
        embedding = PdfCMSEmbedder().write_cms(field, writer, existing_fields_only=True)
        place = next(embedding).get_object()
        seen = _appearance(writer, mark_content(mark), box)
        place[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): seen})
        embedding.send(SigObjSetup(sig_placeholder=signature, mdp_setup=rules))
        if certify:
            writer.update_root()
        prepared, out = embedding.send(SigIOSetup(md_algorithm=_DIGEST))
    except (PdfError, KeyError, ValueError, TypeError) as exc:
        raise PdfSigningError(problem=T("签名栏“{field}”不存在、已签署，或文件结构不完整", field=field[:40])) from exc
    stamper = _Stamper(stamp) if stamp is not None else None
    signing = signer.async_sign(prepared.document_digest, _DIGEST, use_pades=True, timestamper=stamper)
    embedding.send(asyncio.run(signing))
    data: bytes = out.getvalue()
    return data


def _reason(mark: SignatureMark) -> str:
    """Return what readers show as the reason: meaning and post, reason, the statement that the signature belongs to."""
    text = f"{mark.meaning}（{mark.post}）" if mark.post else mark.meaning
    if mark.reason:
        text += f"：{mark.reason}"
    return f"{text}；陈述 {mark.statement.text}" if mark.statement is not None else text


def _empty_place(writer: IncrementalPdfFileWriter, field: str) -> tuple[float, float, float, float]:
    """Return the box of the place called `field`; raises when there is none or it is signed."""
    for reference in writer.root["/AcroForm"]["/Fields"]:
        place = reference.get_object()
        if place.get("/T") == field and place.get("/FT") == "/Sig":
            if "/V" in place:
                raise ValueError(field)
            left, bottom, right, top = (float(side) for side in place["/Rect"])
            return left, bottom, right, top
    raise KeyError(field)


def _appearance(
    writer: IncrementalPdfFileWriter, drawn: Lettering, box: tuple[float, float, float, float]
) -> generic.IndirectObject:
    content, resources = _drawn(writer, drawn)
    left, bottom, right, top = box
    form = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): numbers(0, 0, right - left, top - bottom),
            pdf_name("/Resources"): resources,
        },
        stream_data=content,
    )
    form.compress()
    return writer.add_object(form)


def _drawn(writer: IncrementalPdfFileWriter, drawn: Lettering) -> tuple[bytes, generic.DictionaryObject]:
    content, subset = drawn.finish()
    fonts = generic.DictionaryObject({pdf_name("/F"): embed_font(writer, subset)})
    return content, generic.DictionaryObject({pdf_name("/Font"): fonts})
