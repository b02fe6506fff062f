"""PDF 引擎 office2pdf. The default engine: a Python wheel with its own layout engine and a packaged Chinese font.

Conversion runs in a worker process that is kept for many documents: starting one costs more than a form takes, and a
crash, a hang or a document that eats memory must not take the product with it. The worker is replaced after a time,
because its caches grow. The table rules of its PDFs are mended by `pdf_table_rules`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import weakref
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

from controller.adapters import pdf_worker
from controller.adapters.pdf_worker import LENGTH
from controller.domain.text import T
from controller.file_formats.docx_package import open_docx, write_docx
from controller.file_formats.pdf_text import pdf_fonts
from controller.services.pdf_printing import PdfEngineError

if TYPE_CHECKING:
    from controller.domain.text import Text
    from controller.file_formats.zip_container import PackedPart

_TIMEOUT = 60.0
"""Seconds one document may take."""
_DOCUMENTS_PER_WORKER = 200
_MAX_PDF = 512 * 1024 * 1024
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


_SONG = 'w:eastAsia="宋体"'
_PACKAGED = 'w:eastAsia="Noto Sans CJK SC"'
_NAMED = re.compile(r'w:eastAsia="(?:宋体|黑体|仿宋|楷体|SimSun|SimHei|FangSong|KaiTi|NSimSun)"')
_PROBE = write_docx(
    {
        "[Content_Types].xml": (
            b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            b'<Override PartName="/word/document.xml" ContentType="'
            b'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
        ),
        "_rels/.rels": (
            b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            b'<Relationship Id="rId1" Target="word/document.xml" Type="'
            b'http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
        ),
        "word/document.xml": (
            '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
            f"<w:rPr><w:rFonts {_SONG}/></w:rPr><w:t>售后服务，记录。</w:t></w:r></w:p></w:body></w:document>"
        ).encode(),
    }
)


class Office2PdfConverter:
    """office2pdf. One worker process at a time, started when first needed."""

    name = "office2pdf"

    def __init__(self, *, timeout: float = _TIMEOUT) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None
        self._done = 0
        self._bare: bool | None = None
        """Whether this machine has no Chinese font but the packaged one; None until it was tried."""
        self._finalizer: weakref.finalize[..., Office2PdfConverter] | None = None

    @property
    def version(self) -> str:
        """The installed version, empty when it is not installed."""
        try:
            return version("office2pdf-python")
        except PackageNotFoundError:
            return ""

    def available(self) -> bool:
        """Tell whether the library and its font are installed."""
        return find_spec("office2pdf") is not None and find_spec("noto_cjk_sans_otc") is not None

    def convert(self, docx: bytes) -> bytes:
        """Return the PDF of `docx`.

        Raises:
            PdfEngineError: the document cannot be converted, or not within the time.
        """
        from controller.adapters.pdf_table_rules import mend_table_rules

        with self._lock:
            if self._bare is None:
                self._bare = _lacks_song(self._ask(_PROBE))
            pdf = self._ask(with_packaged_font(docx) if self._bare else docx)
        return mend_table_rules(pdf)

    def close(self) -> None:
        """End the worker process; the next conversion starts another."""
        with self._lock:
            self._stop()

    def _ask(self, docx: bytes) -> bytes:
        if self._done >= _DOCUMENTS_PER_WORKER:
            self._stop()
        worker = self._started()
        assert worker.stdin is not None
        assert worker.stdout is not None
        # The watchdog ends a worker that hangs; reading and writing then fail at once on every operating system.
        late = threading.Event()
        watchdog = threading.Timer(self._timeout, _end_late, (worker, late))
        watchdog.daemon = True
        watchdog.start()
        try:
            worker.stdin.write(LENGTH.pack(len(docx)) + docx)
            worker.stdin.flush()
            status = worker.stdout.read(1)
            (size,) = LENGTH.unpack(_exactly(worker.stdout, LENGTH.size))
            body = _exactly(worker.stdout, min(size, _MAX_PDF))
        except (OSError, EOFError, ValueError) as exc:
            self._stop()
            problem = (
                T("超过 {seconds} 秒未完成", seconds=round(self._timeout)) if late.is_set() else T("转换进程意外退出")
            )
            raise self._failed(problem) from exc
        except BaseException:
            self._stop()  # an answer read in part would be taken for the next document's
            raise
        finally:
            watchdog.cancel()
        self._done += 1
        if status != b"+":
            raise self._failed(T("{detail}", detail=body.decode(errors="replace")[:300]))
        return body

    def _failed(self, problem: Text) -> PdfEngineError:
        return PdfEngineError(engine=self.name, problem=problem)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._worker is not None and self._worker.poll() is None:
            return self._worker
        self._stop()
        # -P: the folder that happens to be the working directory must not lend modules to the worker.
        program = [sys.executable, "-P", str(Path(pdf_worker.__file__))]
        self._worker = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=_NO_WINDOW,
        )
        self._finalizer = weakref.finalize(self, _end, self._worker)
        self._done = 0
        return self._worker

    def _stop(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._worker = None
        self._done = 0


def with_packaged_font(docx: bytes) -> bytes:
    """Return `docx` with the Chinese fonts of Windows replaced by the packaged font.

    On a machine without any of them, office2pdf takes the packaged font in its Hong Kong cut, whose commas and full
    stops hang in the middle; named outright, it is taken in the cut for the mainland.
    """
    package = open_docx(docx)
    parts: dict[str, bytes | PackedPart] = dict(package.parts)
    for name, content in package.contents.items():
        if name.endswith(".xml") and b"eastAsia" in content:
            parts[name] = _NAMED.sub(_PACKAGED, content.decode()).encode()
    return write_docx(parts)


def _lacks_song(probe: bytes) -> bool:
    """Tell whether the probe was set in the packaged sans-serif font, or in a cut for another region."""
    return not any("Serif" in font or "Song" in font or "SimSun" in font for font in pdf_fonts(probe))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _end_late(worker: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    worker.kill()


def _end(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        worker.kill()
    for stream in (worker.stdin, worker.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                continue
    worker.wait()
