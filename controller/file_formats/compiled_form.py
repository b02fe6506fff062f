"""编译好的表单. `compiled.json`: resolved definition, digest of the template and its Jinja sources, as canonical JSON.

Its SHA-256 is *the digest of the form*: it names everything that a print depends on. What is written reads back equal;
keys with their usual value are left out, numbers are text.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, is_dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from controller.domain.errors import DamagedError, QmsError
from controller.domain.form import (
    Field,
    FieldType,
    FormDefinition,
    Level,
    Pattern,
    Personal,
    Rule,
    Section,
    SignatureSlot,
    Stage,
    StageClock,
)
from controller.domain.identifiers import Digest, DocumentNumber, Revision
from controller.domain.text import T, Text
from controller.file_formats.canonical_json import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from controller.domain.record import Wire

COMPILED_FORMAT = "wenkong/compiled-form/1"


class CompiledFormError(DamagedError):
    """编译好的表单已损坏. `compiled.json` is not what this product writes."""

    code = "compiled-form-invalid"

    def __init__(self, *, problem: Text, where: str | None = None) -> None:
        super().__init__(
            T("编译好的表单不能使用：{problem}", problem=problem),
            hint=T("用 qms form compile 重新编译，或从备份恢复。"),
            where=where,
        )


@dataclass(frozen=True)
class CompiledForm:
    """编译好的表单."""

    definition: FormDefinition
    docx: Digest
    """SHA-256 of `form.docx`."""
    parts: Mapping[str, str]
    """Part name in the docx → Jinja source."""


def write_compiled(compiled: CompiledForm) -> bytes:
    """Return the canonical bytes of `compiled`."""
    return encode(
        {
            "format": COMPILED_FORMAT,
            "definition": _written(compiled.definition),
            "docx": compiled.docx.text,
            "parts": dict(compiled.parts),
        }
    )


def definition_data(definition: FormDefinition) -> Wire:
    """Return the definition as data, as it stands in `compiled.json`."""
    return _written(definition)


def read_compiled(data: bytes, *, where: str | None = None) -> CompiledForm:
    """Return the form that `data` holds.

    Raises:
        DamagedError: the bytes are not canonical, or not a compiled form of this format.
    """
    found: Any = decode(data, where=where)
    if not isinstance(found, dict) or found.get("format") != COMPILED_FORMAT:
        raise CompiledFormError(problem=T("format 不是 {format}", format=COMPILED_FORMAT), where=where)
    if set(found) != {"format", "definition", "docx", "parts"}:
        raise CompiledFormError(problem=T("多出或缺少部分"), where=where)
    parts = found["parts"]
    if not isinstance(parts, dict) or not all(isinstance(text, str) for text in parts.values()):
        raise CompiledFormError(problem=T("parts 不是文字"), where=where)
    try:
        definition = _form(found["definition"])
        return CompiledForm(definition, Digest(found["docx"]), parts)
    except (KeyError, TypeError, ValueError, AttributeError, QmsError) as exc:
        raise CompiledFormError(problem=T("定义不完整（{detail}）", detail=exc), where=where) from exc


_NOT_STORED = frozenset({"line"})


def _written(value: object) -> Wire:
    """Return a dataclass as an object without the keys that have their default."""
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, (DocumentNumber, Revision, Digest)):
        return value.text
    if isinstance(value, (int, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, (list, tuple)):
        return [_written(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _written(item) for key, item in value.items()}
    assert is_dataclass(value)
    result: dict[str, Wire] = {}
    for name, default in _defaults(cast("Hashable", type(value))).items():
        item = getattr(value, name)
        if item != default:
            result[name] = _written(item)
    return result


@lru_cache(maxsize=32)
def _defaults(kind: Hashable) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for item in fields(cast("Any", kind)):
        if item.name not in _NOT_STORED:
            made = item.default_factory() if item.default_factory is not MISSING else item.default
            found[item.name] = made
    return found


def _read(kind: type, data: Mapping[str, Any], readers: Mapping[str, Callable[[Any], object]]) -> Any:
    known = _defaults(cast("Hashable", kind))
    values = {}
    for name, item in data.items():
        if name not in known:
            message = f"{kind.__name__}: {name}"
            raise ValueError(message)
        reader = readers.get(name)
        if reader is not None:
            values[name] = reader(item)
        else:
            values[name] = tuple(item) if type(item) is list else item
    return kind(**values)


def _form(data: Mapping[str, Any]) -> FormDefinition:
    form: FormDefinition = _read(FormDefinition, data, _FORM_READERS)
    return form


def _field(data: Mapping[str, Any]) -> Field:
    field: Field = _read(Field, data, _FIELD_READERS)
    return field


_FIELD_READERS: Mapping[str, Callable[[Any], object]] = {
    "type": FieldType,
    "personal": Personal,
    "min_length": int,
    "max_length": int,
    "min_rows": int,
    "pattern": lambda item: _read(Pattern, item, {"level": Level}),
    "columns": lambda items: tuple(_field(item) for item in items),
}
_STAGE_READERS: Mapping[str, Callable[[Any], object]] = {"clock": lambda item: _read(StageClock, item, {})}
_FORM_READERS: Mapping[str, Callable[[Any], object]] = {
    "number": DocumentNumber,
    "revision": Revision,
    "procedure": lambda item: None if item is None else DocumentNumber(item),
    "fields": lambda items: tuple(_field(item) for item in items),
    "stages": lambda items: tuple(_read(Stage, item, _STAGE_READERS) for item in items),
    "rules": lambda items: tuple(_read(Rule, item, {"level": Level}) for item in items),
    "signatures": lambda items: tuple(_read(SignatureSlot, item, {}) for item in items),
    "sections": lambda items: tuple(_read(Section, item, {}) for item in items),
}
