"""端口. The world as the use cases see it; `adapters` implement each Protocol with one library or program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.domain.errors import DamagedError, MisconfiguredError, RefusedError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from controller.domain.conformity import Finding
    from controller.domain.form import FormDefinition
    from controller.domain.identifiers import Digest, RecordNumber
    from controller.domain.procedure_print import ProcedurePrint
    from controller.domain.record import RecordState, Signatory
    from controller.domain.serial_completeness import GivenNumber
    from controller.domain.signature import Origin, SigningKey
    from controller.domain.signature_page import SignatureMark, SignaturePage
    from controller.domain.text import Text
    from controller.file_formats.scan_file import ScanKind


class Clock(Protocol):
    """时钟. The only source of time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in the company's time zone, cut to whole seconds."""
        ...


class LibraryFiles(Protocol):
    """库文件. Reads the files of the library, be it the approved ones or those in the folder as they are now."""

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None when there is none; `path` uses `/` and is relative to the workspace."""
        ...

    def folders(self, path: str) -> list[str]:
        """Return the names directly below folder `path` that are folders, sorted; empty when it does not exist."""
        ...

    def files(self, path: str) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        ...


class ApprovedFiles(LibraryFiles, Protocol):
    """已批准的库文件. Library files that stand still: what was read counts as long as the revision is the same."""

    def revision(self) -> str:
        """Return the id of the commit that is read."""
        ...


class ControlledFiles(Protocol):
    """受控文件. The approved content of branch `main`, read from its commit, never from a half-edited folder."""

    def revision(self) -> str:
        """Return the id of the commit that is read."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None when there is none; `path` uses `/` and is relative to the workspace."""
        ...

    def folders(self, path: str) -> list[str]:
        """Return the names directly below folder `path` that are folders, sorted; empty when it does not exist."""
        ...

    def files(self, path: str) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        ...


@dataclass(frozen=True)
class ArchiveChange:
    """归档写入. Files that one or many acts add to the archive in one commit; paths are never overwritten."""

    files: Mapping[str, bytes]
    by: Signatory
    at: datetime
    subject: str
    """First line of the commit message."""
    trailers: Mapping[str, str]


@dataclass(frozen=True)
class ControlledChange:
    """受控文件的更改. Files of branch `main` that change together with an archive commit, in one step or not at all."""

    changes: Mapping[str, bytes | None]
    """Path → new bytes; None deletes."""
    action: str
    subject: str
    note: str
    statement: str = ""
    """Archive path of the signed statement that covers the change; set where it is filed."""


class Signer(Protocol):
    """签名人. The signed-in person, able to sign in this sitting; names are taken from here and never typed."""

    @property
    def signatory(self) -> Signatory:
        """Id, full name and post of the person."""
        ...

    @property
    def certificate(self) -> Digest:
        """SHA-256 of the person's certificate."""
        ...

    @property
    def origin(self) -> Origin:
        """Computer, account and sitting."""
        ...

    @property
    def key(self) -> SigningKey:
        """The unlocked key; for signatures inside a PDF."""
        ...

    def ready(self, meaning: str) -> None:
        """Make sure that the person may sign with `meaning` now; asks for the passphrase where the profile demands it.

        Called before any lock is taken, because a person may have to answer.

        Raises:
            PassphraseWrongError, SignInNeededError: nothing was signed.
        """
        ...

    def sign(self, data: bytes, *, at: datetime) -> bytes:
        """Return the detached CMS over `data` with signing time `at` (aware)."""
        ...


class ScanReader(Protocol):
    """扫描件读取. Looks through scanned PDFs and reads QR codes."""

    def check_pdf(self, data: bytes) -> None:
        """Make sure that a PDF is a scan and nothing else.

        Raises:
            ScanRefusedError: it is encrypted, unreadable, or holds active content or other files.
        """
        ...

    def codes(self, data: bytes, kind: ScanKind) -> list[str] | None:
        """Return the texts of all QR codes on a checked scan; None when this computer cannot read codes."""
        ...


