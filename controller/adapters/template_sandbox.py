"""模板沙箱. Jinja for form templates, narrowed until a template can only lay out the values it was given.

Allowed are the things a form needs: names, conditions, loops, the ordinary filters, and the harmless methods of texts,
dates and tables, each listed by name. Everything else is refused with the place in the document. What a template may
spend (loop passes, lengths, output) is counted in units that do not depend on the machine, so a template that would
never end stops everywhere at the same point.
"""

from __future__ import annotations

from decimal import Decimal
from types import BuiltinMethodType, MethodType
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.filters import FILTERS
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace
from markupsafe import Markup

from controller.adapters.template_allowances import (
    ALLOWED_FILTERS,
    ATTRIBUTES,
    TEXT_FILTERS,
    WIDE_FORMAT,
    BoundedFormat,
    DateFormat,
    forbid,
    require_scalar,
    size_of,
    too_much,
)
from controller.adapters.template_counting import counted
from controller.adapters.template_errors import ForbiddenInTemplateError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jinja2.runtime import Context

BUDGET = 50_000_000
"""Units one rendering may spend; a form with a table of 500 rows spends some 12 million."""
MAX_TEXT = 200_000
"""Characters of a text that a template may build."""
MAX_ITEMS = 5_000
"""Items of a list that a template may build."""
_MAX_ARGUMENT = 1_000
"""Widths, counts and digits given to filters and methods."""
_MAX_DIGITS = 60
_CALL_COST = 1_000

