"""编号与摘要. Document numbers, revisions, record numbers and digests as types that refuse invalid text."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING, Self

from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller.domain.text import Text

_DOCUMENT_NUMBER = re.compile(
    r"(?P<company>[A-Z][A-Z0-9]{0,7})-(?P<family>[A-Z]{2,8}?)(?P<class>SC|ZD|CX|ZZ|JL|TZ)-(?P<serial>\d{2,4})"
)
_REVISION = re.compile(r"(?P<edition>[A-Z])/(?P<amendment>0|[1-9]\d{0,2})")
_LAST_AMENDMENT = 999
_RECORD_NUMBER = re.compile(r"(?P<form>[A-Z0-9]+(?:-[A-Z0-9]+)*-\d{2,4})-(?P<year>\d{4})-(?P<serial>\d{4,7})")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

DOCUMENT_CLASSES = {
    "SC": "质量手册",
    "ZD": "管理制度",
    "CX": "程序文件",
    "ZZ": "岗位职责",
    "JL": "记录表单",
    "TZ": "台账",
}
"""Class code inside a document number → its Chinese name (numbering of the sample set)."""


class InvalidIdentifierError(RefusedError):
    """编号写法不对. The text is not a number of that kind."""

    code = "identifier-invalid"

    def __init__(self, *, kind: Text, value: str, example: str) -> None:
        super().__init__(
            T("“{value}”不是有效的{kind}。", value=value[:80], kind=kind),
            hint=T("正确写法示例：{example}", example=example),
        )


@dataclass(frozen=True, order=True)
class DocumentNumber:
    """文件编号. Such as `XX-YLQXCX-014`: company, family, class code, serial; never reused."""

    text: str

    def __post_init__(self) -> None:
        if not _DOCUMENT_NUMBER.fullmatch(self.text):
            raise InvalidIdentifierError(kind=T("文件编号"), value=self.text, example="XX-YLQXCX-014")

    def _part(self, name: str) -> str:
        match = _DOCUMENT_NUMBER.fullmatch(self.text)
        assert match is not None
        return match[name]

    @property
    def class_code(self) -> str:
        """The two letters that tell the document class, a key of `DOCUMENT_CLASSES`."""
        return self._part("class")

    @property
    def company(self) -> str:
        """The company's short code, `XX` in the starter library."""
        return self._part("company")

    @property
    def short(self) -> str:
        """The number as people say it: `CX-014`."""
        return f"{self.class_code}-{self.serial}"

    @property
    def serial(self) -> str:
        """The running number within its class, with its zeros: `014`."""
        return self._part("serial")

    def __str__(self) -> str:
        return self.text


@total_ordering
@dataclass(frozen=True)
class Revision:
    """版本/修改状态. Edition letter and amendment, `A/0` < `A/1` < `B/0`."""

    text: str

    def __post_init__(self) -> None:
        if not _REVISION.fullmatch(self.text):
            raise InvalidIdentifierError(kind=T("版本"), value=self.text, example="A/0")

    def __lt__(self, other: Self) -> bool:
        return self._order < other._order

    @property
    def following(self) -> Revision:
        """The next amendment of the same edition; after the last one the next edition begins."""
        edition, amendment = self._order
        if amendment < _LAST_AMENDMENT:
            return Revision(f"{edition}/{amendment + 1}")
        return Revision(f"{chr(ord(edition) + 1)}/0")

    @property
    def _order(self) -> tuple[str, int]:
        edition, amendment = self.text.split("/")
        return edition, int(amendment)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, order=True)
class RecordNumber:
    """记录编号. `{form}-{year}-{0001}`; given by the opening commit and never changed afterwards (ISO 13485 4.2.5)."""

    text: str

    def __post_init__(self) -> None:
        if not _RECORD_NUMBER.fullmatch(self.text):
            raise InvalidIdentifierError(kind=T("记录编号"), value=self.text, example="XX-YLQXJL-018-2026-0001")

    @classmethod
    def of(cls, form: str, year: int, serial: int) -> RecordNumber:
        """Build the number of the `serial`-th record (from 1) of `form` in `year`."""
        return cls(f"{form}-{year:04d}-{serial:04d}")

    def _part(self, name: str) -> str:
        match = _RECORD_NUMBER.fullmatch(self.text)
        assert match is not None
        return match[name]

    @property
    def form(self) -> str:
        """The number of the form the record was filled on."""
        return self._part("form")

    @property
    def year(self) -> int:
        """The year of allocation."""
        return int(self._part("year"))

    @property
    def serial(self) -> int:
        """The running number within form and year, from 1."""
        return int(self._part("serial"))

    @property
    def folder(self) -> str:
        """Where the record's entries lie in the archive tree: `<form>/<year>/<ten-thousands>/<hundreds>/<number>`.

        No folder holds more than a hundred others, so that filing costs the same however many there are.
        """
        match = _RECORD_NUMBER.fullmatch(self.text)
        assert match is not None
        form, year, serial = match.groups()
        return f"{form}/{year}/{int(serial) // 10_000:02d}/{int(serial) // 100 % 100:02d}/{self.text}"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, order=True)
class Digest:
    """摘要. `sha256:` and 64 lower-case hexadecimal digits."""

    text: str

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.text):
            raise InvalidIdentifierError(kind=T("摘要"), value=self.text, example="sha256:…")

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """Return the SHA-256 of `data`."""
        return cls("sha256:" + hashlib.sha256(data).hexdigest())

    @property
    def hex(self) -> str:
        """The 64 digits without the algorithm name."""
        return self.text[7:]

    @property
    def grouped(self) -> str:
        """The digits as people compare them, on paper and on screen: in groups of four."""
        return " ".join(self.hex[at : at + 4] for at in range(0, len(self.hex), 4))

    @property
    def paired(self) -> str:
        """The digits as `openssl x509 -fingerprint` shows them."""
        return ":".join(self.hex[at : at + 2] for at in range(0, len(self.hex), 2)).upper()

    def __str__(self) -> str:
        return self.text


def nearest(wanted: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `wanted`, or None when none is close; used for “did you mean”."""
    import difflib

    close = difflib.get_close_matches(wanted, list(known), n=1, cutoff=0.5)
    return close[0] if close else None
