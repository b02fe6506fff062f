from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.identifiers import Digest
from controller.domain.record import Act, Attachment, Entry, SealedValue, Signatory
from controller.file_formats.canonical_json import NotCanonicalError
from controller.file_formats.entry_file import EntryDamagedError, EntryFormatNewerError, decode_entry, encode_entry
from tests.builders import entry

words = st.text(min_size=1, max_size=12)
digests = st.binary(max_size=4).map(Digest.of)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    return entry(
        serial=draw(st.integers(1, 999_999)),
        sequence=draw(st.integers(1, 5000)),
        previous=draw(st.none() | digests),
        act=draw(st.sampled_from(Act)),
        by=Signatory(person=draw(words), name=draw(words), post=draw(st.text(max_size=5))),
        values=draw(st.dictionaries(words, st.none() | st.booleans() | st.text() | st.lists(st.text()), max_size=4)),
        sealed=draw(st.dictionaries(words, digests.map(SealedValue), max_size=3)),
        attachments=tuple(
            draw(st.lists(st.builds(Attachment, words, digests, st.integers(0, 10**12), st.booleans()), max_size=2))
        ),
        reason=draw(st.none() | st.text()),
        entered_for=draw(st.none() | st.text()),
        source=draw(st.none() | st.dictionaries(words, st.text(), max_size=2)),
        warnings=tuple(draw(st.lists(words, max_size=2))),
        shown=draw(st.none() | digests),
    )


@given(entries())
def test_reading_what_was_written_gives_the_entry_and_the_bytes_back(item: Entry) -> None:
    data = encode_entry(item)
    assert decode_entry(data) == item
    assert encode_entry(decode_entry(data)) == data


def test_an_entry_is_stored_in_the_documented_words() -> None:
    stored = json.loads(encode_entry(entry(sealed={"content": SealedValue(Digest.of(b"x"))})))
    assert stored["format"] == "wenkong/entry/1"
    assert stored["record"] == "XX-YLQXJL-018-2026-0001"
    assert stored["sequence"] == "1"
    assert stored["previous"] is None
    assert stored["act"] == "opened"
    assert stored["by"] == {"person": "p003", "name": "王芳", "post": "售后主管"}
    assert stored["at"] == "2026-05-01T09:30:00+08:00"
    assert stored["sealed"] == {"content": {"digest": Digest.of(b"x").text}}


def changed(**changes: Any) -> bytes:
    content = json.loads(encode_entry(entry()))
    for key, value in changes.items():
        if value is ...:
            del content[key]
        else:
            content[key] = value
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (changed(reason=...), "缺少键 reason"),
        (changed(extra="1"), "不认识的键 extra"),
        (changed(sequence="0"), "sequence 应为不小于 1 的整数"),
        (changed(sequence="01"), "sequence 应为不小于 1 的整数"),
        (changed(sequence=True), "sequence 应为文字"),
        (changed(act="erased"), "动作“erased”不认识"),
        (changed(at="2026-05-01T09:30:00"), "at 应为带时区"),
        (changed(at="2026-13-01T09:30:00+08:00"), "at 应为带时区"),
        (changed(at="2026-05-01T09:30:00.5+08:00"), "at 应为带时区"),
        (changed(record="../../etc/passwd"), "不是有效的记录编号"),
        (changed(previous="sha1:00"), "不是有效的摘要"),
        (changed(by={"person": "p1", "name": "王芳"}), "缺少键 by.post"),
        (changed(by=["p1"]), "by 应为对象"),
        (changed(form={"number": "XX-YLQXJL-018", "revision": "A/0", "digest": "x"}), "不是有效的摘要"),
        (changed(sealed={"content": "plain"}), "sealed.content 应为对象"),
        (changed(sealed={"content": {"digest": "x"}}), "不是有效的摘要"),
        (changed(attachments=["x"]), "attachments.1 应为对象"),
        (changed(attachments=[{"name": "a", "digest": "x", "size": "1", "sealed": "no"}]), "attachments.1.sealed"),
        (changed(warnings=["a", None]), "warnings 应为文字的列表"),
        (changed(values=[]), "values 应为对象"),
        (changed(workspace=""), "workspace 不能为空"),
        (b'"text"', "JSON 应为对象"),
    ],
)
def test_anything_but_an_entry_is_damage_and_the_message_tells_what(data: bytes, told: str) -> None:
    with pytest.raises(EntryDamagedError) as caught:
        decode_entry(data, where="a/0001.json")
    assert told in str(caught.value)
    assert caught.value.where == "a/0001.json"


def test_an_entry_of_a_newer_format_asks_for_a_newer_program() -> None:
    with pytest.raises(EntryFormatNewerError, match="wenkong/entry/2"):
        decode_entry(changed(format="wenkong/entry/2", extra="1"))


def test_bytes_that_are_not_canonical_are_not_an_entry() -> None:
    with pytest.raises(NotCanonicalError):
        decode_entry(encode_entry(entry()) + b"\n")
