"""旧文件导入计划. Walks a company's old files and proposes, document by document, what they become here.

Nothing is imported by it. A file that cannot be taken is told with its place and never ends the run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.document import HistoryRow, SigningStep
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.legacy_document import LegacyDocument, MappedDocument
from controller.domain.legacy_facts import own_number, propose_number
from controller.domain.text import T, Text
from controller.file_formats.clause_text import parse_text
from controller.file_formats.mapping_file import MappingEntry
from controller.services.legacy_reading import TEXT_SUFFIXES, WORD_SUFFIXES
from controller.services.text_reading import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from controller.domain.legacy_document import LegacySource
    from controller.services.document_library import DocumentLibrary
    from controller.services.legacy_ports import LegacyFolder
    from controller.services.legacy_reading import LegacyReading
    from controller.services.ports import Progress

_USUAL_FAMILY = "YLQX"
_UNDECIDED = "待定"
_FIRST_REVISION = "A/0"
_CELL, _SHORT = 500, 40
_ASKED = frozenset({"docx-tracked-changes", "text-garbled", "legacy-form", "legacy-title-missing"})
"""Findings after which a person must say that the document is to be imported all the same."""
_MERELY_TOLD = frozenset({"docx-header-left-out"})


@dataclass(frozen=True)
class PlannedDocument:
    """计划的一篇. What was found, and what is proposed."""

    document: LegacyDocument
    proposal: MappedDocument
    unsure: tuple[Finding, ...]


@dataclass(frozen=True)
class LegacyPlan:
    """导入计划."""

    folder: str
    files: int
    """Files that were looked at."""
    documents: tuple[PlannedDocument, ...]
    findings: tuple[Finding, ...]
    """Everything that is doubtful, by file and line; errors are files that were not read."""

    @property
    def refused(self) -> tuple[Finding, ...]:
        """The files that could not be read, and why."""
        return tuple(item for item in self.findings if item.gravity is Gravity.ERROR)

    @property
    def wanted(self) -> int:
        """How many documents are proposed to be imported."""
        return sum(item.proposal.wanted for item in self.documents)

    def entries(self, told: Callable[[Text], str]) -> list[MappingEntry]:
        """Return what stands in the mapping file; `told` puts messages into words."""
        return [
            MappingEntry(
                item.proposal,
                item.document.cites,
                item.document.sure,
                [_told(finding, told) for finding in item.unsure],
            )
            for item in self.documents
        ]


def _told(finding: Finding, told: Callable[[Text], str]) -> str:
    message = " ".join(told(finding.message).split())
    return told(T("第 {line} 行：{message}", line=finding.line, message=message)) if finding.line else message


@dataclass
class LegacyPlanning:
    """旧文件导入计划服务.

    `taken` gives every number that is or was used, with the title; `prefix` is the company's own.
    """

    library: DocumentLibrary
    reading: LegacyReading
    taken: Callable[[], Mapping[str, str]]
    forms: Callable[[], Iterable[str]]
    prefix: str

    def plan(self, folder: LegacyFolder, *, progress: Progress | None = None) -> LegacyPlan:
        """Read every file of a folder and return what is proposed.

        Raises:
            LegacyFolderTooLargeError: it holds too many files.
        """
        findings: list[Finding] = []
        sources: list[LegacySource] = []
        files = folder.files()
        for place, file in enumerate(files):
            if progress is not None:
                progress(place, len(files))
            if file.problem is not None:
                findings.append(
                    Finding("legacy-file-refused", Gravity.ERROR, file.problem, path=file.path, hint=file.hint)
                )
            elif not file.path.lower().endswith((*WORD_SUFFIXES, *TEXT_SUFFIXES)):
                findings.append(_other_kind(file.path))
            else:
                source = self._read(folder, file.path, findings)
                if source is not None:
                    sources.append(source)
        documents = self._proposed(sources)
        findings += [item for source in sources for item in source.findings]
        findings += [item for planned in documents for item in planned.document.findings]
        findings += [item for planned in documents for item in planned.unsure if item not in findings]
        order = {file.path: place for place, file in enumerate(files)}
        findings.sort(key=lambda item: (order.get(item.path or "", -1), item.line or 0))
        return LegacyPlan(folder.name, len(files), tuple(documents), tuple(findings))

    def _read(self, folder: LegacyFolder, path: str, findings: list[Finding]) -> LegacySource | None:
        try:
            source = self.reading.read(folder.read(path, limit=MAX_BYTES), path=path)
        except QmsError as exc:
            # One hostile or damaged file must not keep the others from being read.
            findings.append(Finding(exc.code, Gravity.ERROR, exc.message, path=path, hint=exc.hint))
            return None
        except RecursionError:
            message = T("文件的结构嵌套太深，不能读取。")
            findings.append(Finding("legacy-file-refused", Gravity.ERROR, message, path=path))
            return None
        if not source.documents:
            message = T("文件里没有文字。")
            findings.append(Finding("legacy-file-empty", Gravity.WARNING, message, path=path))
        return source

    # -- proposals ---------------------------------------------------------------------------------------------

    def _proposed(self, sources: Sequence[LegacySource]) -> list[PlannedDocument]:
        every = [(source, document) for source in sources for document in source.documents]
        taken = dict(self.taken())
        copies = _copies([document for _source, document in every], self._known_texts())
        numbers, doubts = self._numbers([document for _source, document in every], taken, copies)
        forms = set(self.forms())
        planned = []
        for place, (source, document) in enumerate(every):
            extra = [*doubts.get(place, ()), *copies.get(place, ())]
            concerning = [item for item in source.findings if item.code not in _MERELY_TOLD]
            unsure = [*extra, *document.findings, *concerning]
            empty = not document.clauses
            if empty:
                message = T("没有条款，不能导入。")
                unsure.append(Finding("document-empty", Gravity.WARNING, message, document.source, document.first_line))
            wanted = not empty and not _speaks_against(extra) and not any(item.code in _ASKED for item in unsure)
            proposal = self._proposal(source.digest, document, numbers[place], forms, wanted=wanted)
            planned.append(PlannedDocument(document, proposal, tuple(unsure)))
        return planned

    def _proposal(
        self, digest: Digest, document: LegacyDocument, number: str, forms: set[str], *, wanted: bool
    ) -> MappedDocument:
        former = document.number if document.number != number else None
        return MappedDocument(
            source=document.source,
            digest=digest,
            part=document.part,
            text=text_digest(document),
            wanted=wanted,
            number=number,
            title=document.title or "",
            revision=document.revision or _FIRST_REVISION,
            class_word=document.class_word or "程序",
            owner=document.owner or _UNDECIDED,
            former_number=_fit(former, _SHORT),
            former_revision=_fit(document.typed_revision, _SHORT)
            if document.typed_revision != document.revision
            else None,
            drafted=_step(document.drafted),
            reviewed=_step(document.reviewed),
            approved=_step(document.approved),
            effective=_fit(document.effective, _SHORT),
            history=tuple(
                HistoryRow(
                    _fit(row.revision, _SHORT) or "未写明",
                    _fit(row.date, _SHORT),
                    _fit(row.clauses, _CELL) or "",
                    _fit(row.reason, _CELL) or "",
                    _fit(row.by, _CELL) or "",
                    elsewhere=True,
                )
                for row in document.history
            ),
            forms=tuple(item for item in document.cites if item in forms),
        )

    def _numbers(
        self, documents: Sequence[LegacyDocument], taken: dict[str, str], copies: Mapping[int, Sequence[Finding]]
    ) -> tuple[list[str], dict[int, list[Finding]]]:
        """Return a number for every document, its own where that is of our scheme, and what is doubtful about it."""
        doubts: dict[int, list[Finding]] = {}
        given: dict[int, str] = {}
        seen: dict[str, LegacyDocument] = {}
        here = dict(taken)
        for place, document in enumerate(documents):
            if document.number is None:
                continue
            first = seen.setdefault(document.number, document)
            if first is not document and place not in copies:
                message = T("编号 {number} 与 {other} 重复。", number=document.number, other=first.place)
                hint = T("请核对两篇的编号；对照表里给的是建议编号。")
                _doubt(doubts, place, document, "legacy-number-duplicate", message, hint)
            own = own_number(document.number, self.prefix)
            if own is None:
                continue
            if own in taken:
                message = T("编号 {number} 已用于《{title}》。", number=own, title=taken[own])
                hint = T("同一份文件就不导入，改版走文件更改；不同的文件请换一个编号，再把 import 改为 yes。")
                _doubt(doubts, place, document, "legacy-number-taken", message, hint)
                given[place] = own
            elif first is document:
                given[place] = own
                here[own] = document.title or own
        stem = self._stem()
        for place, document in enumerate(documents):
            if place not in given:
                given[place] = propose_number(document.number, document.class_word or "程序", stem, here)
                here[given[place]] = document.title or ""
        return [given[place] for place in range(len(documents))], doubts

    def _stem(self) -> str:
        """Return company and family as the numbers in use have them: `XX-YLQX`."""
        stems = Counter(number.rpartition("-")[0][:-2] for number in self.library.numbers())
        own = [stem for stem, _count in stems.most_common() if stem.startswith(f"{self.prefix}-")]
        return own[0] if own else f"{self.prefix}-{_USUAL_FAMILY}"

    def _known_texts(self) -> dict[str, str]:
        """Return the wording of each document in the library → its number."""
        found = {}
        for number in self.library.numbers():
            try:
                found[_wording(self.library.show(number).text)] = number
            except QmsError:
                continue  # told by `qms doc lint`
        return found


def text_digest(document: LegacyDocument) -> Digest:
    """Return the digest by which the mapping knows a document's text."""
    return Digest.of(document.text.encode("utf-8", "surrogateescape"))


