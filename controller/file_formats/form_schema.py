"""表单的 JSON Schema. Publishes a form as JSON Schema 2020-12, for programs that prepare values.

The schema describes values as typed in JSON: structure, types, choices, lengths, fixed limits. What depends on other
fields, on the stage or on the day is said by `qms form show` and checked by `domain.form_check`; a value that passes
the check passes the schema in its stored notation, and a structural failure fails both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.domain.field_values import PENDING, SIGNATURE_KINDS, UNSIGNED_KINDS
from controller.domain.form import FieldType, Level, Personal
from controller.domain.form_stages import stages_passed
from controller.domain.value_entry import MAX_ITEMS, MAX_LINE, MAX_TEXT

if TYPE_CHECKING:
    from controller.domain.form import Field, FormDefinition

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_DIGEST = r"^sha256:[0-9a-f]{64}$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DATETIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?$"
_ATTACHMENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "digest": {"type": "string", "pattern": _DIGEST},
        "size": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "required": ["name", "digest"],
    "additionalProperties": False,
}
_PENDING: dict[str, Any] = {
    "anyOf": [{"const": PENDING}, {"const": {"pending": True}}],
    "title": "待补",
}


def form_schema(definition: FormDefinition, *, stage: str | None = None) -> dict[str, Any]:
    """Return the JSON Schema of the values a person enters up to `stage` (default: the first)."""
    passed = stages_passed(definition, stage or definition.first_stage.key)
    entered = [field for field in definition.fields if field.type not in {FieldType.COMPUTED, FieldType.PERFORMER}]
    properties: dict[str, Any] = {}
    required = []
    for field in entered:
        needed = field.required_from in passed
        value = _value(field)
        if needed and field.default is None:
            required.append(field.key)
            properties[field.key] = value
        else:
            properties[field.key] = _described(field, {"anyOf": [_bare(value), _PENDING, {"type": "null"}]})
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"urn:wenkong:form:{definition.number}:{definition.revision}",
        "title": definition.title,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    if definition.note:
        schema["description"] = definition.note
    if required:
        schema["required"] = required
    return schema


def _described(field: Field, schema: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"title": field.label}
    if field.help:
        described["description"] = field.help
    if field.personal is not Personal.NONE:
        described["x-personal"] = field.personal.value
    if field.unit:
        described["x-unit"] = field.unit
    return {**described, **schema}


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in {"title", "description", "x-personal", "x-unit"}}


def _value(field: Field) -> dict[str, Any]:
    if field.type is FieldType.TABLE:
        return _described(field, _table(field))
    single = _single(field)
    if field.many or field.type is FieldType.MULTI_CHOICE:
        single = {"type": "array", "items": single, "minItems": 1, "maxItems": MAX_ITEMS}
    return _described(field, single)


def _single(field: Field) -> dict[str, Any]:
    match field.type:
        case FieldType.TEXT | FieldType.LONG_TEXT:
            return _text(field)
        case FieldType.INTEGER:
            return _number(field, r"^-?[0-9]{1,40}$")
        case FieldType.DECIMAL:
            return _number(field, r"^-?[0-9]{1,40}(\.[0-9]{1,20})?$")
        case FieldType.DATE:
            return {"type": "string", "pattern": _DATE}
        case FieldType.DATETIME:
            return {"type": "string", "pattern": _DATETIME}
        case FieldType.BOOL:
            return {"type": "boolean"}
        case FieldType.CHOICE | FieldType.MULTI_CHOICE:
            return {"type": "string", "enum": list(field.choices)}
        case FieldType.ASSIGNEE:
            person = {
                "type": "object",
                "properties": {"person": {"type": "string"}, "name": {"type": "string"}},
                "required": ["person"],
            }
            return {"anyOf": [{"type": "string", "minLength": 1}, person]}
        case FieldType.RECORD_REF:
            forms = "|".join(form.replace("-", "\\-") for form in field.forms) or r"[A-Z0-9]+(?:-[A-Z0-9]+)*-[0-9]{2,4}"
            return {"type": "string", "pattern": f"^(?:{forms})-[0-9]{{4}}-[0-9]{{4,7}}$"}
        case FieldType.ATTACHMENT:
            return {"anyOf": [{"type": "string", "minLength": 1}, _ATTACHMENT]}
        case FieldType.EXTERNAL_SIGNATURE:
            return _external_signature()
        case _:
            return {"type": "string", "minLength": 1, "maxLength": MAX_LINE}


def _text(field: Field) -> dict[str, Any]:
    limit = MAX_TEXT if field.type is FieldType.LONG_TEXT else MAX_LINE
    schema: dict[str, Any] = {
        "type": "string",
        "minLength": max(field.min_length or 1, 1),
        "maxLength": min(field.max_length or limit, limit),
    }
    if field.pattern is not None and field.pattern.level is Level.ERROR:
        schema["pattern"] = f"^(?:{field.pattern.regex})$"
    return schema


def _number(field: Field, pattern: str) -> dict[str, Any]:
    """Exact text or, where a whole number says the same, a JSON integer."""
    text: dict[str, Any] = {"type": "string", "pattern": pattern}
    whole: dict[str, Any] = {"type": "integer"}
    for name, limit in (("minimum", field.min), ("maximum", field.max)):
        if limit is not None:
            whole[name] = int(limit) if limit.lstrip("-").isdigit() else float(limit)
    return {"anyOf": [text, whole]}


def _table(field: Field) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required = []
    for column in field.columns:
        value = _value(column)
        if column.required_from is not None:
            required.append(column.key)
            properties[column.key] = value
        else:
            properties[column.key] = _described(column, {"anyOf": [_bare(value), _PENDING, {"type": "null"}]})
    row: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if field.rows:
        required = [key for key in required if key != field.columns[0].key]
    if required:
        row["required"] = required
    return {"type": "array", "items": row, "minItems": field.min_rows or 1, "maxItems": MAX_ITEMS}


def _external_signature() -> dict[str, Any]:
    unsigned = {"properties": {"kind": {"enum": list(UNSIGNED_KINDS)}}}
    return {
        "type": "object",
        "properties": {
            "kind": {"enum": list(SIGNATURE_KINDS)},
            "name": {"type": "string"},
            "at": {"type": "string", "pattern": _DATE},
            "file": {"type": "string"},
            "attachment": _ATTACHMENT,
            "reason": {"type": "string"},
        },
        "required": ["kind"],
        "additionalProperties": False,
        "if": unsigned,
        "then": {"required": ["reason"]},
        "else": {"required": ["name", "at"], "anyOf": [{"required": ["file"]}, {"required": ["attachment"]}]},
    }
