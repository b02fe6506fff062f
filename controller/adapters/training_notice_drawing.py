"""更改通知版式. Draws notices of change as a Word file in the house style, one page for each post.

What is taken away is red and struck through, what is new is green and underlined: it can be told apart in black and
white too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.house_page import TEXT_WIDTH, house_page
from controller.adapters.house_style import HEI
from controller.adapters.word_markup import HEADING_SHADE, LABEL_SHADE, Cell, gap, mm, page_break, paragraph, row, table
from controller.adapters.word_markup import text_run as run
from controller.domain.text import T, Text
from controller.domain.text_difference import Mark
from controller.file_formats.docx_package import write_docx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from controller.domain.text_difference import Stretch
    from controller.domain.training_notice import NoticeChange, NoticeForm, TrainingNotice

_BOLD = "<w:b/><w:bCs/>"
_MARKS = {
    Mark.SAME: "",
    Mark.ADDED: '<w:b/><w:bCs/><w:color w:val="05601F"/><w:u w:val="single"/>',
    Mark.REMOVED: '<w:strike/><w:color w:val="9C1C1C"/>',
}
_CENTRED = '<w:jc w:val="center"/>'
_ROOM = '<w:spacing w:before="140" w:after="60"/>'
_QUIET = '<w:color w:val="555555"/>'
_PLACE = mm(27)
_FACTS = (mm(21), mm(46), mm(17), mm(32), mm(24))
"""Widths of the first cells of the table at the head; the last has the rest."""


def notice_docx(notices: Sequence[TrainingNotice], translate: Callable[[Text], str]) -> bytes:
    """Return the notices as docx, each on a page of its own; same input, same bytes."""
    drawn: list[str] = []
    for place, notice in enumerate(notices):
        drawn += [page_break()] if place else []
        drawn += _Page(notice, translate).drawn()
    first = notices[0]
    header = f"{first.company}　{translate(T('更改通知'))}　{first.number} {first.after}"
    return write_docx(house_page(drawn, header=header))


class _Page:
    def __init__(self, notice: TrainingNotice, translate: Callable[[Text], str]) -> None:
        self._notice = notice
        self._translate = translate

    def drawn(self) -> Iterator[str]:
        """Yield the page from its title down."""
        notice = self._notice
        yield paragraph(run(self._say(T("更改通知"))), "WkTitle")
        yield paragraph(run(f"《{notice.title}》{notice.number}", _BOLD), "WkSubtitle")
        yield gap()
        yield self._facts()
        yield self._section(T("一、与{post}有关的更改", post=notice.post))
        if notice.own:
            yield self._changes(notice.own)
        else:
            yield paragraph(run(self._say(T("没有专门写到本岗位的更改。"))), "WkTableCell")
        if notice.general or notice.more or notice.renumbered:
            yield self._section(T("二、其他更改"))
            if notice.general:
                yield self._changes(notice.general)
            for line in self._rest():
                yield paragraph(run(self._say(line), _QUIET), "WkSmall")
        number = "三" if notice.general or notice.more or notice.renumbered else "二"
        if notice.forms:
            yield self._section(T("{number}、表单", number=number))
            yield from (self._form(item) for item in notice.forms)
            number = "四" if number == "三" else "三"
        yield self._section(T("{number}、要做什么", number=number))
        for place, line in enumerate(notice.to_do, 1):
            yield paragraph(run(f"{place}．{self._say(line)}"), "WkTableCell", '<w:ind w:left="320" w:hanging="320"/>')
        yield gap()
        yield paragraph(run(self._say(notice.ask), f"{HEI}{_BOLD}"), "WkTableCell")
        made = T("{day} 由系统按两版的差别生成；红字划线为删去，绿字下划线为新增。以文件正文为准。", day=notice.made)
        yield paragraph(run(self._say(made), _QUIET), "WkSmall")

    def _say(self, text: Text) -> str:
        return self._translate(text)

    def _section(self, title: Text) -> str:
        return paragraph(run(self._say(title)), "WkSection", _ROOM)

    def _facts(self) -> str:
        notice = self._notice
        revision = (
            f"{notice.before} → {notice.after}" if notice.before else self._say(T("{new}（新文件）", new=notice.after))
        )
        facts = [
            (T("岗位"), notice.post),
            (T("版本"), revision),
            (T("生效日期"), notice.effective or self._say(T("未定"))),
        ]
        columns = (*_FACTS, TEXT_WIDTH - sum(_FACTS))
        cells = []
        for place, (label, value) in enumerate(facts):
            head = paragraph(run(self._say(label)), "WkTableHead")
            cells.append(Cell(head, columns[2 * place], shade=LABEL_SHADE))
            cells.append(Cell(paragraph(run(value, _BOLD), "WkTableCentre"), columns[2 * place + 1]))
        rows = [row(cells, height=mm(8))]
        if notice.reason:
            head = paragraph(run(self._say(T("更改原因"))), "WkTableHead")
            why = paragraph(run(notice.reason), "WkTableCell")
            two = (Cell(head, columns[0], shade=LABEL_SHADE), Cell(why, sum(columns[1:]), span=5))
            rows.append(row(two, height=mm(8)))
        return table(columns, rows)

    def _changes(self, changes: Sequence[NoticeChange]) -> str:
        columns = (_PLACE, TEXT_WIDTH - _PLACE)
        rows = []
        for item in changes:
            place = item.place if isinstance(item.place, str) else self._say(item.place)
            head = paragraph(run(place or "—", _BOLD), "WkTableCentre")
            if item.kinds:
                head += paragraph(run("、".join(self._say(kind) for kind in item.kinds), _QUIET), "WkTableCentre")
            words = paragraph(_marked(item.stretches), "WkTableCell")
            if item.because is not None:
                words += paragraph(run(self._say(item.because), f'{_QUIET}<w:sz w:val="16"/>'), "WkTableCell")
            cells = (Cell(head, columns[0], shade=HEADING_SHADE), Cell(words, columns[1]))
            rows.append(row(cells, height=mm(7)))
        return table(columns, rows)

    def _rest(self) -> Iterator[Text]:
        notice = self._notice
        if notice.renumbered:
            yield T("另有 {count} 条只改了编号。", count=notice.renumbered)
        if notice.more:
            facts = {"count": notice.more, "number": notice.number}
            yield T("还有 {count} 处更改这一页写不下，见修订对照：qms doc diff {number}。", **facts)

    def _form(self, item: NoticeForm) -> str:
        own = T("（本岗位填写）") if item.own else ""
        words = T("{title} {number}：{told}{own}", title=item.title, number=item.number, told=item.told, own=own)
        return paragraph(run(f"· {self._say(words)}"), "WkTableCell")


def _marked(stretches: Sequence[Stretch]) -> str:
    return "".join(run(item.text, _MARKS[item.mark]) for item in stretches)
