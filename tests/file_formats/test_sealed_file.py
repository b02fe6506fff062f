from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.identifiers import Digest
from controller.file_formats.canonical_json import encode
from controller.file_formats.sealed_file import (
    SealDamagedError,
    mismatches,
    salted,
    salted_digest,
    seal,
    seal_bytes,
    unseal,
    unseal_bytes,
)
from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.none() | st.text() | st.lists(st.text()), max_size=4))
def test_what_is_sealed_comes_back_with_the_key(values: dict[str, str]) -> None:
    part = salted(values, docx=Digest.of(b"docx"))
    assert unseal(seal(part, KEY), KEY) == part


def test_neither_values_nor_salts_can_be_read_in_the_sealed_bytes() -> None:
    part = salted({"content": "患者张三皮肤灼伤"})
    data = seal(part, KEY)
    assert "张三".encode() not in data
    assert b"content" not in data
    assert bytes.fromhex(part.salts["content"]) not in data


def test_equal_values_have_unequal_digests_and_unequal_bytes() -> None:
    first, second = salted({"content": "同样的话"}), salted({"content": "同样的话"})
    assert first.digests() != second.digests()
    assert seal(first, KEY) != seal(first, KEY)


def test_the_stated_digest_is_the_documented_one() -> None:
    expected = Digest.of(b'{"field":"content","salt":"00","value":"x"}')
    assert salted_digest("content", "00", "x") == expected


def test_a_changed_missing_or_added_value_is_noticed() -> None:
    part = salted({"a": "1", "b": "2"})
    stated = part.digests()
    assert mismatches(part, stated) == []
    assert mismatches(salted({"a": "1", "b": "2"}), stated) == ["a", "b"]
    assert mismatches(part, {"a": stated["a"]}) == ["b"]
    assert mismatches(part, stated | {"c": stated["a"]}) == ["c"]


def test_another_records_key_does_not_open_it() -> None:
    with pytest.raises(SealDamagedError) as caught:
        unseal(seal(salted({"a": "1"}), KEY), OTHER_KEY, where="0001.sealed")
    assert caught.value.where == "0001.sealed"


@given(st.binary(max_size=200))
def test_foreign_bytes_are_damage(data: bytes) -> None:
    with pytest.raises(SealDamagedError):
        unseal(data, KEY)


@given(st.data())
def test_a_flipped_byte_never_gives_other_values(data: st.DataObject) -> None:
    part = salted({"content": "甲"})
    sealed = bytearray(seal(part, KEY))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    try:
        opened = unseal(bytes(sealed), KEY)
    except SealDamagedError:
        return
    assert opened == part or mismatches(opened, part.digests()) or opened.docx != part.docx


@pytest.mark.parametrize(
    "content",
    [
        {"values": {}, "salts": {}},
        {"values": {"a": "1"}, "salts": {}, "docx": None},
        {"values": {"a": "1"}, "salts": {"a": "short"}, "docx": None},
        {"values": {}, "salts": {}, "docx": "sha1:x"},
        {"values": [], "salts": {}, "docx": None},
    ],
)
def test_a_sealed_file_with_other_content_is_damage(content: dict[str, object]) -> None:
    with pytest.raises(SealDamagedError):
        unseal(seal_bytes(encode(content), KEY), KEY)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100_000])
def test_openssl_opens_what_is_sealed(tmp_path: Path, size: int) -> None:
    openssl = need("openssl")
    plain = bytes(index % 251 for index in range(size))
    sealed = tmp_path / "a.sealed"
    sealed.write_bytes(seal_bytes(plain, KEY))
    command = [openssl, "cms", "-EncryptedData_decrypt", "-inform", "DER", "-binary", "-in", str(sealed)]
    opened = subprocess.run([*command, "-secretkey", KEY.hex()], capture_output=True, check=True)
    assert opened.stdout == plain


def test_what_openssl_seals_is_opened(tmp_path: Path) -> None:
    openssl = need("openssl")
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(encode({"docx": None, "salts": {}, "values": {}}))
    command = [openssl, "cms", "-EncryptedData_encrypt", "-aes-256-cbc", "-binary", "-outform", "DER"]
    subprocess.run([*command, "-in", str(plain), "-out", str(sealed), "-secretkey", KEY.hex()], check=True)
    assert unseal_bytes(sealed.read_bytes(), KEY) == plain.read_bytes()
    assert unseal(sealed.read_bytes(), KEY) == salted({})


def test_another_cipher_is_refused_by_name(tmp_path: Path) -> None:
    openssl = need("openssl")
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(b"x")
    command = [openssl, "cms", "-EncryptedData_encrypt", "-aes-128-cbc", "-binary", "-outform", "DER"]
    subprocess.run([*command, "-in", str(plain), "-out", str(sealed), "-secretkey", KEY[:16].hex()], check=True)
    with pytest.raises(SealDamagedError, match="aes128_cbc"):
        unseal(sealed.read_bytes(), KEY)