_FORBIDDEN_NODES: tuple[tuple[type[nodes.Node], str], ...] = (
    (nodes.Include, "include"),
    (nodes.Import, "import"),
    (nodes.FromImport, "from … import"),
    (nodes.Extends, "extends"),
    (nodes.Block, "block"),
    (nodes.ScopedEvalContextModifier, "autoescape"),
    (nodes.EvalContextModifier, "autoescape"),
)


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
        self._callables = (Macro, LoopContext, Joiner, BoundedFormat, DateFormat)
        self._functions: tuple[object, ...] = (
            self._range, self._dict, Namespace, Cycler, Joiner,
            self.spend, self.joined, self.listed, self.mapped, self.itself,
        )  # fmt: skip
        self.filters = {name: self._guarded(name, FILTERS[name]) for name in sorted(ALLOWED_FILTERS)}

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
            too_much(T("循环次数或内容过多"))
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
                known = use.name in FILTERS
                raise ForbiddenInTemplateError(what=f"|{use.name}", line=use.lineno, unknown=not known)
        for access in tree.find_all((nodes.Getattr, nodes.Getitem)):
            name = access.attr if isinstance(access, nodes.Getattr) else getattr(access, "arg", None)
            name = name.value if isinstance(name, nodes.Const) else name
            if isinstance(name, str) and name.startswith("_"):
                raise ForbiddenInTemplateError(what=name, line=access.lineno)
        tree = counted(tree)
        return tree, self.template_class.from_code(self, self.compile(tree), self.make_globals(None))

    def call_filter(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Apply a filter that another filter names, such as `map('upper')`."""
        if name not in self.filters:
            forbid(f"|{name}")
        return super().call_filter(name, *args, **kwargs)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a listed attribute; a mapping's own keys come before its methods."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        if attribute.startswith("_"):
            forbid(attribute)
        if isinstance(obj, Undefined):
            return getattr(obj, attribute)
        if isinstance(obj, Namespace):
            # What a namespace holds was put there by the template itself; it has no methods.
            return getattr(obj, attribute, None) if hasattr(obj, attribute) else self.undefined(obj=obj, name=attribute)
        for kind, allowed in ATTRIBUTES:
            if isinstance(obj, kind):
                if attribute in allowed:
                    return self._attribute(obj, attribute)
                if hasattr(obj, attribute):
                    forbid(attribute)
                return self.undefined(obj=obj, name=attribute)
        if hasattr(obj, attribute):
            forbid(attribute)
        return self.undefined(obj=obj, name=attribute)

    def _attribute(self, obj: Any, attribute: str) -> Any:
        if attribute == "format" and isinstance(obj, str):
            return BoundedFormat(self, obj)
        if attribute == "strftime":
            return DateFormat(obj)
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

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805, PYI063 - names as in Jinja, so that keyword arguments cannot collide
        """Call what is listed, after looking at the sizes of the arguments."""
        self = __self
        if isinstance(__obj, Undefined):
            return __obj(*args, **kwargs)
        if __obj != self.spend:
            self.spend(_CALL_COST)
        if not isinstance(__obj, self._callables) and __obj not in self._functions:
            owner = getattr(__obj, "__self__", None) if isinstance(__obj, (BuiltinMethodType, MethodType)) else None
            name = getattr(__obj, "__name__", type(__obj).__name__)
            if not any(isinstance(owner, kind) and name in names for kind, names in ATTRIBUTES):
                forbid(f"{name}()")
            if isinstance(owner, str):
                self._check_text_call(owner, name, args)
        return __context.call(__obj, *args, **kwargs)

    def _check_text_call(self, owner: str, name: str, args: tuple[Any, ...]) -> None:
        if any(isinstance(item, int) and abs(item) > _MAX_ARGUMENT for item in args):
            too_much(T("参数过大"))
        if name == "replace" and len(args) > 1:
            self._text((len(owner) + 1) * max(1, size_of(args[1])))
        if name == "join" and args:
            items = self._flat(args[0])
            self._text(sum(len(str(item)) + len(owner) for item in items))
        self.spend(len(owner))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate, refusing results that grow without bound."""
        del context
        if operator == "%" and isinstance(left, str):
            for item in right if isinstance(right, tuple) else (right,):
                require_scalar(item)
            if WIDE_FORMAT.search(left):
                too_much(T("格式宽度过大"))
        elif operator == "**":
            if not isinstance(right, int) or abs(right) > _MAX_DIGITS or abs(left) > 10**_MAX_DIGITS:
                too_much(T("乘方过大"))
        elif operator == "*":
            for items, count in ((left, right), (right, left)):
                if isinstance(items, str) and isinstance(count, int):
                    self._text(len(items) * max(0, count))
                elif isinstance(items, (list, tuple)) and isinstance(count, int):
                    self._items(self._count(items) * max(0, count))
        elif isinstance(left, (list, tuple)):
            self._items(self._count(left) + self._count(right))
        elif isinstance(left, str):
            self._text(len(left) + size_of(right))
        result = self.binop_table[operator](left, right)
        if isinstance(result, (int, float, Decimal)) and abs(result) > 10**_MAX_DIGITS:
            too_much(T("数字过大"))
        return result

    def _text(self, length: int) -> None:
        if length > MAX_TEXT:
            too_much(T("拼接出的文字过长"))
        self.spend(length)

    def _items(self, count: int) -> None:
        if count > MAX_ITEMS:
            too_much(T("列表过长"))
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
            require_scalar(item)
        return items

    def itself(self, value: Any) -> Any:
        """Return `value`; keeps a constant from being written before rendering."""
        return value

    def joined(self, items: list[Any]) -> str:
        """`a ~ b`: join texts, escaped where one of them is already markup."""
        for item in items:
            require_scalar(item)
        texts = [self.finalize(item) if self.finalize else item for item in items]
        self._text(sum(size_of(item) for item in texts))
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
                too_much(T("参数过大"))
            if name in TEXT_FILTERS:
                require_scalar(value)
            self.spend(_CALL_COST + 10 * size_of(value) * max((1, *(size_of(item) for item in options))))
            if name == "format":
                for item in options:
                    require_scalar(item)
                if WIDE_FORMAT.search(str(value)):
                    too_much(T("格式宽度过大"))
            elif name == "replace" and len(options) > 1:
                self._text((size_of(value) + 1) * max(1, size_of(options[1])))
            elif name == "join" and not kwargs and len(rest) <= 1:
                value = self._flat(value)
                self._text(sum(len(str(item)) + sum(size_of(option) for option in options) for item in value))
                args = (args[0], value, *rest) if passes_environment else (value, *rest)
            elif name == "sum" and not kwargs and not rest:
                value = self._flat(value)
                args = (args[0], value) if passes_environment else (value,)
            elif name == "indent":
                self._text((str(value).count("\n") + 1) * 1_000 + size_of(value)) if options else None
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
            too_much(T("列表过长"))
        yield item
