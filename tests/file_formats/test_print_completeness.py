"""A PDF text is complete when every passage has its own place in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.file_formats.print_completeness import losses
from controller.file_formats.visible_text import Passage, normalised


def passage(text: str, *, every_page: bool = False, repeats: bool = False) -> Passage:
    return Passage("word/document.xml", text, (normalised(text),), every_page, repeats)


def lost(passages: list[Passage], pages: list[str]) -> list[tuple[str, str]]:
    return [(loss.passage.text, loss.missing) for loss in losses(passages, pages)]


def test_a_whole_print_loses_nothing() -> None:
    assert lost([passage("投诉内容"), passage("开机报警")], ["投诉内容\n开机\n报警"]) == []


def test_one_character_that_is_missing_is_named_with_its_passage() -> None:
    assert lost([passage("投诉内容"), passage("开机报警")], ["投诉内容 开机警"]) == [("开机报警", "报")]


def test_the_same_words_twice_must_be_there_twice() -> None:
    assert lost([passage("合格"), passage("合格")], ["合格"]) == [("合格", "合格")]


def test_a_passage_may_run_on_to_the_next_page_past_footer_and_header() -> None:
    header, footer = passage("某某公司", every_page=True), passage("第页", every_page=True)
    pages = ["某某公司 患者反映设备在使 第页", "某某公司 用中断电 第页"]
    assert lost([passage("患者反映设备在使用中断电"), header, footer], pages) == []


def test_a_header_must_stand_on_every_page() -> None:
    assert lost([passage("甲"), passage("某某公司", every_page=True)], ["某某公司 甲", "乙"]) == [
        ("某某公司", "某某公司")
    ]


def test_a_header_printed_on_three_pages_does_not_stand_in_for_a_lost_word() -> None:
    pages = ["质量投诉处理记录", "质量投诉处理记录", "质量投诉处理记录"]
    assert lost([passage("质量"), passage("质量投诉处理记录", every_page=True)], pages) == [("质量", "质量")]


def test_a_repeated_table_header_does_not_stand_in_for_a_lost_word() -> None:
    heads = [passage("序号", repeats=True), passage("数量", repeats=True)]
    pages = ["序号数量 一二", "序号数量 三"]
    assert lost([*heads, passage("一二"), passage("三"), passage("数量")], pages) == [("数量", "数量")]


def test_a_hyphen_that_the_engine_put_in_does_no_harm() -> None:
    assert lost([passage("documentation")], ["documen-\ntation"]) == []


@given(
    st.lists(st.text("质量投诉处理记录表单", min_size=1, max_size=12), min_size=1, max_size=8),
    st.data(),
)
def test_whatever_character_is_dropped_is_noticed(texts: list[str], data: st.DataObject) -> None:
    passages = [passage(text) for text in texts]
    whole = "\n".join(texts)
    place = data.draw(st.sampled_from([n for n, sign in enumerate(whole) if sign != "\n"]))
    assert losses(passages, [whole]) == []
    assert losses(passages, [whole[:place] + whole[place + 1 :]]) != []
