"""文件签名验证. Compares what was signed on documents with what was in force (ISO 13485 4.2.4 a, b).

Beside each signature lies the PDF with all signatures so far: each must have grown out of the one the signer was shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.identifiers import Digest
from controller.domain.paper_signature import paper_of
from controller.domain.statement import Event
from controller.domain.text import T
from controller.services.controlled_items import SCREEN_ONLY
from controller.services.document_library import FOLDER
from controller.services.set_printing import contents_of, listed_documents

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from controller.domain.text import Text
    from controller.services.examination_ports import HeldStatement, PdfSignatureCheck
    from controller.services.library_verification import LibraryVerification

_Files = frozenset[tuple[str, Digest]]


class DocumentVerification:
    """文件签名验证. Every file that a signature covers must have been on `main`, with just that content."""

    def __init__(
        self,
        library: LibraryVerification,
        pdf: PdfSignatureCheck | None,
        certificates: Container[Digest] = (),
        drafts: Container[tuple[str, Digest]] = (),
    ) -> None:
        """`certificates` are those of the archive, issuers too; `drafts` the (path, digest) of every saved draft."""
        self._drafts = drafts
        self._library = library
        self._certificates = certificates
        self._pdf = pdf
        self._covered: list[tuple[HeldStatement, Mapping[str, Digest]]] = []
        self._attested: list[tuple[HeldStatement, tuple[str, Digest]]] = []
        self._prints: dict[str, dict[Digest, bytes]] = {}
        self._signed: dict[str, set[tuple[_Files, str]]] = {}

    def note(self, held: HeldStatement) -> Iterator[Finding]:
        """Take a statement of the archive, in the order of its chain; yield what is wrong with its PDF."""
        statement = held.statement
        if statement.event is Event.DOCUMENT_SIGNED_ON_PAPER:
            inside = f"{statement.chain}/"
            covered = {path: digest for path, digest in statement.files.items() if not path.startswith(inside)}
            self._covered.append((replace(held, pdf=None), covered))
            yield from _on_paper(held)
        if statement.event is Event.APPROVED_ELSEWHERE:
            # It attests to what was imported; nothing of it counts as a signature of the route.
            inside = f"{statement.chain}/"
            self._attested += [(held, item) for item in statement.files.items() if not item[0].startswith(inside)]
        if statement.event is not Event.DOCUMENT_SIGNED:
            return
        self._covered.append((replace(held, pdf=None), statement.files))
        yield from _bound_as_one(held)
        if statement.shown is None:
            return  # signed as text, without a print
        if held.pdf is None:
            yield _wrong(held, "document-pdf-missing", T("有签名的 PDF 不见了。"))
            return
        files = frozenset(statement.files.items())
        earlier = self._prints.setdefault(statement.chain, {})
        before = earlier.get(statement.shown)
        # What was returned is signed anew, on a print of its own.
        signed = files, str(statement.new.get("returned", ""))
        first = signed not in self._signed.setdefault(statement.chain, set())
        if (before is None and not first) or (before is not None and not held.pdf.startswith(before)):
            yield _wrong(held, "document-pdf-differs", T("PDF 不是由签名人当时看到的那一份加签而成。"))
        self._signed[statement.chain].add(signed)
        earlier.clear()  # only the newest print is signed further
        earlier[Digest.of(held.pdf)] = held.pdf
        yield from self._inside(held)

    def _inside(self, held: HeldStatement) -> Iterator[Finding]:
        if self._pdf is None or held.pdf is None:
            return
        signatures = self._pdf.signatures(held.pdf)
        if not signatures:
            yield _wrong(held, "document-pdf-differs", T("PDF 读不出来，或其中没有签名。"))
            return
        if not all(item.intact for item in signatures) or not signatures[-1].whole:
            yield _wrong(held, "document-pdf-differs", T("PDF 中的签名与内容不符：PDF 被改动过。"))
        if signatures[-1].certificate != held.statement.certificate:
            yield _wrong(held, "document-pdf-differs", T("PDF 中最后的签名所用的证书不是陈述写明的那一张。"))

        if any(other not in self._certificates for item in signatures for other in item.others):
            yield _wrong(held, "document-pdf-differs", T("PDF 的签名中夹带了档案里没有的证书。"))

    def findings(self) -> Iterator[Finding]:
        """Yield signatures that cover something that was never in force, and what lost its signatures by a change."""
        if not self._library.complete:
            return
        yield from self._lost()
        covered = ((held, item) for held, files in self._covered for item in files.items())
        for held, (path, digest) in (*covered, *self._attested):
            if (path, digest) not in self._library.ever and (path, digest) not in self._drafts:
                message = T("签名所覆盖的“{path}”从来不是这个内容的受控文件。", path=path)
                yield _wrong(held, "document-file-differs", message, suffix=".json")

    def _lost(self) -> Iterator[Finding]:
        """Yield the documents in force that somebody signed once, and not everybody as they stand."""
        present: dict[str, dict[str, Digest]] = {}
        for path, digest in self._library.contents.items():
            folder, _, rest = path.partition("/")
            number, _, name = rest.partition("/")
            if folder == FOLDER and name and name not in SCREEN_ONLY:
                present.setdefault(number, {})[path] = digest
        ever: dict[str, dict[str, None]] = {}
        now: dict[str, set[str]] = {}
        for held, files in self._covered:
            statement = held.statement
            paper = paper_of(statement.new)
            number = statement.chain.split("/")[1]
            if number not in present or (paper is not None and not paper.signed):
                continue
            if any(item not in self._library.ever for item in files.items()):
                continue  # told for itself
            meaning = paper.meaning if paper is not None else statement.meaning
            ever.setdefault(number, {})[meaning] = None
            if dict(files) == present[number]:
                now.setdefault(number, set()).add(meaning)
        for number, meanings in sorted(ever.items()):
            lost: list[object] = [meaning for meaning in meanings if meaning not in now.get(number, ())]
            if lost:
                message = T(
                    "{number} 的现行文本在签署之后改过，还没有重新签署：{meanings}。", number=number, meanings=lost
                )
                hint = T("用 qms doc signatures {number} 查看，再用 qms doc sign 签署。", number=number)
                path = f"{FOLDER}/{number}"
                yield Finding(
                    "document-signatures-voided", Gravity.WARNING, message, path=path, subject=number, hint=hint
                )


def _bound_as_one(held: HeldStatement) -> Iterator[Finding]:
    """Yield what is wrong with an approval of a set: it must list just the documents whose files it covers."""
    statement = held.statement
    if "documents" not in statement.new:
        return
    covered: dict[str, dict[str, Digest]] = {}
    for path, digest in statement.files.items():
        covered.setdefault(path.split("/")[1] if path.startswith(f"{FOLDER}/") else "", {})[path] = digest
    listed = listed_documents(statement.new["documents"])
    digests = {number: contents_of(files) for number, files in covered.items()}
    if listed is None or {item.number: item.contents for item in listed} != digests or len(listed) != len(digests):
        message = T("汇编的批准所列的文件和摘要，与它覆盖的源文件不符。")
        yield _wrong(held, "document-set-differs", message, suffix=".json")


def _on_paper(held: HeldStatement) -> Iterator[Finding]:
    """Yield what is wrong with a signature on paper; the scan's bytes are compared where the files are read."""
    statement = held.statement
    paper = paper_of(statement.new)
    if paper is None:
        yield _wrong(held, "paper-signature-wrong", T("没有写明纸质签名。"), suffix=".json")
        return
    stem = held.path.removesuffix(".json")
    scans = [digest for path, digest in statement.files.items() if path.startswith(f"{stem}.")]
    if paper.signed != bool(scans) or any(paper.scan is None or digest != paper.scan.digest for digest in scans):
        yield _wrong(held, "paper-signature-wrong", T("纸质签名没有扫描件，或不是所写的那一份。"), suffix=".json")
    if statement.by is not None and statement.by.person == paper.person:
        yield _wrong(held, "paper-signature-wrong", T("纸质签名由签名人自己归档。"), suffix=".json")


def _wrong(held: HeldStatement, code: str, message: Text, *, suffix: str = ".pdf") -> Finding:
    statement = held.statement
    path = held.path.removesuffix(".json") + suffix
    return Finding(code, Gravity.ERROR, message, path=path, subject=statement.subject or None, since=statement.at)