class PassphraseWrongError(RefusedError):
    """口令不对. The passphrase does not open the key."""

    code = "passphrase-wrong"

    def __init__(self, *, name: str | Text) -> None:
        super().__init__(
            T("{name}的签名口令不对。", name=name),
            hint=T("注意大小写和输入法；连续失败会被锁定并记入审计追踪。忘记口令的，请重新发放证书。"),
        )


class AuthorityPassphraseWrongError(PassphraseWrongError):
    """企业证书口令不对. The passphrase does not open the authority's key."""

    code = "authority-passphrase-wrong"

    def __init__(self) -> None:
        RefusedError.__init__(
            self,
            T("企业证书口令不对，没有发放证书。"),
            hint=T(
                "这是发放证书用的口令，不是个人的签名口令，请保管人输入；"
                "保管人也忘记的，用 qms person replace-authority 更换企业根证书。"
            ),
        )


class OutsidePassphraseWrongError(PassphraseWrongError):
    """外部证书文件的口令不对."""

    code = "outside-passphrase-wrong"

    def __init__(self) -> None:
        RefusedError.__init__(
            self,
            T("外部证书文件的口令不对，没有导入。"),
            hint=T("这是从发证机构导出该文件时设的口令；忘记的请重新导出。"),
        )


@dataclass(frozen=True)
class HeldKey:
    """持有的密钥. A private key that this computer keeps for a person."""

    person: str
    certificate: bytes
    """DER."""
    changed_on: str
    """ISO time at which the passphrase was last set."""


class PersonalKeys(Protocol):
    """个人密钥. Passphrase-protected PKCS#12 files outside the workspace, one per person."""

    def make(
        self,
        person: str,
        *,
        passphrase: str,
        issue: Callable[[bytes], Sequence[bytes]],
        at: datetime,
        pending: bool = False,
    ) -> SigningKey:
        """Make a key, let `issue` certify its public key (SubjectPublicKeyInfo DER → certificate, issuers…), keep it.

        With `pending` the key in use stays in use until `promote`; else it is set aside, not deleted.
        """
        ...

    def take_in(
        self,
        person: str,
        data: bytes,
        *,
        its_passphrase: str,
        passphrase: str,
        at: datetime,
        pending: bool = False,
    ) -> SigningKey:
        """Keep the key of an outside PKCS#12 under a new passphrase; `pending` as `make`."""
        ...

    def pending(self) -> Mapping[str, Digest]:
        """Return the certificate of every key that waits to come into use, by person."""
        ...

    def promote(self, person: str) -> None:
        """Take the waiting key into use."""
        ...

    def drop_pending(self, person: str) -> None:
        """Set the waiting key aside; nothing happens when there is none."""
        ...

    def outside_certificates(self, data: bytes, *, its_passphrase: str) -> Sequence[bytes]:
        """Return the certificate of an outside PKCS#12 and those above it, keeping nothing."""
        ...

    def held(self) -> Sequence[HeldKey]:
        """Return every key in use on this computer, without unlocking any."""
        ...

    def unlock(self, person: str, passphrase: str) -> SigningKey:
        """Return the unlocked key; raises the errors of a wrong passphrase, a missing or damaged key."""
        ...

    def change_passphrase(self, person: str, *, old: str, new: str, at: datetime) -> None:
        """Protect the key with another passphrase, in one step."""
        ...

    def put_away(self, person: str) -> None:
        """Take the person's key out of use (revoked, retired, lost)."""
        ...

    def use_again(self, person: str, certificate: Digest | None) -> None:
        """Take the key with `certificate` that was set aside into use instead of the present one; None: no key."""
        ...


