"""文件的纸质签署. Takes in what was signed on paper for a document: by whom the route asks for, filed by somebody else.

A document changed since its sheet was printed needs a new sheet: approval binds to exact bytes (docs/signatures.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.paper_signature import TAKEN_IN, PaperSignature
from controller.domain.statement import Event, statement_path
from controller.domain.text import T
from controller.file_formats.statement_file import decode_statement
from controller.services.document_signing import (
    ShownChangedError,
    SignedDocument,
    SignedPdfMissingError,
    chain_of,
)
from controller.services.paper_sheet import document_code
from controller.services.paper_signing import PaperCodeDiffersError, check_scan, check_workspace, kind_of
from controller.services.staff_directory import active_person, check_post
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.document_signatures import DocumentSignature, DocumentSignatures, ElsewhereApproval
    from controller.services.document_signing import DocumentSigning
    from controller.services.paper_signing import CheckedScan, TakenPaper
    from controller.services.ports import Clock
    from controller.services.print_ports import ScanReader
    from controller.services.signing_ports import Signer
    from controller.services.workspace_identity import WorkspaceIdentity

TAKE_IN_POSTS = ("document_controller", "quality_officer", "quality_head")
"""Posts that may file a signature on paper for a document (company default)."""


class OwnPaperError(RefusedError):
    """不能归档自己的纸质签名. Whoever signed on paper cannot attest to it."""

    code = "paper-own-signature"
    unauthorised = True

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("{name}是纸上的签名人，不能归档自己的纸质签名。", name=name),
            hint=T("请由另一位文件管理员、质管员或质量负责人核对原件后归档；本人可用 qms doc sign 直接签署。"),
        )


@dataclass(frozen=True)
class DocumentScan:
    """文件签名的扫描件."""

    name: str
    signature: DocumentSignature
    data: bytes


@dataclass
class DocumentPaper:
    """文件的纸质签署服务."""

    signing: DocumentSigning
    reader: ScanReader
    clock: Clock
    identity: WorkspaceIdentity

    def take_in(self, wanted: str, paper: TakenPaper, by: Signer) -> tuple[SignedDocument, PaperSignature]:
        """File what was signed on paper for a document, or why nothing was.

        Raises:
            UnknownDocumentError, UnknownPersonError: there is no such document or person.
            SigningOrderError, SamePersonError, PostNeededError: the route does not allow the signature, or the posts
                of `by` not the filing.
            OwnPaperError: the person who signed on paper files it.
            PaperFactsError, ScanRefusedError, PaperCodeUnreadError, PaperCodeDiffersError: the scan cannot be filed.
            ShownChangedError: the document changed since the sheet was printed.
        """
        signing, staff = self.signing, self.signing.permission.staff
        standing = signing.standing(wanted)
        act = T("{number} 纸质签名的归档", number=standing.number)
        check_post(staff, by.signatory, TAKE_IN_POSTS, act)
        person = active_person(staff, paper.signer.strip())
        if person.id == by.signatory.person:
            raise OwnPaperError(name=person.name)
        step, exempted = signing.allowed(standing, paper.meaning.strip(), staff.signatory(person))
        signatory = signing.permission.in_post(staff.signatory(person), step)
        kind = kind_of(paper.outcome)
        scan = check_scan(paper.name, paper.scan, self.reader, unread=paper.unread) if paper.scan is not None else None
        self._check_code(standing, scan)
        today = self.clock.now().date()
        signature = PaperSignature(
            meaning=step.meaning,
            kind=kind,
            name=signatory.name,
            covers=standing.contents,
            sequence=len(standing.signatures),
            post=signatory.post,
            on=paper.on or (today if scan is not None else None),
            scan=scan.attachment if scan is not None else None,
            code_read=scan is not None and scan.code is not None,
            reason=(paper.reason or "").strip() or None,
            person=signatory.person,
        )
        signature.check(today=today)
        by.ready(step.meaning)
        newest = signing.statements.newest(chain_of(standing))
        before = newest.digest if newest is not None else None
        path = statement_path(chain_of(standing), newest.statement.sequence + 1 if newest is not None else 1)
        scans: dict[str, Digest] = {f"{path}{scan.kind.value}": scan.attachment.digest} if scan is not None else {}
        draft = StatementDraft(
            chain=chain_of(standing),
            event=Event.DOCUMENT_SIGNED_ON_PAPER,
            subject=standing.number,
            meaning=TAKEN_IN,
            reason=signature.reason,
            new=signing.facts(standing, step, exempted=exempted) | signature.wire(),
            files={**standing.files, **scans},
            shown=scan.attachment.digest if scan is not None else None,
        )

        def with_scan(data: bytes) -> Mapping[str, bytes]:
            # Inside the lock: whatever happened meanwhile makes the names and the signature wrong.
            moved = decode_statement(data).previous != before
            if moved or signing.source_files(standing.number) != standing.files:
                raise ShownChangedError(number=standing.number)
            return {scan.kind.value: paper.scan} if scan is not None and paper.scan is not None else {}

        done = signing.statements.file(draft, by, beside=with_scan)
        return SignedDocument(done, signing.standing(standing.number), exempted), signature

    def scans(self, wanted: str) -> list[DocumentScan]:
        """Return the scans of all signatures on paper that were ever filed on a document revision, in order.

        Raises:
            UnknownDocumentError: there is no such document.
            SignedPdfMissingError: a scan is missing or is not the one that was filed.
        """
        found = []
        for item in self.signing.standing(wanted).signatures:
            scan = item.paper.scan if item.paper is not None else None
            if scan is None:
                continue
            path = f"{item.path}.{scan.name.rpartition('.')[2]}"
            data = self.signing.archive.read(path)
            if data is None or Digest.of(data) != scan.digest:
                raise SignedPdfMissingError(path=path)
            found.append(DocumentScan(scan.name, item, data))
        return found

    def old_scans(self, wanted: str) -> list[tuple[ElsewhereApproval, str, bytes]]:
        """Return the scans of approvals from before this system, each with its file name.

        Raises:
            UnknownDocumentError: there is no such document.
            SignedPdfMissingError: a scan is missing or is not the one that was filed.
        """
        found = []
        for item in self.signing.standing(wanted).elsewhere:
            if item.scan is None:
                continue
            name, path = item.scan
            data = self.signing.archive.read(path)
            if data is None or Digest.of(data) != item.scan_digest:
                raise SignedPdfMissingError(path=path)
            found.append((item, name, data))
        return found

    def _check_code(self, standing: DocumentSignatures, scan: CheckedScan | None) -> None:
        if scan is None or scan.code is None:
            return
        check_workspace(scan.code, self.identity.id, document_code(standing, self.identity).subject)
        if scan.code.digest != standing.contents:
            raise PaperCodeDiffersError(problem=T("打印签署单之后文件又有改动，须重新打印签署"))
