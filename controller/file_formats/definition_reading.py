"""读定义文件. Takes keys out of a YAML mapping with their lines, and notes all that is wrong instead of stopping.

Shared by the readers of forms, blocks, registers, routes, signing rules, retention classes and calendars.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.identifiers import nearest
from controller.domain.text import T, Text
from controller.file_formats.yaml_text import YamlTextError, load_yaml_with_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from controller.file_formats.yaml_text import Lines, Path


class DefinitionFileError(QmsError):
    """定义文件有误. A file of definitions or rules that cannot be used; each kind is a class of its own with its code.

    `says` tells of all problems by their `count` and the first `problem`; `findings` has every one with its line.
    """

    says: ClassVar[Text]

    def __init__(self, *, findings: Sequence[Finding]) -> None:
        first = findings[0]
        message = Text(self.says.template, {"count": len(findings), "problem": first.message})
        super().__init__(message, hint=first.hint or T("改正后再试。"), where=first.place)
        self.findings = tuple(findings)


@dataclass
class Reading:
    """一次读取. The findings so far and, per file, the lines that findings point to."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether an error was found."""
        return any(finding.gravity is Gravity.ERROR for finding in self.findings)

    def note(
        self,
        code: str,
        message: Text,
        place: tuple[str, int | None],
        *,
        hint: Text | None = None,
        gravity: Gravity = Gravity.ERROR,
    ) -> None:
        """Add a finding at `place` (file, line)."""
        self.findings.append(Finding(code, gravity, message, path=place[0], line=place[1], hint=hint))

    def file(self, text: str, *, where: str, title: Text, expected: str) -> Part | None:
        """Return the mapping that a file of format `expected` is; None when it is none, which is noted."""
        try:
            data, lines = load_yaml_with_lines(text, where=where)
        except YamlTextError as exc:
            self.note(exc.code, exc.problem, (where, exc.line), hint=exc.hint)
            return None
        if not isinstance(data, dict):
            self.note("definition-value", T("文件应由“键: 值”组成"), (where, 1))
            return None
        part = Part(self, data, where, lines, (), title)
        if data.get("format") != expected:
            part.wrong("format", "definition-format", T("format 应为 {format}", format=expected))
        return part


