"""office2pdf 工作进程. Converts one docx after another; run as a program of its own, never imported by the product.

The parent (`pdf_office2pdf`) writes length and docx to standard input and reads a status byte, length and PDF (or
message) from standard output. A crash or a document that eats memory ends this process, not the product.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path
from typing import BinaryIO

LENGTH = struct.Struct(">Q")


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the input ends."""
    from noto_cjk_sans_otc import FONT_PATH
    from office2pdf import ConvertOptions, convert_bytes

    options = ConvertOptions(font_paths=[Path(str(FONT_PATH)).parent], include_warnings=False)
    while head := requests.read(LENGTH.size):
        (size,) = LENGTH.unpack(head)
        docx = requests.read(size)
        try:
            status, body = b"+", convert_bytes(docx, "docx", options).pdf
        except Exception as exc:  # noqa: BLE001 - whatever the library raises is this document's failure, told to the parent
            status, body = b"-", f"{type(exc).__name__}: {exc}".encode(errors="replace")
        answers.write(status + LENGTH.pack(len(body)) + body)
        answers.flush()


if __name__ == "__main__":
    # Whatever the library prints must not get between the answers.
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, channel)