def _speaks_against(findings: Sequence[Finding]) -> bool:
    """Tell whether a doubt about number or copies speaks against importing."""
    return any(item.code in {"legacy-number-taken", "document-duplicate", "legacy-already-here"} for item in findings)


def _copies(documents: Sequence[LegacyDocument], known: Mapping[str, str]) -> dict[int, list[Finding]]:
    """Return which documents are copies: of one in the library, or of another of the folder that has a number."""
    groups: dict[str, list[int]] = {}
    for place, document in enumerate(documents):
        wording = _wording(document.text)
        if wording:
            groups.setdefault(wording, []).append(place)
    found: dict[int, list[Finding]] = {}
    for wording, places in groups.items():
        best = min(places, key=lambda place: (documents[place].number is None, place))
        for place in places:
            document, told = documents[place], list[tuple[str, Text, Text]]()
            if place != best:
                other = documents[best]
                message = T("条款与 {place}《{title}》完全相同。", place=other.place, title=other.title or "")
                told.append(("document-duplicate", message, T("只导入其中一篇，通常是有文件编号的一篇。")))
            if wording in known:
                message = T("条款与系统里的 {number} 完全相同。", number=known[wording])
                told.append(("legacy-already-here", message, T("不用导入。")))
            if told:
                found[place] = [
                    Finding(code, Gravity.WARNING, message, document.source, document.first_line, hint=hint)
                    for code, message, hint in told
                ]
    return found


