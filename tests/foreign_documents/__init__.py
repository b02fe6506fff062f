"""外来文件. Documents as companies have them, written by office programs when a test needs them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.foreign_documents.opendocument import opendocument_files
from tests.foreign_documents.other_formats import html_files, rtf_files
from tests.foreign_documents.word_files import python_docx_files, word_files
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def in_office(files: Mapping[str, bytes], folder: Path) -> dict[str, bytes]:
    """Return the files, named with their ending, as LibreOffice writes them as docx: all in one start of it."""
    source, target = folder / "in", folder / "out"
    source.mkdir()
    for name, data in files.items():
        (source / name).write_bytes(data)
    command = [need("soffice"), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"]
    made = [*command, "--convert-to", "docx:MS Word 2007 XML", "--outdir", str(target)]
    subprocess.run([*made, *map(str, sorted(source.iterdir()))], check=True, capture_output=True, timeout=300)
    return {name: (target / name).with_suffix(".docx").read_bytes() for name in files}


def written_files(folder: Path) -> dict[str, bytes]:
    """Return name → docx, every one written by LibreOffice, those of Word and python-docx also as they were."""
    own = word_files() | python_docx_files()
    sources = {f"odf-{name}.fodt": data for name, data in opendocument_files().items()}
    sources |= {f"{name}.doc": data for name, data in html_files().items()}  # so named, Writer opens a web page
    sources |= {f"{name}.rtf": data for name, data in rtf_files().items()}
    sources |= {f"{name}.docx": data for name, data in own.items()}
    office = {name.rpartition(".")[0] + " by LibreOffice": data for name, data in in_office(sources, folder).items()}
    return office | own
