"""表达式. The one small language of rules, conditions and computed values: Jinja expressions, made harmless.

Jinja's own parser reads the text; the tree is then checked against a short list of what is allowed and turned into
plain Python calls. Nothing else of Jinja runs: there are no attributes of Python objects, no methods, no filters, no
loops and no powers, only names, comparisons, arithmetic and the functions below. So a hostile expression can neither
reach Python internals nor hang nor fill the memory. Undefined names are errors, never blanks.

Numbers are exact (`Decimal`); the language is described in `docs/form-language.md`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, DecimalException
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from controller.domain.errors import MisconfiguredError
from controller.domain.expression_functions import CALENDAR_FUNCTIONS, FUNCTIONS, FunctionMisuseError
from controller.domain.identifiers import nearest
from controller.domain.text import T, Text
from controller.domain.working_days import WorkingDays

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

MAX_LENGTH = 2000
"""Characters in one expression."""
MAX_DEPTH = 100
"""Nesting of one expression."""
MAX_DIGITS = 60
"""Digits of a number that arithmetic may give."""
MAX_TEXT = 100_000
"""Characters of a text that `+` or `~` may give."""

Names: TypeAlias = Mapping[str, object]
_Step: TypeAlias = Callable[["_Scope"], object]


class ExpressionSyntaxError(MisconfiguredError):
    """表达式写法有误. Not an expression, or one that uses something outside the language."""

    code = "expression-syntax"

    def __init__(self, *, expression: str, problem: Text) -> None:
        super().__init__(
            T("表达式“{expression}”有误：{problem}", expression=expression[:120], problem=problem),
            hint=T("可用：字段名、比较（== != < <= > >=）、and or not、in、is none、+ - * /、函数。"),
        )
        self.problem = problem


class ExpressionEvaluationError(MisconfiguredError):
    """表达式算不出来. The expression is in order, but not for these values (for example none compared with a date)."""

    code = "expression-evaluation"

    def __init__(self, *, expression: str, problem: Text) -> None:
        super().__init__(
            T("表达式“{expression}”算不出结果：{problem}", expression=expression[:120], problem=problem),
            hint=T("比较前先排除空值，例如：x is none or x > y。"),
        )
        self.problem = problem


class _CannotEvaluateError(Exception):
    """Inside only: what went wrong, before the expression's own text is known."""

    def __init__(self, problem: Text) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True)
class _Scope:
    names: Names
    calendar: WorkingDays


@dataclass(frozen=True)
class Expression:
    """编译好的表达式. Made by `compile`; may be evaluated any number of times, from several threads."""

    text: str
    names: frozenset[str]
    """Names it reads, functions not included."""
    functions: frozenset[str]
    """Functions it calls that are not built in; the caller must supply them among the names."""
    _run: _Step = field(repr=False, compare=False)
    tree: nodes.Expr = field(repr=False, compare=False)
    """The parsed tree, for lint."""

    @staticmethod
    def compile(text: str) -> Expression:
        """Return the compiled expression; equal texts are compiled once.

        Raises:
            ExpressionSyntaxError: the text is not an expression of the language.
        """
        return _compiled(text)

    def evaluate(self, names: Names, *, calendar: WorkingDays | None = None) -> object:
        """Return the value for `names`.

        Raises:
            ExpressionEvaluationError: a name is missing, or the values do not fit the operation.
        """
        try:
            return self._run(_Scope(names, calendar or _WEEKDAYS))
        except (_CannotEvaluateError, FunctionMisuseError) as exc:
            raise ExpressionEvaluationError(expression=self.text, problem=exc.problem) from exc
        except (DecimalException, OverflowError, RecursionError) as exc:
            raise ExpressionEvaluationError(expression=self.text, problem=T("数字超出可计算的范围")) from exc

    def holds(self, names: Names, *, calendar: WorkingDays | None = None) -> bool:
        """Return whether the value counts as true (none, false, 0, empty text and empty list do not).

        Raises:
            ExpressionEvaluationError: as `evaluate`.
        """
        return bool(self.evaluate(names, calendar=calendar))