def _wording(text: str) -> str:
    parsed = parse_text(text)
    return "".join("".join(clause.content.split()) for segment in parsed.segments for clause in segment.clauses)


def _other_kind(path: str) -> Finding:
    if path.lower().endswith(".pdf"):
        hint = T("PDF 请先转成 Word；批准页的扫描件放在另一个文件夹，用 --scans 指明。")
    else:
        hint = T("只读入 .docx、.doc 和 .txt。")
    return Finding("legacy-file-kind", Gravity.NOTE, T("不是文本或 Word 文件，没有读入。"), path=path, hint=hint)


def _doubt(
    doubts: dict[int, list[Finding]], place: int, document: LegacyDocument, code: str, message: Text, hint: Text
) -> None:
    finding = Finding(code, Gravity.WARNING, message, document.source, document.first_line, hint=hint)
    doubts.setdefault(place, []).append(finding)


def _step(step: SigningStep | None) -> SigningStep | None:
    name = _fit(step.name, _SHORT) if step is not None else None
    return SigningStep(name, _fit(step.date, _SHORT)) if step is not None and name else None


def _fit(text: str | None, limit: int) -> str | None:
    """Return `text` as one printable line of at most `limit` characters; what was written stays in the old block."""
    if text is None:
        return None
    line = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    return (line if len(line) <= limit else line[: limit - 1] + "…") or None
