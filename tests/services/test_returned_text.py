"""A document goes to Word and comes back: what was edited is taken, by whom is told, what is uncertain is asked."""

from __future__ import annotations

import io

import docx
import pytest

from controller.domain.word_changes import ChangeKind
from controller.file_formats.docx_package import open_docx
from controller.services.returned_text import CheckinEmptyError, CheckinIncompleteError
from tests.checked_out import (
    NUMBER,
    TEXT,
    WHO,
    Sent,
    deleted,
    doubts,
    inserted,
    lines_of,
    new_paragraph,
    paragraph_with,
    with_body,
)

IDS = ("c1", "c2", "c3", "c4", "c5")


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("closed", [True, False])
def test_what_is_not_edited_comes_back_to_the_byte(ends: str, closed: bool) -> None:
    text = TEXT.replace("\n", ends)
    sent = Sent(text if closed else text.rstrip())
    back = sent.back(sent.docx)
    assert back.unchanged
    assert back.text == sent.document.text
    assert (back.traced.ids, back.clauses, back.doubts, back.notes) == (IDS, (), (), ())


@pytest.mark.parametrize(
    "text",
    [
        "一、总则1.1 为了加强管理,制定本制度。\n1.2 本制度适用于全体人员。\n二、职责2.1 中心设主任一名。\n",
        "第一章总则第一条为规范保管,制定本规程。\n第二条适用于常温库。\n第二章保管第三条钥匙由主管保管。\n",
        "回访程序\n版本:B/1\n\n1、目的:回访。\n\n\n2、范围:全部。\n第 3 页 共 9 页\n",
        "回访程序\n1.目的:回访。\n|项目|要求|\n|---|---|\n|外观|无划痕\\n无裂纹|\n|a\\|b| |\n2.范围:全部。\n",
        "回访程序\n1.目的:含\t制表符和  两个空格,以及<尖括号>&符号。\n 2.范围:前面有空格。  \n",
        "  \n\n1.目旳:没有标题,有异体字旳。\n（1）登记；\n（2）拍照。\n① 甲\n② 乙",
        "回访程序\n没有编号的一段。\n1.目的:见下。\n①甲②乙③丙\n",
    ],
)
def test_every_kind_of_text_comes_back_to_the_byte(text: str) -> None:
    sent = Sent(text)
    back = sent.back(sent.docx)
    assert (back.text, back.unchanged, back.doubts) == (text, True, ())


def test_a_tracked_insertion_and_deletion_are_taken_with_who_and_when() -> None:
    sent = Sent()
    back = sent.back(sent.edited(("不少于30分钟", "不少于" + deleted("30") + inserted("60") + "分钟")))
    assert lines_of(back)[5] == "3.2.按说明书选用消毒剂,作用时间不少于60分钟。"
    assert [(item.kind, item.author, item.at, item.text, item.clause) for item in back.changes] == [
        (ChangeKind.DELETED, "王芳", "2026-03-02T10:05:00Z", "30", "c5"),
        (ChangeKind.INSERTED, "王芳", "2026-03-02T10:05:00Z", "60", "c5"),
    ]
    (change,) = back.clauses
    assert (change.clause, change.kind, change.tracked) == ("c5", "edited", True)
    assert (back.traced.ids, back.doubts, back.notes) == (IDS, (), ())


def test_an_edit_without_a_trace_is_told() -> None:
    sent = Sent()
    back = sent.back(sent.edited(("30分钟", "60分钟")))
    assert [(item.clause, item.tracked) for item in back.clauses] == [("c5", False)]
    assert [item.code for item in back.notes] == ["checkin-untracked"]
    assert back.doubts == ()


def test_a_new_clause_gets_a_new_id_and_the_others_keep_theirs() -> None:
    sent = Sent()
    place = paragraph_with(sent.docx, "按说明书")
    renumbered = place.replace("3.2.", "3." + deleted("2") + inserted("3") + ".")
    back = sent.back(sent.edited((place, new_paragraph("3.2.登记机号。") + renumbered)))
    assert lines_of(back)[5:] == ["3.2.登记机号。", "3.3.按说明书选用消毒剂,作用时间不少于30分钟。"]
    assert back.traced.ids == ("c1", "c2", "c3", "c4", "c6", "c5")
    assert [(item.clause, item.kind, item.tracked) for item in back.clauses] == [
        ("c6", "added", True),
        ("c5", "renumbered", True),
    ]
    assert back.doubts == ()


