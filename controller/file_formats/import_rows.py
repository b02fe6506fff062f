"""导入行. CSV and JSON lines into rows of values, one record each; headings are field keys or Chinese labels."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from controller.domain.errors import RefusedError
from controller.domain.identifiers import nearest
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from controller.domain.form import FormDefinition

_CELL_LIMIT = 100_000
_DEPTH_LIMIT = 8


class ImportFileError(RefusedError):
    """导入文件有误. The file as a whole cannot be read as rows of this form; nothing was filed."""

    code = "import-file-invalid"

    def __init__(self, *, where: str, problem: Text, hint: Text) -> None:
        super().__init__(T("导入文件有误：{problem}", problem=problem), hint=hint, where=where)


def decode_text(data: bytes, *, where: str) -> str:
    """Return the text of a file people made: UTF-8 (with or without mark) or GB 18030, as Excel and WPS write it.

    Raises:
        ImportFileError: it is neither.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise ImportFileError(
        where=where, problem=T("不是文字文件"), hint=T("另存为“CSV UTF-8（逗号分隔）”或 JSON 后再导入。")
    )


def csv_rows(lines: Iterable[str], definition: FormDefinition, *, where: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and values of every CSV row; empty cells are left out.

    Raises:
        ImportFileError: unknown or repeated headings, or a row with more cells than headings.
    """
    reader = csv.reader(lines, strict=True)
    csv.field_size_limit(_CELL_LIMIT)
    try:
        headings = next(reader, None)
        if not headings:
            raise ImportFileError(where=where, problem=T("文件是空的"), hint=T("第一行应为字段名称。"))
        keys = _keys(headings, definition, where)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(keys):
                place = f"{where}:{reader.line_num}"
                problem = T("这一行有 {found} 格，而表头只有 {wanted} 格", found=len(cells), wanted=len(keys))
                hint = T("检查是否有多余的逗号，含逗号的内容要加引号。")
                raise ImportFileError(where=place, problem=problem, hint=hint)
            values = {key: _undefused(cell) for key, cell in zip(keys, cells, strict=False) if cell.strip()}
            yield reader.line_num, values
    except csv.Error as exc:
        place = f"{where}:{reader.line_num}"
        raise ImportFileError(
            where=place, problem=T("不是规范的 CSV({detail})", detail=exc), hint=T("检查引号是否成对。")
        ) from exc


def _undefused(cell: str) -> str:
    """Take off the apostrophe that our own exports put before cells that a workbook would take for a formula."""
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@\t\r" else cell


def _keys(headings: Sequence[str], definition: FormDefinition, where: str) -> list[str]:
    labels = {item.label: item.key for item in definition.fields}
    known = {item.key for item in definition.fields}
    keys: list[str] = []
    for heading in headings:
        name = heading.strip()
        key = name if name in known else labels.get(name)
        if key is None:
            close = nearest(name, [*labels, *known])
            hint = T("是否想写“{close}”？", close=close) if close else T("用 qms form show 查看字段名称。")
            problem = T("表头“{name}”不是这张表的字段", name=name[:60])
            raise ImportFileError(where=f"{where}:1", problem=problem, hint=hint)
        if key in keys:
            problem = T("表头“{name}”出现了两次", name=name[:60])
            raise ImportFileError(where=f"{where}:1", problem=problem, hint=T("删去重复的列。"))
        keys.append(key)
    return keys


def json_rows(lines: Iterable[str], *, where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number and values of every JSON line.

    Raises:
        ImportFileError: a line is not a JSON object, repeats a key, or is nested too deeply.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        yield number, read_json_object(line, where=f"{where}:{number}")


def read_json_object(text: str, *, where: str) -> dict[str, Any]:
    """Return a JSON object of values; numbers are kept as the text they were typed in.

    Raises:
        ImportFileError: not an object, a repeated key, or nested too deeply.
    """
    try:
        value = json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as exc:
        raise ImportFileError(
            where=where,
            problem=T("内容的写法不规范（{detail}）", detail=str(exc)[:120]),
            hint=T("检查引号、逗号和括号。"),
        ) from exc
    if not isinstance(value, dict) or _depth(value) > _DEPTH_LIMIT:
        raise ImportFileError(
            where=where, problem=T("每份记录应是一个 JSON 对象"), hint=T("例如 {example}。", example='{"字段": "值"}')
        )
    return value


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            message = f"duplicate key {key}"
            raise ValueError(message)
        result[key] = value
    return result


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(item) for item in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(item) for item in value), default=0)
    return 0


def by_key(values: Mapping[str, Any], definition: FormDefinition) -> dict[str, Any]:
    """Return `values` with Chinese labels replaced by field keys, so that people may write either."""
    known = {item.key for item in definition.fields}
    labels: dict[str, str] = {}
    for item in definition.fields:
        labels.setdefault(item.label, item.key)
    return {key if key in known else labels.get(key, key): value for key, value in values.items()}
