"""旧文件导入. Puts a company's old documents into the library as a person mapped them: all in one signed act or none.

What was approved before this system is stated beside each document (`approved-elsewhere`), with the scan of the old
approval where there is one. It never is a signature of our route (ISO 13485 4.2.4).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.document import ControlledDocument
from controller.domain.errors import QmsError, RefusedError
from controller.domain.identifiers import Digest, DocumentNumber, Revision
from controller.domain.stated_text import stated_text
from controller.domain.statement import TRAIL, Event, statement_path
from controller.domain.text import T
from controller.file_formats.mapping_file import STEPS
from controller.services.archive_ports import ControlledChange
from controller.services.document_import import IMPORTING_POSTS, document_files, taken_numbers
from controller.services.document_library import FORMS_FOLDER, DocumentLibrary
from controller.services.legacy_plan import text_digest
from controller.services.library_adoption import AdoptionReasonError, library_statement
from controller.services.paper_signing import CheckedScan, check_scan
from controller.services.staff_directory import check_post
from controller.services.statement_filing import StatementDraft
from controller.services.text_reading import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from controller.domain.legacy_document import LegacyDocument, LegacySource, MappedDocument
    from controller.domain.person import Staff
    from controller.domain.record import Wire
    from controller.domain.text import Text
    from controller.services.legacy_ports import LegacyFolder
    from controller.services.legacy_reading import LegacyReading
    from controller.services.ports import ControlledFiles, Progress
    from controller.services.print_ports import ScanReader
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import StatementFiling

MEANING = "批准"
ATTESTED = "系统外批准归档"
"""What the person who imports signs for: that this was approved so elsewhere."""
_LONGEST_SCAN = 20 * 1024 * 1024
_REASON_AT_LEAST = 5
_MOST = 500
"""Documents in one act."""


class LegacyImportRefusedError(RefusedError):
    """旧文件不能导入. Carries every finding; nothing was imported."""

    code = "legacy-import-refused"

    def __init__(self, *, findings: Sequence[Finding]) -> None:
        super().__init__(
            T("有 {count} 处不符合，一份也没有导入。", count=len(findings)), hint=T("按下面逐项改正后再导入。")
        )
        self.findings = tuple(findings)


class NothingMappedError(RefusedError):
    """没有要导入的文件. Every entry of the mapping says no."""

    code = "legacy-nothing-mapped"

    def __init__(self) -> None:
        super().__init__(T("对照表里没有要导入的文件。"), hint=T("把要导入的各项改为 import: yes。"))


@dataclass(frozen=True)
class MappingText:
    """对照表. As it was read, with what it is called in messages."""

    name: str
    digest: Digest
    documents: Sequence[MappedDocument]


@dataclass(frozen=True)
class LegacyImported:
    """导入结果."""

    documents: tuple[ControlledDocument, ...]
    elsewhere: frozenset[str]
    """Numbers of those with an approval from outside the system."""
    scans: int
    left: int
    """Entries of the mapping that were not wanted."""
    commit: str


@dataclass(frozen=True)
class _Ready:
    mapped: MappedDocument
    document: ControlledDocument
    changes: dict[str, bytes | None]
    scan: CheckedScan | None
    scan_data: bytes | None


@dataclass
class LegacyImport:
    """旧文件导入服务."""

    files: ControlledFiles
    statements: StatementFiling
    staff: Staff
    reading: LegacyReading
    scan_reader: ScanReader
    used: Callable[[], Iterable[str]]
    """Every number that was ever used."""
    _findings: list[Finding] = field(default_factory=list, repr=False)

    def import_mapped(
        self,
        folder: LegacyFolder,
        mapping: MappingText,
        *,
        scans: LegacyFolder | None,
        reason: str,
        by: Signer,
        progress: Progress | None = None,
    ) -> LegacyImported:
        """Import what a mapping wants, all of it in one signed act or nothing.

        Raises:
            PostNeededError: the person's posts do not allow it.
            AdoptionReasonError, StatedTextError: no reason was given, or none that can be read.
            NothingMappedError: no entry is wanted.
            LegacyImportRefusedError: something is wrong; it carries all findings.
        """
        check_post(self.staff, by.signatory, IMPORTING_POSTS, T("导入旧文件"))
        reason = stated_text(reason)
        if len(reason) < _REASON_AT_LEAST:
            raise AdoptionReasonError
        wanted = [item for item in mapping.documents if item.wanted]
        if not wanted:
            raise NothingMappedError
        self._findings = []
        if len(wanted) > _MOST:
            self._wrong(mapping, None, "legacy-too-many", T("一次最多导入 {limit} 篇。", limit=_MOST))
        self._check_numbers(mapping, wanted)
        ready = [] if self._findings else self._ready(folder, mapping, wanted, scans, progress)
        if self._findings:
            raise LegacyImportRefusedError(findings=self._findings)
        return self._filed(mapping, ready, reason.strip(), by, left=len(mapping.documents) - len(wanted))

    # -- checking ----------------------------------------------------------------------------------------------

    def _wrong(
        self, mapping: MappingText, item: MappedDocument | None, code: str, message: Text, hint: Text | None = None
    ) -> None:
        line = item.line if item is not None else None
        subject = f"{item.source}" if item is not None else None
        self._findings.append(Finding(code, Gravity.ERROR, message, mapping.name, line, subject, hint))

    def _check_numbers(self, mapping: MappingText, wanted: Sequence[MappedDocument]) -> None:
        """Numbers are unique and never used before; no document of a file is taken twice; forms are known."""
        taken = taken_numbers(DocumentLibrary(self.files), self.used())
        forms = set(self.files.folders(FORMS_FOLDER))
        same = any(item.number in taken for item in wanted) and self._imported(mapping)
        numbers: dict[str, MappedDocument] = {}
        places: set[tuple[str, int]] = set()
        for item in wanted:
            if item.number in taken:
                message = T("编号 {number} 已用于《{title}》。", number=item.number, title=taken[item.number])
                hint = T("换一个没有用过的编号。")
                if same or self._attested(item):
                    message = T(
                        "{source} 已导入，就是 {number}《{title}》。",
                        number=item.number,
                        source=item.source,
                        title=taken[item.number],
                    )
                    hint = T("改为 import: no；要改它的内容，请用 qms change open。")
                self._wrong(mapping, item, "document-number-taken", message, hint)
            first = numbers.setdefault(item.number, item)
            if first is not item:
                message = T("编号 {number} 在第 {line} 行已经用了。", number=item.number, line=first.line or 0)
                self._wrong(mapping, item, "legacy-number-duplicate", message, T("两篇要用不同的编号。"))
            if (item.source, item.part) in places:
                message = T("{source} 第 {part} 篇写了两次。", source=item.source, part=item.part)
                self._wrong(mapping, item, "legacy-part-twice", message)
            places.add((item.source, item.part))
            unknown = [number for number in item.forms if number not in forms]
            if unknown:
                message = T("没有这些表单：{numbers}。", numbers=list(unknown))
                self._wrong(mapping, item, "legacy-form-unknown", message, T("从 forms 里删去；正文不受影响。"))

    def _imported(self, mapping: MappingText) -> bool:
        """Tell whether the same mapping was imported before."""
        return any(one.statement.shown == mapping.digest for one in self.statements.chain(TRAIL))

    def _attested(self, item: MappedDocument) -> bool:
        """Tell whether the same old file was attested to under that number."""
        chain = self.statements.chain(f"documents/{item.number}/{item.revision.replace('/', '-')}")
        return any(one.statement.new.get("source") == item.source for one in chain)

    def _ready(
        self,
        folder: LegacyFolder,
        mapping: MappingText,
        wanted: Sequence[MappedDocument],
        scans: LegacyFolder | None,
        progress: Progress | None,
    ) -> list[_Ready]:
        found = []
        sources: dict[str, LegacySource | None] = {}
        for place, item in enumerate(wanted):
            if progress is not None:
                progress(place, len(wanted))
            if item.source not in sources:
                sources[item.source] = self._source(folder, mapping, item)
            source = sources[item.source]
            document = self._document(source, mapping, item) if source is not None else None
            scan, data = self._scan(scans, mapping, item)
            if source is None or document is None:
                continue
            try:
                text = document.text.encode("utf-8")
            except UnicodeEncodeError:
                message = T("{source} 有读不出来的字符。", source=item.source)
                self._wrong(mapping, item, "document-text-garbled", message, T("用原件重新导出后再生成对照表。"))
                continue
            described = _described(item, document)
            changes = document_files(described, document.text, text, source.islands)
            found.append(_Ready(item, described, changes, scan, data))
        return found

    def _source(self, folder: LegacyFolder, mapping: MappingText, item: MappedDocument) -> LegacySource | None:
        hint = T("重新生成对照表：qms doc import 文件夹 --plan 新对照表.yml。")
        try:
            data = folder.read(item.source, limit=MAX_BYTES)
            if Digest.of(data) != item.digest:
                message = T("{source} 在生成对照表之后改过。", source=item.source)
                self._wrong(mapping, item, "legacy-source-changed", message, hint)
                return None
            return self.reading.read(data, path=item.source)
        except QmsError as exc:
            self._wrong(mapping, item, exc.code, exc.message, exc.hint)
            return None

    def _document(self, source: LegacySource, mapping: MappingText, item: MappedDocument) -> LegacyDocument | None:
        found = next((one for one in source.documents if one.part == item.part), None)
        if found is None or text_digest(found) != item.text:
            message = T("{source} 第 {part} 篇与生成对照表时不同。", source=item.source, part=item.part)
            self._wrong(mapping, item, "legacy-text-differs", message, T("请重新生成对照表。"))
            return None
        if not found.clauses:
            message = T("{source} 第 {part} 篇没有条款。", source=item.source, part=item.part)
            self._wrong(mapping, item, "document-empty", message, T("改为 import: no。"))
            return None
        return found

    def _scan(
        self, scans: LegacyFolder | None, mapping: MappingText, item: MappedDocument
    ) -> tuple[CheckedScan | None, bytes | None]:
        if item.scan is None:
            return None, None
        if scans is None:
            message = T("写了扫描件“{name}”，但没有指明扫描件的文件夹。", name=item.scan)
            self._wrong(mapping, item, "legacy-scan-missing", message, T("加上 --scans 文件夹。"))
            return None, None
        try:
            data = scans.read(item.scan, limit=_LONGEST_SCAN)
            return check_scan(item.scan, data, self.scan_reader, unread=True), data
        except QmsError as exc:
            self._wrong(mapping, item, exc.code, exc.message, exc.hint)
            return None, None

    # -- filing ------------------------------------------------------------------------------------------------

    def _filed(
        self, mapping: MappingText, ready: Sequence[_Ready], reason: str, by: Signer, *, left: int
    ) -> LegacyImported:
        changes: dict[str, bytes | None] = {}
        along: dict[str, bytes] = {}
        attested: list[StatementDraft] = []
        for one in ready:
            changes |= one.changes
            if not one.mapped.approved_elsewhere:
                continue
            draft, scan = _attested(one, reason)
            attested.append(draft)
            if scan is not None and one.scan_data is not None:
                along[scan] = one.scan_data
        subject = ready[0].document.number.text if len(ready) == 1 else f"{len(ready)} documents"
        by.ready(MEANING)
        library = library_statement(self.files, changes, subject=subject, reason=reason, meaning=MEANING)
        # What the person decided by is the mapping file.
        library = replace(library, shown=mapping.digest)
        filed = self.statements.file_all(
            [(library, by), *((draft, by) for draft in attested)],
            along=along,
            controlled=ControlledChange(changes, action="import", subject=subject, note=reason),
        )
        return LegacyImported(
            documents=tuple(one.document for one in ready),
            elsewhere=frozenset(draft.subject for draft in attested),
            scans=len(along),
            left=left,
            commit=filed[0].commit,
        )


def _described(item: MappedDocument, document: LegacyDocument) -> ControlledDocument:
    return ControlledDocument(
        number=DocumentNumber(item.number),
        title=item.title,
        revision=Revision(item.revision),
        class_word=item.class_word,
        owner=item.owner,
        status_note="导入稿,待企业核对",
        forms=item.forms,
        drafted=item.drafted,
        reviewed=item.reviewed,
        approved=item.approved,
        effective=item.effective,
        history=item.history,
        former_number=item.former_number,
        former_revision=item.former_revision,
        former_block=document.former_block,
    )


def _attested(one: _Ready, reason: str) -> tuple[StatementDraft, str | None]:
    """Return what is stated about an approval outside the system, and the archive path of its scan."""
    item = one.mapped
    chain = f"documents/{item.number}/{item.revision.replace('/', '-')}"
    new: dict[str, Wire] = {"title": item.title, "revision": item.revision, "source": item.source}
    if item.former_number is not None:
        new["former_number"] = item.former_number
    if item.former_revision is not None:
        new["former_revision"] = item.former_revision
    for key in STEPS:
        step = getattr(item, key)
        if step is not None:
            new[f"elsewhere_{key}"] = {"name": step.name, "at": step.date or ""}
    if item.effective is not None:
        new["effective"] = item.effective
    files = {path: Digest.of(data) for path, data in one.changes.items() if data is not None}
    scan = None
    if one.scan is not None:
        scan = f"{statement_path(chain, 1)}{one.scan.kind.value}"
        files[scan] = one.scan.attachment.digest
        new["scan"] = one.scan.attachment.name
    draft = StatementDraft(
        chain=chain,
        event=Event.APPROVED_ELSEWHERE,
        subject=item.number,
        meaning=ATTESTED,
        reason=reason,
        new=new,
        files=files,
        shown=one.scan.attachment.digest if one.scan is not None else None,
    )
    return draft, scan
