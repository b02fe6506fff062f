"""模板错误. What can be wrong with a Word template, each with the part and the visible text of the place."""

from __future__ import annotations

from controller.domain.errors import MisconfiguredError, RefusedError
from controller.domain.text import T, Text


class TemplateSyntaxProblemError(MisconfiguredError):
    """模板写法有误. A placeholder or tag that cannot be read."""

    code = "template-syntax"

    def __init__(self, *, part: str, place: str, problem: Text) -> None:
        super().__init__(
            T(
                "Word 模板（{part}）写法有误：{problem}。在“{place}”附近",
                part=part_title(part),
                place=place,
                problem=problem,
            ),
            hint=T("在 Word 中找到这段文字修改后再编译；写法见 docs/form-language.md。"),
            where=part,
        )


class UndefinedInTemplateError(MisconfiguredError):
    """模板用了没有的名称. Nothing is printed in its place: a blank would pass unnoticed."""

    code = "template-name-undefined"

    def __init__(self, *, name: str, part: str, place: str, close: str | None = None) -> None:
        super().__init__(
            T(
                "Word 模板（{part}）中的“{name}”没有对应的字段。在“{place}”附近",
                part=part_title(part),
                name=name,
                place=place,
            ),
            hint=T("是否想写 {close}？", close=close) if close else T("用 qms form lint 查看全部未声明的名称。"),
            where=part,
        )


class ForbiddenInTemplateError(RefusedError):
    """模板越界. The template reaches for program internals, files or anything but its values."""

    code = "template-forbidden"

    def __init__(
        self, *, what: str, line: int | None = None, unknown: bool = False, part: str = "", place: str = ""
    ) -> None:
        template = (
            T(
                "Word 模板（{part}）用了不存在的“{what}”。在“{place}”附近",
                part=part_title(part),
                what=what[:80],
                place=place,
            )
            if unknown
            else T(
                "Word 模板（{part}）不允许使用“{what}”。在“{place}”附近",
                part=part_title(part),
                what=what[:80],
                place=place,
            )
        )
        super().__init__(template, hint=T("模板只能排列表单的值；请删去该写法。"), where=part or None)
        self.what = what
        self.line = line
        self.unknown = unknown

    def at(self, *, part: str, place: str) -> ForbiddenInTemplateError:
        """Return the same error with its place."""
        return ForbiddenInTemplateError(what=self.what, line=self.line, unknown=self.unknown, part=part, place=place)


class TemplateLimitError(RefusedError):
    """模板耗费过大. A loop, repetition or number that would take too long or too much memory."""

    code = "template-limit"

    def __init__(self, *, detail: Text, part: str = "", place: str = "") -> None:
        super().__init__(
            T(
                "Word 模板（{part}）超出限度：{detail}。在“{place}”附近",
                part=part_title(part),
                detail=detail,
                place=place,
            ),
            hint=T("减少循环或重复；很长的清单请用台账分册打印。"),
            where=part or None,
        )
        self.detail = detail

    def at(self, *, part: str, place: str) -> TemplateLimitError:
        """Return the same error with its place."""
        return TemplateLimitError(detail=self.detail, part=part, place=place)


class UnprintableValueError(MisconfiguredError):
    """不能直接打印的值. A table or another compound value stands where a text belongs."""

    code = "template-value-unprintable"

    def __init__(self, *, kind: str, part: str = "", place: str = "") -> None:
        super().__init__(
            T(
                "Word 模板（{part}）把不能直接打印的值（{kind}）写进了正文。在“{place}”附近",
                part=part_title(part),
                kind=kind,
                place=place,
            ),
            hint=T("表格字段请用 {%tr for row in 字段 %} 逐行写出；选项请写 boxes.字段。"),
            where=part or None,
        )
        self.kind = kind

    def at(self, *, part: str, place: str) -> UnprintableValueError:
        """Return the same error with its place."""
        return UnprintableValueError(kind=self.kind, part=part, place=place)


class UnprintableCharacterError(RefusedError):
    """不能打印的字符. A control character that no Word file can hold."""

    code = "value-character-unprintable"

    def __init__(self, *, name: str, character: str) -> None:
        super().__init__(
            T("“{name}”的值含有不能写入 Word 的控制字符 {character}。", name=name, character=f"U+{ord(character):04X}"),
            hint=T("删去该字符（常见于从其他系统复制的文字）后再打印。"),
            where=name,
        )
        self.name = name
        self.character = character


class TemplateCalculationError(MisconfiguredError):
    """模板算不出来. An operation that does not fit the values, such as comparing nothing with a number."""

    code = "template-calculation"

    def __init__(self, *, part: str, place: str, detail: str) -> None:
        super().__init__(
            T(
                "Word 模板（{part}）中的计算不适合当前的值（{detail}）。在“{place}”附近",
                part=part_title(part),
                place=place,
                detail=detail[:200],
            ),
            hint=T("比较前先判断是否有值，例如 {% if raw.x is not none and raw.x > 3 %}。"),
            where=part,
        )


class TemplateOutputBrokenError(MisconfiguredError):
    """生成的文件不完整. The template's tags cut through the structure of the document."""

    code = "template-output-broken"

    def __init__(self, *, part: str) -> None:
        super().__init__(
            T("Word 模板（{part}）生成的文件结构不完整，Word 会要求修复。", part=part_title(part)),
            hint=T("检查 {%p …%}、{%tr …%} 是否各自单独占一段或一行，成对出现。"),
            where=part,
        )


_PART_NAMES = (
    ("word/document", T("正文")),
    ("word/header", T("页眉")),
    ("word/footer", T("页脚")),
    ("word/footnotes", T("脚注")),
    ("word/endnotes", T("尾注")),
    ("docProps/core", T("文档属性")),
)


def part_title(part: str) -> Text:
    """Return what people call a part of a docx, with its file name where it helps."""
    for start, title in _PART_NAMES:
        if part.startswith(start):
            return T("{title} {part}", title=title, part=part)
    return T("{part}", part=part or "?")
