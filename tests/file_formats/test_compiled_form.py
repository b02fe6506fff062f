"""compiled.json: exact round trip, canonical bytes, refusal of anything else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from controller.domain.errors import DamagedError
from controller.domain.identifiers import Digest
from controller.file_formats.compiled_form import CompiledForm, read_compiled, write_compiled
from tests.form_samples import sample_form

COMPILED = CompiledForm(sample_form(), Digest.of(b"docx"), {"word/document.xml": "<w:p>{{ channel }}</w:p>"})


def test_what_is_written_reads_back_equal_and_writes_the_same_bytes() -> None:
    data = write_compiled(COMPILED)
    assert read_compiled(data) == COMPILED
    assert write_compiled(read_compiled(data)) == data


def test_unknown_top_level_keys_survive() -> None:
    newer = replace(COMPILED, definition=replace(COMPILED.definition, extra={"colour": "红"}))
    assert read_compiled(write_compiled(newer)).definition.extra == {"colour": "红"}


def test_any_change_to_the_definition_changes_the_bytes() -> None:
    other = replace(COMPILED, definition=replace(COMPILED.definition, title="别的"))
    assert Digest.of(write_compiled(other)) != Digest.of(write_compiled(COMPILED))


def test_numbers_are_text() -> None:
    field = next(
        item for item in json.loads(write_compiled(COMPILED))["definition"]["fields"] if item["key"] == "goods_name"
    )
    assert field["min_length"] == "2"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: data.replace(b'"wenkong/compiled-form/1"', b'"wenkong/compiled-form/2"'),
        lambda data: data.replace(b'"docx":"sha256:', b'"docx":"md5:'),
        lambda data: data.replace(b'"type":"phone"', b'"type":"fone"'),
        lambda data: data.replace(b'"number":"AB-YLQXJL-001"', b'"number":"../../x"'),
        lambda data: data.replace(b'"title":', b'"titles":', 1),
        lambda _data: b"[]",
        lambda _data: b'{"format":"wenkong/compiled-form/1"}',
        lambda data: data.replace(b'"parts":{"word/document.xml":"<w:p>{{ channel }}</w:p>"}', b'"parts":{"a":[]}'),
    ],
)
def test_anything_else_is_damaged(spoil: object) -> None:
    assert callable(spoil)
    data = write_compiled(COMPILED)
    assert spoil(data) != data
    with pytest.raises(DamagedError):
        read_compiled(spoil(data))
