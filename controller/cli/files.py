"""命令行的文件. Reads what people hand in, with limits; writes what they asked for, over nothing by accident."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from controller.adapters.finished_file import FileExistsRefusedError, finished_file
from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.text import T
from controller.file_formats.import_rows import (
    ImportFileError,
    by_key,
    csv_rows,
    decode_text,
    json_rows,
    read_json_object,
)
from controller.services.attached_files import LIMIT as ATTACHMENT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from controller.domain.form import FormDefinition
    from controller.domain.record import Wire
    from controller.services.record_filing import ImportRow

VALUES_LIMIT = 4 * 1024 * 1024
IMPORT_LIMIT = 512 * 1024 * 1024


class InputFileMissingError(NotFoundError):
    """找不到输入文件."""

    code = "input-file-missing"

    def __init__(self, *, path: Path) -> None:
        super().__init__(T("找不到文件“{path}”。", path=path), hint=T("检查文件名和所在目录。"))


class InputFileTooLargeError(RefusedError):
    """输入文件太大."""

    code = "input-file-too-large"

    def __init__(self, *, path: Path, limit: int) -> None:
        super().__init__(
            T("文件“{path}”超过 {limit} MB。", path=path, limit=limit // 2**20), hint=T("拆分后分次处理。")
        )


class AttachmentOutsideError(RefusedError):
    """附件不在目录内. An attachment's name leads out of the folder of the values file."""

    code = "attachment-outside"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("附件“{name}”不在填写文件所在的目录内。", name=name[:120]),
            hint=T("把附件复制到填写文件旁边，写相对路径，例如 照片/1.jpg。"),
        )


def read_bytes(path: Path, *, limit: int) -> bytes:
    """Return a file's bytes.

    Raises:
        InputFileMissingError: there is no such file, or it cannot be read.
        InputFileTooLargeError: it is larger than `limit` bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as exc:
        raise InputFileMissingError(path=path) from exc
    if len(data) > limit:
        raise InputFileTooLargeError(path=path, limit=limit)
    return data


def read_input(path: Path, definition: FormDefinition) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the values in a YAML or JSON file, by field key, and the attachment files they name."""
    where = str(path)
    text = decode_text(read_bytes(path, limit=VALUES_LIMIT), where=where)
    if path.suffix.lower() == ".json":
        values = read_json_object(text, where=where)
    else:
        from controller.file_formats.yaml_text import load_yaml

        loaded = load_yaml(text, where=where)
        if not isinstance(loaded, dict):
            problem = T("内容应为“字段: 值”的清单")
            raise ImportFileError(where=where, problem=problem, hint=T("参考 qms form show 列出的字段。"))
        values = loaded
    values = by_key(values, definition)
    return values, attachment_files(values, definition, path.parent)


def attachment_files(
    values: Mapping[str, Any], definition: FormDefinition, folder: Path, *, anywhere: bool = False
) -> dict[str, bytes]:
    """Return the bytes of every attachment that `values` name, by the name as written; relative to `folder`.

    `anywhere` is for names that the person typed: they may lead out of the folder, those in a file may not.

    Raises:
        AttachmentOutsideError: a name leads out of `folder`.
        InputFileTooLargeError: a file is too large.
    """
    from controller.domain.value_entry import attachment_paths

    found: dict[str, bytes] = {}
    for name in attachment_paths(definition, values):
        path = (folder / name).resolve()
        if not anywhere and not path.is_relative_to(folder.resolve()):
            raise AttachmentOutsideError(name=name)
        if path.is_file():
            found[name] = read_bytes(path, limit=ATTACHMENT_LIMIT + 1)
    return found


def import_source(path: Path, definition: FormDefinition) -> tuple[Callable[[], Iterable[ImportRow]], dict[str, Wire]]:
    """Return a function that reads the rows of a CSV or JSON-lines file, and what an entry says of their source."""
    from controller.services.record_filing import ImportRow

    data = read_bytes(path, limit=IMPORT_LIMIT)
    text = decode_text(data, where=path.name)
    as_json = path.suffix.lower() in {".json", ".jsonl", ".ndjson"}

    def rows() -> Iterator[ImportRow]:
        lines = io.StringIO(text, newline="")
        if as_json:
            for number, values in json_rows(lines, where=path.name):
                yield ImportRow(number, by_key(values, definition))
        else:
            for number, cells in csv_rows(lines, definition, where=path.name):
                yield ImportRow(number, cells)

    return rows, {"file": path.name, "digest": Digest.of(data).text}


def write_output(
    path: Path, data: bytes, *, force: bool = False, before: Callable[[Digest], object] | None = None
) -> None:
    """Write `data` to `path` whole or not at all; `before` is told its digest when all but the handing over is done.

    Raises:
        FileExistsRefusedError: the file exists and `force` was not asked for.
        FileUnwritableError: it cannot be written.
    """
    if path.exists() and (path.is_dir() or not force):
        raise FileExistsRefusedError(path=path)
    with finished_file(path) as unfinished:
        unfinished.write_bytes(data)
        if before is not None:
            before(Digest.of(data))
