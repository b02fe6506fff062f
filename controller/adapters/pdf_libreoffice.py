"""PDF 引擎 LibreOffice. The second engine: slower, and more faithful to what people draw in Word.

It runs without a window in a profile folder of its own, so that it neither disturbs nor is disturbed by an office that
somebody has open: no macros, no links fetched, nothing recovered, no questions.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from functools import cached_property
from pathlib import Path
from xml.sax.saxutils import escape

from controller.domain.text import T
from controller.services.pdf_printing import PdfEngineError

_TIMEOUT = 120.0
"""Seconds one document may take, the first start included."""
_PROGRAMS = ("soffice", "libreoffice")
_USUAL_PLACES = (
    "C:/Program Files/LibreOffice/program/soffice.exe",
    "C:/Program Files (x86)/LibreOffice/program/soffice.exe",
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
)
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)

_SETTINGS = (
    ("/org.openoffice.Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "0"),
    ("/org.openoffice.Office.Common/Misc", "FirstRun", "false"),
    ("/org.openoffice.Setup/Office", "ooSetupInstCompleted", "true"),
    ("/org.openoffice.Office.Common/Font/Substitution", "Replacement", "true"),
)
_SUBSTITUTES = {
    "宋体": "Noto Serif CJK SC",
    "SimSun": "Noto Serif CJK SC",
    "仿宋": "Noto Serif CJK SC",
    "黑体": "Noto Sans CJK SC",
    "SimHei": "Noto Sans CJK SC",
    "微软雅黑": "Noto Sans CJK SC",
}
"""What stands in for the fonts of Windows where they are not installed; without it, all become one."""


class LibreOfficeConverter:
    """LibreOffice. One conversion at a time in this converter's own profile."""

    name = "libreoffice"

    def __init__(self, *, program: Path | None = None, timeout: float = _TIMEOUT) -> None:
        self._program = program
        self._timeout = timeout
        self._lock = threading.Lock()
        self._profile: Path | None = None

    @cached_property
    def version(self) -> str:
        """The program's version such as `7.4.7.2`, empty when it cannot be told."""
        program = self._found
        if program is None:
            return ""
        try:
            answer = subprocess.run(
                [str(program), "--version"], capture_output=True, timeout=30, check=False, creationflags=_NO_WINDOW
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        words = answer.stdout.decode(errors="replace").split()
        return words[1] if len(words) > 1 else ""

    def available(self) -> bool:
        """Tell whether the program is on this machine."""
        return self._found is not None

    @cached_property
    def _found(self) -> Path | None:
        if self._program is not None:
            return self._program if self._program.is_file() else None
        for name in _PROGRAMS:
            on_path = shutil.which(name)
            if on_path:
                return Path(on_path)
        return next((Path(place) for place in _USUAL_PLACES if Path(place).is_file()), None)

    def convert(self, docx: bytes) -> bytes:
        """Return the PDF of `docx`.

        Raises:
            PdfEngineError: the document cannot be converted, or not within the time.
        """
        made = self._converted(docx, "document.docx", to="pdf:writer_pdf_Export")
        if made is None:
            raise PdfEngineError(engine=self.name, problem=T("没有生成 PDF"))
        return made

    def to_docx(self, doc: bytes) -> bytes:
        """Return the docx of a binary Word file (.doc), read as nothing but that; its macros do not run nor come along.

        Raises:
            PdfEngineError: the file cannot be converted, or not within the time.
        """
        made = self._converted(doc, "document.doc", to="docx:MS Word 2007 XML", reading="MS Word 97")
        if made is None:
            raise PdfEngineError(engine=self.name, problem=T("不能读取这个 .doc 文件"))
        return made

    def _converted(self, data: bytes, name: str, *, to: str, reading: str | None = None) -> bytes | None:
        program = self._found
        if program is None:
            raise PdfEngineError(engine=self.name, problem=T("本机没有安装 LibreOffice"))
        with self._lock, tempfile.TemporaryDirectory(prefix="wenkong-pdf-", ignore_cleanup_errors=True) as made:
            folder = Path(made)
            source = folder / name
            source.write_bytes(data)
            self._run(
                [
                    str(program),
                    f"-env:UserInstallation={self._profile_folder().as_uri()}",
                    "--headless",
                    "--norestore",
                    "--nologo",
                    "--nodefault",
                    "--nolockcheck",
                    *([f"--infilter={reading}"] if reading else []),
                    "--convert-to",
                    to,
                    "--outdir",
                    str(folder),
                    str(source),
                ]
            )
            result = source.with_suffix(f".{to.partition(':')[0]}")
            return result.read_bytes() if result.is_file() else None

    def _run(self, command: list[str]) -> None:
        own_group = sys.platform != "win32"
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=own_group,
            creationflags=_NO_WINDOW,
        ) as process:
            try:
                status = process.wait(self._timeout)
            except subprocess.TimeoutExpired as exc:
                _end_tree(process)
                problem = T("超过 {seconds} 秒未完成", seconds=round(self._timeout))
                raise PdfEngineError(engine=self.name, problem=problem) from exc
        if status != 0:
            raise PdfEngineError(engine=self.name, problem=T("程序以状态 {status} 结束", status=status))

    def _profile_folder(self) -> Path:
        if self._profile is None:
            self._profile = Path(tempfile.mkdtemp(prefix="wenkong-office-"))
            weakref.finalize(self, shutil.rmtree, self._profile, ignore_errors=True)
            user = self._profile / "user"
            user.mkdir()
            (user / "registrymodifications.xcu").write_text(_profile_settings(), encoding="utf-8")
        return self._profile


def _profile_settings() -> str:
    items = [
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, name, value in _SETTINGS
    ]
    missing = {font: substitute for font, substitute in _SUBSTITUTES.items() if not _is_installed(font)}
    for number, (font, substitute) in enumerate(missing.items()):
        # Without “Always” the program does not ask this table for fonts that are not installed.
        values = {"ReplaceFont": font, "SubstituteFont": substitute, "Always": "true", "OnScreenOnly": "false"}
        inner = "".join(
            f'<prop oor:name="{name}" oor:op="fuse"><value>{escape(value)}</value></prop>'
            for name, value in values.items()
        )
        items.append(
            '<item oor:path="/org.openoffice.Office.Common/Font/Substitution/FontPairs">'
            f'<node oor:name="_{number}" oor:op="replace">{inner}</node></item>'
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"{''.join(items)}</oor:items>\n"
    )


def _is_installed(font: str) -> bool:
    if sys.platform == "win32":
        return True
    listing = shutil.which("fc-list")
    if listing is None:
        return False
    found = subprocess.run([listing, font, "family"], capture_output=True, timeout=30, check=False)
    return bool(found.stdout.strip())


def _end_tree(process: subprocess.Popen[bytes]) -> None:
    """End the program with its children: the office proper is a child of the one that was started."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
    process.kill()