def test_a_paragraph_deleted_with_its_end_is_gone() -> None:
    sent = Sent()
    place = paragraph_with(sent.docx, "收到退机")
    gone = place.replace("<w:r>", f"<w:del {WHO}><w:r>").replace("</w:r>", "</w:r></w:del>")
    gone = gone.replace("<w:t ", "<w:delText ").replace("</w:t>", "</w:delText>")
    gone = gone.replace("</w:pPr>", f"<w:rPr><w:del {WHO}/></w:rPr></w:pPr>")
    back = sent.back(sent.edited((place, gone), ("3.2.", "3.1.")))
    assert lines_of(back)[4:] == ["3.1.按说明书选用消毒剂,作用时间不少于30分钟。"]
    assert (back.traced.ids, back.traced.removed) == (("c1", "c2", "c3", "c5"), ("c4",))
    assert (ChangeKind.DELETED, "c4") in [(item.kind, item.clause) for item in back.changes]


def test_a_moved_clause_keeps_its_id() -> None:
    sent = Sent()
    place = paragraph_with(sent.docx, "2.范围")
    text = "2.范围:适用于客户退回的全部设备。"
    away = (
        f'<w:p><w:pPr><w:rPr><w:moveFrom {WHO}/></w:rPr></w:pPr><w:moveFromRangeStart w:id="1" w:name="move1"/>'
        f'<w:moveFrom {WHO}><w:r><w:t>{text}</w:t></w:r></w:moveFrom><w:moveFromRangeEnd w:id="1"/></w:p>'
    )
    run = f"<w:r><w:t>{text}</w:t></w:r>"
    here = f"<w:p><w:pPr><w:rPr><w:moveTo {WHO}/></w:rPr></w:pPr><w:moveTo {WHO}>{run}</w:moveTo></w:p>"
    first = paragraph_with(sent.docx, "1.目的")
    back = sent.back(sent.edited((place, away), (first, here + first)))
    assert lines_of(back)[1:3] == [text, "1.目的:防止交叉污染,保护人员安全。"]
    assert back.traced.ids == ("c2", "c1", "c3", "c4", "c5")
    assert {item.kind for item in back.changes} == {ChangeKind.MOVED_FROM, ChangeKind.MOVED_TO}
    assert [item.kind for item in back.clauses] == ["moved"]


def test_a_comment_is_told_with_its_clause_and_is_no_text() -> None:
    sent = Sent()
    comments = (
        '<w:comments xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:comment w:id="0" '
        'w:author="李\u202e强" w:date="昨天"><w:p><w:r><w:t>这里要写\u0085型号</w:t></w:r></w:p></w:comment>'
        "</w:comments>"
    )
    body = (
        ("收到退机后", '收到</w:t></w:r><w:commentRangeStart w:id="0"/><w:r><w:t>退机后'),
        (
            "放入待消毒区",
            '放入待消毒</w:t></w:r><w:commentRangeEnd w:id="0"/><w:r><w:commentReference w:id="0"/></w:r><w:r><w:t>区',
        ),
    )
    back = sent.back(with_comments(sent, comments, body))
    assert back.unchanged
    (comment,) = back.comments
    assert (comment.author, comment.at, comment.text, comment.clause) == ("李�强", "", "这里要写 型号", "c4")
    assert (back.doubts, back.notes) == ((), ())


def with_comments(sent: Sent, comments: str, edits: tuple[tuple[str, str], ...]) -> bytes:
    types = open_docx(sent.docx).contents["[Content_Types].xml"].decode()
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml"
    types = types.replace("</Types>", f'<Override PartName="/word/comments.xml" ContentType="{kind}"/></Types>')
    parts = {"word/comments.xml": comments.encode(), "[Content_Types].xml": types.encode()}
    return sent.edited(*edits, parts=parts)


def test_formatting_is_told_and_what_it_means_is_asked() -> None:
    sent = Sent()
    change = (
        f'<w:r><w:rPr><w:b/><w:u w:val="single"/><w:rPrChange {WHO}><w:rPr/></w:rPrChange></w:rPr><w:t>退机</w:t></w:r>'
    )
    raised = '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>30</w:t></w:r>'
    back = sent.back(
        sent.edited(
            ("收到退机", f"收到</w:t></w:r>{change}<w:r><w:t>"),
            ("30分钟", f"</w:t></w:r>{raised}<w:r><w:t>分钟"),
        )
    )
    assert back.unchanged
    assert [(item.kind, item.text, item.clause) for item in back.changes] == [(ChangeKind.FORMATTED, "退机", "c4")]
    assert doubts(back) == ["checkin-format-means"]
    assert [item.code for item in back.notes] == ["checkin-format-left-out"]


