"""时间戳端口. The outside authority for time and the copies kept off the machine, as the use cases see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.domain.errors import MisconfiguredError, RefusedError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.text import Text


class TimestampUnreachableError(MisconfiguredError):
    """时间戳机构连接不上. No answer within the time allowed, or one that no time-stamping authority gives."""

    code = "timestamp-unreachable"

    def __init__(self, *, address: str, problem: Text) -> None:
        super().__init__(
            T("没有从时间戳机构 {address} 得到时间戳：{problem}。", address=address[:200], problem=problem),
            hint=T("检查网络和 qms.toml 中的 timestamp_authority；下次登录时会再试，已归档的内容不受影响。"),
            where=address[:200],
        )


class TimestampRefusedError(RefusedError):
    """时间戳机构没有给出可用的时间戳. It answered, and the answer is a refusal or does not fit the question."""

    code = "timestamp-refused"

    def __init__(self, *, address: str, problem: Text, hint: Text | None = None) -> None:
        super().__init__(
            T("时间戳机构 {address} 的回答不能使用：{problem}。", address=address[:200], problem=problem),
            hint=hint or T("核对 qms.toml 中的 timestamp_authority，或向该机构询问；下次登录时会再试。"),
            where=address[:200],
        )


class TimestampAuthority(Protocol):
    """时间戳机构. An outside authority that confirms when bytes existed (RFC 3161)."""

    @property
    def address(self) -> str:
        """Return its address, for people."""
        ...

    def stamp(self, data: bytes) -> bytes:
        """Return the authority's whole answer (TimeStampResp in DER) over `data`, granted and for this very question.

        Whether the authority is trusted is for the caller.

        Raises:
            TimestampUnreachableError: no answer.
            TimestampRefusedError: an answer that cannot be used.
        """
        ...


class WitnessUnreachableError(MisconfiguredError):
    """机器外文件夹不可用. The folder off the machine is not there, cannot be read or written, or is no other place."""

    code = "witness-unreachable"

    def __init__(self, *, folder: str, problem: Text) -> None:
        super().__init__(
            T("机器外的摘要文件夹“{folder}”不可用：{problem}。", folder=folder, problem=problem),
            hint=T("接上移动存储或网络共享，或修改 qms.toml 中的 witness_folder；未送出的摘要已留在本机，下次再送。"),
            where=folder,
        )


@dataclass(frozen=True)
class WitnessCopy:
    """机器外的副本. One daily statement as it is kept off the machine."""

    sequence: int
    files: Mapping[str, bytes]
    """`.json`, `.p7s` and, where there is one, `.tsr` → bytes."""


class OutsideWitness(Protocol):
    """机器外的见证. A folder on another machine or a stick that keeps the daily statements and the company's root."""

    @property
    def place(self) -> str:
        """Return the folder, for people."""
        ...

    def deliver(self, copies: Sequence[WitnessCopy], roots: Sequence[bytes]) -> int:
        """Bring the copies and root certificates (DER) there, with those that waited; return how many statements.

        Raises:
            WitnessUnreachableError: they wait on this computer for the next time.
        """
        ...

    def sequences(self) -> set[int]:
        """Return the numbers of the statements kept there; none when it cannot be reached."""
        ...

    def copies(self, *, newest: int | None = None) -> Sequence[WitnessCopy]:
        """Return the statements kept there in order, the `newest` or all; raises `WitnessUnreachableError`."""
        ...

    def roots(self) -> Sequence[bytes]:
        """Return every company root (DER) kept there; raises `WitnessUnreachableError`."""
        ...
