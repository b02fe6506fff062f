"""纸质签名归档. Takes in what was signed on paper for a record: checks the scan and its code, files it with the record.

The person who takes it in signs that the scan is of the original they have seen; it counts as a signature on paper and
never as an electronic one of whoever signed there (docs/signatures.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.form import FieldType, Personal
from controller.domain.identifiers import Digest
from controller.domain.paper_signature import OUTCOMES, PaperCode, PaperFactsError, PaperSignature, read_paper_code
from controller.domain.record import Attachment
from controller.domain.text import T
from controller.file_formats.scan_file import ScanKind, scan_kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from controller.domain.form import FormDefinition
    from controller.domain.identifiers import RecordNumber
    from controller.domain.text import Text
    from controller.services.ports import Clock
    from controller.services.print_ports import ScanReader
    from controller.services.record_control import RecordControl
    from controller.services.record_filing import Filed
    from controller.services.record_reading import StoredRecord
    from controller.services.signing_ports import Signer

_LONGEST_NAME = 80


class PaperCodeUnreadError(RefusedError):
    """二维码未能读取. No code of ours can be read on the scan; a person has to compare instead."""

    code = "paper-code-unread"

    def __init__(self, *, possible: bool) -> None:
        why = T("扫描件上没有读到签署单的二维码") if possible else T("本机没有安装读取二维码的组件")
        super().__init__(
            T("{why}，没有归档。", why=why),
            hint=T("请用 300 dpi 重新扫描；或核对纸上的编号和摘要无误后，加 --unread --entry 条目序号 确认。"),
        )


class PaperCodeDiffersError(RefusedError):
    """二维码不符. The code on the scan belongs to something else: another workspace, record or document."""

    code = "paper-code-differs"

    def __init__(self, *, problem: Text) -> None:
        super().__init__(
            T("扫描件上的二维码不是所归档的这一份：{problem}，没有归档。", problem=problem),
            hint=T("请核对扫描件是不是这一份；不是的，请归档到它自己的编号下。"),
        )


@dataclass(frozen=True)
class TakenPaper:
    """收到的纸件. What the person who takes it in says and hands over."""

    meaning: str
    signer: str
    outcome: str
    """One of `OUTCOMES`."""
    name: str = ""
    """File name of the scan."""
    scan: bytes | None = None
    post: str = ""
    organisation: str = ""
    on: date | None = None
    reason: str | None = None
    unread: bool = False
    """The person has compared the sheet and confirms that it is the right one, should the code be unreadable."""
    entry: int | None = None
    """Sequence of the entry on the sheet, where the code cannot be read."""
    field: str | None = None
    """Field of the form that the signature also fills."""
    secret: bool = False
    """The scan shows sensitive information and must be sealed."""


@dataclass(frozen=True)
class CheckedScan:
    """检查过的扫描件. A scan that may be filed, and the code that was read on it."""

    attachment: Attachment
    kind: ScanKind
    code: PaperCode | None


def check_scan(name: str, data: bytes, reader: ScanReader, *, unread: bool) -> CheckedScan:
    """Look through a scan and read its code; `unread`: it may stay unread.

    Raises:
        ScanRefusedError: it is no scan, or it holds what a scan never does.
        PaperCodeUnreadError: there is no code of ours on it and nobody confirmed.
        PaperCodeDiffersError: it shows the codes of two sheets.
    """
    kind = scan_kind(data)
    if kind is ScanKind.PDF:
        reader.check_pdf(data)
    texts = reader.codes(data, kind)
    codes = {code for code in map(read_paper_code, texts or ()) if code is not None}
    if len(codes) > 1:
        raise PaperCodeDiffersError(problem=T("上面有 {count} 张不同签署单的二维码", count=len(codes)))
    if not codes and not unread:
        raise PaperCodeUnreadError(possible=texts is not None)
    stem = name.replace("\\", "/").rsplit("/", maxsplit=1)[-1].rpartition(".")[0]
    plain = "".join(character for character in stem if character.isprintable()).strip()[:_LONGEST_NAME] or "扫描件"
    attachment = Attachment(f"{plain}{kind.value}", Digest.of(data), len(data))
    return CheckedScan(attachment, kind, codes.pop() if codes else None)


def kind_of(outcome: str) -> str:
    """Return the kind of signature outside the system that an outcome means; raises `PaperFactsError`."""
    if outcome not in OUTCOMES:
        raise PaperFactsError(
            problem=T("“{outcome}”不是可写的结果", outcome=outcome[:20]),
            hint=T("可写：{known}。", known=list(OUTCOMES)),
        )
    return OUTCOMES[outcome]


def check_workspace(code: PaperCode, workspace: str, subject: str) -> None:
    """Make sure that a code belongs to `subject` of this workspace; raises `PaperCodeDiffersError`."""
    if code.workspace != workspace:
        raise PaperCodeDiffersError(problem=T("二维码属于另一个工作区"))
    if code.subject != subject:
        raise PaperCodeDiffersError(
            problem=T("二维码是 {found} 的，不是 {wanted} 的", found=code.subject, wanted=subject)
        )


@dataclass
class PaperSigning:
    """记录的纸质签名."""

    records: RecordControl
    reader: ScanReader
    clock: Clock
    workspace: str

    def take_in(self, number: RecordNumber, paper: TakenPaper, by: Signer) -> tuple[Filed, PaperSignature]:
        """File what was signed on paper for a record, or why nothing was.

        Raises:
            PaperFactsError: something is missing or makes no sense.
            ScanRefusedError, PaperCodeUnreadError, PaperCodeDiffersError: the scan cannot be filed.
            StageRefusedError, ValuesRefusedError, ShownChangedError: the record does not take it.
        """
        signature, stored = self.checked(number, paper)
        filed = self.records.sign_on_paper(
            number, signature, by, scan=paper.scan, secret=paper.secret, seen=stored.state.head
        )
        return filed, signature

    def checked(self, number: RecordNumber, paper: TakenPaper) -> tuple[PaperSignature, StoredRecord]:
        """Return what was signed on paper for a record, checked, and the record; nothing is filed.

        Raises:
            RecordNotArchivedError: there is no such record.
            PaperFactsError, ScanRefusedError, PaperCodeUnreadError, PaperCodeDiffersError: as `take_in`.
        """
        stored = self.records.read(number)
        today = self.clock.now().date()
        kind = kind_of(paper.outcome)
        field = _field(stored.package.definition, paper.field)
        scan = None
        if paper.scan is not None:
            scan = check_scan(paper.name, paper.scan, self.reader, unread=paper.unread)
        covers, sequence = self._covered(stored, scan.code if scan is not None else None, paper.entry)
        signature = PaperSignature(
            meaning=paper.meaning.strip(),
            kind=kind,
            name=paper.signer.strip(),
            covers=covers,
            sequence=sequence,
            post=paper.post.strip(),
            organisation=paper.organisation.strip(),
            on=paper.on or (today if paper.scan is not None else None),
            scan=scan.attachment if scan is not None else None,
            code_read=scan is not None and scan.code is not None,
            reason=(paper.reason or "").strip() or None,
            field=field,
        )
        signature.check(today=today)
        return signature, stored

    def _covered(self, stored: StoredRecord, code: PaperCode | None, entry: int | None) -> tuple[Digest, int]:
        """Return the entry that stood on the sheet: by the code, else as the person says, else the newest."""
        entries = stored.entries
        if code is None:
            place = entry if entry is not None else len(entries)
            if not 1 <= place <= len(entries):
                raise PaperFactsError(
                    problem=T("记录没有第 {entry} 个条目", entry=place), hint=T("条目序号印在签署单的摘要上方。")
                )
            return entries[place - 1][1], place
        check_workspace(code, self.workspace, stored.state.number.text)
        if not _holds(entries, code):
            raise PaperCodeDiffersError(problem=T("摘要与这份记录第 {entry} 个条目不符", entry=code.sequence))
        return code.digest, code.sequence


def _holds(entries: Sequence[tuple[object, Digest]], code: PaperCode) -> bool:
    return 1 <= code.sequence <= len(entries) and entries[code.sequence - 1][1] == code.digest


def _field(definition: FormDefinition, wanted: str | None) -> str | None:
    """Return the key of the field that the signature also fills."""
    if wanted is None:
        return None
    fields = [item for item in definition.fields if item.type is FieldType.EXTERNAL_SIGNATURE]
    found = next((item for item in fields if wanted in {item.key, item.label}), None)
    if found is None:
        known = [f"{item.key}({item.label})" for item in fields]
        hint = T("可用的签字栏：{known}。", known=known) if known else T("这种表单没有外部签字栏，请去掉 --field。")
        raise PaperFactsError(problem=T("“{field}”不是外部签字栏", field=wanted[:40]), hint=hint)
    if found.personal is Personal.SENSITIVE:
        raise PaperFactsError(
            problem=T("“{field}”是敏感个人信息，而纸质签名的姓名不加密保存", field=found.label),
            hint=T("请去掉 --field 归档，或用 qms record advance 填写这一栏。"),
        )
    return found.key