def test_automatic_numbers_are_typed_out() -> None:
    sent = Sent()
    place = paragraph_with(sent.docx, "按说明书")
    auto = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    more = "".join(new_paragraph(text, properties=auto) for text in ("登记机号。", "贴上标签。"))
    back = sent.back(with_numbering(sent, (place, place + more), "%1)", 1))
    assert lines_of(back)[6:] == ["1)登记机号。", "2)贴上标签。"]
    assert back.traced.added == ("c6", "c7")
    assert back.doubts == ()


def test_automatic_numbers_that_follow_from_tracked_changes_are_told_with_what_they_were() -> None:
    sent = Sent()
    place = paragraph_with(sent.docx, "按说明书")
    auto = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    gone = (
        f"<w:p><w:pPr>{auto}<w:rPr><w:del {WHO}/></w:rPr></w:pPr>"
        f"<w:del {WHO}><w:r><w:delText>登记机号。</w:delText></w:r></w:del></w:p>"
    )
    more = gone + "".join(new_paragraph(text, tracked=False, properties=auto) for text in ("贴上标签。", "签名。"))
    back = sent.back(with_numbering(sent, (place, place + more), "%1)", 1))
    assert lines_of(back)[6:] == ["1)贴上标签。", "2)签名。"]
    told = {item.code: str(item.message) for item in back.notes}
    assert told["checkin-automatic-numbers-changed"] == "接受修订后，自动编号变了：2) → 1)、3) → 2)。"
    assert told["checkin-numbers-typed"] == "2 处自动编号按显示的号写成了文字。"


