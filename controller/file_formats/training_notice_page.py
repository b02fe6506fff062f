"""更改通知网页. Notices of change as one self-contained HTML page: opens in any browser, also on a phone, and prints.

No scripts, nothing fetched, fonts by name. What people typed is escaped; characters that would turn or hide text are
replaced.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from controller.domain.text import T, Text
from controller.file_formats.html_text import marked_html, safe_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from controller.domain.training_notice import NoticeChange, TrainingNotice

_STYLE = """
:root{color-scheme:light}
body{font-family:"Source Han Sans SC","Noto Sans CJK SC","Microsoft YaHei","PingFang SC","Hiragino Sans GB",
"WenQuanYi Micro Hei","SimHei",sans-serif;font-size:16px;line-height:1.65;color:#1a1a1a;background:#fff;
max-width:46rem;margin:0 auto;padding:1.2rem}
article+article{border-top:4px double #888;margin-top:2.5rem;padding-top:1.5rem}
h1{font-size:1.5rem;text-align:center;margin:0}h2{font-size:1.05rem;margin:1.3rem 0 .4rem;color:#33557a}
.sub{text-align:center;font-weight:bold;margin:.2rem 0 1rem}p{margin:.3rem 0}
dl{display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;background:#f2f5f8;padding:.6rem .8rem;margin:0;border-radius:.3rem}
dl div{display:flex;gap:.5rem}dt{color:#555}dd{margin:0;font-weight:bold}
.change{border-left:4px solid #b7c4d1;padding:.1rem 0 .1rem .7rem;margin:.6rem 0}
.place{font-weight:bold;margin-right:.5rem}.kind{border:1px solid #888;border-radius:.2rem;padding:0 .3rem;
margin-right:.3rem;font-size:.8rem}.wording{white-space:pre-wrap;overflow-wrap:anywhere}
.quiet{color:#555;font-size:.85rem}.ask{font-weight:bold;margin-top:1rem}
ins{color:#05601f;background:#dff3e4;text-decoration:underline}
del{color:#9c1c1c;background:#fbe3e3;text-decoration:line-through}
@media print{body{max-width:none;padding:0;font-size:10.5pt}article+article{break-before:page;border:0;margin:0}
.change{break-inside:avoid}ins,del{background:none}@page{size:A4;margin:18mm 15mm}}
"""


def notice_page(notices: Sequence[TrainingNotice], translate: Callable[[Text], str], *, language: str = "zh") -> bytes:
    """Return the notices as UTF-8; `translate` gives each sentence in the reader's language."""
    first = notices[0]
    title = f"{translate(T('更改通知'))} {first.number} {first.after}"
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{"zh-CN" if language == "zh" else escape(language)}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{safe_html(title)}</title><style>{_STYLE}</style></head><body>",
    ]
    for notice in notices:
        parts += ["<article>", *_Article(notice, translate).lines(), "</article>"]
    return "\n".join([*parts, "</body></html>\n"]).encode()


class _Article:
    def __init__(self, notice: TrainingNotice, translate: Callable[[Text], str]) -> None:
        self._notice = notice
        self._translate = translate

    def lines(self) -> Iterator[str]:
        """Yield the notice from its title down."""
        notice = self._notice
        yield f"<h1>{self._say(T('更改通知'))}</h1>"
        yield f'<p class="sub">{safe_html(f"《{notice.title}》{notice.number}")}<br>{safe_html(notice.company)}</p>'
        yield f"<dl>{''.join(self._facts())}</dl>"
        yield self._head(T("与{post}有关的更改", post=notice.post))
        if not notice.own:
            yield f"<p>{self._say(T('没有专门写到本岗位的更改。'))}</p>"
        yield from (self._change(item) for item in notice.own)
        if notice.general or notice.more or notice.renumbered:
            yield self._head(T("其他更改"))
            yield from (self._change(item) for item in notice.general)
            if notice.renumbered:
                yield self._quiet(T("另有 {count} 条只改了编号。", count=notice.renumbered))
            if notice.more:
                facts = {"count": notice.more, "number": notice.number}
                yield self._quiet(T("还有 {count} 处更改这一页写不下，见修订对照：qms doc diff {number}。", **facts))
        if notice.forms:
            yield self._head(T("表单"))
            for item in notice.forms:
                own = T("（本岗位填写）") if item.own else ""
                words = T(
                    "{title} {number}：{told}{own}", title=item.title, number=item.number, told=item.told, own=own
                )
                yield f"<p>· {self._say(words)}</p>"
        yield self._head(T("要做什么"))
        yield f"<ol>{''.join(f'<li>{self._say(line)}</li>' for line in notice.to_do)}</ol>"
        yield f'<p class="ask">{self._say(notice.ask)}</p>'
        made = T("{day} 由系统按两版的差别生成；红字划线为删去，绿字下划线为新增。以文件正文为准。", day=notice.made)
        yield self._quiet(made)

    def _facts(self) -> Iterator[str]:
        notice = self._notice
        new = T("{new}（新文件）", new=notice.after)
        yield self._fact(T("岗位"), safe_html(notice.post))
        yield self._fact(T("版本"), safe_html(f"{notice.before} → {notice.after}") if notice.before else self._say(new))
        yield self._fact(T("生效日期"), safe_html(notice.effective) if notice.effective else self._say(T("未定")))
        if notice.reason:
            yield self._fact(T("更改原因"), safe_html(notice.reason))

    def _fact(self, label: Text, value: str) -> str:
        return f"<div><dt>{self._say(label)}</dt><dd>{value}</dd></div>"

    def _change(self, item: NoticeChange) -> str:
        place = safe_html(item.place) if isinstance(item.place, str) else self._say(item.place)
        kinds = "".join(f'<span class="kind">{self._say(kind)}</span>' for kind in item.kinds)
        words = marked_html(item.stretches)
        because = f'<div class="quiet">{self._say(item.because)}</div>' if item.because is not None else ""
        head = f'<span class="place">{place}</span>{kinds}'
        return f'<div class="change">{head}<div class="wording">{words}</div>{because}</div>'

    def _head(self, text: Text) -> str:
        return f"<h2>{self._say(text)}</h2>"

    def _quiet(self, text: Text) -> str:
        return f'<p class="quiet">{self._say(text)}</p>'

    def _say(self, text: Text) -> str:
        return safe_html(self._translate(text))
