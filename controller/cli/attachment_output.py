"""附件取出到文件夹. Saves a record's attachments under safe names, over nothing that is already there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.finished_file import FileUnwritableError
from controller.cli.files import write_output
from controller.cli.record_page import size_text
from controller.domain.text import T
from controller.services.record_attachments import storable_name, taken_out

if TYPE_CHECKING:
    from pathlib import Path

    from controller.bootstrap import Application
    from controller.cli.output import Output
    from controller.domain.record import RecordState


def save_attachments(application: Application, out: Output, state: RecordState, folder: Path, *, unmask: bool) -> None:
    """Write the attachments of a record into `folder` and tell where each stands; sealed ones only with `unmask`.

    Raises:
        RecordKeyMissingError: `unmask` was asked for and the record's key is not here.
        RecordDamagedError: a file is missing or is not the one that was filed.
        FileUnwritableError: a file cannot be written.
    """
    told: list[dict[str, object]] = []
    # All are proven whole before the first is written.
    for item in list(taken_out(state, application.archive, application.keys, unmask=unmask)):
        name, size = item.attachment.name, item.attachment.size
        path = None if item.data is None else write_beside(folder, name, item.data)
        if path is None:
            shown = T(
                "{name}（{size}）：含敏感个人信息，没有取出；有权限时加 --unmask。", name=name, size=size_text(size)
            )
        else:
            shown = T("已取出 {file}（{size}）", file=path, size=size_text(size))
        out.line(shown)
        told.append({"name": name, "size": size, "sealed": item.attachment.sealed, "file": str(path) if path else None})
    if not told:
        out.line(T("这份记录没有附件。"))
    out.document({"number": state.number.text, "folder": str(folder), "attachments": told})


def write_beside(folder: Path, name: str, data: bytes) -> Path:
    """Write `data` into `folder` under a safe form of `name`, over nothing that is there; return where it stands.

    A file that already holds the same bytes is left as it is.

    Raises:
        FileUnwritableError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = {path.name.lower() for path in folder.iterdir()}
        first = folder / storable_name(name)
        if first.is_file() and first.stat().st_size == len(data) and first.read_bytes() == data:
            return first
    except OSError as exc:
        raise FileUnwritableError(path=folder, detail=exc.strerror or str(exc)) from exc
    path = folder / storable_name(name, there)
    write_output(path, data)
    return path
