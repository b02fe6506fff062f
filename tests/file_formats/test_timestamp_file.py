"""Stamps are read and checked as openssl does, and nothing that somebody sends brings the reader down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.file_formats.timestamp_file import (
    LARGEST,
    StampDamagedError,
    certificate_or_none,
    check_stamp,
    make_request,
    refusal,
)
from tests.timestamp_server import OpensslAuthority

if TYPE_CHECKING:
    from pathlib import Path

DATA = "每日摘要".encode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    return OpensslAuthority(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def stamp(authority: OpensslAuthority) -> bytes:
    return authority.reply(make_request(DATA).data)


def root_of(authority: OpensslAuthority) -> bytes:
    root = certificate_or_none(authority.root_file.read_bytes())
    assert root is not None
    return root


def test_a_stamp_of_a_trusted_authority_is_intact_and_trusted(authority: OpensslAuthority) -> None:
    request = make_request(DATA)
    checked = check_stamp(authority.reply(request.data), DATA, [root_of(authority)])
    assert (checked.intact, checked.trusted) == (True, True)
    assert checked.nonce == request.nonce
    assert checked.authority == "测试时间戳机构"
    assert checked.at.utcoffset() is not None


def test_the_same_stamp_over_other_bytes_is_not_intact(authority: OpensslAuthority, stamp: bytes) -> None:
    checked = check_stamp(stamp, DATA + b" ", [root_of(authority)])
    assert (checked.intact, checked.trusted) == (False, False)


def test_a_stamp_of_somebody_else_is_intact_but_not_trusted(tmp_path: Path, stamp: bytes) -> None:
    stranger = OpensslAuthority(tmp_path / "stranger")
    for roots in ([root_of(stranger)], []):
        checked = check_stamp(stamp, DATA, roots)
        assert (checked.intact, checked.trusted) == (True, False)


def test_only_a_root_makes_an_authority_trusted_not_its_own_certificate(authority: OpensslAuthority) -> None:
    answer = authority.reply(make_request(DATA).data)
    assert check_stamp(answer, DATA, [root_of(authority)]).trusted
    own = certificate_or_none((authority.folder / "tsa.pem").read_bytes())
    assert own is not None
    assert not check_stamp(answer, DATA, [own]).trusted


def test_a_refusal_is_told_in_the_authoritys_words_and_is_no_stamp(authority: OpensslAuthority) -> None:
    wrong = make_request(DATA).data.replace(bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503040203"))
    answer = authority.reply(wrong)
    words = refusal(answer)
    assert words is not None
    assert words.startswith("rejection")
    with pytest.raises(StampDamagedError):
        check_stamp(answer, DATA, [])


def test_a_granted_answer_is_no_refusal(stamp: bytes) -> None:
    assert refusal(stamp) is None


@pytest.mark.parametrize("data", [b"", b"\x30", b"<html>", b"\x30\x03\x02\x01\x00", b"\x30\x82\xff\xff" + b"\0" * 9])
def test_what_is_no_answer_is_damaged(data: bytes) -> None:
    with pytest.raises(StampDamagedError):
        check_stamp(data, DATA, [])


def test_an_enormous_file_is_not_even_looked_at(stamp: bytes) -> None:
    with pytest.raises(StampDamagedError, match="过大"):
        check_stamp(stamp + b"\0" * LARGEST, DATA, [])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 0.9999), bit=st.integers(0, 7), cut=st.booleans())
def test_no_change_makes_another_time_or_content_count(
    authority: OpensslAuthority, stamp: bytes, place: float, bit: int, *, cut: bool
) -> None:
    index = int(place * len(stamp))
    bent = stamp[:index] if cut else stamp[:index] + bytes([stamp[index] ^ 1 << bit]) + stamp[index + 1 :]
    right = check_stamp(stamp, DATA, [root_of(authority)])
    try:
        checked = check_stamp(bent, DATA, [root_of(authority)])
    except StampDamagedError:
        return
    # Parts that nobody signs may differ (a certificate that is not needed); what counts may not.
    assert not checked.trusted or (checked.at, checked.nonce, checked.intact) == (right.at, right.nonce, True)
    assert not check_stamp(bent, DATA + b"x", [root_of(authority)]).intact


def test_only_certificates_are_certificates(authority: OpensslAuthority) -> None:
    assert certificate_or_none(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") is None
    assert certificate_or_none(b"") is None
    der = root_of(authority)
    assert certificate_or_none(der) == der
