"""读取旧文件. Turns one old file into the documents in it, the control block and revision table taken out of the text.

Whatever is taken out is kept word for word (`former_block`); what is not understood stays in the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.clause import Clause, Island, NumberingStyle, Table, TitleLine
from controller.domain.clause_findings import segment_findings, segment_name
from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.legacy_document import LegacyDocument, LegacySource
from controller.domain.text import T, Text
from controller.file_formats.clause_text import parse_text
from controller.file_formats.control_block import (
    Fact,
    OldHistory,
    grid_lines,
    is_history_heading,
    read_grid,
    read_history,
)
from controller.services.document_library import whole_segment
from controller.services.legacy_cutting import (
    LINES,
    Cut,
    evened,
    owned_cuts,
    same_document,
    with_covers,
    without_control_lines,
)
from controller.services.legacy_facts_gathering import Gathered, gather
from controller.services.legacy_ports import LegacyText
from controller.services.pdf_printing import PdfEngineError
from controller.services.text_reading import MAX_BYTES, FileTooLargeError, plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.clause import ParsedText, Piece, Segment
    from controller.file_formats.control_block import Grid
    from controller.services.legacy_ports import LegacyWordReader, OldWordConverter

WORD_SUFFIXES = (".docx", ".doc")
TEXT_SUFFIXES = (".txt", ".text", ".md")
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_VBA = "_VBA_PROJECT".encode("utf-16-le")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


class OldWordUnreadableError(RefusedError):
    """旧版 Word 文件不能读取. There is no LibreOffice here, or it cannot read the file."""

    code = "legacy-doc-unreadable"

    def __init__(self, *, installed: bool) -> None:
        problem = T("LibreOffice 不能读取这个 .doc 文件") if installed else T("本机没有 LibreOffice，不能读取 .doc")
        super().__init__(
            T("{problem}。", problem=problem),
            hint=T("在 Word 或 WPS 中打开，另存为“Word 文档（*.docx）”后再试。"),
        )


class OldWordMacroError(RefusedError):
    """旧版 Word 文件含有宏或已加密."""

    code = "legacy-doc-macro"

    def __init__(self) -> None:
        super().__init__(
            T("旧版 Word 文件（.doc）含有宏，或已加密。"),
            hint=T("在 Word 中去掉宏和密码，另存为“Word 文档（*.docx）”后再试。"),
        )


@dataclass
class LegacyReading:
    """旧文件读取服务."""

    word: LegacyWordReader
    old_word: OldWordConverter

    def read(self, data: bytes, *, path: str) -> LegacySource:
        """Read one file.

        Raises:
            FileTooLargeError, NotTextError: it is no text, no Word file, or too large.
            OldWordUnreadableError, OldWordMacroError: a .doc that cannot be taken.
            QmsError: a docx that `file_formats.docx_package` refuses.
        """
        content = self._content(data, path)
        found = _File(path, content)
        documents = found.documents()
        return LegacySource(path, Digest.of(data), documents, tuple(found.findings), content.islands)

    def _content(self, data: bytes, path: str) -> LegacyText:
        if len(data) > MAX_BYTES:
            raise FileTooLargeError(name=path, limit=MAX_BYTES)
        if data.startswith(_OLE) and _ENCRYPTED not in data:
            if _VBA in data:
                raise OldWordMacroError
            return self.word.read(self._converted(data), name=path)
        if data.startswith((_ZIP, _OLE)) or path.lower().endswith(".docx"):
            return self.word.read(data, name=path)
        text, _encoding, notes = plain_text(data, name=path)
        return LegacyText(text, findings=notes)

    def _converted(self, data: bytes) -> bytes:
        if not self.old_word.available():
            raise OldWordUnreadableError(installed=False)
        try:
            return self.old_word.to_docx(data)
        except PdfEngineError as exc:
            raise OldWordUnreadableError(installed=True) from exc


@dataclass
class _File:
    """One file being read."""

    path: str
    content: LegacyText
    findings: list[Finding] = field(default_factory=list)

    def documents(self) -> tuple[LegacyDocument, ...]:
        """Return the documents in order."""
        self.lines = LINES.findall(self.content.text)
        whole = parse_text(self.content.text)
        cuts, starts = self._tables(whole)
        found: list[tuple[Segment, list[int], list[Cut]]] = []
        loose: list[str] = []
        for first, last in zip(starts, [*starts[1:], len(self.lines) + 1], strict=True):
            inside = [cut for cut in cuts if first <= cut.first < last]
            gone = {number for cut in inside for number in range(cut.first, cut.last + 1)}
            kept = [number for number in range(first, last) if number not in gone]
            parsed = parse_text("".join(self.lines[number - 1] for number in kept))
            loose += [piece.source.strip() for piece in parsed.head if piece.source.strip()]
            segments = with_covers(parsed.segments)
            owned = owned_cuts(segments, kept, inside)
            found += [(segment, kept, owned[place]) for place, segment in enumerate(segments)]
            if not segments:
                loose += [word for cut in inside for word in cut.words]
        self._own_findings(cuts)
        return tuple(self._document(place, found, loose) for place in range(len(found)))

    def _own_findings(self, cuts: Sequence[Cut]) -> None:
        gone = {number for cut in cuts for number in range(cut.first, cut.last + 1)}
        self.findings += [
            item
            for item in self.content.findings
            if item.line is None or (item.code, item.line in gone) != ("docx-island", True)
        ]

    # -- tables ------------------------------------------------------------------------------------------------

    def _tables(self, parsed: ParsedText) -> tuple[list[Cut], list[int]]:
        """Return the control and revision tables, and the lines on which documents begin because one stands there."""
        pieces = list(parsed.pieces())
        numbered = [isinstance(piece, Clause) and piece.style is not NumberingStyle.NONE for piece in pieces]
        cuts: list[Cut] = []
        starts = [1]
        identity = ("", "")
        seen = False
        for place, piece in enumerate(pieces):
            if isinstance(piece, TitleLine):
                seen, identity = False, (piece.number or "", piece.title)
            seen = seen or numbered[place]
            grid = self._grid(piece)
            if grid is None:
                continue
            edge = not seen or not any(numbered[place + 1 :])
            cut = self._cut(piece, grid, edge=edge)
            if cut is None:
                continue
            if seen and any(cut.identity) and not same_document(cut.identity, identity):
                start = self._start(cut, starts[-1])
                starts.append(start)
                seen, identity = False, cut.identity
            elif not edge and not (any(cut.identity) and same_document(cut.identity, identity)):
                continue
            cuts.append(cut)
            if any(cut.identity) and not any(identity):
                identity = cut.identity
        return cuts, starts

    def _grid(self, piece: Piece) -> Grid | None:
        if isinstance(piece, Table):
            return piece.rows
        return self.content.grids.get(piece.digest) if isinstance(piece, Island) else None

    def _cut(self, piece: Piece, grid: Grid, *, edge: bool) -> Cut | None:
        first, last = piece.span.line, piece.span.last_line
        heading = self._line_before(first)
        headed = heading is not None and is_history_heading(self.lines[heading - 1])
        history = read_history(grid, headed=headed)
        if history is not None:
            if not edge:
                message = T("像修订记录的表格在正文中间，留在正文里，没有读作修订历史。")
                self.findings.append(
                    Finding("legacy-history-inside", Gravity.WARNING, message, path=self.path, line=first)
                )
                return None
            words = grid_lines(grid)
            if headed and heading is not None:
                words.insert(0, self.lines[heading - 1].strip())
                first = heading
            return Cut(first, last, words, history=history)
        facts = read_grid(grid)
        if facts is None:
            return None
        values = dict(reversed(facts.facts))
        identity = (evened(values.get(Fact.NUMBER, "")), evened(values.get(Fact.TITLE, "")))
        return Cut(first, last, grid_lines(grid), facts=facts, identity=identity)

    def _line_before(self, line: int) -> int | None:
        """Return the line with text on it before `line`."""
        return next((number for number in range(line - 1, 0, -1) if self.lines[number - 1].strip()), None)

    def _start(self, cut: Cut, earliest: int) -> int:
        """Return where the document of a control table begins: with its heading above the table, if there is one."""
        start, title = cut.first, cut.identity[1]
        for number in range(cut.first - 1, max(earliest, cut.first - 4), -1):
            text = evened(self.lines[number - 1])
            if text and not (title and title in text) and not text.endswith(("公司", "程序文件", "管理制度")):
                break
            start = number if text else start
        return start

    # -- documents ---------------------------------------------------------------------------------------------

    def _document(
        self, place: int, found: Sequence[tuple[Segment, list[int], list[Cut]]], loose: Sequence[str]
    ) -> LegacyDocument:
        segment, kept, cuts = found[place]
        path = self.path
        first, last = kept[segment.first_line - 1], kept[min(segment.last_line, len(kept)) - 1]
        text, own, left = without_control_lines(segment)
        cuts = [*cuts, *own]
        body = whole_segment(text)
        kept = [kept[segment.first_line - 1 + offset] for offset in left]
        alone = len(found) == 1
        gathered: Gathered = gather(
            path=path,
            line=first,
            segment=segment,
            facts=[cut.facts for cut in cuts if cut.facts is not None],
            margins=self.content.margins if alone else (),
            margin_grids=self.content.margin_grids if alone else (),
            alone=alone,
        )
        name = segment_name(segment, place + 1)
        findings = [
            _placed(item, kept)
            for item in segment_findings(body, name=name, path=path)
            if item.code != "document-title-missing"
        ]
        findings += [*gathered.findings, *_unnumbered(body, kept, path)]
        history = [cut.history for cut in cuts if cut.history is not None]
        findings += _history_findings(history, path, first)
        block = [*(loose if place == 0 else ()), *(word for cut in cuts for word in cut.words)]
        return LegacyDocument(
            source=path,
            part=place + 1,
            first_line=min([first, *(cut.first for cut in found[place][2])]),
            last_line=max([last, *(cut.last for cut in found[place][2])]),
            text=text,
            clauses=len(body.clauses),
            number=gathered.number,
            title=gathered.title,
            typed_revision=gathered.typed_revision,
            revision=gathered.revision,
            class_word=gathered.class_word,
            owner=gathered.owner,
            drafted=gathered.drafted,
            reviewed=gathered.reviewed,
            approved=gathered.approved,
            effective=gathered.effective,
            history=tuple(row for item in history for row in item.rows),
            cites=gathered.cites,
            former_block=tuple(block),
            sure=gathered.sure,
            findings=tuple(findings),
        )


def _placed(item: Finding, kept: Sequence[int]) -> Finding:
    """Return a finding with its line in the file instead of that in the text without tables."""
    line = kept[item.line - 1] if item.line is not None and item.line <= len(kept) else item.line
    return Finding(item.code, item.gravity, item.message, item.path, line, item.subject, item.hint)


def _unnumbered(segment: Segment, kept: Sequence[int], path: str) -> list[Finding]:
    """Return a finding about the paragraphs that have no number of their own."""
    lines: list[int] = []
    for piece in segment.pieces:
        if not isinstance(piece, Clause):
            continue
        inked = [offset for offset, line in enumerate(piece.source.splitlines()) if line.strip()]
        start = 0 if piece.style is NumberingStyle.NONE else 1
        lines += [piece.span.line + offset for offset in inked[start:]]
    if not lines:
        return []
    message = T("有 {count} 段没有编号，原样保留，并入上一条。", count=len(lines))
    hint = T("改版时可以补上编号，以便逐条追溯。")
    line = kept[min(lines[0], len(kept)) - 1]
    return [Finding("legacy-paragraph-unnumbered", Gravity.NOTE, message, path=path, line=line, hint=hint)]


def _history_findings(history: Sequence[OldHistory], path: str, line: int) -> list[Finding]:
    found: list[tuple[Text, Text | None]] = []
    for item in history:
        if not item.whole:
            hint = T("整张表的原文保存在“原控制栏”；请在对照表里核对。")
            found.append((T("修订记录表里有的列在这里没有位置。"), hint))
        if item.nameless:
            found.append((T("修订记录有 {count} 行没有写版本。", count=item.nameless), T("请在对照表里补上。")))
    return [
        Finding("legacy-history-unclear", Gravity.WARNING, message, path=path, line=line, hint=hint)
        for message, hint in found
    ]