class AuthorityKey(Protocol):
    """企业证书机构. The company's own certificate authority; its key has a passphrase of its own."""

    def present(self) -> bool:
        """Tell whether this computer keeps the authority's key."""
        ...

    def found(self, *, company: str, workspace: str, passphrase: str, at: datetime, years: int) -> bytes:
        """Make the root key and return the self-signed root certificate (DER)."""
        ...

    def issue(
        self,
        public_key: bytes,
        *,
        person: str,
        name: str,
        company: str,
        workspace: str,
        passphrase: str,
        at: datetime,
        years: int,
    ) -> Sequence[bytes]:
        """Return a person's certificate and the root (DER each)."""
        ...


@dataclass(frozen=True)
class Sitting:
    """一次登录. An open sitting of one person on this computer."""

    id: str
    person: str
    opened_at: str
    used_at: str
    """When it was last used; decides about idling."""
    key: SigningKey | None
    signed: bool = False
    """True once the passphrase was given for a signature in this sitting (21 CFR 11.200 a 1 i)."""


class Sittings(Protocol):
    """登录状态. Open sittings on this computer; outside the workspace, gone after a restart of the computer."""

    def open(self, person: str, key: SigningKey | None, *, at: datetime) -> Sitting:
        """Open a sitting, replacing one that the person had."""
        ...

    def all(self) -> Sequence[Sitting]:
        """Return every sitting, the last used first; whether one has expired is for the caller."""
        ...

    def touch(self, sitting: Sitting, *, at: datetime, signed: bool = False) -> None:
        """Note that it was used, and with `signed` that a signature was confirmed in it."""
        ...

    def close(self, person: str) -> None:
        """End the person's sitting; nothing happens when there is none."""
        ...


@dataclass(frozen=True)
class FailedAttempts:
    """登录失败. Failed attempts of one person since the last success."""

    count: int
    last_at: str
    """ISO time; empty when none."""


class AttemptCounter(Protocol):
    """登录失败计数. Kept outside the workspace; a counter that cannot be written refuses the attempt."""

    def failures(self, person: str) -> FailedAttempts:
        """Return the failed attempts since the last success."""
        ...

    def note(self, person: str, *, at: datetime) -> FailedAttempts:
        """Count one more."""
        ...

    def clear(self, person: str) -> None:
        """Begin at nothing again."""
        ...


class ArchiveRewrittenError(DamagedError):
    """档案历史被改写. A commit that was known before is no longer part of the archive's history."""

    code = "archive-rewritten"

    def __init__(self, *, commit: str) -> None:
        super().__init__(
            T("档案的历史被改写：归档 {commit} 已不在其中。", commit=commit[:12]),
            hint=T("档案只能追加。请运行 qms verify，并用备份或机器外的摘要核对。"),
        )


@dataclass(frozen=True)
class IrregularCommit:
    """不合规的提交. A commit of the archive that did not just add files on top of its one predecessor."""

    commit: str
    paths: tuple[str, ...]
    """Files that were changed, deleted or replaced."""
    merge: bool = False
    """True when it does not have exactly one predecessor."""
    unreadable: bool = False
    """True when history cannot be read from here on."""