@dataclass(frozen=True)
class Part:
    """一段定义. One mapping of a definition file: its data, where its keys stand, and what it is called in messages."""

    reading: Reading
    data: Mapping[str, Any]
    where: str
    lines: Lines
    path: Path
    title: Text
    moved: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """Keys that came from elsewhere (a form's override of a block's field)."""

    def place(self, key: str | None = None) -> tuple[str, int | None]:
        """Return file and line of `key`, or of the whole part."""
        if key is not None:
            if key in self.moved:
                return self.moved[key]
            line = self.lines.get((*self.path, key))
            if line is not None:
                return self.where, line
        return self.where, self.lines.get(self.path)

    def wrong(self, key: str | None, code: str, message: Text, *, hint: Text | None = None) -> None:
        """Note an error at `key`."""
        self.reading.note(code, T("{title}：{message}", title=self.title, message=message), self.place(key), hint=hint)

    def check_keys(self, known: Collection[str], *, gravity: Gravity = Gravity.ERROR) -> list[str]:
        """Note every unknown key with the nearest known one, and return them."""
        unknown = [key for key in self.data if key not in known]
        for key in unknown:
            close = nearest(key, known)
            hint = T("是否想写 {key}？", key=close) if close else T("可用的键：{keys}。", keys=sorted(known))
            if any(mark in key for mark in "()'\"=<>"):
                hint = T('含逗号或冒号的表达式请整个加引号，例如 value: "hours_between(a, b)"。')
            message = T("{title}：不认识的键 {key}", title=self.title, key=key[:60])
            self.reading.note("definition-key-unknown", message, self.place(key), hint=hint, gravity=gravity)
        return unknown

    def text(self, key: str, *, needed: bool = False, limit: int = 2000) -> str | None:
        """Return a text (numbers as they were typed), None when absent."""
        value = self.data.get(key)
        if value is None:
            if needed:
                self.wrong(key if key in self.data else None, "definition-key-missing", T("缺少 {key}", key=key))
            return None
        text = scalar_text(value)
        if text is None or not text.strip():
            self.wrong(key, "definition-value", T("{key} 应为文字", key=key), hint=T("必要时给文字加引号。"))
            return None
        if len(text) > limit:
            self.wrong(key, "definition-value", T("{key} 超过 {limit} 个字符", key=key, limit=limit))
            return None
        return text.strip()

    def flag(self, key: str) -> bool:
        """Return true or false, false when absent."""
        value = self.data.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.wrong(key, "definition-value", T("{key} 应为 true 或 false", key=key))
        return False

    def whole(self, key: str, *, least: int = 0, most: int = 1_000_000) -> int | None:
        """Return a whole number within limits, None when absent."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong(
                key, "definition-value", T("{key} 应为 {least} 到 {most} 的整数", key=key, least=least, most=most)
            )
            return None
        return value

    def whole_or(self, key: str, usual: int, limits: tuple[int, int]) -> int:
        """Return a whole number within limits, least and most; `usual` when absent or wrong."""
        found = self.whole(key, least=limits[0], most=limits[1])
        return usual if found is None else found

    def posts(self, key: str, known: Collection[str] | None, *, also: str = "") -> tuple[str, ...]:
        """Return the keys of posts in a list; with `known`, each must be among them or be the word `also`."""
        found = self.texts(key)
        for post in found:
            if known is not None and post not in known and post != also:
                close = nearest(post, known)
                hint = T("是否想写 {key}？", key=close) if close else T("可用的岗位键：{keys}。", keys=list(known))
                problem = T("{key} 里的“{post}”不在岗位文件中", key=key, post=post[:40])
                self.wrong(key, "definition-value", problem, hint=hint)
        return found

    def texts(self, key: str, *, single: bool = False) -> tuple[str, ...]:
        """Return a list of texts, empty when absent; with `single` one text stands for a list of one."""
        value = self.data.get(key)
        if value is None:
            return ()
        if single and not isinstance(value, list):
            value = [value]
        items = [scalar_text(item) for item in value] if isinstance(value, list) else [None]
        found = tuple(item.strip() for item in items if item is not None and item.strip())
        if len(found) != len(items):
            hint = T("true、false 等词作为文字时请加引号。")
            self.wrong(key, "definition-value", T("{key} 应为文字的列表", key=key), hint=hint)
        if len(set(found)) != len(found):
            twice = sorted({item for item in found if found.count(item) > 1})
            self.wrong(key, "definition-value", T("{key} 中有重复的项：{items}", key=key, items=twice))
        return tuple(dict.fromkeys(found))

    def one_of(self, key: str, known: Sequence[str], default: str) -> str:
        """Return one of the known words, `default` when absent."""
        value = self.text(key)
        if value is None:
            return default
        if value not in known:
            close = nearest(value, known)
            hint = T("是否想写 {key}？", key=close) if close else T("可用：{keys}。", keys=list(known))
            self.wrong(key, "definition-value", T("{key} 的值“{value}”不可用", key=key, value=value[:60]), hint=hint)
            return default
        return value

    def part(self, key: str, title: Text) -> Part | None:
        """Return the mapping at `key`, None when absent."""
        value = self.data.get(key)
        if value is None:
            return None
        return self.below(key, value, title)

    def parts(self, key: str) -> list[tuple[str, Part]]:
        """Return the mappings inside the mapping at `key`, by name, in file order."""
        outer = self.part(key, self.title)
        return outer.members() if outer is not None else []

    def members(self) -> list[tuple[str, Part]]:
        """Return the mappings inside this mapping, by name, in file order."""
        found = []
        for name, item in self.data.items():
            inner = self.below(name, item, T("{title} {name}", title=self.title, name=name))
            if inner is not None:
                found.append((name, inner))
        return found

    def listed(self, key: str) -> list[Part]:
        """Return the mappings in the list at `key`."""
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(key, "definition-value", T("{key} 应为列表（每项以“- ”开头）", key=key))
            return []
        found = []
        for position, item in enumerate(value):
            path = (*self.path, key, position)
            title = T("{title} {key} 第 {number} 项", title=self.title, key=key, number=position + 1)
            if isinstance(item, dict):
                found.append(Part(self.reading, item, self.where, self.lines, path, title))
            else:
                self.reading.note(
                    "definition-value", T("{title}：应写成“键: 值”", title=title), (self.where, self.lines.get(path))
                )
        return found

    def below(self, key: str, value: object, title: Text) -> Part | None:
        """Return `value`, which stands at `key`, as a part of its own; None when it is no mapping."""
        if isinstance(value, dict):
            return Part(self.reading, value, self.where, self.lines, (*self.path, key), title)
        self.wrong(key, "definition-value", T("{key} 应写成“键: 值”", key=key))
        return None


def scalar_text(value: object) -> str | None:
    """Return text, or a number's own digits; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return f"{value:f}" if isinstance(value, Decimal) else None
