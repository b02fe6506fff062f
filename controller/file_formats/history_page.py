"""更改历史网页. One self-contained HTML page: a document's timeline, what each change did, where clauses come from.

No scripts, nothing fetched, fonts by name: it opens in any browser for as long as there are browsers, and prints.
What people typed is escaped; characters that would turn or hide text are replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from controller.domain.clause import Island, Table
from controller.domain.document_comparison import CHANGE_WORDS
from controller.domain.text import T
from controller.file_formats.html_text import marked_html, safe_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from controller.domain.clause_blame import ClauseBlame
    from controller.domain.document_comparison import Comparison, PieceChange, Shown
    from controller.domain.document_timeline import DocumentTimeline, DocumentVersion, VersionSignature
    from controller.domain.text import Text
    from controller.domain.text_difference import Stretch

_STYLE = """
:root{color-scheme:light}
body{font-family:"Source Han Sans SC","Noto Sans CJK SC","Microsoft YaHei","PingFang SC","Hiragino Sans GB",
"WenQuanYi Micro Hei","SimHei",sans-serif;font-size:15px;line-height:1.7;color:#1a1a1a;background:#fff;
max-width:60rem;margin:0 auto;padding:1.5rem}
.wording{font-family:"Source Han Serif SC","Noto Serif CJK SC","SimSun","Songti SC",serif;white-space:pre-wrap;
overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:2px solid #33557a}
h3{font-size:1rem;margin:1.3rem 0 .3rem}p{margin:.3rem 0}.quiet{color:#555;font-size:.87rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{border:1px solid #999;padding:.25rem .5rem;
text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#eef2f6}
.number{white-space:nowrap}
ins{color:#05601f;background:#dff3e4;text-decoration:underline}
del{color:#9c1c1c;background:#fbe3e3;text-decoration:line-through}
.kind{display:inline-block;border:1px solid #888;border-radius:.2rem;padding:0 .35rem;margin-right:.3rem;
font-size:.8rem}.change{margin:.6rem 0;padding-left:.7rem;border-left:3px solid #b7c4d1}
.warning{color:#9c1c1c}code{font-size:.8rem;overflow-wrap:anywhere}
details{margin:.2rem 0}summary{cursor:pointer}
@media print{body{max-width:none;padding:0;font-size:10.5pt}h2{break-after:avoid}h3{break-after:avoid}
.change,tr{break-inside:avoid}thead{display:table-header-group}ins,del{background:none}
@page{size:A4;margin:18mm 15mm}}
"""


@dataclass(frozen=True)
class HistoryPage:
    """网页的内容. What the page shows; without `blame` or `timeline` it leaves that part out."""

    company: str
    number: str
    title: str
    made: datetime
    comparisons: Sequence[tuple[DocumentVersion, DocumentVersion, Comparison]]
    timeline: DocumentTimeline | None = None
    blame: Sequence[ClauseBlame] = field(default=())
    statuses: Mapping[str, Text] = field(default_factory=dict)
    """Revision → how it stands, in words."""


def history_page(page: HistoryPage, translate: Callable[[Text], str], *, language: str = "zh") -> bytes:
    """Return the page as UTF-8; `translate` gives each sentence in the reader's language."""
    return _Page(page, translate, language).bytes()


class _Page:
    def __init__(self, page: HistoryPage, translate: Callable[[Text], str], language: str) -> None:
        self._page = page
        self._translate = translate
        self._language = "zh-CN" if language == "zh" else language

    def bytes(self) -> bytes:
        """Return the whole page."""
        page = self._page
        kind = T("更改历史") if page.timeline is not None else T("修订对照")
        title = f"{page.number} {page.title} {self._translate(kind)}"
        made = T("生成时间：{at}。非受控打印件。", at=_moment(page.made))
        parts = [
            "<!DOCTYPE html>",
            f'<html lang="{escape(self._language)}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{safe_html(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{safe_html(page.title)}</h1>",
            f"<p>{safe_html(page.number)} · {safe_html(page.company)} · {self._say(kind)}</p>",
            f'<p class="quiet">{self._say(made)}</p>',
            *self._revisions(),
            *self._timeline(),
            *self._comparisons(),
            *self._blame(),
            "</body></html>\n",
        ]
        return "\n".join(parts).encode()

    def _say(self, text: Text) -> str:
        return safe_html(self._translate(text))

    def _title(self, text: Text) -> str:
        return f"<h2>{self._say(text)}</h2>"

    # -- revisions ---------------------------------------------------------------------------------------------

    def _revisions(self) -> Iterator[str]:
        timeline = self._page.timeline
        if timeline is None or not timeline.revisions:
            return
        yield self._title(T("版本"))
        yield self._heads([T("版本"), T("状态"), T("生效"), T("批准"), T("更改"), T("原因")])
        for item in timeline.revisions:
            approved = (
                f"{item.approved[0]} {item.approved[1]:%Y-%m-%d}" if item.approved is not None else item.elsewhere
            )
            change = item.change.number if item.change is not None else ""
            status = self._page.statuses.get(item.revision)
            yield (
                f'<tr><td class="number">{safe_html(item.revision)}</td>'
                f"<td>{self._say(status) if status is not None else ''}</td>"
                f'<td class="number">{item.effective}</td><td>{safe_html(approved)}</td>'
                f'<td class="number">{safe_html(change)}</td><td>{self._why(item.first)}</td></tr>'
            )
        yield "</tbody></table>"

    # -- timeline ----------------------------------------------------------------------------------------------

    def _timeline(self) -> Iterator[str]:
        timeline = self._page.timeline
        if timeline is None:
            return
        heads = [T("序号"), T("版本"), T("时间"), T("更改人"), T("原因"), T("签署"), T("内容摘要")]
        yield self._title(T("时间线"))
        yield self._heads(heads)
        for item in timeline.versions:
            why = [self._why(item)]
            why += [safe_html(f"{row.clauses} {row.reason}".strip()) for row in item.recovered]
            if item.problem is not None:
                why.append(f'<span class="warning">{self._say(item.problem)}</span>')
            yield (
                f'<tr><td class="number">{item.serial}</td><td class="number">{self._revision(item)}</td>'
                f'<td class="number">{_moment(item.at)}</td><td>{self._author(item)}</td>'
                f"<td>{'<br>'.join(line for line in why if line)}</td><td>{self._signatures(item)}</td>"
                f"<td><code>{item.contents.hex[:16]}</code></td></tr>"
            )
        yield "</tbody></table>"

    def _heads(self, heads: Sequence[Text]) -> str:
        return f"<table><thead><tr>{''.join(f'<th>{self._say(head)}</th>' for head in heads)}</tr></thead><tbody>"

    def _revision(self, item: DocumentVersion) -> str:
        return self._say(T("已移出文件库")) if item.gone else safe_html(item.revision or "?")

    def _author(self, item: DocumentVersion) -> str:
        stated = item.stated
        by = item.change.drafter if item.change is not None else stated.by if stated is not None else None
        if by is None:
            unstated = T("没有签名陈述")
            return f'<span class="warning">{self._say(unstated)}</span>'
        wrong = stated.flaw if stated is not None else None
        flaw = f' <span class="warning">{self._say(wrong)}</span>' if wrong is not None else ""
        return f"{safe_html(by.name)}（{safe_html(by.post)}）{flaw}"

    def _why(self, item: DocumentVersion) -> str:
        return safe_html(item.why) if isinstance(item.why, str) else self._say(item.why)

    def _signatures(self, item: DocumentVersion) -> str:
        told = [self._signature(signature) for signature in item.signatures]
        if not told and not item.gone:
            missing = T("没有签署")
            told = [f'<span class="quiet">{self._say(missing)}</span>']
        return "<br>".join(told)

    def _signature(self, signature: VersionSignature) -> str:
        words = f"{signature.meaning} {signature.by.name} {_moment(signature.at)}"
        if signature.flaw is not None:
            return f'<span class="warning">{safe_html(words)}（{self._say(signature.flaw)}）</span>'
        return safe_html(signature.on_paper or words)

    # -- differences -------------------------------------------------------------------------------------------

    def _comparisons(self) -> Iterator[str]:
        if not self._page.comparisons:
            return
        yield self._title(T("逐次对比"))
        for old, new, comparison in reversed(self._page.comparisons):
            yield f"<h3>{self._version(old)} → {self._version(new)}</h3>"
            told = T("{changes}。", changes=comparison.explain())
            yield f'<p class="quiet">{self._say(told)}</p>'
            for item in comparison.control:
                marks = f"<del>{safe_html(item.old)}</del>" if item.old else ""
                marks += f" <ins>{safe_html(item.new)}</ins>" if item.new else ""
                yield f'<div class="change">{self._say(item.item)}：<span class="wording">{marks}</span></div>'
            for path, kind in comparison.files:
                yield f'<div class="change">{self._kind(CHANGE_WORDS[kind])}{safe_html(path)}</div>'
            for change in comparison.changes:
                kinds = "".join(self._kind(word) for kind, word in CHANGE_WORDS.items() if kind in change.kinds)
                yield f'<div class="change">{kinds}<b>{safe_html(change.place)}</b>{self._change(change)}</div>'

    def _version(self, item: DocumentVersion) -> str:
        if item.draft and item.change is not None:
            named = {"revision": item.revision, "change": item.change.number}
            return self._say(T("{revision}（更改 {change} 的草稿）", **named))
        if not item.commit:
            return self._say(T("{revision}（工作目录）", revision=item.revision))
        words = {"revision": item.revision, "serial": item.serial, "at": _moment(item.at)}
        return self._say(T("{revision}（第 {serial} 次更改，{at}）", **words))

    def _kind(self, word: Text) -> str:
        return f'<span class="kind">{self._say(word)}</span>'

    def _change(self, change: PieceChange) -> str:
        if change.stretches:
            return f'<div class="wording">{_marked(change.stretches)}</div>'
        if change.rows:
            rows = "".join(
                f"<tr>{''.join(f'<td>{_marked(cell)}</td>' for cell in row.cells)}</tr>" for row in change.rows
            )
            return f'<table class="wording">{rows}</table>'
        piece = change.new or change.old
        tag = "ins" if change.old is None else "del"
        return self._whole(piece, tag) if piece is not None else ""

    def _whole(self, piece: Shown, tag: str) -> str:
        if isinstance(piece, Table):
            rows = "".join(
                f"<tr>{''.join(f'<td><{tag}>{safe_html(cell)}</{tag}></td>' for cell in row)}</tr>"
                for row in piece.rows
            )
            return f'<table class="wording">{rows}</table>'
        if isinstance(piece, Island):
            caption = piece.caption or self._translate(T("图表"))
            return f'<div class="wording"><{tag}>〔{safe_html(caption)}〕</{tag}></div>'
        return f'<div class="wording"><{tag}>{safe_html(piece.content)}</{tag}></div>'

    # -- blame -------------------------------------------------------------------------------------------------

    def _blame(self) -> Iterator[str]:
        if not self._page.blame:
            return
        yield self._title(T("条款溯源"))
        yield self._heads(
            [
                *(T("条款"), T("内容"), T("版本"), T("更改"), T("时间")),
                *(T("起草"), T("审核"), T("批准"), T("原因")),
            ]
        )
        for item in self._page.blame:
            changed = item.changed
            approved = ""
            if item.approved is not None and item.approved_in is not None:
                approved = f"{item.approved.by.name} {item.approved.at:%Y-%m-%d}（{item.approved_in.revision}）"
            yield (
                f'<tr><td class="number">{safe_html(item.place)}</td>'
                f'<td class="wording">{safe_html(item.clause.text)}{self._earlier(item)}</td>'
                f'<td class="number">{safe_html(changed.revision)}</td>'
                f'<td class="number">{safe_html(changed.change.number if changed.change is not None else "")}</td>'
                f'<td class="number">{changed.at:%Y-%m-%d}</td>'
                f"<td>{safe_html(item.drafted_by) or self._author(changed)}</td>"
                f"<td>{safe_html('、'.join(item.reviewed_by))}</td>"
                f"<td>{safe_html(approved)}</td><td>{self._why(changed)}</td></tr>"
            )
        yield "</tbody></table>"

    def _earlier(self, item: ClauseBlame) -> str:
        if len(item.wordings) <= 1:
            return ""
        lines = []
        for wording in item.wordings[1:]:
            head = f"{wording.version.revision} {wording.version.at:%Y-%m-%d} {wording.version.author}"
            lines.append(
                f'<div class="change"><span class="quiet">{safe_html(head)}</span> {_marked(wording.stretches)}</div>'
            )
        summary = T("以前的写法")
        return f"<details><summary>{self._say(summary)}</summary>{''.join(lines)}</details>"


def _marked(stretches: Sequence[Stretch]) -> str:
    return marked_html(stretches)


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")