class Archive(Protocol):
    """档案. The append-only archive branch of one site (design §6)."""

    def writing(self) -> AbstractContextManager[ArchiveWriter]:
        """Take the site's write lock, and give a writer on the present tip; raises `WorkspaceBusyError` on timeout."""
        ...

    def tip(self) -> str | None:
        """Return the id of the newest archive commit, None while the archive is empty."""
        ...

    def read(self, path: str, *, at: str | None = None) -> bytes | None:
        """Return a file of the archive (at commit `at`, or the tip), None when there is none."""
        ...

    def listing(self, path: str, *, at: str | None = None) -> list[str]:
        """Return the names directly below `path`, sorted."""
        ...

    def walk(self, path: str = "", *, at: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Yield every file below `path` with its bytes in path order, streaming; fit for hundreds of thousands."""
        ...

    def added_since(self, commit: str | None) -> Iterator[tuple[str, bytes]]:
        """Yield the files added after `commit` (all when None); raises `ArchiveRewrittenError` if it is no ancestor."""
        ...


class ExaminedArchive(Archive, Protocol):
    """可检查的档案. An archive that can be read although parts of it are damaged, and that shows its history."""

    def walk(
        self, path: str = "", *, at: str | None = None, damaged: Callable[[str], None] | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield every readable file below `path`; the path of what cannot be read is told to `damaged`."""
        ...

    def irregular_commits(self) -> Iterator[IrregularCommit]:
        """Yield every commit that does more than add files on top of exactly one other."""
        ...

    def holds(self, commit: str) -> bool:
        """Tell whether `commit` is part of the archive's present history."""
        ...

    def damage(self) -> Iterator[str]:
        """Yield, in the storage program's own words, everything that is broken anywhere in the object store."""
        ...


@dataclass(frozen=True)
class SeenHead:
    """见过的档案状态."""

    tip: str
    """Id of the archive commit."""
    records: int | None = None
    """How many records there were, where known."""
    main: str | None = None
    """Id of the newest commit of branch `main`, where known."""


class SeenHeads(Protocol):
    """见过的档案. How far this computer has seen the workspace, kept outside of it; no method ever fails."""

    @property
    def place(self) -> str:
        """Where it is kept, for people."""
        ...

    def last(self, site: str) -> SeenHead | None:
        """Return the archive tip of `site` that was seen last, None when none was."""
        ...

    def before(self, site: str) -> Sequence[tuple[str, SeenHead]]:
        """Return the other folders in which the workspace was seen before it was in this one, with the tips there."""
        ...

    def remember(self, site: str, head: SeenHead) -> None:
        """Keep `head` as the last one seen of `site`."""
        ...

    def root(self) -> Digest | None:
        """Return the fingerprint of the root certificate that was seen first, None when none was."""
        ...

    def pin(self, root: Digest) -> None:
        """Keep `root` as the root of this workspace."""
        ...


class ArchiveWriter(Protocol):
    """档案写入者. Valid inside `Archive.writing()`; knows the last serial of every form and year."""

    def last_serial(self, form: str, year: int) -> int:
        """Return the highest serial allocated on the tip (0 when none), pending changes of this writer included."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file as of the tip, None when there is none."""
        ...

    def listing(self, path: str) -> list[str]:
        """Return the names directly below `path` as of the tip, sorted."""
        ...

    def moment(self, now: datetime, *, corrected: bool = False) -> datetime:
        """Return the time for the next entry: `now`, or that of the tip when the clock lags a little behind it.

        With `corrected` the clock is believed: a signed statement says that it ran ahead before.

        Raises:
            ClockBackwardsError: the clock is far behind the tip.
        """
        ...

    def append(self, change: ArchiveChange, *, controlled: ControlledChange | None = None) -> str:
        """Make the change durable as one commit and move the branch by compare-and-swap; return the commit id.

        With `controlled`, branch `main` and the working files change in the same step.
        """
        ...

    def append_many(self, changes: Iterable[ArchiveChange]) -> str:
        """The same for a stream of changes, one commit each, in one run; all become visible together or none."""
        ...


class RecordKeys(Protocol):
    """记录密钥. One random 256-bit key per record with sensitive values; kept outside Git and the workspace."""

    def create(self, numbers: Sequence[RecordNumber]) -> Mapping[RecordNumber, bytes]:
        """Make and durably store a key for each record, keeping one that is already there."""
        ...

    def present(self) -> bool:
        """Tell whether this computer has a key store of the workspace at all."""
        ...

    def get(self, number: RecordNumber) -> bytes | None:
        """Return the record's key, None when it was never made or has been destroyed."""
        ...

    def destroy(self, number: RecordNumber) -> None:
        """Erase the key: the sealed values can never be read again (disposal)."""
        ...


@dataclass(frozen=True)
class SearchHit:
    """检索结果."""

    number: RecordNumber
    title: str
    subject: str
    opened_at: str
    stage: str
    excerpt: str


@dataclass(frozen=True)
class IndexedRecord:
    """索引中的记录. The state of one record as the index keeps it; open values only."""

    state: RecordState
    text: str
    """Searchable open text, one field a line."""
    title: str = ""
    """Title of the form, for lists."""
    subject: str = ""
    """What names the record in lists."""
    stage_label: str = ""
    references: Sequence[tuple[str, str]] = ()
    """(field, record number) of every record this one refers to."""


@dataclass(frozen=True)
class FormUse:
    """表单使用情况. How often and when a form was filled."""

    records: int
    voided: int
    first_opened_at: str
    last_opened_at: str


@dataclass(frozen=True)
class IndexStatus:
    """索引状况."""

    archive_commit: str | None
    records: int
    entries: int
    size: int
    """Bytes on disk."""


class RecordIndex(Protocol):
    """记录索引. Disposable: everything in it can be rebuilt from the archive; holds no sensitive value."""

    def archive_commit(self) -> str | None:
        """Return the archive commit the index is at, None when empty or unusable."""
        ...

    def apply(self, records: Iterable[IndexedRecord], *, commit: str, after: str | None = "*") -> bool:
        """Insert or replace these records and remember `commit`, in one transaction.

        `after` names the commit the index must be at (`*`: wherever it is); when another process has moved it on,
        nothing is written and False comes back: catch up instead.
        """
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def record(self, number: RecordNumber) -> RecordState | None:
        """Return one record's state."""
        ...

    def records(
        self,
        *,
        forms: Sequence[str] = (),
        opened_from: str | None = None,
        opened_to: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[RecordState]:
        """Yield records of these forms (all when empty) opened in [from, to], in number order, streaming.

        Limits are dates or times as text; a date covers its whole day.
        """
        ...

    def search(self, words: str, *, limit: int = 50) -> list[SearchHit]:
        """Return records that contain every word, newest first; two-character Chinese words are found."""
        ...

    def given_numbers(self, forms: Sequence[str] = ()) -> Iterator[GivenNumber]:
        """Yield every number in use of these forms (all when empty) by form, year and serial."""
        ...

    def dangling_references(self, forms: Sequence[str] = ()) -> Iterator[tuple[str, str, str]]:
        """Yield (record, field, number) of references from records of these forms to records that do not exist."""
        ...

    def form_use(self) -> Mapping[str, FormUse]:
        """Return form number → how it was used, for every form that has a record."""
        ...

    def status(self) -> IndexStatus:
        """Return how far and how large the index is."""
        ...


@dataclass(frozen=True)
class PdfDocument:
    """PDF 文件. A finished, completeness-checked print with the engine that made it."""

    data: bytes
    engine: str
    engine_version: str
    fonts: Sequence[str]
    pages: int


class PdfConverter(Protocol):
    """PDF 引擎. Turns one docx into PDF bytes; checking completeness is the service's business."""

    @property
    def name(self) -> str:
        """Return the engine's name as in the settings."""
        ...

    @property
    def version(self) -> str:
        """Return the engine's version."""
        ...

    def available(self) -> bool:
        """Tell whether the engine can run on this machine."""
        ...

    def convert(self, docx: bytes) -> bytes:
        """Return the PDF; raises `PdfEngineError`."""
        ...


class PdfSigning(Protocol):
    """PDF 签名. Signatures inside a PDF (PAdES); what was signed before stays byte for byte."""

    def add_page(self, pdf: bytes, page: SignaturePage) -> bytes:
        """Return `pdf` with a signature page at its end, a place kept for every signature; raises `PdfSigningError`."""
        ...

    def certify(
        self,
        pdf: bytes,
        field: str,
        key: SigningKey,
        mark: SignatureMark,
        *,
        stamp: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        """Return `pdf` with its first signature in the place `field`; afterwards only the other places may be filled.

        `stamp` gives the RFC 3161 token (DER) for a SHA-256.
        """
        ...

    def add_approval(
        self,
        pdf: bytes,
        field: str,
        key: SigningKey,
        mark: SignatureMark,
        *,
        stamp: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        """Return `pdf` with one more signature."""
        ...


class Progress(Protocol):
    """进度. Told how far long work has come."""

    def __call__(self, done: int, total: int | None, /) -> None:
        """Report `done` of `total` steps (None: unknown)."""
        ...


class TemplateCompiler(Protocol):
    """模板编译. docx template → Jinja source per part (docxtpl is the compiler)."""

    def compile(self, docx: bytes) -> Mapping[str, str]:
        """Return part name → Jinja source for every part with template text; raises a template error with its place."""
        ...


class DocxRenderer(Protocol):
    """渲染. Compiled template + values → docx bytes, the same on every machine."""

    def render(
        self,
        *,
        docx: bytes,
        parts: Mapping[str, str],
        key: Digest,
        context: Mapping[str, object],
        closing: Sequence[str] = (),
    ) -> bytes:
        """Return the docx, with `closing` as lines after its text.

        `key` names the compiled form so that its code is compiled once.
        """
        ...


class SortedSpool(Protocol):
    """排序暂存. Takes items in any order and gives them back by time; any number of them in little memory."""

    def add(self, instant: int, chain: str, sequence: int, item: bytes) -> None:
        """Take one item; items of the same second come by chain and sequence."""
        ...

    def __len__(self) -> int:
        """Return how many were taken."""
        ...

    def items(self, *, newest_first: bool = False, most: int | None = None) -> Iterator[bytes]:
        """Yield the items in order of time; at most `most`."""
        ...

    def close(self) -> None:
        """Let everything go; nothing stays on the disk."""
        ...


class FileLockFactory(Protocol):
    """文件锁."""

    def __call__(self, name: str, timeout: float) -> AbstractContextManager[None]:
        """Hold the named lock of the workspace; raises `WorkspaceBusyError` after `timeout` seconds."""
        ...


@dataclass(frozen=True)
class WordText:
    """Word 文档的文字. A docx as clause text, with what the grammar cannot express kept aside."""

    text: str
    islands: Mapping[Digest, bytes]
    """Digest → verbatim OOXML of every island in the text."""
    findings: Sequence[Finding]
    """What was left out or needs a look: headers, footers, comments, tracked changes."""


class WordReader(Protocol):
    """读取 Word. Turns an uploaded docx into clause text."""

    def read(self, docx: bytes, *, name: str) -> WordText:
        """Return the text; raises the errors of `file_formats.docx_package` for a file that is not safe."""
        ...


class LibraryWriter(Protocol):
    """工作文件写入. Writes into the workspace folder; nothing comes into force by it."""

    def write(self, path: str, data: bytes) -> None:
        """Write the file, replacing an older one in one step; `path` uses `/` and is relative to the workspace."""
        ...


class LibraryFolder(LibraryWriter, Protocol):
    """工作目录. The workspace folder, where files are also taken away."""

    def remove(self, path: str) -> None:
        """Take the file away; nothing happens when there is none."""
        ...


class FormDrawing(Protocol):
    """表单版式. Draws a form's docx template from its definition."""

    def draw(self, definition: FormDefinition, house: bytes) -> bytes:
        """Return the template drawn on the house file; same input, same bytes."""
        ...

    def house(self) -> bytes:
        """Return the house file that stands in where the workspace has none."""
        ...

    def is_untouched(self, docx: bytes) -> bool:
        """Tell whether a template is as this drawing made it, not changed by hand since."""
        ...


class ProcedureDrawing(Protocol):
    """文件打印版式. Draws a controlled document as Word pages."""

    def draw(self, shown: ProcedurePrint, house: bytes) -> bytes:
        """Return the docx drawn on the house file; same input, same bytes."""
        ...

    def house(self) -> bytes:
        """Return the house file that stands in where the workspace has none."""
        ...


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


class BranchHeads(Protocol):
    """分支现状. Where every branch of the repository stands."""

    def all(self) -> Mapping[str, str]:
        """Return branch name (`main`, `archive/main`) → id of its newest commit."""
        ...

    def newest(self, branch: str) -> datetime | None:
        """Return the time of the branch's newest commit, None when there is no such branch."""
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
