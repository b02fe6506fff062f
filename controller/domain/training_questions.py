"""阅知考题. The questions that may go with reading a revision: single and multiple choice, right or wrong.

Whoever answers sees texts and choices; which answer is right stays with the sheet. Nothing here knows who answers.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.domain.text import Text

LETTERS = "ABCDEFGH"
"""What stands before the choices of a question, in order."""
RIGHT, WRONG = "对", "错"
"""The two answers to a statement that is right or wrong."""
MOST_QUESTIONS = 20
_SAME_AS_RIGHT = frozenset({"对", "是", "√", "正确"})
_SAME_AS_WRONG = frozenset({"错", "否", "×", "错误", "不对"})
_ANSWER = re.compile(r"(\d{1,2})\s*[.、:：]?\s*([A-H]+|正确|错误|不对|[对错是否√×])(?=[\s,，、;；。]|\d|$)")
_BETWEEN = re.compile(r"[\s,，、;；。]*")


class QuestionKind(StrEnum):
    """题型."""

    SINGLE = "单选"
    MULTIPLE = "多选"
    JUDGEMENT = "判断"


class AnswersUnclearError(RefusedError):
    """答案写法不对. An answer is missing, given twice, or names a choice that the question does not have."""

    code = "answers-unclear"

    def __init__(self, *, problem: Text, count: int) -> None:
        super().__init__(
            T("答案看不明白：{problem}。没有评分，也不计次数。", problem=problem),
            hint=T("{count} 道题每题答一次，例如 --answers “1A 2BC 3对”。", count=count),
        )


@dataclass(frozen=True)
class Question:
    """考题. What is asked, the choices (none: right or wrong), and the right answer."""

    ask: str
    choices: tuple[str, ...]
    answer: str
    """Letters in their order, or `RIGHT`, `WRONG`."""
    several: bool = False
    """Whether more than one choice may be right."""

    @property
    def kind(self) -> QuestionKind:
        """Single choice, multiple choice, or right or wrong."""
        if not self.choices:
            return QuestionKind.JUDGEMENT
        return QuestionKind.MULTIPLE if self.several else QuestionKind.SINGLE

    def problem_of(self, answer: str) -> Text | None:
        """Return why `answer` is none to this question, None when it is one, right or wrong."""
        if not self.choices:
            return None if answer in {RIGHT, WRONG} else T("判断题请答“对”或“错”")
        letters = LETTERS[: len(self.choices)]
        if not answer or any(letter not in letters for letter in answer):
            return T("选项是 {first} 到 {last}", first=letters[0], last=letters[-1])
        if len(answer) > 1 and not self.several:
            return T("单选题只选一项")
        return None


@dataclass(frozen=True)
class QuestionSheet:
    """考题单. One to twenty questions."""

    questions: tuple[Question, ...]

    def right(self, answers: tuple[str, ...]) -> int:
        """Return how many of `answers`, one for each question, are right."""
        return sum(given == item.answer for given, item in zip(answers, self.questions, strict=True))

    def read_answers(self, text: str) -> tuple[str, ...]:
        """Return the answers in a text such as `1A 2BC 3对`, one for each question, in order.

        Raises:
            AnswersUnclearError: not every question is answered exactly once, or an answer is none.
        """
        count = len(self.questions)
        given: dict[int, str] = {}
        plain = unicodedata.normalize("NFKC", text).upper()
        place = _skipped(plain, 0)
        while place < len(plain):
            found = _ANSWER.match(plain, place)
            if found is None:
                raise AnswersUnclearError(problem=T("“{text}”不是答案", text=plain[place : place + 12]), count=count)
            number, answer = int(found[1]), normalised(found[2])
            if not 1 <= number <= count:
                raise AnswersUnclearError(problem=T("没有第 {number} 题", number=number), count=count)
            if number in given:
                raise AnswersUnclearError(problem=T("第 {number} 题答了两次", number=number), count=count)
            problem = self.questions[number - 1].problem_of(answer)
            if problem is not None:
                told = T("第 {number} 题：{problem}", number=number, problem=problem)
                raise AnswersUnclearError(problem=told, count=count)
            given[number] = answer
            place = _skipped(plain, found.end())
        missing = [number for number in range(1, count + 1) if number not in given]
        if missing:
            raise AnswersUnclearError(problem=T("第 {numbers} 题没有答", numbers=missing), count=count)
        return tuple(given[number] for number in range(1, count + 1))


def normalised(answer: str) -> str:
    """Return an answer to one question in the one way in which it is kept: letters in order, or `RIGHT`, `WRONG`."""
    text = unicodedata.normalize("NFKC", answer).strip().upper()
    if text in _SAME_AS_RIGHT:
        return RIGHT
    if text in _SAME_AS_WRONG:
        return WRONG
    letters = [letter for letter in text if letter not in " ,、，"]
    return "".join(sorted(set(letters)))


def written(answers: tuple[str, ...]) -> str:
    """Return answers as they are kept in the statement: `1A 2BC 3对`."""
    return " ".join(f"{number}{answer}" for number, answer in enumerate(answers, 1))


def _skipped(text: str, place: int) -> int:
    found = _BETWEEN.match(text, place)
    return found.end() if found is not None else place
