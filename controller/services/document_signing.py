"""文件签署. Signs a document as it stands on `main`, by the route of its class, and tells how it stands (4.2.4 a, b).

Each signature is a filed statement that covers every source file of the document, and beside it the PDF with all
signatures so far. Whether and when a document is issued and in force is no business of this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from controller.domain.document_signatures import DocumentSignatures, StepStanding
from controller.domain.errors import DamagedError, QmsError, RefusedError
from controller.domain.identifiers import Digest, InvalidIdentifierError, Revision
from controller.domain.route import StepTaken, shown_posts
from controller.domain.signature_page import SignatureMark
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.canonical_json import encode
from controller.file_formats.statement_file import decode_statement
from controller.services.approval_elsewhere import elsewhere_of
from controller.services.controlled_items import SCREEN_ONLY
from controller.services.document_library import FOLDER
from controller.services.document_signature_page import signature_page
from controller.services.filed_signatures import judged
from controller.services.key_signing import KeySigner
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.domain.document import ControlledDocument
    from controller.domain.document_signatures import ElsewhereApproval
    from controller.domain.record import Signatory, Wire
    from controller.domain.route import Routes, RouteStep
    from controller.domain.signature import SigningKey
    from controller.domain.text import Text
    from controller.services.archive_ports import Archive
    from controller.services.document_library import DocumentLibrary
    from controller.services.ports import LibraryFiles
    from controller.services.print_ports import PdfDocument, PdfSigning
    from controller.services.procedure_printing import ProcedurePrinting
    from controller.services.route_permission import RoutePermission
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import FiledStatement, StatementFiling, StoredStatement

_LONGEST_REASON = 500
_SIGNATURES = frozenset({Event.DOCUMENT_SIGNED, Event.DOCUMENT_SIGNED_ON_PAPER})


class ShownChangedError(RefusedError):
    """所见已变. What the signer was shown is not what would be signed now; nothing was signed (21 CFR 11.70)."""

    code = "signing-shown-changed"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("{number} 在您查看之后有了变化，没有签署。", number=number),
            hint=T("用 qms doc print {number} --signed --out 文件.pdf 重新打印，看过后再签。", number=number),
        )


class ReasonTooLongError(RefusedError):
    """理由太长."""

    code = "signing-reason-long"

    def __init__(self, *, limit: int) -> None:
        super().__init__(T("签署理由超过 {limit} 个字。", limit=limit), hint=T("请写得简短些，详细说明另附记录。"))


class SignedPdfMissingError(DamagedError):
    """签署的 PDF 缺失. The PDF beside the newest signature is not there."""

    code = "signed-pdf-missing"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("档案中缺少 {path}。", path=path), hint=T("请运行 qms verify，并用备份恢复档案。"), where=path
        )


@dataclass(frozen=True)
class SignedDocument:
    """已签署. What one act of signing gave."""

    filed: FiledStatement
    standing: DocumentSignatures
    """After it."""
    exempted: bool


@dataclass(frozen=True)
class PreparedSignature:
    """备好的签名. A signature on a document that is still to be filed, alone or with other parts of an act."""

    step: RouteStep
    exempted: bool
    draft: StatementDraft
    standing: DocumentSignatures
    """Before it."""
    pdf: bytes
    """What is signed."""
    last: Digest | None
    """The newest signature filed when it was prepared."""
    reason: str | None
    """As shown in the PDF."""
    unmoved: Callable[[], bool]
    sign: Callable[[bytes, str, SigningKey, SignatureMark], bytes]

    def beside(self, acting: Signer) -> Callable[[bytes], Mapping[str, bytes]]:
        """Return what makes the signed PDF from the bytes of the statement.

        Called inside the lock: whatever happened since the person looked makes the signature impossible.
        """

        def with_pdf(data: bytes) -> Mapping[str, bytes]:
            statement = decode_statement(data)
            if statement.previous != self.last or not self.unmoved():
                raise ShownChangedError(number=self.draft.subject)
            mark = SignatureMark(
                name=acting.signatory.name,
                post=acting.signatory.post,
                meaning=self.step.meaning,
                at=datetime.fromisoformat(statement.at),
                certificate=acting.certificate,
                statement=Digest.of(data),
                reason=self.reason,
            )
            return {".pdf": self.sign(self.pdf, self.step.key, acting.key, mark)}

        return with_pdf


@dataclass
class DocumentSigning:
    """文件签署服务."""

    files: LibraryFiles
    """The approved content of branch `main`."""
    archive: Archive
    statements: StatementFiling
    library: DocumentLibrary
    printing: ProcedurePrinting
    to_pdf: Callable[[bytes], PdfDocument]
    """docx → checked PDF."""
    signing: PdfSigning
    permission: RoutePermission
    routes: Routes
    company: str
    void_until: str = ""
    """Signatures filed up to that moment do not count: the document was returned then. Empty: none was."""
    planned: tuple[str, str] | None = None
    """Number of the change that the document belongs to, and the day from which it is to be in force."""
    stamp: Callable[[bytes], bytes] | None = field(default=None, repr=False)
    """SHA-256 → timestamp token for signatures inside the PDF; None: the daily timestamp alone."""

    def standing(self, wanted: str) -> DocumentSignatures:
        """Return who has signed a document as it stands, whose signatures were voided, and who is missing.

        Raises:
            UnknownDocumentError: there is no such document.
            StatementDamagedError: a filed signature cannot be read.
        """
        document = self.library.document(self.library.resolve(wanted))
        return self._standing(document, self._filed(document))

    def shown(self, wanted: str) -> bytes:
        """Return the PDF with the signature page and all signatures that count: what the next signer is shown.

        Raises:
            UnknownDocumentError: there is no such document.
            SignedPdfMissingError: the archive lacks the PDF of the newest signature.
            PrintIncompleteError, PdfEngineError: the document cannot be printed.
        """
        return self._shown(self.standing(wanted))

    def sign(
        self,
        wanted: str,
        meaning: str,
        signer: Signer,
        *,
        reason: str | None = None,
        seen: Digest | None = None,
        show: Callable[[DocumentSignatures, bytes], object] | None = None,
    ) -> SignedDocument:
        """Sign a document with `meaning` in the name of `signer`.

        Args:
            wanted: number of the document.
            meaning: 起草, 审核, 批准 …
            signer: the signed-in person.
            reason: why, where there is something to say.
            seen: digest of the PDF that the person looked at; None: that of `shown`.
            show: is given who has signed and the PDF, before anything is asked for; raises when the person declines.

        Raises:
            UnknownDocumentError: there is no such document.
            SigningOrderError, SamePersonError, PostNeededError: the route does not allow it.
            ShownChangedError: the document is no longer as the person saw it.
            PassphraseWrongError, SignInNeededError: the person did not confirm.
        """
        prepared = self.prepare(wanted, meaning, signer, reason=reason, seen=seen, show=show)
        signer.ready(prepared.step.meaning)
        acting = KeySigner(self.permission.in_post(signer.signatory, prepared.step), signer.origin, signer.key)
        done = self.statements.file(prepared.draft, acting, beside=prepared.beside(acting))
        return SignedDocument(done, self.standing(prepared.draft.subject), prepared.exempted)

    def prepare(
        self,
        wanted: str,
        meaning: str,
        signer: Signer,
        *,
        reason: str | None = None,
        seen: Digest | None = None,
        show: Callable[[DocumentSignatures, bytes], object] | None = None,
        stand_in: frozenset[str] = frozenset(),
    ) -> PreparedSignature:
        """Work out a signature without filing it: what would be stated, and how the signed PDF is made from that.

        `stand_in` are posts that may take the step besides those of the route. Raises as `sign`.
        """
        reason = (reason or "").strip() or None
        if reason is not None and len(reason) > _LONGEST_REASON:
            raise ReasonTooLongError(limit=_LONGEST_REASON)
        document = self.library.document(self.library.resolve(wanted))
        filed = self._filed(document)
        standing = self._standing(document, filed)
        step, exempted = self.allowed(standing, meaning, signer.signatory, stand_in=stand_in)
        pdf = self._shown(standing)
        shown = Digest.of(pdf)
        if seen is not None and seen != shown:
            raise ShownChangedError(number=standing.number)
        if show is not None:
            show(standing, pdf)
        draft = StatementDraft(
            chain=chain_of(standing),
            event=Event.DOCUMENT_SIGNED,
            subject=standing.number,
            meaning=step.meaning,
            reason=reason,
            new=self.facts(standing, step, exempted=exempted),
            files=standing.files,
            shown=shown,
        )
        newest = self.statements.newest(chain_of(standing))
        first = all(item.signature is None or item.signature.paper is not None for item in standing.steps)
        return PreparedSignature(
            step=step,
            exempted=exempted,
            draft=draft,
            standing=standing,
            pdf=pdf,
            last=newest.digest if newest is not None else None,
            reason=_reason_shown(reason, exempted=exempted),
            unmoved=lambda: self.source_files(standing.number) == standing.files,
            sign=partial(self.signing.certify if first else self.signing.add_approval, stamp=self.stamp),
        )

    def lacking(self, wanted: str) -> Text | None:
        """Return why the text in force must not pass for signed, where somebody signed the document once; else None.

        Raises:
            UnknownDocumentError: there is no such document.
            StatementDamagedError: a filed signature cannot be read.
        """
        standing = self.standing(wanted)
        if standing.complete or not self._ever_signed(standing):
            return None
        if standing.voided:
            return T("签名已失效：签署之后文件有改动，本文本未重新签署")
        return T("未签署：本版本还没有全部签署，待签 {steps}", steps=[step.label for step in standing.missing])

    def never_signed(self, wanted: str) -> bool:
        """Tell whether nobody ever signed the text in force or one before it, here or before this system.

        Raises:
            UnknownDocumentError: there is no such document.
            StatementDamagedError: a filed signature cannot be read.
        """
        document = self.library.document(self.library.resolve(wanted))
        standing = self._standing(document, self._filed(document))
        elsewhere = bool(standing.elsewhere) or document.approved_elsewhere
        return not (standing.complete or elsewhere or self._ever_signed(standing))

    def _ever_signed(self, standing: DocumentSignatures) -> bool:
        """Tell whether anybody signed this revision or one before it; a later one is a draft, or one given up."""
        return any(
            item.statement.event in _SIGNATURES
            for chain in self.statements.chains()
            if chain.startswith(f"documents/{standing.number}/") and not _later(chain, standing.revision)
            for item in self.statements.chain(chain)
        )

    # -- what there is -----------------------------------------------------------------------------------------

    def _filed(self, document: ControlledDocument) -> list[StoredStatement]:
        found = self.statements.chain(f"documents/{document.number}/{document.revision.text.replace('/', '-')}")
        return [item for item in found if item.statement.event in _SIGNATURES]

    def source_files(self, number: str) -> dict[str, Digest]:
        """Return every source file of a document with its digest."""
        found = {}
        for path in self.files.files(f"{FOLDER}/{number}"):
            data = self.files.read(path)
            if data is not None and path.removeprefix(f"{FOLDER}/{number}/") not in SCREEN_ONLY:
                found[path] = Digest.of(data)
        return found

    def _standing(self, document: ControlledDocument, filed: Sequence[StoredStatement]) -> DocumentSignatures:
        number = document.number.text
        files = self.source_files(number)
        route = self.routes.for_document(document.class_word)
        signatures = judged(filed, files, void_until=self.void_until)
        counting = {item.step: item for item in signatures if item.counts}
        names = self.permission.post_names()
        return DocumentSignatures(
            number=number,
            title=document.title,
            revision=document.revision.text,
            route=route,
            files=files,
            contents=Digest.of(encode({path: digest.text for path, digest in files.items()})),
            steps=tuple(StepStanding(step, shown_posts(step, names), counting.get(step.key)) for step in route.steps),
            signatures=signatures,
            elsewhere=self._elsewhere(document),
        )

    def _elsewhere(self, document: ControlledDocument) -> list[ElsewhereApproval]:
        chain = self.statements.chain(f"documents/{document.number}/{document.revision.text.replace('/', '-')}")
        return [approval for item in chain if (approval := elsewhere_of(item)) is not None]

    def _shown(self, standing: DocumentSignatures) -> bytes:
        counting = [item for item in standing.signatures if item.counts and item.paper is None]
        if counting:
            path = f"{counting[-1].path}.pdf"
            pdf = self.archive.read(path)
            if pdf is None:
                raise SignedPdfMissingError(path=path)
            return pdf
        printed = self.to_pdf(self.printing.docx(standing.number, to_sign=True, effective=self._day()))
        page = signature_page(
            standing,
            company=self.company,
            exemption=self.routes.exemption,
            exempt=self.permission.exemption.in_force(),
            planned=self.planned,
            cited=self._cited,
        )
        return self.signing.add_page(printed.data, page)

    def _cited(self, identifier: str) -> str | None:
        """Return the title of an external document, None when it is not on the list."""
        try:
            found = self.library.external_documents().find(identifier)
        except QmsError:
            return None  # a damaged list is told by `qms doc lint`; it must not keep anybody from signing
        return found.title if found is not None else None

    def _day(self) -> str:
        return f"{self.planned[1]}（拟）" if self.planned is not None else ""

    # -- who may -----------------------------------------------------------------------------------------------

    def allowed(
        self, standing: DocumentSignatures, meaning: str, by: Signatory, *, stand_in: frozenset[str] = frozenset()
    ) -> tuple[RouteStep, bool]:
        """Return the step that `by` may sign now, and whether only the exemption allows it.

        Raises:
            SigningOrderError, SamePersonError, PostNeededError: the route does not allow it.
        """
        taken = [
            StepTaken(item.step.key, item.signature.by.person, item.signature.by.name)
            for item in standing.steps
            if item.signature is not None
        ]
        return self.permission.allowed(standing.number, standing.route, meaning, by, taken=taken, stand_in=stand_in)

    def facts(self, standing: DocumentSignatures, step: RouteStep, *, exempted: bool) -> dict[str, Wire]:
        """Return what the statement of a signature says of the step and the document."""
        facts: dict[str, Wire] = {
            "step": step.key,
            "route": standing.route.key,
            "title": standing.title,
            "revision": standing.revision,
        }
        if self.void_until:
            facts["returned"] = self.void_until
        exempt = self.permission.exemption.in_force() if exempted else None
        return facts | ({"exemption": exempt.statement.text} if exempt is not None else {})


def _later(chain: str, revision: str) -> bool:
    """Tell whether a chain of signatures is of a later revision; one that cannot be told is not."""
    try:
        return Revision(revision) < Revision(chain.rpartition("/")[2].replace("-", "/"))
    except InvalidIdentifierError:
        return False


def chain_of(standing: DocumentSignatures) -> str:
    """Return the chain of the signatures on a document revision."""
    return f"documents/{standing.number}/{standing.revision.replace('/', '-')}"


def _reason_shown(reason: str | None, *, exempted: bool) -> str | None:
    if not exempted:
        return reason
    return f"{reason}（依两人企业豁免）" if reason else "依两人企业豁免"
