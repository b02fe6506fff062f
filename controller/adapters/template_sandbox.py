"""模板沙箱. Jinja for form templates, narrowed until a template can only lay out the values it was given.

Allowed are the things a form needs: names, conditions, loops, the ordinary filters, and the harmless methods of texts,
dates and tables, each listed by name. Everything else is refused with the place in the document. What a template may
spend (loop passes, lengths, output) is counted in units that do not depend on the machine, so a template that would
never end stops everywhere at the same point.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import BuiltinMethodType, MethodType
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.defaults import DEFAULT_FILTERS
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.utils import Cycler, Joiner, Namespace
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from controller.adapters.template_errors import ForbiddenInTemplateError, TemplateLimitError, UnprintableValueError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jinja2.runtime import Context

BUDGET = 100_000_000
"""Units one rendering may spend; a form with a table of 500 rows spends some 10 million."""
MAX_TEXT = 200_000
"""Characters of a text that a template may build."""
MAX_ITEMS = 5_000
"""Items of a list that a template may build."""
_MAX_ARGUMENT = 1_000
"""Widths, counts and digits given to filters and methods."""
_MAX_DIGITS = 60
_NODE_COST, _CALL_COST = 200, 1_000

_TEXT_METHODS = frozenset(
    """capitalize casefold center count endswith find format index isalnum isalpha isdecimal isdigit islower isnumeric
    isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust
    rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill""".split()
)
_DATE_PARTS = frozenset("year month day isoformat weekday isoweekday strftime".split())
_ATTRIBUTES: tuple[tuple[type, frozenset[str]], ...] = (
    (str, _TEXT_METHODS),
    (dict, frozenset({"items", "keys", "values", "get"})),
    (list, frozenset({"count", "index"})),
    (tuple, frozenset({"count", "index"})),
    (datetime, _DATE_PARTS | {"hour", "minute", "second", "date"}),
    (date, _DATE_PARTS),
    (time, frozenset({"hour", "minute", "second", "isoformat", "strftime"})),
    (timedelta, frozenset({"days", "seconds", "total_seconds"})),
    (
        LoopContext,
        frozenset(
            """index index0 revindex revindex0 first last length previtem nextitem changed cycle depth depth0""".split()
        ),
    ),
    (Cycler, frozenset({"next", "current", "reset"})),
)
_TEXT_FILTERS = frozenset(
    """capitalize center e escape format indent lower replace string title trim truncate upper wordcount
    wordwrap""".split()
)
_FILTERS = _TEXT_FILTERS | frozenset(
    """abs batch count d default dictsort first float groupby int items join last length list map max min reject
    rejectattr reverse round select selectattr slice sort sum unique""".split()
)
_SCALARS = (str, int, float, Decimal, date, time, timedelta, type(None))
_WIDE_FORMAT = re.compile(r"\d{4,}|%[-#0 +]*(?:\*|\d*\.\*)")
_DATE_CODE = re.compile(r"%(.?)", re.DOTALL)
_DATE_CODES: Mapping[str, Callable[[Any], str]] = {
    "Y": lambda moment: f"{moment.year:04d}",
    "y": lambda moment: f"{moment.year % 100:02d}",
    "m": lambda moment: f"{moment.month:02d}",
    "d": lambda moment: f"{moment.day:02d}",
    "H": lambda moment: f"{moment.hour:02d}",
    "M": lambda moment: f"{moment.minute:02d}",
    "S": lambda moment: f"{moment.second:02d}",
    "%": lambda _moment: "%",
}
_FORBIDDEN_NODES: tuple[tuple[type[nodes.Node], str], ...] = (
    (nodes.Include, "include"),
    (nodes.Import, "import"),
    (nodes.FromImport, "from … import"),
    (nodes.Extends, "extends"),
    (nodes.Block, "block"),
    (nodes.ScopedEvalContextModifier, "autoescape"),
    (nodes.EvalContextModifier, "autoescape"),
)


def _forbid(what: str) -> NoReturn:
    raise ForbiddenInTemplateError(what=what)


def _too_much(detail: Text) -> NoReturn:
    raise TemplateLimitError(detail=detail)


def _size(value: object) -> int:
    return len(value) if isinstance(value, (str, list, tuple, dict, range)) else 1


def _scalar(value: object) -> None:
    if isinstance(value, Undefined):
        str(value)
    if not isinstance(value, _SCALARS) and not hasattr(type(value), "__html__"):
        raise UnprintableValueError(kind=type(value).__name__)


class _BoundedFormat:
    """`'…'.format` with bounded widths, and with attributes looked up under the rules of the sandbox."""

    def __init__(self, environment: TemplateSandbox, template: str) -> None:
        self._formatter = _BoundedFormatter(environment)
        self._template = template

    def __call__(self, *args: object, **kwargs: object) -> str:
        return self._formatter.vformat(self._template, args, kwargs)


class _BoundedFormatter(SandboxedFormatter):
    def format_field(self, value: Any, format_spec: str) -> Any:
        _scalar(value)
        if _WIDE_FORMAT.search(format_spec):
            _too_much(T("格式宽度过大"))
        if isinstance(value, (date, time)) and format_spec:
            return _formatted_date(value, format_spec)
        return super().format_field(value, format_spec)

    def convert_field(self, value: Any, conversion: Any) -> Any:
        _scalar(value)
        return super().convert_field(value, conversion)


class _DateFormat:
    """`strftime` with the codes that mean the same in every locale."""

    def __init__(self, moment: date | time) -> None:
        self._moment = moment

    def __call__(self, pattern: str) -> str:
        return _formatted_date(self._moment, pattern)


def _formatted_date(moment: date | time, pattern: str) -> str:
    def part(match: re.Match[str]) -> str:
        write = _DATE_CODES.get(match[1])
        if write is None:
            return _forbid(f"strftime {match[0]}")
        return write(moment)

    return _DATE_CODE.sub(part, str(pattern))


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """沙箱环境. Strict, escaping, counting; one instance serves one rendering at a time."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, *, finalize: Callable[[Any], Any]) -> None:
        super().__init__(
            undefined=StrictUndefined, autoescape=True, finalize=finalize, optimized=False, loader=None, cache_size=0
        )
        self._left = BUDGET
        self.globals.clear()
        self.globals.update(range=self._range, dict=self._dict, namespace=Namespace, cycler=Cycler, joiner=Joiner)
        self._callables = (Macro, LoopContext, Joiner, _BoundedFormat, _DateFormat)
        self._functions: tuple[object, ...] = (
            self._range, self._dict, Namespace, Cycler, Joiner, self.spend, self.joined, self.listed, self.mapped,
        )  # fmt: skip
        self.filters = {name: self._guarded(name, DEFAULT_FILTERS[name]) for name in sorted(_FILTERS)}

    def restart(self) -> None:
        """Give the next rendering its full budget."""
        self._left = BUDGET

    def spend(self, units: int) -> bool:
        """Count `units` of work; always true, so that it can stand in a condition.

        Raises:
            TemplateLimitError: the budget is used up.
        """
        self._left -= units
        if self._left < 0:
            _too_much(T("循环次数或内容过多"))
        return True

    def compile_template(self, source: str) -> tuple[nodes.Template, Any]:
        """Return the checked tree of `source` and its compiled template; parse errors are Jinja's own.

        Raises:
            ForbiddenInTemplateError: the template uses a statement that reaches outside itself.
        """
        tree = self.parse(source)
        for kind, word in _FORBIDDEN_NODES:
            for node in tree.find_all(kind):
                raise ForbiddenInTemplateError(what=word, line=node.lineno)
        for use in tree.find_all(nodes.Filter):
            if use.name not in self.filters:
                known = use.name in DEFAULT_FILTERS
                raise ForbiddenInTemplateError(what=f"|{use.name}", line=use.lineno, unknown=not known)
        counted = _Counting().visit(tree)
        template = self.template_class.from_code(self, self.compile(counted), self.make_globals(None))
        return counted, template

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a listed attribute; a mapping's own keys come before its methods."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        if attribute.startswith("_"):
            _forbid(attribute)
        if isinstance(obj, Undefined):
            return getattr(obj, attribute)
        if isinstance(obj, Namespace):
            try:
                return obj[attribute]
            except KeyError:
                return self.undefined(obj=obj, name=attribute)
        for kind, allowed in _ATTRIBUTES:
            if isinstance(obj, kind):
                if attribute in allowed:
                    return self._attribute(obj, attribute)
                if hasattr(obj, attribute):
                    _forbid(attribute)
                return self.undefined(obj=obj, name=attribute)
        if hasattr(obj, attribute):
            _forbid(attribute)
        return self.undefined(obj=obj, name=attribute)

    def _attribute(self, obj: Any, attribute: str) -> Any:
        if attribute == "format" and isinstance(obj, str):
            return _BoundedFormat(self, obj)
        if attribute == "strftime":
            return _DateFormat(obj)
        return getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item; a text that is no key is looked up as `getattr` does."""
        if isinstance(obj, (dict, list, tuple, str, range)):
            try:
                return obj[argument]
            except (TypeError, LookupError):
                pass
        if isinstance(argument, str):
            return self.getattr(obj, str(argument))
        return self.undefined(obj=obj, name=argument)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - names as in Jinja, so that keyword arguments cannot collide
        """Call what is listed, after looking at the sizes of the arguments."""
        self = __self
        if isinstance(__obj, Undefined):
            return __obj(*args, **kwargs)
        if __obj != self.spend:
            self.spend(_CALL_COST)
        if not isinstance(__obj, self._callables) and __obj not in self._functions:
            owner = getattr(__obj, "__self__", None) if isinstance(__obj, (BuiltinMethodType, MethodType)) else None
            name = getattr(__obj, "__name__", type(__obj).__name__)
            if not any(isinstance(owner, kind) and name in names for kind, names in _ATTRIBUTES):
                _forbid(f"{name}()")
            if isinstance(owner, str):
                self._check_text_call(owner, name, args)
        return __context.call(__obj, *args, **kwargs)

    def _check_text_call(self, owner: str, name: str, args: tuple[Any, ...]) -> None:
        if any(isinstance(item, int) and abs(item) > _MAX_ARGUMENT for item in args):
            _too_much(T("参数过大"))
        if name == "replace" and len(args) > 1:
            self._text((len(owner) + 1) * max(1, _size(args[1])))
        if name == "join" and args:
            items = self._flat(args[0])
            self._text(sum(len(str(item)) + len(owner) for item in items))
        self.spend(len(owner))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate, refusing results that grow without bound."""
        del context
        if operator == "%" and isinstance(left, str):
            for item in right if isinstance(right, tuple) else (right,):
                _scalar(item)
            if _WIDE_FORMAT.search(left):
                _too_much(T("格式宽度过大"))
        elif operator == "**":
            if not isinstance(right, int) or abs(right) > _MAX_DIGITS or abs(left) > 10**_MAX_DIGITS:
                _too_much(T("乘方过大"))
        elif operator == "*":
            for items, count in ((left, right), (right, left)):
                if isinstance(items, str) and isinstance(count, int):
                    self._text(len(items) * max(0, count))
                elif isinstance(items, (list, tuple)) and isinstance(count, int):
                    self._items(self._count(items) * max(0, count))
        elif isinstance(left, (list, tuple)):
            self._items(self._count(left) + self._count(right))
        elif isinstance(left, str):
            self._text(len(left) + _size(right))
        result = self.binop_table[operator](left, right)
        if isinstance(result, (int, float, Decimal)) and abs(result) > 10**_MAX_DIGITS:
            _too_much(T("数字过大"))
        return result

    def _text(self, length: int) -> None:
        if length > MAX_TEXT:
            _too_much(T("拼接出的文字过长"))
        self.spend(length)

    def _items(self, count: int) -> None:
        if count > MAX_ITEMS:
            _too_much(T("列表过长"))
        self.spend(count)

    def _count(self, value: object) -> int:
        """Count the items of nested lists, stopping at the limit: shared sublists would count for ever."""
        total = 0
        waiting = [value]
        while waiting and total <= MAX_ITEMS:
            item = waiting.pop()
            total += 1
            if isinstance(item, (list, tuple)):
                waiting.extend(item)
            elif isinstance(item, dict):
                waiting.extend(item.values())
        return total

    def _flat(self, value: Any) -> list[Any]:
        items = list(value) if isinstance(value, (list, tuple, str, range, dict)) else list(_limited(value))
        for item in items:
            _scalar(item)
        return items

    def joined(self, items: list[Any]) -> str:
        """`a ~ b`: join texts, escaped where one of them is already markup."""
        for item in items:
            _scalar(item)
        texts = [self.finalize(item) if self.finalize else item for item in items]
        self._text(sum(_size(item) for item in texts))
        if any(isinstance(item, Markup) for item in texts):
            return Markup("").join(texts)
        return "".join(str(item) for item in texts)

    def listed(self, items: Any) -> Any:
        """`[a, b]`: a list within bounds."""
        self._items(self._count(items))
        return items

    def mapped(self, items: dict[Any, Any]) -> dict[Any, Any]:
        """`{a: b}`: a mapping within bounds."""
        self._items(self._count(items))
        return items

    def _range(self, *args: int) -> range:
        items = range(*args)
        self._items(len(items))
        return items

    def _dict(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return self.mapped(dict(*args, **kwargs))

    def _guarded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a filter so that it counts its work and refuses sizes that explode."""
        passes_environment = hasattr(function, "jinja_pass_arg")

        def guarded(*args: Any, **kwargs: Any) -> Any:
            value, rest = (args[1], args[2:]) if passes_environment else (args[0], args[1:])
            options = [*rest, *kwargs.values()]
            if any(isinstance(item, int) and abs(item) > _MAX_ARGUMENT for item in options) and name not in {
                "default",
                "d",
            }:
                _too_much(T("参数过大"))
            if name in _TEXT_FILTERS:
                _scalar(value)
            self.spend(_CALL_COST + 10 * _size(value) * max((1, *(_size(item) for item in options))))
            if name == "format":
                for item in options:
                    _scalar(item)
                if _WIDE_FORMAT.search(str(value)):
                    _too_much(T("格式宽度过大"))
            elif name == "replace" and len(options) > 1:
                self._text((_size(value) + 1) * max(1, _size(options[1])))
            elif name == "join" and not kwargs and len(rest) < 2:
                value = self._flat(value)
                self._text(sum(len(str(item)) + sum(_size(option) for option in options) for item in value))
                args = (args[0], value, *rest) if passes_environment else (value, *rest)
            elif name == "sum" and not kwargs and not rest:
                value = self._flat(value)
                args = (args[0], value) if passes_environment else (value,)
            elif name == "indent":
                self._text((str(value).count("\n") + 1) * 1_000 + _size(value)) if options else None
            result = function(*args, **kwargs)
            if isinstance(result, (list, tuple)):
                self.listed(list(result))
            return result

        for attribute in ("jinja_pass_arg", "jinja_async_variant"):
            if hasattr(function, attribute):
                setattr(guarded, attribute, getattr(function, attribute))
        return guarded


def _limited(items: Iterable[Any]) -> Iterable[Any]:
    for count, item in enumerate(items):
        if count >= MAX_ITEMS:
            _too_much(T("列表过长"))
        yield item


class _Counting(NodeTransformer):
    """Puts the counting into the tree: every body that can run more than once pays for itself each time."""

    def _cost(self, body: list[nodes.Node], line: int) -> nodes.ExprStmt:
        units = sum(
            (len(node.data) if isinstance(node, nodes.TemplateData) else _NODE_COST)
            for part in body
            for node in (part, *part.find_all(nodes.Node))
        )
        return nodes.ExprStmt(_environment_call("spend", [nodes.Const(units, lineno=line)], line), lineno=line)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        cost = self._cost(node.body, node.lineno)
        self.generic_visit(node)
        node.body.insert(0, cost)
        if node.test is not None:
            paid = _environment_call("spend", [nodes.Const(_NODE_COST, lineno=node.lineno)], node.lineno)
            node.test = nodes.And(paid, node.test, lineno=node.lineno)
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        cost = self._cost(node.body, node.lineno)
        self.generic_visit(node)
        node.body.insert(0, cost)
        return node

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:
        cost = self._cost(node.body, node.lineno)
        self.generic_visit(node)
        node.body.insert(0, cost)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _environment_call("joined", [nodes.List(node.nodes, lineno=node.lineno)], node.lineno)

    def visit_List(self, node: nodes.List) -> nodes.Node:
        self.generic_visit(node)
        return _environment_call("listed", [node], node.lineno)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return _environment_call("listed", [node], node.lineno) if node.ctx == "load" else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return _environment_call("mapped", [node], node.lineno)

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:
        # Paragraphs were put on lines of their own for error places; `{_{` is docxtpl's spelling of a literal `{{`.
        text = node.data.replace("\n<w:p ", "<w:p ").replace("\n<w:p>", "<w:p>")
        if "_" in text:
            text = text.replace("{_{", "{{").replace("}_}", "}}").replace("{_%", "{%").replace("%_}", "%}")
        node.data = text
        return node


def _environment_call(name: str, args: list[nodes.Expr], line: int) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(name, lineno=line), args, [], None, None, lineno=line)
