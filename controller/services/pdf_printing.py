"""PDF 打印. docx → PDF through the first engine that loses nothing; a print that would lose a character is never made.

Which engines there are, and how they are run, is the adapters' business; what counts as visible is decided in
`file_formats.visible_text`, whether the PDF holds it in `file_formats.print_completeness`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, MisconfiguredError
from controller.domain.text import T
from controller.file_formats.docx_package import open_docx
from controller.file_formats.pdf_text import PdfUnreadableError, read_pdf
from controller.file_formats.print_completeness import losses
from controller.file_formats.visible_text import visible_passages
from controller.services.print_ports import PdfDocument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.text import Text
    from controller.file_formats.pdf_text import PdfText
    from controller.file_formats.print_completeness import Loss
    from controller.services.print_ports import PdfConverter

_SHOWN = 60


class PdfEngineError(DamagedError):
    """PDF 引擎出错. One engine could not convert this docx: it failed, ran out of time or memory, or gave no PDF."""

    code = "pdf-engine-failed"

    def __init__(self, *, engine: str, problem: Text) -> None:
        super().__init__(
            T("{engine} 无法把文件转换为 PDF:{problem}。", engine=engine, problem=problem),
            hint=T("请在 Word 中打开该文件检查；也可在 qms.toml 中换用另一个 pdf_engine。"),
        )


class NoPdfEngineError(MisconfiguredError):
    """没有 PDF 引擎. Neither engine can run on this machine."""

    code = "pdf-engine-missing"

    def __init__(self) -> None:
        super().__init__(
            T("本机没有可用的 PDF 引擎。"),
            hint=T("请重新安装本软件（含 office2pdf），或安装 LibreOffice 后再试。"),
        )


class PrintIncompleteError(DamagedError):
    """打印不完整. Every engine would lose part of the text, so nothing is printed."""

    code = "print-incomplete"

    def __init__(self, *, lost: Sequence[Loss], engines: Sequence[str]) -> None:
        first = lost[0]
        text = first.passage.text
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        super().__init__(
            T(
                "打印会丢失文字，未生成 PDF。用 {engines} 转换后，“{passage}”一段缺少“{missing}”（共 {count} 处）。",
                engines=list(engines),
                passage=shown,
                missing=first.missing[:_SHOWN],
                count=len(lost),
            ),
            hint=T("请把这段文字从文本框、脚注或内容控件移到正文或表格里，或安装 LibreOffice 后重试。"),
            where=first.passage.part,
        )
        self.lost = tuple(lost)
        """Every passage that would be lost with the engine that lost least."""


class PdfPrinting:
    """PDF 打印服务. Tries the engines in order and checks each result for completeness."""

    def __init__(self, engines: Sequence[PdfConverter]) -> None:
        self._engines = tuple(engines)

    def print(self, docx: bytes) -> PdfDocument:
        """Return the checked PDF of `docx`, with the engine that made it.

        Raises:
            PrintIncompleteError: every engine that ran would lose part of the text.
            PdfEngineError: no engine could convert the file at all.
            NoPdfEngineError: no engine can run on this machine.
            QmsError: the docx itself is not acceptable (the errors of `open_docx`).
        """
        passages = visible_passages(open_docx(docx))
        tried: list[str] = []
        fewest: list[Loss] | None = None
        failure: PdfEngineError | None = None
        for engine in self._engines:
            if not engine.available():
                continue
            try:
                pdf = engine.convert(docx)
                read = _read(engine, pdf)
            except PdfEngineError as exc:
                failure = failure or exc
                continue
            tried.append(engine.name)
            lost = losses(passages, read.pages)
            if not lost:
                return PdfDocument(
                    data=pdf,
                    engine=engine.name,
                    engine_version=engine.version,
                    fonts=read.fonts,
                    pages=len(read.pages),
                )
            if fewest is None or len(lost) < len(fewest):
                fewest = lost
        if fewest is not None:
            raise PrintIncompleteError(lost=fewest, engines=tried)
        if failure is not None:
            raise failure
        raise NoPdfEngineError


def _read(engine: PdfConverter, pdf: bytes) -> PdfText:
    try:
        return read_pdf(pdf)
    except PdfUnreadableError as exc:
        raise PdfEngineError(engine=engine.name, problem=T("结果不是有效的 PDF")) from exc
