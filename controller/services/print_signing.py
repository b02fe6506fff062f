"""打印件签名. Signs the PDF of a record with the key of the person who hands it out, where that is asked for.

Records are proven by their entries; this signature only lets whoever gets the PDF check it without the archive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.signature_page import SignatureMark, SignaturePage, SignatureSlot

if TYPE_CHECKING:
    from controller.domain.identifiers import Digest
    from controller.services.ports import Clock
    from controller.services.print_ports import PdfSigning
    from controller.services.signing_ports import Signer

ISSUED = "出具"
"""Meaning of the signature: this print was handed out by that person and shows the record as it stood."""
_FIELD = "issued"


class PrintSigning:
    """打印件签名服务."""

    def __init__(self, signing: PdfSigning, clock: Clock, company: str) -> None:
        self._signing = signing
        self._clock = clock
        self._company = company

    def sign(
        self, pdf: bytes, signer: Signer, *, number: str, title: str, head: Digest, reason: str | None = None
    ) -> bytes:
        """Return `pdf` with a signature page and the signature of `signer`, certifying.

        Args:
            pdf: the print of the record.
            signer: the signed-in person.
            number: number of the record.
            title: title of its form.
            head: digest of the record's newest entry.
            reason: what the print is for, where that is known.

        Raises:
            PassphraseWrongError, SignInNeededError: the person did not confirm; nothing is signed.
            PdfSigningError: the print cannot be signed.
        """
        signer.ready(ISSUED)
        by = signer.signatory
        page = SignaturePage(
            company=self._company,
            title=title,
            number=number,
            revision="",
            contents=head,
            contents_label="记录最新条目的摘要",
            slots=[SignatureSlot(_FIELD, ISSUED)],
            notes=["本签名说明打印件由签名人出具，内容与打印时的记录一致；记录本身各步骤的签名在企业档案中。"],
        )
        mark = SignatureMark(
            name=by.name,
            post=by.post,
            meaning=ISSUED,
            at=self._clock.now(),
            certificate=signer.certificate,
            reason=reason,
        )
        return self._signing.certify(self._signing.add_page(pdf, page), _FIELD, signer.key, mark)
