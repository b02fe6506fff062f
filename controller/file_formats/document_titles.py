"""标题与附带行的识别. Finds where a document begins in a text, and lines that belong to the page only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from controller.domain.clause import AsideKind
from controller.domain.clause import NumberingStyle as Style
from controller.file_formats.clause_labels import BLANKS, candidates, first_candidate

TITLE_WORDS = (
    "程序", "制度", "规程", "办法", "规定", "细则", "手册", "职责", "守则", "范本", "预案", "指南",
    "程序文件", "制度文件", "作业指导书",
)  # fmt: skip
"""Words with which the title of a controlled document ends."""

_NUMBER = re.compile(r"[A-Z][A-Z0-9]{0,7}(?:[-－/][A-Z0-9]{1,12}){0,3}[-－]\d{2,4}(?![0-9A-Za-z])")
_TAIL = r"(?:[(（《][^()（）《》]{1,40}[)）》])?"
_ENDING = re.compile(rf"(?:{'|'.join(TITLE_WORDS)}){_TAIL}$")
_WORD_END = re.compile("|".join(sorted(TITLE_WORDS, key=len, reverse=True)))
_NOT_IN_TITLE = re.compile(r"[。;；,，!！?？:：…|〔]")
_SHORTEST_TITLE = 4
_TITLE_LENGTH = 60
_FACT_LENGTH = 120
_MARK_LENGTH = 40
_PAGE_MARK = re.compile(
    r"第\s*\d{1,5}\s*页?\s*[,，、/]?\s*共\s*\d{1,5}\s*页?\s*[.。]?"
    r"|第\s*\d{1,5}\s*页\s*[.。]?"
    r"|[-—–]\s*\d{1,4}\s*[-—–]"
    r"|[Pp]age\s*\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?"
    r"|\d{1,4}\s*/\s*\d{1,4}"
)
_PAGE_FACT = re.compile(
    r"(?:[-—–•·*]\s*)?(?:文档|文件)?(?:格式|大小|页数|上传者|上传时间|上传日期|下载次数|浏览次数|文档热度|来源网址|资源描述)\s*[:：].{0,80}"
)
_CONTROL_LINE = re.compile(
    r"(?P<key>文件名称|文件标题|文件编号|编号|版本号?|版次|修改状态|版本/修改状态|受控状态|文件类别|归口部门|颁发部门|分发部门|编制部门|起草部门"
    r"|编制人?|起草人?|修订人?|审核人?|批准人?|编制日期|起草日期|审核日期|批准日期|生效日期|执行日期|实施日期|发布日期|颁发日期)\s*[:：](?P<value>.{0,80})"
)


@dataclass(frozen=True)
class FoundTitle:
    """找到的标题. What the title says and how much of the line it takes."""

    title: str
    number: str | None
    end: int
    """Where the title stops in its line; the rest of the line is already text."""
    glued: bool
    """Whether text follows on the same line."""


def aside_kind(line: str) -> AsideKind | None:
    """Return the kind of a line that belongs to the page, None for a line of text.

    Control lines (`版本:A/0`) are told by `control_line`, because they count only before the first clause.
    """
    bare = line.strip(BLANKS + "\r\n")
    if not bare:
        return AsideKind.BLANK
    if len(bare) <= _FACT_LENGTH and _PAGE_FACT.fullmatch(bare):
        return AsideKind.PAGE_METADATA
    return AsideKind.PAGE_MARK if len(bare) <= _MARK_LENGTH and _PAGE_MARK.fullmatch(bare) else None


def control_line(line: str) -> tuple[str, str] | None:
    """Return name and value of a control-block line such as `文件编号:XX-YLQXCX-014`, None for other lines."""
    match = _CONTROL_LINE.fullmatch(line.strip(BLANKS + "\r\n"))
    return (match["key"], match["value"].strip()) if match else None


def is_first_label(line: str) -> bool:
    """Tell whether `line` begins with the number a document begins with: 一、, 1., 第一章, 第一条, 1.1."""
    label = first_candidate(line)
    if label is None or label.style in {Style.PAREN_ARABIC, Style.CIRCLED}:
        return False
    return all(part == 1 for part in label.number)


def find_title(line: str, following: str | None, *, first: bool) -> FoundTitle | None:
    """Return the title at the head of `line`, None when there is none.

    Args:
        line: the line, its end included or not.
        following: the next line with text on it, None at the end.
        first: whether no document has begun yet, so that less proof is needed.
    """
    bare = line.rstrip("\r\n" + BLANKS)
    start = len(bare) - len(bare.lstrip(BLANKS))
    body = bare[start:]
    if not body or first_candidate(body) is not None:
        return None
    number = _NUMBER.match(body)
    offset = start
    if number is not None:
        offset = start + number.end()
        offset += len(bare[offset:]) - len(bare[offset:].lstrip(BLANKS + ":：_"))
    rest = bare[offset:]
    code = number[0] if number else None
    own_line = _looks_like_title(rest) or (code is not None and 0 < len(rest) <= _TITLE_LENGTH and _clean(rest))
    if own_line and (code is not None or first or (following is not None and is_first_label(following))):
        return FoundTitle(rest.strip(BLANKS), code, len(bare), glued=False)
    glued = _glued(rest) or _doubled(rest)
    if glued is None:
        return None
    return FoundTitle(rest[:glued].strip(BLANKS), code, offset + glued, glued=True)


def _clean(text: str) -> bool:
    return not _NOT_IN_TITLE.search(text) and text.count("《") == text.count("》")


def _looks_like_title(text: str) -> bool:
    text = text.strip(BLANKS)
    return _SHORTEST_TITLE <= len(text) <= _TITLE_LENGTH and _clean(text) and _ENDING.search(text) is not None


def _glued(text: str) -> int | None:
    """Return where the first clause number stands, when all before it is a title."""
    for label in candidates(text[: _TITLE_LENGTH + 20]):
        if label.style in {Style.PAREN_ARABIC, Style.PAREN_CHINESE, Style.CIRCLED}:
            continue
        first = all(part == 1 for part in label.number)
        return label.start if first and _looks_like_title(text[: label.start]) else None
    return None


def _doubled(text: str) -> int | None:
    """Return the length of a title that the first sentence repeats at once: `甲程序甲程序是指…`."""
    for match in _WORD_END.finditer(text, 0, _TITLE_LENGTH):
        title = text[: match.end()]
        if _looks_like_title(title) and text.startswith(title, match.end()):
            return match.end()
    return None
