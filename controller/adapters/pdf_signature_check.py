"""PDF 签名核对. Reads the signatures inside a PDF and checks their cryptography (PAdES, pyHanko)."""

from __future__ import annotations

import io
import logging
import re
import warnings
from typing import TYPE_CHECKING

from controller.domain.identifiers import Digest
from controller.services.examination_ports import PdfSignatureFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEX = re.compile(rb"<[0-9A-F]+>")


class PadesCheck:
    """PDF 签名核对. Implements `PdfSignatureCheck`."""

    def signatures(self, pdf: bytes) -> list[PdfSignatureFacts] | None:
        """Return every signature of `pdf`, the oldest first; None when the PDF cannot be read."""
        logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
        logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return list(_signatures(pdf))
        except Exception:  # noqa: BLE001 - hostile bytes make the library fail in ways that it does not name
            return None


def _signatures(pdf: bytes) -> Iterator[PdfSignatureFacts]:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    reader = PdfFileReader(io.BytesIO(pdf), strict=False)
    found = reader.embedded_regular_signatures
    for place, embedded in enumerate(found, 1):
        certificate = Digest.of(embedded.signer_cert.dump())
        context = ValidationContext(trust_roots=[embedded.signer_cert], allow_fetching=False)
        status = validate_pdf_signature(embedded, context)
        whole = place < len(found) or status.coverage is SignatureCoverageLevel.ENTIRE_FILE
        allowed = status.modification_level is None or status.docmdp_ok is not False
        intact = status.intact and status.valid and allowed and _as_written(pdf, embedded.byte_range)
        others = frozenset(Digest.of(other.dump()) for other in embedded.other_embedded_certs)
        yield PdfSignatureFacts(certificate, bool(intact), bool(whole), others)


def _as_written(pdf: bytes, covered: Sequence[int]) -> bool:
    """Tell whether the signature stands in its place as it is written here: no signature covers its digits."""
    from asn1crypto.parser import peek

    begin, end = covered[0] + covered[1], covered[2]
    if _HEX.fullmatch(pdf, begin, end) is None:
        return False
    held = bytes.fromhex(pdf[begin + 1 : end - 1].decode())
    return not held[peek(held) :].strip(b"\0")
