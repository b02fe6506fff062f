"""纸质签名. A signature written on paper, or why there is none, and the code that ties a sheet to what it is about.

It is never an electronic signature of whoever signed on paper: the entry or statement that files it is signed by the
person who took the sheet in and saw the original (21 CFR 11.50 speaks of them; 电子签名法 Art. 5 of the original).
The facts have the keys of a value of type `external_signature`, so that there is one notion of a signature outside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.field_values import SIGNATURE_KINDS, UNSIGNED_KINDS
from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.domain.record import Act, Attachment
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.domain.record import Entry, Signatory, Wire
    from controller.domain.text import Text

TAKEN_IN = "纸质签名归档"
"""Meaning of the electronic signature under a paper signature: the person who takes it in saw the original."""
OUTCOMES: Mapping[str, str] = {"已签": SIGNATURE_KINDS[0], "拒签": "拒签", "无法取得": "无法取得"}
"""What came of asking for a signature → its kind among the signatures outside the system."""
SIGNED = "已签"

_PREFIX = "wenkong:1:"
_LONGEST_CODE = 300
_CODE = re.compile(r"wenkong:1:([0-9a-f-]{1,40}):([^:\s]{1,120}):(0|[1-9][0-9]{0,5}):([0-9a-f]{64})")
_REASON_AT_LEAST = 5
_LONGEST = {"meaning": 20, "name": 60, "post": 60, "organisation": 100, "reason": 500}


class PaperFactsError(RefusedError):
    """纸质签名的内容不对. Something about the paper signature is missing, too long or makes no sense."""

    code = "paper-facts-wrong"

    def __init__(self, *, problem: Text, hint: Text) -> None:
        super().__init__(T("纸质签名没有归档：{problem}。", problem=problem), hint=hint)


@dataclass(frozen=True)
class PaperCode:
    """签署单二维码. What the QR code of a sheet says: which workspace, what, as it stood after which entry."""

    workspace: str
    subject: str
    """Record number, or `<document number>/<A-0>`."""
    sequence: int
    """Of the newest entry, or how many signatures lay on the document."""
    digest: Digest
    """Of the newest entry, or of all source files of the document."""

    @property
    def text(self) -> str:
        """The text in the code."""
        return f"{_PREFIX}{self.workspace}:{self.subject}:{self.sequence}:{self.digest.hex}"


def read_paper_code(text: str) -> PaperCode | None:
    """Return what a code says; None when it is not one of our sheets."""
    match = _CODE.fullmatch(text) if len(text) <= _LONGEST_CODE else None
    if match is None:
        return None
    return PaperCode(match[1], match[2], int(match[3]), Digest(f"sha256:{match[4]}"))


@dataclass(frozen=True)
class PaperSignature:
    """纸质签名. Who signed what on paper, as the person who took it in attests."""

    meaning: str
    """批准, 客户确认 …: what the signature on paper means."""
    kind: str
    """One of `OUTCOMES`' values."""
    name: str
    """Who signed, or was asked to."""
    covers: Digest
    """Of the entry that stood on the sheet, or of the document's files."""
    sequence: int
    """Of that entry, or how many signatures lay on the document."""
    post: str = ""
    organisation: str = ""
    on: date | None = None
    """Date written beside the signature; reported, not machine time."""
    scan: Attachment | None = None
    code_read: bool = False
    """Whether the code on the scan was read by machine and agreed."""
    reason: str | None = None
    field: str | None = None
    """Field of the form that the signature also fills."""
    person: str = ""
    """Id of the registered person who signed, where it is one of the company."""

    @property
    def signed(self) -> bool:
        """Whether there is a signature on paper."""
        return self.kind not in UNSIGNED_KINDS

    def check(self, *, today: date) -> None:
        """Make sure the facts are whole.

        Raises:
            PaperFactsError: they are not.
        """
        for key, limit in _LONGEST.items():
            text = str(getattr(self, key) or "")
            if len(text) > limit or not text.isprintable():
                raise PaperFactsError(
                    problem=T("“{text}”过长或含有不可打印的字符", text=text[:20]),
                    hint=T("最多 {limit} 个字，写在一行内。", limit=limit),
                )
        if not self.meaning or not self.name:
            raise PaperFactsError(
                problem=T("没有写明签名含义或签名人"), hint=T("用 --meaning 写含义，用 --signer 写签名人姓名。")
            )
        if not self.signed:
            if self.scan is not None or len(self.reason or "") < _REASON_AT_LEAST:
                raise PaperFactsError(
                    problem=T("拒签或无法取得时应写明原因（至少 {count} 个字），不附扫描件", count=_REASON_AT_LEAST),
                    hint=T("例如 --outcome 拒签 --reason “用户对维修结果有异议”。"),
                )
        elif self.scan is None:
            raise PaperFactsError(problem=T("没有扫描件"), hint=T("用 --scan 指明扫描件（PDF、JPEG 或 PNG）。"))
        if self.on is not None and self.on > today:
            raise PaperFactsError(
                problem=T("签名日期 {day} 晚于今天", day=self.on.isoformat()), hint=T("按纸上所写的日期填写 --date。")
            )

    def value(self) -> dict[str, Wire]:
        """Return the facts as a value of type `external_signature` holds them."""
        found: dict[str, Wire] = {"kind": self.kind, "name": self.name}
        if self.on is not None:
            found["at"] = self.on.isoformat()
        if self.scan is not None:
            scan = self.scan
            found["attachment"] = {"name": scan.name, "digest": scan.digest.text, "size": str(scan.size)}
        if self.reason:
            found["reason"] = self.reason
        return found

    def wire(self) -> dict[str, Wire]:
        """Return the facts as an entry (`source`) or statement (`new`) keeps them."""
        paper = self.value() | {"meaning": self.meaning}
        extra = {"post": self.post, "organisation": self.organisation, "field": self.field, "person": self.person}
        paper |= {key: value for key, value in extra.items() if value}
        covers: dict[str, Wire] = {"sequence": str(self.sequence), "digest": self.covers.text}
        code = "read" if self.code_read else "unread"
        return {"paper": paper, "covers": covers, **({"code": code} if self.scan is not None else {})}

    def told(self, by: Signatory, *, last: int | None = None) -> str:
        """Return the signature in one line, as screens, prints and the trail show it.

        `last` is the sequence of the entry before the one that files it: when the sheet was older, this is said.
        """
        who = (
            self.name + (f"（{self.organisation}）" if self.organisation else "") + (f" {self.post}" * bool(self.post))
        )
        if not self.signed:
            return f"纸质签名（{self.kind}）：{self.meaning} {who}（原因：{self.reason or ''}；由 {by.name} 记录）"
        notes = [f"扫描件，由 {by.name} 归档"]
        if not self.code_read:
            notes.append("二维码未能读取，由归档人核对")
        if last is not None and self.sequence != last:
            notes.append(f"所签为第 {self.sequence} 个条目时的内容")
        day = f" {self.on.isoformat()}" if self.on is not None else ""
        return f"纸质签名：{self.meaning} {who}{day}（{'；'.join(notes)}）"


