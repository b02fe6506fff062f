"""YAML 文本. Strict and fast reading of the small YAML that people write; every refusal names the line.

Only the data part of YAML 1.2 is accepted: mappings with text keys, lists, text, true/false, null and numbers. What can
surprise or harm is refused: tabs as indentation, duplicate keys, anchors and aliases, tags, merge keys, several
documents, more than 1 MB, nesting deeper than 20. `yes`, `on`, `是` and dates stay text. A number is a number only if
it prints back as it was typed (`12.50` becomes a `Decimal` with both digits, `007` stays text), so nothing that was
typed is lost. The events come from libyaml where PyYAML has it, else from PyYAML itself; they are the same.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import yaml

from controller.domain.errors import RefusedError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

_TAB = re.compile(r"^[ ]*\t", re.MULTILINE)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,39})(?:\.[0-9]{1,40})?")
_CONSTANTS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_SYNTAX = (
    ("expected ',' or '}'", T("花括号里缺少逗号或右括号")),
    ("expected ',' or ']'", T("方括号里缺少逗号或右括号")),
    ("mapping values are not allowed", T("多了一个冒号，或上一行缩进不对")),
    ("expected ':'", T("缺少冒号，或引号没有成对")),
    ("expected key", T("缩进与上面的行不一致")),
    ("expected '-' indicator", T("列表的缩进不一致")),
    ("unexpected end of stream", T("引号没有成对")),
    ("cannot start any token", T("以特殊字符开头的文字没有加引号")),
    ("control characters", T("有不可用的控制字符")),
    ("special characters", T("有不可用的控制字符")),
    ("unacceptable character", T("有不可用的控制字符")),
    ("sequence entries are not allowed", T("“- ”不能写在这里")),
    ("escape", T("双引号里的反斜杠写法不对")),
    ("undefined alias", T("用了没有定义的别名")),
    ("expected <document start>", T("内容之后还有多余的部分")),
)
"""What the parser says → what is wrong, in the order of trying."""

Path = tuple[str | int, ...]
Lines = dict[Path, int]
"""Where things stand: the path of keys and list positions → line, from 1."""


class YamlTextError(RefusedError):
    """YAML 写法不被接受. Not YAML, or YAML of a kind that is refused; `line` is counted from 1."""

    code = "yaml-invalid"

    def __init__(self, *, where: str, line: int, problem: Text, hint: Text) -> None:
        super().__init__(
            T("{where} 第 {line} 行：{problem}", where=where, line=line, problem=problem),
            hint=hint,
            where=f"{where}:{line}",
        )
        self.line = line
        self.problem = problem


class YamlTooLargeError(YamlTextError):
    """YAML 太大. The text is longer than `MAX_BYTES`."""

    code = "yaml-too-large"


class YamlTooDeepError(YamlTextError):
    """YAML 嵌套太深. Nested deeper than `MAX_DEPTH`."""

    code = "yaml-too-deep"


class YamlTabError(YamlTextError):
    """YAML 用了制表符缩进. A line is indented with a tab."""

    code = "yaml-tab"


class YamlDuplicateKeyError(YamlTextError):
    """YAML 键重复. The same key stands twice in one mapping."""

    code = "yaml-duplicate-key"


class YamlAnchorError(YamlTextError):
    """YAML 用了锚点或别名. Anchors and aliases can make a small file enormous."""

    code = "yaml-anchor"


class YamlTagError(YamlTextError):
    """YAML 用了标签. `!tag` asks for an object; only plain data is accepted."""

    code = "yaml-tag"


class YamlManyDocumentsError(YamlTextError):
    """YAML 含多个文档. One file holds one document."""

    code = "yaml-many-documents"


def load_yaml(text: str, *, where: str) -> Any:
    """Return the data of `text`: dict, list, str, bool, None, int, Decimal.

    Raises:
        YamlTextError: the text is not acceptable; a subclass tells why.
    """
    return _Reader(text, where, None).read()


def load_yaml_with_lines(text: str, *, where: str) -> tuple[Any, Lines]:
    """Return the data and the line of every key and list item, for findings.

    Raises:
        YamlTextError: the text is not acceptable.
    """
    lines: Lines = {}
    return _Reader(text, where, lines).read(), lines


def dump_yaml(data: Any) -> str:
    """Return `data` as YAML that `load_yaml` reads back equal; keys keep their order, Chinese stays readable.

    Raises:
        TypeError: `data` holds something other than what `load_yaml` returns.
    """
    return str(
        yaml.dump(
            _plain(data),
            Dumper=_DUMPER,
            allow_unicode=True,
            sort_keys=False,
            default_flow_style=False,
            width=2**30,
            line_break="\n",
        )
    )


class _Reader:
    """Builds the data of one document from parser events."""

    def __init__(self, text: str, where: str, lines: Lines | None) -> None:
        self.text = text.removeprefix("\ufeff")
        self.where = where
        self.lines = lines
        self.events: Iterator[Any] = iter(())

    def read(self) -> Any:
        try:
            size = len(self.text) if self.text.isascii() else len(self.text.encode())
        except UnicodeEncodeError as exc:
            line = self.text.count("\n", 0, exc.start) + 1
            problem = T("有不成对的字符编码")
            raise YamlTextError(where=self.where, line=line, problem=problem, hint=T("用 UTF-8 编码另存。")) from exc
        if size > MAX_BYTES:
            problem = T("文件有 {size} 字节，超过上限 {limit} 字节", size=size, limit=MAX_BYTES)
            raise YamlTooLargeError(where=self.where, line=1, problem=problem, hint=T("拆成几个文件。"))
        tab = _TAB.search(self.text)
        if tab is not None:
            line = self.text.count("\n", 0, tab.start()) + 1
            problem = T("用制表符（Tab）缩进")
            raise YamlTabError(where=self.where, line=line, problem=problem, hint=T("把行首的 Tab 换成空格。"))
        try:
            return self._document()
        except yaml.YAMLError as exc:
            raise self._syntax_error(exc) from exc

    def _syntax_error(self, exc: yaml.YAMLError) -> YamlTextError:
        mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
        line = mark.line + 1 if mark is not None else 1
        position = getattr(exc, "position", None)
        if mark is None and isinstance(position, int):
            line = self.text.count("\n", 0, position) + 1
        said = str(getattr(exc, "problem", None) or getattr(exc, "reason", None) or "")
        detail = next((text for words, text in _SYNTAX if words in said), T("这里的写法不能理解"))
        return YamlTextError(
            where=self.where,
            line=line,
            problem=T("不是有效的 YAML({detail})", detail=detail),
            hint=T("检查该行及上一行的缩进、冒号后的空格、引号和括号是否成对；含 :、#、[ 的文字请加引号。"),
        )

    def _document(self) -> Any:
        self.events = yaml.parse(self.text, Loader=_LOADER)
        data: Any = None
        documents = 0
        for event in self.events:
            kind = type(event)
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    problem = T("一个文件里有多个 YAML 文档（---）")
                    raise self._refused(YamlManyDocumentsError, event, problem, T("只保留一个，其余分成单独的文件。"))
                data = self._value(next(self.events), (), 0)
        return data

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        kind = type(event)
        if kind is yaml.AliasEvent or event.anchor is not None:
            problem = T("用了锚点或别名（& 或 *）")
            raise self._refused(YamlAnchorError, event, problem, T("把内容直接写出来；以 & 或 * 开头的文字请加引号。"))
        if event.tag is not None:
            problem = T("用了标签 {tag}", tag=str(event.tag)[:40])
            raise self._refused(YamlTagError, event, problem, T("去掉标签；以 ! 开头的文字请加引号。"))
        if kind is yaml.ScalarEvent:
            return _scalar(event.value) if event.implicit[0] else event.value
        if depth >= MAX_DEPTH:
            problem = T("嵌套超过 {limit} 层", limit=MAX_DEPTH)
            raise self._refused(YamlTooDeepError, event, problem, T("减少嵌套。"))
        if kind is yaml.SequenceStartEvent:
            return self._sequence(path, depth)
        return self._mapping(path, depth)

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        result: list[Any] = []
        lines = self.lines
        for event in self.events:
            if type(event) is yaml.SequenceEndEvent:
                break
            here = (*path, len(result))
            if lines is not None:
                lines[here] = event.start_mark.line + 1
            result.append(self._value(event, here, depth + 1))
        return result

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        lines = self.lines
        for event in self.events:
            if type(event) is yaml.MappingEndEvent:
                break
            key = self._key(event)
            here = (*path, key)
            if key in result:
                problem = T("键“{key}”重复", key=key[:80])
                raise self._refused(YamlDuplicateKeyError, event, problem, T("删去或改名其中一个。"))
            if lines is not None:
                lines[here] = event.start_mark.line + 1
            result[key] = self._value(next(self.events), here, depth + 1)
        return result

    def _key(self, event: Any) -> str:
        if type(event) is yaml.ScalarEvent and event.anchor is None and event.tag is None:
            key = str(event.value)
            if key and not (key == "<<" and event.implicit[0]):
                return key
        if type(event) is yaml.AliasEvent or event.anchor is not None:
            problem = T("用了锚点或别名（& 或 *）")
            raise self._refused(YamlAnchorError, event, problem, T("把内容直接写出来；以 & 或 * 开头的文字请加引号。"))
        raise self._refused(YamlTextError, event, T("键不是文字"), T("冒号前写一个简单的名称。"))

    def _refused(self, kind: type[YamlTextError], event: Any, problem: Text, hint: Text) -> YamlTextError:
        return kind(where=self.where, line=event.start_mark.line + 1, problem=problem, hint=hint)


def _scalar(value: str) -> bool | int | Decimal | str | None:
    if value in _CONSTANTS:
        return _CONSTANTS[value]
    if _NUMBER.fullmatch(value):
        if "." in value:
            return Decimal(value)
        return value if value == "-0" else int(value)
    return value


class _Exact(str):
    """A number's own digits, written without quotes."""

    __slots__ = ()


