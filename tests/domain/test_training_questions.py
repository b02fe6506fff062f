"""Questions and answers: what a question file may say, how answers are written, what counts as right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.training_questions import AnswersUnclearError, QuestionKind, QuestionSheet, written
from controller.file_formats.question_file import QuestionFileError, read_questions

SHEET = """format: wenkong/questions/1
questions:
  - {ask: 多久首次答复？, choices: [1 个工作日, 3 个工作日, 一周], answer: A}
  - {ask: 哪些要报告？, choices: [死亡, 严重伤害, 包装破损], answer: [B, A]}
  - {ask: 可以事后补登。, answer: 错}
"""


def sheet() -> QuestionSheet:
    return read_questions(SHEET, where="题.yml")


def test_the_kind_follows_from_choices_and_answer() -> None:
    assert [(item.kind, item.answer) for item in sheet().questions] == [
        (QuestionKind.SINGLE, "A"),
        (QuestionKind.MULTIPLE, "AB"),
        (QuestionKind.JUDGEMENT, "错"),
    ]


@pytest.mark.parametrize(
    "text", ["1A 2AB 3错", "3错，2BA；1a", "1.A\n2.AB\n3.错误\n", "１Ａ ２ＡＢ ３×", "1A2AB3错", "1、A 2、AB 3、否"]
)
def test_answers_are_read_as_people_write_them(text: str) -> None:
    answers = sheet().read_answers(text)
    assert (answers, sheet().right(answers)) == (("A", "AB", "错"), 3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1A 2AB", "第 3 题没有答"),
        ("1A 1B 2AB 3对", "第 1 题答了两次"),
        ("1A 2AB 3对 4A", "没有第 4 题"),
        ("1AB 2A 3对", "第 1 题：单选题只选一项"),
        ("1D 2A 3对", "第 1 题：选项是 A 到 C"),
        ("1A 2A 3A", "第 3 题：判断题请答“对”或“错”"),
        ("1A 2A 我不知道", "不是答案"),
        ("", "没有答"),
    ],
)
def test_what_is_no_clear_answer_counts_for_nothing(text: str, problem: str) -> None:
    with pytest.raises(AnswersUnclearError) as caught:
        sheet().read_answers(text)
    assert problem in str(caught.value.message)


def test_half_of_a_multiple_choice_is_not_right() -> None:
    assert sheet().right(sheet().read_answers("1A 2A 3错")) == 2


@given(st.tuples(st.sampled_from("ABC"), st.sets(st.sampled_from("ABC"), min_size=1), st.sampled_from("对错")))
def test_answers_are_read_back_as_they_are_kept(given_: tuple[str, set[str], str]) -> None:
    answers = (given_[0], "".join(sorted(given_[1])), given_[2])
    assert sheet().read_answers(written(answers)) == answers


@given(st.text())
def test_any_text_is_answers_or_is_refused(text: str) -> None:
    try:
        answers = sheet().read_answers(text)
    except AnswersUnclearError:
        return
    assert len(answers) == 3


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("answer: A}", "answer: D}", "选项是 A 到 C"),
        ("answer: A}", "answer: []}", "answer 至少写一项"),
        (", answer: 错", "", "缺少 answer"),
        ("answer: 错", "answer: B", "判断题请答"),
        ("[1 个工作日, 3 个工作日, 一周]", "[1 个工作日]", "选项应有 2 到 8 项"),
        ("ask: 可以事后补登。", "ask: 多久首次答复？", "有重复的题"),
        ("ask: 可以事后补登。", "asks: 可以事后补登。", "不认识的键"),
        ("wenkong/questions/1", "wenkong/questions/2", "format 应为"),
        ("- {ask", "- &x {ask", ""),
    ],
)
def test_a_question_file_that_is_wrong_is_refused_with_its_place(old: str, new: str, problem: str) -> None:
    with pytest.raises(QuestionFileError) as caught:
        read_questions(SHEET.replace(old, new), where="题.yml")
    assert any(problem in str(item.message) for item in caught.value.findings)
    assert all(item.line is not None for item in caught.value.findings)


def test_twenty_questions_are_the_most() -> None:
    row = "  - {{ask: 第{0}问。, answer: 对}}\n"
    head = "format: wenkong/questions/1\nquestions:\n"
    assert len(read_questions(head + "".join(row.format(n) for n in range(20)), where="题.yml").questions) == 20
    for count in (0, 21):
        with pytest.raises(QuestionFileError):
            read_questions(head + "".join(row.format(n) for n in range(count)), where="题.yml")
