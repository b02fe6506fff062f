"""体系文件汇编的批准. One act approves the whole set: it names and covers every document with its revision and digest.

What is filed is one statement in the chain of the set's edition, and beside it the signed PDF: the whole set, or where
that is too large to keep with every approval, its front matter with the list of digests (ISO 13485 4.2.4 a).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.document_set import SET_TITLE
from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest, Revision
from controller.domain.route import DEFAULT_ROUTE, shown_posts
from controller.domain.signature_page import SignatureMark, SignaturePage, SignatureSlot
from controller.domain.stated_text import stated_text
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.statement_file import decode_statement
from controller.services.document_signing import ShownChangedError, SignedPdfMissingError
from controller.services.key_signing import KeySigner
from controller.services.route_permission import SamePersonError
from controller.services.set_printing import chain_of, contents_of
from controller.services.staff_directory import check_post
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.domain.document_set import SetStanding
    from controller.domain.record import Wire
    from controller.services.archive_ports import Archive
    from controller.services.document_signing import DocumentSigning
    from controller.services.ports import Progress
    from controller.services.print_ports import PdfSigning
    from controller.services.set_printing import DocumentSetPrinting
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import FiledStatement, StatementFiling

FILED_WHOLE = 10 * 1024 * 1024
"""A set larger than this many bytes is not filed as a whole."""
_NAMED = 12
"""Documents that a refusal names one by one."""
_RECOMPUTED = (
    "摘要可以自行重算：把汇编所列各文件的全部源文件的路径和 SHA-256 按路径排列，写成一行不含空格的 JSON"
    "（{“路径”:“sha256:…”,…}，英文引号），再取这一行（UTF-8）的 SHA-256。"
)


class SetEditionTakenError(RefusedError):
    """这个版次已经批准. An approved edition is not approved again for other contents."""

    code = "set-edition-taken"

    def __init__(self, *, standing: SetStanding, following: str) -> None:
        super().__init__(
            T("{standing}。", standing=standing.explain()),
            hint=T("内容有变动时，请用下一个版次批准，例如 --edition {edition}。", edition=following)
            if standing.changed
            else T("不必再次批准；用 qms doc print --set 打印。"),
        )


class SetUnsignedError(RefusedError):
    """汇编中有未签署完的文件. Somebody signed a document once, and not everybody has signed it as it stands."""

    code = "set-document-unsigned"

    def __init__(self, *, numbers: Sequence[str]) -> None:
        super().__init__(
            T("汇编中有 {count} 份文件没有签署完：{numbers}。", count=len(numbers), numbers=list(numbers[:_NAMED])),
            hint=T("先用 qms doc signatures {number} 查看，签署完再批准汇编。", number=numbers[0]),
        )


@dataclass(frozen=True)
class ApprovedSet:
    """已批准的汇编. What one act of approval gave."""

    filed: FiledStatement
    standing: SetStanding
    """After it."""
    whole: bool
    """Whether the signed PDF holds the documents themselves."""
    size: int
    """Bytes of the signed PDF."""


@dataclass
class SetApproving:
    """汇编批准服务."""

    sets: DocumentSetPrinting
    documents: DocumentSigning
    archive: Archive
    statements: StatementFiling
    signing: PdfSigning

    def shown(self, edition: str | None = None, *, progress: Progress | None = None) -> tuple[SetStanding, bytes, bool]:
        """Return the signed PDF of an approved set, or what its approver would be shown; and whether it is the whole.

        Raises:
            SetEmptyError: there is nothing to bind.
            SignedPdfMissingError: the archive lacks the PDF of the approval.
            PrintIncompleteError, PdfEngineError: a document cannot be printed.
        """
        standing = self.sets.standing(edition)
        if standing.approval is not None:
            path = f"{standing.approval.path}.pdf"
            data = self.archive.read(path)
            if data is None:
                raise SignedPdfMissingError(path=path)
            return standing, data, True
        return standing, *self._to_sign(standing, progress)

    def never_signed(self, standing: SetStanding) -> list[str]:
        """Return the documents of a set that nobody ever signed, in order: the set's approval is their first."""
        return [item.number for item in standing.documents if self.documents.never_signed(item.number)]

    def approve(
        self,
        edition: str,
        signer: Signer,
        *,
        reason: str | None = None,
        seen: Digest | None = None,
        show: Callable[[SetStanding, bytes], object] | None = None,
        progress: Progress | None = None,
    ) -> ApprovedSet:
        """Approve the whole set as an edition, in the name of `signer`.

        Args:
            edition: such as `A/0`.
            signer: the signed-in person.
            reason: why, where there is something to say.
            seen: digest of the PDF that the person looked at; None: that of `shown`.
            show: is given how the set stands and the PDF before anything is asked for; raises when the person declines.
            progress: told after each printed document.

        Raises:
            SetEditionTakenError: the edition is approved already.
            PostNeededError: approving is another post's.
            SamePersonError: the person drafted or reviewed one of the documents.
            SetUnsignedError: a document was signed once, and not by everybody as it stands.
            ShownChangedError: the set is no longer as the person saw it.
            PassphraseWrongError, SignInNeededError: the person did not confirm.
        """
        said = stated_text(reason or "") or None
        standing = self.sets.standing(edition)
        if standing.approval is not None and standing.approval.flaw is None:
            raise SetEditionTakenError(standing=standing, following=Revision(standing.edition).following.text)
        step = self.sets.approving_step()
        act = T("{number} 的“{step}”", number=standing.number, step=step.label)
        check_post(self.sets.staff, signer.signatory, step.by, act)
        self._check_apart(standing, signer)
        unsigned = [item.number for item in standing.documents if self.sets.lacking(item.number) is not None]
        if unsigned:
            raise SetUnsignedError(numbers=unsigned)
        pdf, whole = self._to_sign(standing, progress)
        shown = Digest.of(pdf)
        if seen is not None and seen != shown:
            raise ShownChangedError(number=standing.number)
        if show is not None:
            show(standing, pdf)
        signer.ready(step.meaning)
        acting = KeySigner(self.documents.permission.in_post(signer.signatory, step), signer.origin, signer.key)
        listed: list[Wire] = [
            {"number": item.number, "revision": item.revision, "title": item.title, "contents": item.contents.text}
            for item in standing.documents
        ]
        draft = StatementDraft(
            chain=chain_of(standing.number, standing.edition),
            event=Event.DOCUMENT_SIGNED,
            subject=standing.number,
            meaning=step.meaning,
            reason=said,
            new={
                "step": step.key,
                "route": DEFAULT_ROUTE,
                "title": SET_TITLE,
                "revision": standing.edition,
                "documents": listed,
                "filed": "汇编全文" if whole else "首部和文件摘要清单",
            },
            files=standing.files,
            shown=shown,
        )
        filed_before = len(self.statements.chain(draft.chain))

        def with_pdf(data: bytes) -> Mapping[str, bytes]:
            statement = decode_statement(data)
            # Inside the lock: whatever happened since the person looked makes this signature impossible.
            now = {
                path: one for item in standing.documents for path, one in self.sets.source_files(item.number).items()
            }
            if statement.sequence != filed_before + 1 or now != standing.files:
                raise ShownChangedError(number=standing.number)
            by = acting.signatory
            mark = SignatureMark(
                name=by.name,
                post=by.post,
                meaning=step.meaning,
                at=datetime.fromisoformat(statement.at),
                certificate=acting.certificate,
                statement=Digest.of(data),
                reason=statement.reason,
            )
            return {".pdf": self.signing.certify(pdf, step.key, acting.key, mark)}

        filed = self.statements.file(draft, acting, beside=with_pdf)
        signed = self.archive.read(f"{filed.path}.pdf") or b""
        return ApprovedSet(filed, self.sets.standing(standing.edition), whole, len(signed))

    def _to_sign(self, standing: SetStanding, progress: Progress | None) -> tuple[bytes, bool]:
        made = self.sets.pdf(standing, to_sign=True, progress=progress)
        whole = len(made.data) <= FILED_WHOLE
        data = made.data if whole else self.sets.front(standing, made.counts)
        return self.signing.add_page(data, self._page(standing, whole=whole)), whole

    def _page(self, standing: SetStanding, *, whole: bool) -> SignaturePage:
        step = self.sets.approving_step()
        names = {key: post.name for key, post in self.sets.staff.posts.items()}
        count = len(standing.documents)
        notes = [
            f"一次批准共 {count} 份文件；各文件的编号、版本和摘要列在本汇编的修订页，并逐一写入所签的陈述。",
            _RECOMPUTED,
        ]
        if not whole:
            notes.insert(0, "本件是汇编的首部和文件摘要清单；各文件正文以清单所列版本和摘要为准。")
        return SignaturePage(
            company=self.sets.company,
            title=SET_TITLE,
            number=standing.number,
            revision=standing.edition,
            contents=contents_of(standing.files),
            contents_label=f"汇编所列 {count} 份文件的全部源文件合在一起的摘要",
            slots=[SignatureSlot(step.key, step.label, shown_posts(step, names))],
            notes=notes,
        )

    def _check_apart(self, standing: SetStanding, signer: Signer) -> None:
        """Make sure that nobody approves what he drafted or reviewed, as far as signatures on the documents tell."""
        person = signer.signatory.person
        step = self.sets.approving_step()
        apart = {key for pair in self.sets.routes.documents[DEFAULT_ROUTE].apart() if step.key in pair for key in pair}
        for item in standing.documents:
            for taken in self.documents.standing(item.number).steps:
                if taken.step.key == step.key or taken.step.key not in apart or taken.signature is None:
                    continue
                if taken.signature.by.person == person:
                    why = T("您已签署 {document} 的“{step}”，不能批准它", document=item.number, step=taken.step.label)
                    hint = T("请由另一位任相应岗位的人员批准。")
                    raise SamePersonError(number=standing.number, why=why, hint=hint)