def with_numbering(sent: Sent, edit: tuple[str, str], text: str, start: int) -> bytes:
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.numbering+xml"
    types = open_docx(sent.docx).contents["[Content_Types].xml"].decode()
    types = types.replace("</Types>", f'<Override PartName="/word/numbering.xml" ContentType="{kind}"/></Types>')
    numbering = (
        '<w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:abstractNum '
        f'w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="{start}"/><w:numFmt w:val="decimal"/><w:lvlText '
        f'w:val="{text}"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )
    parts = {"word/numbering.xml": numbering.encode(), "[Content_Types].xml": types.encode()}
    return sent.edited(edit, parts=parts)


def test_a_clause_cut_in_two_is_asked() -> None:
    sent = Sent()
    cut = "放入待消毒区,</w:t></w:r></w:p><w:p><w:r><w:t>3.2.贴上标签后登记,放入待消毒区"
    back = sent.back(sent.edited(("放入待消毒区", cut), ("3.2.按", "3.3.按")))
    assert doubts(back)[0] == "clause-split"
    assert back.traced.ids[3] in {"c4", "c6"}


def test_two_clauses_made_one_are_asked() -> None:
    sent = Sent()
    one = paragraph_with(sent.docx, "3.1.")
    other = paragraph_with(sent.docx, "3.2.")
    inner = other.partition("</w:pPr>")[2].removesuffix("</w:p>").replace("3.2.", "并")
    back = sent.back(sent.edited((one + other, one.removesuffix("</w:p>") + inner + "</w:p>")))
    assert doubts(back) == ["clause-merged"]
    assert len(back.traced.removed) == 1


def test_a_bookmark_that_stands_twice_is_asked() -> None:
    sent = Sent()
    place = paragraph_with(sent.docx, "3.2.")
    copy = place.replace("3.2.按说明书选用消毒剂", "3.3.另外选用别的清洁剂")
    assert doubts(sent.back(sent.edited((place, place + copy)))) == []  # one of them is word for word the old one
    back = sent.back(sent.edited((place, place.replace("30分钟", "60分钟") + copy)))
    assert doubts(back) == ["clause-bookmark-doubled"]
    assert back.traced.ids == (*IDS, "c6")


def test_numbers_changed_by_hand_are_asked() -> None:
    sent = Sent()
    back = sent.back(sent.edited(("3.1.", "3.2."), ("3.2.按", "3.3.按")))
    assert "checkin-renumbered" in doubts(back)
    assert back.traced.ids == IDS


def test_text_above_every_clause_is_asked() -> None:
    sent = Sent()
    first = paragraph_with(sent.docx, "1.目的")
    back = sent.back(sent.edited((first, new_paragraph("本程序自发布之日起施行。") + first)))
    assert doubts(back) == ["checkin-outside-clauses"]


def test_edits_around_the_text_are_asked_and_not_taken() -> None:
    sent = Sent()
    back = sent.back(sent.edited(("质管部", "售后部")))
    assert (back.unchanged, doubts(back)) == (True, ["checkin-furniture"])


def test_clauses_are_found_by_their_words_when_every_bookmark_is_gone() -> None:
    import re

    sent = Sent()
    body = re.sub(r"<w:bookmark(?:Start|End)[^>]*/>", "", open_docx(sent.docx).contents["word/document.xml"].decode())
    back = sent.back(with_body(sent.docx, body.replace("30分钟", "60分钟")))
    assert back.traced.ids == IDS
    assert lines_of(back)[5].endswith("60分钟。")
    assert back.doubts == ()


def test_a_table_edited_in_word_is_taken() -> None:
    sent = Sent("回访程序\n1.目的:回访。\n|项目|要求|\n|---|---|\n| 外观 |无划痕|\n|配件|齐全|\n2.范围:全部。\n")
    row = '<w:t xml:space="preserve">齐全'
    back = sent.back(sent.edited((row, row + "完好")))
    assert lines_of(back)[2:6] == ["|项目|要求|", "|---|---|", "| 外观 |无划痕|", "|配件|齐全完好|"]
    assert [item.kind for item in back.clauses] == ["beside-removed", "beside-added"]
    assert back.traced.ids == ("c1", "c2")


def test_a_row_deleted_with_a_trace_is_gone_and_what_was_formatted_in_a_table_is_told() -> None:
    sent = Sent("回访程序\n1.目的:回访。\n|项目|要求|\n|---|---|\n|外观|无划痕|\n|配件|齐全|\n2.范围:全部。\n")
    body = open_docx(sent.docx).contents["word/document.xml"].decode()
    start, last = (body.rindex("<w:tr>", 0, body.index(word)) for word in ("无划痕", "齐全"))
    change = f"<w:tcPrChange {WHO}><w:tcPr/></w:tcPrChange></w:tcPr>"
    formatted = body[start:last].replace("</w:tcPr>", change, 1)
    gone = body[last:].replace("</w:trPr>", f"<w:del {WHO}/></w:trPr>", 1)
    back = sent.back(with_body(sent.docx, body[:start] + formatted + gone))
    assert lines_of(back)[2:] == ["|项目|要求|", "|---|---|", "|外观|无划痕|", "2.范围:全部。"]
    told = [(item.kind, item.text, item.clause) for item in back.changes]
    assert told == [(ChangeKind.FORMATTED, "外观", "c1"), (ChangeKind.DELETED, "配件 | 齐全", "c1")]


def test_a_table_with_merged_cells_becomes_an_island_and_comes_back_untouched() -> None:
    merged = (
        '<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>合并的格</w:t></w:r></w:p></w:tc>'
        "</w:tr>"
        "<w:tr><w:tc><w:p><w:r><w:t>甲</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>乙</w:t></w:r></w:p></w:tc>"
        "</w:tr></w:tbl>"
    )
    sent = Sent()
    place = paragraph_with(sent.docx, "3.1.")
    back = sent.back(sent.edited((place, place + merged)))
    (digest,) = back.islands
    assert f"〔图表 {digest} 表格 合并的格甲乙〕" in lines_of(back)
    again = Sent(back.text, {digest.hex: back.islands[digest]})
    returned = again.back(again.docx)
    assert (returned.unchanged, returned.islands, returned.doubts) == (True, {}, ())
    changed = again.back(again.edited(("合并的格", "合并的大格")))
    assert not changed.unchanged
    assert len(changed.islands) == 1
    assert digest not in changed.islands


def test_what_a_reader_sees_and_the_text_lacks_is_refused() -> None:
    sent = Sent()
    place = paragraph_with(sent.docx, "3.1.")
    nested = "<w:p><w:r><w:ruby><w:rt><w:r><w:t>yi</w:t></w:r></w:rt></w:ruby></w:r></w:p>"
    back = sent.back(sent.edited((place, place + nested)))
    assert "yi" in back.text
    lost = "<w:customXmlBlock><w:p><w:r><w:t>看得见却读不进的话</w:t></w:r></w:p></w:customXmlBlock>"
    with pytest.raises(CheckinIncompleteError, match="看得见却读不进的话"):
        sent.back(sent.edited((place, place + lost)))


def test_a_file_without_clauses_is_refused() -> None:
    sent = Sent("1.目的:回访。\n")
    with pytest.raises(CheckinEmptyError):
        sent.back(sent.edited((paragraph_with(sent.docx, "1.目的"), "")))


def test_python_docx_edits_come_back() -> None:
    sent = Sent()
    document = docx.Document(io.BytesIO(sent.docx))
    last = next(item for item in document.paragraphs if "按说明书" in item.text)
    last.add_run("不得混用。").bold = True
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "消毒剂", "浓度"
    last._p.addnext(table._tbl)
    target = io.BytesIO()
    document.save(target)
    back = sent.back(target.getvalue())
    assert lines_of(back)[5:] == ["3.2.按说明书选用消毒剂,作用时间不少于30分钟。不得混用。", "|消毒剂|浓度|"]
    assert back.traced.ids == IDS
    assert NUMBER in back.text