def paper_of(facts: Mapping[str, Wire] | None) -> PaperSignature | None:
    """Return the paper signature that an entry's `source` or a statement's `new` tells of; None: none, or damaged."""
    paper, covers = (facts or {}).get("paper"), (facts or {}).get("covers")
    if not isinstance(paper, dict) or not isinstance(covers, dict):
        return None

    def text(key: str) -> str:
        value = paper.get(key)
        return value if isinstance(value, str) else ""

    sequence, at, scan = covers.get("sequence"), text("at"), paper.get("attachment")
    if text("kind") not in OUTCOMES.values() or not isinstance(sequence, str) or not sequence.isdecimal():
        return None
    try:
        return PaperSignature(
            meaning=text("meaning"),
            kind=text("kind"),
            name=text("name"),
            covers=Digest(str(covers.get("digest"))),
            sequence=int(sequence),
            post=text("post"),
            organisation=text("organisation"),
            on=date.fromisoformat(at) if at else None,
            scan=_scan(scan) if isinstance(scan, dict) else None,
            code_read=(facts or {}).get("code") == "read",
            reason=text("reason") or None,
            field=text("field") or None,
            person=text("person"),
        )
    except (InvalidIdentifierError, ValueError):
        return None


def _scan(value: Mapping[str, Wire]) -> Attachment:
    return Attachment(str(value.get("name")), Digest(str(value.get("digest"))), int(str(value.get("size"))))


def paper_lines(entries: Sequence[tuple[Entry, Digest]]) -> Iterator[str]:
    """Yield every paper signature of a record in one line each."""
    for entry, _ in entries:
        found = paper_of(entry.source) if entry.act is Act.SIGNED_ON_PAPER else None
        if found is not None:
            yield found.told(entry.by, last=entry.sequence - 1)


def paper_problem(entry: Entry, before: Sequence[tuple[Entry, Digest]]) -> Text | None:
    """Tell what is wrong with an entry that files a paper signature, given the entries before it; None: nothing."""
    number, place = entry.record.text, entry.sequence
    found = paper_of(entry.source)
    if found is None:
        return T("记录 {number} 第 {place} 个条目没有写明纸质签名", number=number, place=place)
    if not any(earlier.sequence == found.sequence and digest == found.covers for earlier, digest in before):
        return T("记录 {number} 第 {place} 个条目的纸质签名所签的不是这份记录的条目", number=number, place=place)
    filed = {item.digest for item in entry.attachments}
    filed |= {item.digest for earlier, _ in before for item in earlier.attachments}
    if found.signed != (found.scan is not None) or (found.scan is not None and found.scan.digest not in filed):
        return T("记录 {number} 第 {place} 个条目的纸质签名没有扫描件", number=number, place=place)
    return None