_WEEKDAYS = WorkingDays()


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Expression:
    from jinja2 import TemplateSyntaxError

    if len(text) > MAX_LENGTH:
        raise ExpressionSyntaxError(expression=text, problem=T("超过 {limit} 个字符", limit=MAX_LENGTH))
    try:
        tree = _parsed(text)
    except TemplateSyntaxError as exc:
        raise ExpressionSyntaxError(expression=text, problem=T("写法不完整，检查引号、括号和运算符")) from exc
    except (RecursionError, ValueError, OverflowError, SyntaxError) as exc:
        raise ExpressionSyntaxError(expression=text, problem=T("写法过于复杂或数字过大")) from exc
    builder = _Builder(text)
    try:
        run = builder.step(tree, 0)
    except _CannotEvaluateError as exc:
        raise ExpressionSyntaxError(expression=text, problem=exc.problem) from exc
    return Expression(text, frozenset(builder.names), frozenset(builder.functions), run, tree)


def _parsed(text: str) -> nodes.Expr:
    from jinja2.parser import Parser

    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth > MAX_DEPTH:
            raise ExpressionSyntaxError(expression=text, problem=T("嵌套超过 {limit} 层", limit=MAX_DEPTH))
    parser = Parser(_environment(), text, state="variable")
    tree = parser.parse_expression()
    if not parser.stream.eos:
        rest = str(parser.stream.current.value)
        raise ExpressionSyntaxError(expression=text, problem=T("多出“{rest}”，前面缺少运算符", rest=rest[:40]))
    return tree


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment()


