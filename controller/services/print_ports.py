"""打印端口. Templates, Word, PDF and scans, as the use cases see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.domain.conformity import Finding
    from controller.domain.document_set import SetPrint
    from controller.domain.form import FormDefinition
    from controller.domain.identifiers import Digest
    from controller.domain.print_stamp import PrintStamp
    from controller.domain.procedure_print import ProcedurePrint
    from controller.domain.signature import SigningKey
    from controller.domain.signature_page import SignatureMark, SignaturePage
    from controller.file_formats.scan_file import ScanKind


class ScanReader(Protocol):
    """扫描件读取. Looks through scanned PDFs and reads QR codes."""

    def check_pdf(self, data: bytes) -> None:
        """Make sure that a PDF is a scan and nothing else.

        Raises:
            ScanRefusedError: it is encrypted, unreadable, or holds active content or other files.
        """
        ...

    def codes(self, data: bytes, kind: ScanKind) -> list[str] | None:
        """Return the texts of all QR codes on a checked scan; None when this computer cannot read codes."""
        ...


@dataclass(frozen=True)
class PdfDocument:
    """PDF 文件. A finished, completeness-checked print with the engine that made it."""

    data: bytes
    engine: str
    engine_version: str
    fonts: Sequence[str]
    pages: int


class PdfConverter(Protocol):
    """PDF 引擎. Turns one docx into PDF bytes; checking completeness is the service's business."""

    @property
    def name(self) -> str:
        """Return the engine's name as in the settings."""
        ...

    @property
    def version(self) -> str:
        """Return the engine's version."""
        ...

    def available(self) -> bool:
        """Tell whether the engine can run on this machine."""
        ...

    def convert(self, docx: bytes) -> bytes:
        """Return the PDF; raises `PdfEngineError`."""
        ...


class PdfSigning(Protocol):
    """PDF 签名. Signatures inside a PDF (PAdES); what was signed before stays byte for byte."""

    def add_page(self, pdf: bytes, page: SignaturePage) -> bytes:
        """Return `pdf` with a signature page at its end, a place kept for every signature; raises `PdfSigningError`."""
        ...

    def certify(
        self,
        pdf: bytes,
        field: str,
        key: SigningKey,
        mark: SignatureMark,
        *,
        stamp: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        """Return `pdf` with its first signature in the place `field`; afterwards only the other places may be filled.

        `stamp` gives the RFC 3161 token (DER) for a SHA-256.
        """
        ...

    def add_approval(
        self,
        pdf: bytes,
        field: str,
        key: SigningKey,
        mark: SignatureMark,
        *,
        stamp: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        """Return `pdf` with one more signature."""
        ...


class TemplateCompiler(Protocol):
    """模板编译. docx template → Jinja source per part (docxtpl is the compiler)."""

    def compile(self, docx: bytes) -> Mapping[str, str]:
        """Return part name → Jinja source for every part with template text; raises a template error with its place."""
        ...


class DocxRenderer(Protocol):
    """渲染. Compiled template + values → docx bytes, the same on every machine."""

    def render(
        self,
        *,
        docx: bytes,
        parts: Mapping[str, str],
        key: Digest,
        context: Mapping[str, object],
        closing: Sequence[str] = (),
    ) -> bytes:
        """Return the docx, with `closing` as lines after its text.

        `key` names the compiled form so that its code is compiled once.
        """
        ...


@dataclass(frozen=True)
class WordText:
    """Word 文档的文字. A docx as clause text, with what the grammar cannot express kept aside."""

    text: str
    islands: Mapping[Digest, bytes]
    """Digest → verbatim OOXML of every island in the text."""
    findings: Sequence[Finding]
    """What was left out or needs a look: headers, footers, comments, tracked changes."""


class WordReader(Protocol):
    """读取 Word. Turns an uploaded docx into clause text."""

    def read(self, docx: bytes, *, name: str) -> WordText:
        """Return the text; raises the errors of `file_formats.docx_package` for a file that is not safe."""
        ...


class FormDrawing(Protocol):
    """表单版式. Draws a form's docx template from its definition."""

    def draw(self, definition: FormDefinition, house: bytes) -> bytes:
        """Return the template drawn on the house file; same input, same bytes."""
        ...

    def house(self) -> bytes:
        """Return the house file that stands in where the workspace has none."""
        ...

    def is_untouched(self, docx: bytes) -> bool:
        """Tell whether a template is as this drawing made it, not changed by hand since."""
        ...


class ProcedureDrawing(Protocol):
    """文件打印版式. Draws a controlled document as Word pages."""

    def draw(self, shown: ProcedurePrint, house: bytes) -> bytes:
        """Return the docx drawn on the house file; same input, same bytes."""
        ...

    def house(self) -> bytes:
        """Return the house file that stands in where the workspace has none."""
        ...


class PrintStamping(Protocol):
    """打印标识. Marks every page of a copy with what it is."""

    def stamped(self, data: bytes, stamp: PrintStamp) -> bytes:
        """Return a marked copy of `data`; a signed PDF itself is left as it is."""
        ...


class SetDrawing(Protocol):
    """汇编版式. Binds the documents of a system as one PDF."""

    def bind(
        self,
        shown: SetPrint,
        bodies: Sequence[bytes],
        counts: Sequence[int],
        *,
        order_file: str,
        front_only: bool = False,
    ) -> bytes:
        """Return cover, order of release, contents and revision page with the PDFs of the documents behind them.

        `counts` are the pages of each; with `front_only` the documents are left out. Same input, same bytes.
        """
        ...