class _Quoted(str):
    """Text that would read back as something else without quotes."""

    __slots__ = ()


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        if not all(isinstance(key, str) and key for key in data):
            message = "only non-empty text keys can be written"
            raise TypeError(message)
        return {_plain(key): _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(item) for item in data]
    if isinstance(data, str):
        return _Quoted(data) if data in _CONSTANTS or data == "<<" or _NUMBER.fullmatch(data) else str(data)
    if isinstance(data, Decimal):
        text = f"{data:f}"
        if not _NUMBER.fullmatch(text):
            message = f"cannot be written as an exact number: {data!r}"
            raise TypeError(message)
        return _Exact(text)
    if data is None or isinstance(data, (bool, int)):
        return data
    message = f"cannot be written as YAML: {type(data).__name__}"
    raise TypeError(message)


def _exact(dumper: Any, data: _Exact) -> Any:
    kind = "float" if "." in data else "int"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", str(data))


def _quoted(dumper: Any, data: _Quoted) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style="'")


class _Dumper(_DUMPER):  # type: ignore[misc]
    """The dumper with our two kinds of scalar; a class of its own leaves PyYAML's untouched."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write repeated values out in full: aliases are refused on reading."""
        del data
        return True


_Dumper.add_representer(_Exact, _exact)
_Dumper.add_representer(_Quoted, _quoted)
_DUMPER = _Dumper
