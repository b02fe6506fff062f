"""考题文件. Questions on a revision as people write them in YAML → `QuestionSheet`, with every problem and its line.

```
format: wenkong/questions/1
questions:
  - {ask: 接到投诉后多久首次答复？, choices: [1 个工作日内, 3 个工作日内, 一周内], answer: A}
  - {ask: 哪些情况须报告不良事件？, choices: [死亡, 严重伤害, 包装破损], answer: [A, B]}
  - {ask: 投诉可以先口头处理、事后不登记。, answer: 错}
```
"""

from __future__ import annotations

from controller.domain.errors import MisconfiguredError
from controller.domain.text import T
from controller.domain.training_questions import (
    LETTERS,
    MOST_QUESTIONS,
    RIGHT,
    WRONG,
    Question,
    QuestionSheet,
    normalised,
)
from controller.file_formats.definition_reading import DefinitionFileError, Part, Reading

QUESTIONS_FORMAT = "wenkong/questions/1"
QUESTIONS_LIMIT = 64 * 1024
"""Bytes; twenty questions are far below."""
_LEAST_CHOICES = 2
_LENGTH = 300


class QuestionFileError(DefinitionFileError, MisconfiguredError):
    """考题文件有误. The file cannot be used; `findings` has every problem with its line."""

    code = "questions-invalid"
    says = T("考题文件有 {count} 处错误，第一处：{problem}")


def read_questions(text: str, *, where: str) -> QuestionSheet:
    """Return the questions in `text`.

    Raises:
        QuestionFileError: the file has errors; carries all of them.
    """
    reading = Reading()
    top = reading.file(text, where=where, title=T("考题"), expected=QUESTIONS_FORMAT)
    if top is None:
        raise QuestionFileError(findings=reading.findings)
    top.check_keys(("format", "note", "questions"))
    parts = top.listed("questions")
    if not 1 <= len(parts) <= MOST_QUESTIONS and not reading.broken:
        top.wrong("questions", "definition-value", T("应有 1 到 {most} 道题", most=MOST_QUESTIONS))
    questions = [_question(part) for part in parts]
    asked = [item.ask for item in questions if item is not None]
    twice = sorted({ask for ask in asked if asked.count(ask) > 1})
    if twice:
        top.wrong("questions", "definition-value", T("有重复的题：{asked}", asked=twice[0][:40]))
    if reading.broken:
        raise QuestionFileError(findings=reading.findings)
    return QuestionSheet(tuple(item for item in questions if item is not None))


def _question(part: Part) -> Question | None:
    part.check_keys(("ask", "choices", "answer"))
    ask = part.text("ask", needed=True, limit=_LENGTH)
    choices = part.texts("choices")
    if "choices" in part.data and not _LEAST_CHOICES <= len(choices) <= len(LETTERS):
        message = T("选项应有 {least} 到 {most} 项", least=_LEAST_CHOICES, most=len(LETTERS))
        part.wrong("choices", "definition-value", message)
        return None
    if any(len(choice) > _LENGTH for choice in choices):
        part.wrong("choices", "definition-value", T("选项不能超过 {limit} 个字", limit=_LENGTH))
    value = part.data.get("answer")
    if isinstance(value, bool):
        given, listed = (RIGHT if value else WRONG), False
    elif isinstance(value, list):
        given, listed = "".join(part.texts("answer")), True
    else:
        given, listed = part.text("answer", needed=True) or "", False
    if ask is None or not given:
        if listed and not part.reading.broken:
            part.wrong("answer", "definition-value", T("answer 至少写一项"))
        return None
    answer = normalised(given)
    question = Question(ask, choices, answer, several=bool(choices) and (listed or len(answer) > 1))
    problem = question.problem_of(answer)
    if problem is not None:
        hint = T("单选写 A，多选写 [A, C]，判断写 对 或 错。")
        part.wrong("answer", "definition-value", T("answer 不对：{problem}", problem=problem), hint=hint)
        return None
    return question
