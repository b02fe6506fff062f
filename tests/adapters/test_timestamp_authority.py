"""A real authority on loopback is asked, and whatever a bad one sends is refused with words that help."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from controller.adapters.timestamp_authority import HttpTimestampAuthority
from controller.file_formats.timestamp_file import LARGEST, make_request
from controller.services.timestamp_ports import TimestampRefusedError, TimestampUnreachableError
from tests.timestamp_server import OpensslAuthority, Sent, serving

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = "每日摘要".encode()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    return OpensslAuthority(tmp_path_factory.mktemp("tsa") / "one")


def asked(answer: Callable[[bytes], Sent | bytes | None], *, patience: float = 5.0) -> bytes:
    with serving(answer) as running:
        return HttpTimestampAuthority(running.address, patience=patience).stamp(DATA)


def test_openssl_accepts_the_stamp_as_it_is_kept(authority: OpensslAuthority) -> None:
    stamp = asked(authority.reply)
    assert authority.accepts(DATA, stamp)
    assert not authority.accepts(DATA + b"x", stamp)


def test_every_question_has_another_random_number_and_only_the_digest_leaves_the_house(
    authority: OpensslAuthority,
) -> None:
    with serving(authority.reply) as running:
        client = HttpTimestampAuthority(running.address)
        client.stamp(DATA)
        client.stamp(DATA)
    assert len(set(running.questions)) == 2
    assert all(DATA not in question for question in running.questions)


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/tsa"
        with pytest.raises(TimestampUnreachableError, match="连接失败"):
            HttpTimestampAuthority(address).stamp(DATA)


def test_an_answer_that_never_comes_is_given_up() -> None:
    with pytest.raises(TimestampUnreachableError, match="等待超过"):
        asked(lambda _question: None, patience=0.3)


def test_an_old_answer_with_another_random_number_is_refused(authority: OpensslAuthority) -> None:
    old = authority.reply(make_request(DATA).data)
    with pytest.raises(TimestampRefusedError, match="随机数"):
        asked(lambda _question: old)


def test_a_stamp_over_something_else_is_refused(authority: OpensslAuthority) -> None:
    import hashlib

    ours, other = hashlib.sha256(DATA).digest(), hashlib.sha256(b"other").digest()
    with pytest.raises(TimestampRefusedError, match="不符"):
        asked(lambda question: authority.reply(question.replace(ours, other)))


def test_the_authoritys_own_refusal_is_told(authority: OpensslAuthority) -> None:
    sha256, sha512 = bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503040203")
    with pytest.raises(TimestampRefusedError, match="rejection"):
        asked(lambda question: authority.reply(question.replace(sha256, sha512)))


@pytest.mark.parametrize("body", [b"", b"garbage", b"\x30\x80" * 5000])
def test_garbage_is_refused(body: bytes) -> None:
    with pytest.raises(TimestampRefusedError, match="RFC 3161"):
        asked(lambda _question: body)


def test_a_page_of_another_kind_is_no_answer(authority: OpensslAuthority) -> None:
    with pytest.raises(TimestampUnreachableError, match="text/html"):
        asked(lambda question: Sent(authority.reply(question), kind="text/html"))


def test_a_huge_answer_is_not_read_to_its_end() -> None:
    with pytest.raises(TimestampUnreachableError, match="过大"):
        asked(lambda _question: Sent(b"\0" * (LARGEST * 40)))


def test_an_answer_cut_short_is_refused(authority: OpensslAuthority) -> None:
    with pytest.raises((TimestampRefusedError, TimestampUnreachableError)):
        asked(lambda question: Sent(authority.reply(question)[:-7], headers={"Content-Length": "99999"}), patience=0.5)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_error_page_is_no_answer(status: int) -> None:
    with pytest.raises(TimestampUnreachableError, match=str(status)):
        asked(lambda _question: Sent(b"no", status=status))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://127.0.0.1:1/", "ftp://127.0.0.1/x"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirection_is_followed(target: str, status: int) -> None:
    with pytest.raises(TimestampRefusedError, match="另一个地址"):
        asked(lambda _question: Sent(b"", status=status, headers={"Location": target}))


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/tsa", "http://", "不是网址"])
def test_other_kinds_of_addresses_are_never_opened(address: str) -> None:
    with pytest.raises(TimestampUnreachableError):
        HttpTimestampAuthority(address).stamp(DATA)


def test_what_proves_who_asks_is_not_shown() -> None:
    client = HttpTimestampAuthority("https://user:secret@tsa.example:8443/path?token=abc")
    assert client.address == "https://tsa.example:8443/path"
