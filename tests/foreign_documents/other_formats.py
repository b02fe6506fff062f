"""Documents as web pages and RTF, which LibreOffice then writes as docx."""

from __future__ import annotations

from tests.foreign_documents.opendocument import picture


def html_files() -> dict[str, bytes]:
    """Return name → HTML."""
    bodies = {
        "html-lists": "<h1>培训制度</h1><ol><li>目的</li><li>内容<ol type='a'><li>授课</li><li>考核</li></ol></li>"
        "<li>记录</li></ol><ul><li>签到表</li><li>试卷</li></ul>",
        "html-table": "<p>1.见下表:</p><table border=1><thead><tr><th>项目<th>甲<th>乙</tr></thead><tbody><tr>"
        "<td rowspan=2>外观<td colspan=2>完好</tr><tr><td>无划痕<td>无裂纹</tr></tbody></table><p>2.完。</p>",
        "html-plain-table": "<p>1.见下表:</p><table><tr><td>温度<td>2~8℃</tr><tr><td>湿度<td></tr></table>"
        "<p>2.完。</p>",
        "html-marks": "<p>1.面积m<sup>2</sup>，水H<sub>2</sub>O，<del>旧</del><ins>新</ins>，<b>粗</b><u>线</u>"
        "<i>斜</i>，<a href='https://example.org/'>网页</a>，<a href='mailto:qa@example.org'>邮件</a>。</p>"
        "<p>2.&lt;尖括号&gt; &amp; 引号“”。</p><hr><p>3.横线之后。</p>",
        "html-odd": "<p>1.软&shy;连字，&nbsp;不换行空格，&#8207;右向标记，&#12288;全角空格。</p>"
        "<p dir=rtl>2.从右到左。</p><p></p><p>3.旳、扺、⼀，①②③ ㈠㈡ ⑴⑵ １．２，</p><blockquote>4.引文。</blockquote>",
    }
    head = '<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8"><title>x</title></head><body>'
    return {name: f"{head}{body}</body></html>".encode() for name, body in bodies.items()}


def _rtf(text: str) -> str:
    return "".join(
        sign if ord(sign) < 128 else f"\\u{ord(sign) - (65536 if ord(sign) > 32767 else 0)}?" for sign in text
    )


def rtf_files() -> dict[str, bytes]:
    """Return name → RTF."""
    image = picture().hex()
    row = r"\trowd\cellx3000\cellx6000 "
    bodies = {
        "rtf-typed": "1.目的：便于查找。\\par 2.范围：全部记录。\\par \\tab （1）纸质；\\line （2）电子。\\par ",
        "rtf-tracked": "1.保存{\\deleted\\revauthdel1\\revdttmdel-1534034330 三}{\\revised\\revauth1"
        "\\revdttm-1534034330 五}年。\\par {\\revised\\revauth1\\revdttm-1534034330 2.新增一条。\\par }3.存档。\\par ",
        "rtf-table": f"1.见表：\\par {row}甲\\cell 乙\\cell\\row {row}丙\\cell 丁\\cell\\row \\pard 2.完。\\par ",
        "rtf-picture": f"1.见图：\\par {{\\pict\\pngblip\\picw2\\pich2\\picwgoal600\\pichgoal600 {image}}}\\par "
        "\\page 2.新的一页。{\\super 2}\\par \\sect 3.新的一节。\\par ",
        "rtf-list": "{\\pntext\\f0 1.\\tab}{\\*\\pn\\pnlvlbody\\pndec\\pnstart1{\\pntxta .}}甲条。\\par "
        "{\\pntext\\f0 2.\\tab}乙条。\\par \\pard 3.手写的号。{\\footnote 脚注}\\par ",
    }
    head = r"{\rtf1\ansi\ansicpg936\deff0{\fonttbl{\f0 SimSun;}}{\*\revtbl{Unknown;}{\u29579?\u33459?;}}"
    return {name: (head + _rtf(body) + "}").encode("ascii") for name, body in bodies.items()}
