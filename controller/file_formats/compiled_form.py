"""编译好的表单. `compiled.json`: the resolved definition, the template's digest and its Jinja sources, as canonical JSON.

Its SHA-256 is *the digest of the form*: it names everything that a print depends on. What is written reads back equal;
keys with their usual value are left out, numbers are text.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

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
    from collections.abc import Callable, Mapping

    from controller.domain.record import Wire

COMPILED_FORMAT = "wenkong/compiled-form/1"


class CompiledFormError(DamagedError):
    """编译好的表单已损坏. `compiled.json` is not what this product writes."""

    code = "compiled-form-invalid"

    def __init__(self, *, problem: Text, where: str | None = None) -> None:
        super().__init__(
            T("编译好的表单不能使用:{problem}", problem=problem),
            hint=T("用 qms form compile 重新编译,或从备份恢复。"),
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
        raise CompiledFormError(problem=T("定义不完整({detail})", detail=exc), where=where) from exc


# Fields whose text in the file stands for another type.
_WHOLE = frozenset({"min_length", "max_length", "min_rows"})
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
    result: dict[str, Wire] = {}
    for name, default in _defaults(type(value)):
        item = getattr(value, name)
        if item != default:
            result[name] = _written(item)
    return result


@lru_cache(maxsize=32)
def _defaults(kind: type) -> tuple[tuple[str, object], ...]:
    found = []
    for item in fields(kind):
        if item.name in _NOT_STORED:
            continue
        default = item.default
        if default is MISSING:
            default = item.default_factory() if item.default_factory is not MISSING else MISSING
        found.append((item.name, default))
    return tuple(found)


def _read(kind: type, data: Mapping[str, Any], **readers: Callable[[Any], object]) -> Any:
    known = {name for name, _ in _defaults(kind)}
    unknown = set(data) - known
    if unknown:
        message = f"{kind.__name__}: {sorted(unknown)}"
        raise ValueError(message)
    values = {}
    for name, item in data.items():
        reader = readers.get(name)
        if reader is not None:
            values[name] = reader(item)
        elif name in _WHOLE:
            values[name] = int(item)
        elif isinstance(item, list):
            values[name] = tuple(item)
        else:
            values[name] = item
    return kind(**values)


def _form(data: Mapping[str, Any]) -> FormDefinition:
    form: FormDefinition = _read(
        FormDefinition,
        data,
        number=DocumentNumber,
        revision=Revision,
        procedure=DocumentNumber,
        fields=lambda items: tuple(_field(item) for item in items),
        stages=lambda items: tuple(_stage(item) for item in items),
        rules=lambda items: tuple(_read(Rule, item, level=Level) for item in items),
        signatures=lambda items: tuple(_read(SignatureSlot, item) for item in items),
        sections=lambda items: tuple(_read(Section, item) for item in items),
    )
    return form


def _field(data: Mapping[str, Any]) -> Field:
    field: Field = _read(
        Field,
        data,
        type=FieldType,
        personal=Personal,
        pattern=lambda item: _read(Pattern, item, level=Level),
        columns=lambda items: tuple(_field(item) for item in items),
    )
    return field


def _stage(data: Mapping[str, Any]) -> Stage:
    stage: Stage = _read(Stage, data, clock=lambda item: _read(StageClock, item))
    return stage
