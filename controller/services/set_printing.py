"""体系文件汇编的编印. Chooses the documents of a set, tells how its approval stands, and prints it.

The order of release is a controlled text of the company's own (`templates/house/release_order.txt`) or ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.document_set import (
    FIRST_EDITION,
    SET_TITLE,
    ListedDocument,
    SetApproval,
    SetDocument,
    SetPrint,
    SetStanding,
    in_order,
    set_number,
)
from controller.domain.errors import NotFoundError, QmsError
from controller.domain.identifiers import Digest, Revision
from controller.domain.revision_row import ELSEWHERE
from controller.domain.route import APPROVE, DEFAULT_ROUTE
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.canonical_json import encode
from controller.file_formats.pdf_text import pdf_page_count
from controller.file_formats.text_encoding import utf8_text
from controller.services.controlled_items import SCREEN_ONLY
from controller.services.document_library import FOLDER
from controller.services.signed_statement import flaw_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from controller.domain.person import Staff
    from controller.domain.route import Routes, RouteStep
    from controller.domain.text import Text
    from controller.services.document_library import DocumentLibrary
    from controller.services.ports import Progress
    from controller.services.print_ports import PdfDocument, SetDrawing
    from controller.services.procedure_printing import ProcedurePrinting
    from controller.services.statement_filing import StatementFiling, StoredStatement

ORDER_FILE = "templates/house/release_order.txt"
ON_SIGNATURE_PAGE = "见签署页"
_LONGEST_ORDER = 4000
_ORDER = (
    "为保证本公司经营的医疗器械质量安全，依据医疗器械监督管理的法规和经营质量管理规范的要求，结合本公司的经营范围和"
    "实际工作，组织编制了《{title}》（编号 {number}，版次 {edition}），共收录 {count} 份文件。\n"
    "本汇编规定了本公司质量管理的职责、制度和工作程序，是全体员工开展工作的依据，现予批准发布，自各文件载明的生效日期"
    "起施行。\n"
    "各部门负责人应组织本部门员工学习并严格执行，对执行情况负责。执行中发现文件与法规不符、不适用或有疑问的，应及时向"
    "质量管理部门提出，按文件更改程序处理；未经批准，任何人不得更改文件。"
)


class SetEmptyError(NotFoundError):
    """没有可汇编的文件. Nothing in force is of that class, or there is nothing at all."""

    code = "document-set-empty"

    def __init__(self) -> None:
        super().__init__(T("没有可以编入汇编的现行文件。"), hint=T("用 qms doc list 查看现行文件和类别。"))


@dataclass(frozen=True)
class DocumentApproval:
    """一份文件的批准和生效. What the library knows of a document beside its own text."""

    name: str = ""
    approved: date | None = None
    effective: date | None = None


@dataclass(frozen=True)
class SetPdf:
    """汇编 PDF."""

    data: bytes
    pages: int
    counts: Sequence[int]
    """Pages of each document, in order."""
    engine: str


@dataclass
class DocumentSetPrinting:
    """体系文件汇编服务."""

    library: DocumentLibrary
    """What is in force."""
    printing: ProcedurePrinting
    to_pdf: Callable[[bytes], PdfDocument]
    drawing: SetDrawing
    statements: StatementFiling
    staff: Staff
    routes: Routes
    approvals: Callable[[], Mapping[str, DocumentApproval]]
    """Number → who approved the document as it stands, and since when it governs."""
    lacking: Callable[[str], Text | None]
    """Number → why the text in force must not pass for signed; None: nothing speaks against it."""
    company: str

    # -- what there is -----------------------------------------------------------------------------------------

    def documents(self, *, classes: Sequence[str] = (), numbers: Sequence[str] = ()) -> list[SetDocument]:
        """Return the documents to bind, in order: all in force, those of some classes, or those named.

        Raises:
            UnknownDocumentError: one that was named is not in force.
            SetEmptyError: there is none.
        """
        wanted = {self.library.resolve(number) for number in numbers}
        known = self.approvals()
        found = []
        for document in self.library.documents():
            number = document.number.text
            if (wanted and number not in wanted) or (classes and document.class_word not in classes):
                continue
            approval = known.get(number, DocumentApproval())
            written = document.approved
            found.append(
                SetDocument(
                    number=number,
                    title=document.title,
                    revision=document.revision.text,
                    class_word=document.class_word,
                    owner=document.owner,
                    contents=contents_of(self.source_files(number)),
                    approved_by=approval.name or (f"{written.name}{ELSEWHERE}" if written is not None else ""),
                    approved_on=approval.approved,
                    effective=document.effective or (approval.effective.isoformat() if approval.effective else ""),
                )
            )
        if not found:
            raise SetEmptyError
        return in_order(found)

    def standing(self, edition: str | None = None) -> SetStanding:
        """Return how the whole set stands: its newest approval and what changed since.

        Args:
            edition: the edition wanted; None: the one approved last, else the first.

        Raises:
            InvalidIdentifierError: that is no edition.
            SetEmptyError: there is nothing to bind.
            StatementDamagedError: a filed approval cannot be read.
        """
        documents = self.documents()
        number = set_number(item.number for item in documents)
        name = Revision(edition.strip().upper().replace("／", "/")).text if edition else self._edition(number)
        approvals = self.approvals_of(number, name)
        files = {path: digest for item in documents for path, digest in self.source_files(item.number).items()}
        return SetStanding(number, name, documents, files, approvals[-1] if approvals else None)

    def approval_of(self, document: str) -> SetStanding | None:
        """Return how the set stands that a document is part of; None while no set was ever approved.

        Raises:
            StatementDamagedError: a filed approval cannot be read.
        """
        number = set_number(self.library.numbers() or [document])
        if not any(f"/{number}/" in name for name in self.statements.chains()):
            return None
        standing = self.standing()
        return standing if standing.approval is not None else None

    def approvals_of(self, number: str, edition: str) -> list[SetApproval]:
        """Return every approval of an edition, the oldest first."""
        return list(_approvals(self.statements.chain(chain_of(number, edition)), edition))

    def source_files(self, number: str) -> dict[str, Digest]:
        """Return every source file of a document with its digest."""
        folder = f"{FOLDER}/{number}"
        found = {}
        for path in self.library.files.files(folder):
            data = self.library.files.read(path)
            if data is not None and path.removeprefix(f"{folder}/") not in SCREEN_ONLY:
                found[path] = Digest.of(data)
        return found

    def approving_step(self) -> RouteStep:
        """Return the step of the route that approves documents."""
        steps = self.routes.documents[DEFAULT_ROUTE].steps
        return next((step for step in steps if step.meaning == APPROVE), steps[-1])

    # -- printing ----------------------------------------------------------------------------------------------

    def pdf(
        self,
        standing: SetStanding,
        *,
        documents: Sequence[SetDocument] | None = None,
        selection: str = "",
        to_sign: bool = False,
        progress: Progress | None = None,
    ) -> SetPdf:
        """Return the set as PDF.

        Args:
            standing: how the set stands.
            documents: what to bind; None: everything.
            selection: what of the system is bound, where it is not all.
            to_sign: name and date of the approval stand on the signature page that will follow.
            progress: told after each document.

        Raises:
            PrintIncompleteError, PdfEngineError: a document cannot be printed.
            ReleaseOrderLongError: the order of release does not fit on its page.
        """
        chosen = list(documents if documents is not None else standing.documents)
        bodies: list[bytes] = []
        counts: list[int] = []
        engine = ""
        for place, item in enumerate(chosen, 1):
            lacking = self.lacking(item.number)
            made = self.to_pdf(self.printing.docx(item.number, notice=str(lacking) if lacking is not None else ""))
            bodies.append(made.data)
            counts.append(made.pages)
            engine = made.engine
            if progress is not None:
                progress(place, len(chosen))
        shown = self._shown(standing, chosen, selection=selection, to_sign=to_sign)
        data = self.drawing.bind(shown, bodies, counts, order_file=ORDER_FILE)
        return SetPdf(data, pdf_page_count(data), counts, engine)

    def front(self, standing: SetStanding, counts: Sequence[int]) -> bytes:
        """Return cover, order of release, contents and digests alone, to be signed in place of a set that is too large.

        Raises:
            ReleaseOrderLongError: the order of release does not fit on its page.
        """
        shown = self._shown(standing, standing.documents, selection="", to_sign=True)
        told = "本件为汇编的首部和文件摘要清单，供签署归档；正文各文件以清单所列版本和摘要为准。"
        shown = replace(shown, notice=[told, *shown.notice])
        return self.drawing.bind(shown, [], counts, order_file=ORDER_FILE, front_only=True)

    def _shown(
        self, standing: SetStanding, documents: Sequence[SetDocument], *, selection: str, to_sign: bool
    ) -> SetPrint:
        approval = standing.approval
        notice: list[str] = []
        if not to_sign and approval is not None and (approval.flaw is not None or standing.changed):
            notice.append(f"注意：{standing.explain()}。变动的文件以其自身的批准为准。")
        names = {key: post.name for key, post in self.staff.posts.items()}
        posts = "、".join(names.get(key, key) for key in self.approving_step().by)
        signed = approval if approval is not None and approval.flaw is None and not to_sign else None
        placeholder = ON_SIGNATURE_PAGE if to_sign else ""
        return SetPrint(
            company=self.company,
            number=standing.number,
            edition=standing.edition,
            documents=documents,
            order=self._order(standing, len(documents)),
            releaser=posts,
            released_by=signed.by.name if signed is not None else placeholder,
            released_on=signed.at[:10] if signed is not None else placeholder,
            selection=selection,
            notice=notice,
        )

    def _order(self, standing: SetStanding, printed: int) -> list[str]:
        data = self.library.files.read(ORDER_FILE)
        own = utf8_text(data, where=ORDER_FILE)[:_LONGEST_ORDER] if data is not None else _ORDER
        names = {
            "company": self.company,
            "title": SET_TITLE,
            "number": standing.number,
            "edition": standing.edition,
            "count": str(len(standing.documents)),
        }
        paragraphs = []
        for line in own.splitlines():
            for name, value in names.items():
                line = line.replace(f"{{{name}}}", value)  # noqa: PLW2901 - filled name by name
            if line.strip():
                paragraphs.append(line.strip())
        if printed != len(standing.documents):
            paragraphs.append(f"本册为选编，收录其中 {printed} 份。")
        return paragraphs

    def _edition(self, number: str) -> str:
        found = [
            name.removeprefix(f"documents/{number}/") for name in self.statements.chains() if f"/{number}/" in name
        ]
        editions = sorted(Revision(name.replace("-", "/")) for name in found)
        return editions[-1].text if editions else FIRST_EDITION


def chain_of(number: str, edition: str) -> str:
    """Return the chain of the approvals of an edition of the set."""
    return f"documents/{number}/{edition.replace('/', '-')}"


def contents_of(files: Mapping[str, Digest]) -> Digest:
    """Return the digest over source files, as on a signature page."""
    return Digest.of(encode({path: digest.text for path, digest in files.items()}))


def listed_documents(told: object) -> list[ListedDocument] | None:
    """Return the documents that a statement lists, None when it lists none or not as it should."""
    if not isinstance(told, (list, tuple)) or not told:
        return None
    found = []
    for row in told:
        if not isinstance(row, dict) or not {"number", "revision", "contents"} <= set(row):
            return None
        try:
            found.append(ListedDocument(str(row["number"]), str(row["revision"]), Digest(str(row["contents"]))))
        except QmsError:
            return None
    return found


def _approvals(stored: Sequence[StoredStatement], edition: str) -> Iterator[SetApproval]:
    for item in stored:
        stated = item.statement
        documents = listed_documents(stated.new.get("documents"))
        if stated.event is not Event.DOCUMENT_SIGNED or stated.by is None or documents is None:
            continue
        yield SetApproval(edition, stated.by, stated.at, item.digest, item.path, stated.files, documents, flaw_of(item))