class _Builder:
    """Turns the parsed tree into Python calls, refusing every node that is not on the list."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        self.functions: set[str] = set()

    def refuse(self, problem: Text) -> ExpressionSyntaxError:
        return ExpressionSyntaxError(expression=self.text, problem=problem)

    def step(self, node: nodes.Node, depth: int) -> _Step:
        if depth > MAX_DEPTH:
            raise self.refuse(T("嵌套超过 {limit} 层", limit=MAX_DEPTH))
        make = getattr(self, f"_{type(node).__name__.lower()}", None)
        if make is None:
            raise self.refuse(T("不支持这种写法（{kind}）", kind=type(node).__name__))
        step: _Step = make(node, depth + 1)
        return step

    def _const(self, node: nodes.Const, _depth: int) -> _Step:
        value: object = node.value
        if isinstance(value, float):
            value = Decimal(repr(value))
            if not value.is_finite():
                raise self.refuse(T("数字过大"))
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            value = _bounded(Decimal(value))
        return lambda _scope: value

    def _name(self, node: nodes.Name, _depth: int) -> _Step:
        name = node.name
        if name in FUNCTIONS or name in CALENDAR_FUNCTIONS:
            raise self.refuse(T("函数 {name} 后面缺少括号", name=name))
        self.names.add(name)

        def read(scope: _Scope) -> object:
            try:
                return scope.names[name]
            except KeyError:
                raise _undefined(name, scope.names) from None

        return read

    def _and(self, node: nodes.And, depth: int) -> _Step:
        left, right = self.step(node.left, depth), self.step(node.right, depth)
        return lambda scope: bool(left(scope)) and bool(right(scope))

    def _or(self, node: nodes.Or, depth: int) -> _Step:
        left, right = self.step(node.left, depth), self.step(node.right, depth)
        return lambda scope: bool(left(scope)) or bool(right(scope))

    def _not(self, node: nodes.Not, depth: int) -> _Step:
        inner = self.step(node.node, depth)
        return lambda scope: not inner(scope)

    def _condexpr(self, node: nodes.CondExpr, depth: int) -> _Step:
        if node.expr2 is None:
            raise self.refuse(T("“甲 if 条件 else 乙”缺少 else 部分"))
        test, yes, no = self.step(node.test, depth), self.step(node.expr1, depth), self.step(node.expr2, depth)
        return lambda scope: yes(scope) if test(scope) else no(scope)

    def _test(self, node: nodes.Test, depth: int) -> _Step:
        if node.name != "none" or node.args or node.kwargs:
            raise self.refuse(T("只支持 is none 和 is not none"))
        inner = self.step(node.node, depth)
        return lambda scope: inner(scope) is None

    def _compare(self, node: nodes.Compare, depth: int) -> _Step:
        first = self.step(node.expr, depth)
        rest = [(_COMPARISONS[item.op], self.step(item.expr, depth)) for item in node.ops]

        def compare(scope: _Scope) -> object:
            left = first(scope)
            for test, other in rest:
                right = other(scope)
                if not test(left, right):
                    return False
                left = right
            return True

        return compare

    def _neg(self, node: nodes.Neg, depth: int) -> _Step:
        inner = self.step(node.node, depth)
        return lambda scope: -_number(inner(scope))

    def _pos(self, node: nodes.Pos, depth: int) -> _Step:
        inner = self.step(node.node, depth)
        return lambda scope: _number(inner(scope))

    def _arithmetic(self, node: nodes.BinExpr, depth: int) -> _Step:
        left, right = self.step(node.left, depth), self.step(node.right, depth)
        act = _ARITHMETIC[type(node).__name__]

        def calculate(scope: _Scope) -> object:
            a, b = left(scope), right(scope)
            if isinstance(a, str) and isinstance(b, str) and act is operator.add:
                return _bounded_text(a + b)
            number, divisor = _number(a), _number(b)
            if not divisor and act in _DIVISIONS:
                raise _CannotEvaluateError(T("除数为 0"))
            return _bounded(act(number, divisor))

        return calculate

    _add = _sub = _mul = _div = _floordiv = _mod = _arithmetic

    def _concat(self, node: nodes.Concat, depth: int) -> _Step:
        parts = [self.step(item, depth) for item in node.nodes]
        return lambda scope: _bounded_text("".join(_as_text(part(scope)) for part in parts))

    def _list(self, node: nodes.List, depth: int) -> _Step:
        items = [self.step(item, depth) for item in node.items]
        return lambda scope: [item(scope) for item in items]

    def _tuple(self, node: nodes.Tuple, depth: int) -> _Step:
        items = [self.step(item, depth) for item in node.items]
        return lambda scope: [item(scope) for item in items]

    def _getattr(self, node: nodes.Getattr, depth: int) -> _Step:
        return self._part(self.step(node.node, depth), node.attr)

    def _getitem(self, node: nodes.Getitem, depth: int) -> _Step:
        from jinja2 import nodes as kinds

        if not isinstance(node.arg, kinds.Const) or not isinstance(node.arg.value, str):
            raise self.refuse(T("方括号里只能写带引号的名称"))
        return self._part(self.step(node.node, depth), node.arg.value)

    def _part(self, inner: _Step, key: str) -> _Step:
        if key.startswith("_"):
            raise self.refuse(T("不支持以下划线开头的名称 {name}", name=key))

        def part(scope: _Scope) -> object:
            whole = inner(scope)
            if whole is None:
                return None
            if not isinstance(whole, Mapping):
                raise _CannotEvaluateError(T("{kind}没有可取的部分“{name}”", kind=kind_of(whole), name=key))
            if key not in whole:
                raise _undefined(key, whole)
            value: object = whole[key]
            return value

        return part

    def _call(self, node: nodes.Call, depth: int) -> _Step:
        from jinja2 import nodes as kinds

        if not isinstance(node.node, kinds.Name):
            raise self.refuse(T("只能调用规定的函数"))
        name = node.node.name
        if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise self.refuse(T("函数 {name} 的参数按顺序写，不带名称", name=name))
        arguments = [self.step(item, depth) for item in node.args]
        function = FUNCTIONS.get(name) or CALENDAR_FUNCTIONS.get(name)
        if function is None:
            self.functions.add(name)
            return self._supplied(name, arguments)
        if not function.least <= len(arguments) <= function.most:
            raise self.refuse(T("函数 {name} 的参数个数不对，应写 {usage}", name=name, usage=function.usage))
        call = function.call
        if name in CALENDAR_FUNCTIONS:
            return lambda scope: call(scope.calendar, *(item(scope) for item in arguments))
        return lambda scope: call(*(item(scope) for item in arguments))

    def _supplied(self, name: str, arguments: Sequence[_Step]) -> _Step:
        def call(scope: _Scope) -> object:
            function = scope.names.get(name)
            if not callable(function):
                known = [*FUNCTIONS, *CALENDAR_FUNCTIONS]
                raise _CannotEvaluateError(unknown_function(name, known))
            result: object = function(*(item(scope) for item in arguments))
            return result

        return call


def unknown_function(name: str, known: Sequence[str]) -> Text:
    """Say that `name` is no function, with the nearest one that is."""
    close = nearest(name, known)
    if close:
        return T("没有函数 {name}，是否想写 {close}？", name=name, close=close)
    return T("没有函数 {name}", name=name)


def _undefined(name: str, known: Mapping[str, object]) -> _CannotEvaluateError:
    close = nearest(name, known)
    if close:
        return _CannotEvaluateError(T("没有名称 {name}，是否想写 {close}？", name=name, close=close))
    return _CannotEvaluateError(T("没有名称 {name}", name=name))


def kind_of(value: object) -> Text:
    """Return the Chinese name of the kind of `value`, for messages; never the value itself."""
    if value is None:
        return T("空值")
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return T("这种值")


_KINDS: tuple[tuple[type, Text], ...] = (
    (bool, T("是否")),
    (int, T("数字")),
    (Decimal, T("数字")),
    (str, T("文字")),
    (datetime, T("时间")),
    (date, T("日期")),
    (list, T("列表")),
    (dict, T("一组值")),
)


def _number(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise _CannotEvaluateError(T("{kind}不能参加计算", kind=kind_of(value)))


def _bounded(number: Decimal) -> Decimal:
    if number and (not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS):
        raise _CannotEvaluateError(T("数字超过 {limit} 位", limit=MAX_DIGITS))
    return number


def _bounded_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise _CannotEvaluateError(T("文字超过 {limit} 个字符", limit=MAX_TEXT))
    return text


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    raise _CannotEvaluateError(T("{kind}不能接成文字", kind=kind_of(value)))


def _comparable(left: object, right: object) -> tuple[object, object]:
    """Bring two values to one kind: a time compared with a date counts as its day, whole numbers are exact numbers."""
    if isinstance(left, datetime) and isinstance(right, date) and not isinstance(right, datetime):
        return left.date(), right
    if isinstance(right, datetime) and isinstance(left, date) and not isinstance(left, datetime):
        return left, right.date()
    return left, right


def _equal(left: object, right: object) -> bool:
    left, right = _comparable(left, right)
    return left == right


def _ordered(test: Callable[[object, object], object]) -> Callable[[object, object], bool]:
    def compare(left: object, right: object) -> bool:
        a, b = _comparable(left, right)
        fits = any(
            isinstance(a, kind) and isinstance(b, kind) and not isinstance(a, bool) and not isinstance(b, bool)
            for kind in (str, (int, Decimal), date)
        )
        if fits:
            try:
                return bool(test(a, b))
            except TypeError:
                pass
        raise _CannotEvaluateError(T("{left}不能与{right}比较大小", left=kind_of(left), right=kind_of(right)))

    return compare


def _within(left: object, right: object) -> bool:
    if right is None or left is None:
        return False
    if isinstance(right, str) and isinstance(left, str):
        return left in right
    if isinstance(right, list):
        return any(_equal(left, item) for item in right)
    raise _CannotEvaluateError(T("in 的右边应是列表或文字，不是{kind}", kind=kind_of(right)))


_COMPARISONS: Mapping[str, Callable[[object, object], bool]] = {
    "eq": _equal,
    "ne": lambda left, right: not _equal(left, right),
    "lt": _ordered(operator.lt),  # type: ignore[arg-type]
    "lteq": _ordered(operator.le),  # type: ignore[arg-type]
    "gt": _ordered(operator.gt),  # type: ignore[arg-type]
    "gteq": _ordered(operator.ge),  # type: ignore[arg-type]
    "in": _within,
    "notin": lambda left, right: not _within(left, right),
}


def _divided(left: Decimal, right: Decimal) -> Decimal:
    return left / right


_ARITHMETIC: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": _divided,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
}
_DIVISIONS = (_divided, operator.floordiv, operator.mod)
