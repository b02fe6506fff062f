"""时间戳机构. Asks an outside authority for RFC 3161 stamps over HTTP or HTTPS; implements `TimestampAuthority`.

Whoever answers is not trusted: the answer is limited in time and size, must be of the right kind, for the very bytes
and the random number that were sent, and no redirection is followed.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from controller.domain.text import T
from controller.file_formats.timestamp_file import LARGEST, StampDamagedError, check_stamp, make_request, refusal
from controller.services.timestamp_ports import TimestampRefusedError, TimestampUnreachableError

if TYPE_CHECKING:
    from email.message import Message

_QUESTION, _ANSWER = "application/timestamp-query", "application/timestamp-reply"


class HttpTimestampAuthority:
    """时间戳机构. One authority at an `http://` or `https://` address."""

    def __init__(self, address: str, *, patience: float = 10.0) -> None:
        """`patience`: seconds to wait, for each step and for the whole answer."""
        self._address = address
        self._patience = patience

    @property
    def address(self) -> str:
        """The address, without what may stand in it to prove who asks."""
        parts = urlsplit(self._address)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"

    def stamp(self, data: bytes) -> bytes:
        """Return the authority's whole answer over `data`.

        Raises:
            TimestampUnreachableError: no answer, too slow, or not what such an authority sends.
            TimestampRefusedError: refused, redirected, or a stamp for something else.
        """
        request = make_request(data)
        answer = self._ask(request.data)
        try:
            words = refusal(answer)
            if words is not None:
                raise self._refused_for(words)
            stamp = check_stamp(answer, data, ())
        except StampDamagedError as exc:
            raise TimestampRefusedError(address=self.address, problem=T("内容不是 RFC 3161 时间戳")) from exc
        if stamp.nonce != request.nonce:
            raise TimestampRefusedError(address=self.address, problem=T("随机数与所问的不同，可能是旧的回答"))
        if not stamp.intact:
            raise TimestampRefusedError(address=self.address, problem=T("时间戳与所送的内容不符"))
        return answer

    def _refused_for(self, words: str) -> TimestampRefusedError:
        return TimestampRefusedError(address=self.address, problem=T("机构拒绝（{words}）", words=words))

    def _ask(self, question: bytes) -> bytes:
        headers = {"Content-Type": _QUESTION, "Accept": _ANSWER, "User-Agent": "wenkong"}
        try:
            request = urllib.request.Request(self._address, question, headers)  # noqa: S310 - the opener knows no other kinds
            with closing(_opener().open(request, timeout=self._patience)) as answer:
                kind = answer.headers.get_content_type()
                if kind != _ANSWER:
                    raise TimestampUnreachableError(
                        address=self.address, problem=T("回答的类型是 {kind}", kind=kind[:100])
                    )
                return self._read(answer)
        except urllib.error.HTTPError as exc:
            with closing(exc):
                if 300 <= exc.code < 400:  # noqa: PLR2004 - redirections
                    problem = T("它要求改用另一个地址")
                    raise TimestampRefusedError(address=self.address, problem=problem) from exc
                raise TimestampUnreachableError(address=self.address, problem=T("HTTP {code}", code=exc.code)) from exc
        except TimeoutError as exc:
            raise self._slow() from exc
        except urllib.error.URLError as exc:
            if isinstance(exc.reason, TimeoutError):
                raise self._slow() from exc
            raise self._silent(exc.reason) from exc
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise self._silent(exc) from exc

    def _read(self, answer: Any) -> bytes:
        until = time.monotonic() + self._patience
        parts, size = [], 0
        while part := answer.read1(1 << 16):
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                raise TimestampUnreachableError(address=self.address, problem=T("回答过大"))
            if time.monotonic() > until:
                raise self._slow()
        return b"".join(parts)

    def _slow(self) -> TimestampUnreachableError:
        return TimestampUnreachableError(
            address=self.address, problem=T("等待超过 {seconds} 秒", seconds=f"{self._patience:g}")
        )

    def _silent(self, reason: object) -> TimestampUnreachableError:
        detail = getattr(reason, "strerror", None) or type(reason).__name__
        return TimestampUnreachableError(
            address=self.address, problem=T("连接失败（{detail}）", detail=str(detail)[:200])
        )


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Follow nothing: a stamp is only asked for where the settings say."""


def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _NoRedirection(),
    ):
        opener.add_handler(handler)
    return opener
