"""模板源文. The compiled source of a form template: where something stands in it, and which names it uses.

The names are data for lint (`domain.form_lint`) and for `services.form_compiling`; neither needs a template engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jinja2 import nodes

_PARAGRAPH = re.compile(r"<w:p(?=[ >])")
_GLOBALS = frozenset({"range", "dict", "namespace", "cycler", "joiner", "caller", "varargs", "kwargs", "loop", "self"})
_PLACE = 60


@dataclass(frozen=True)
class NameUse:
    """名称的一次使用. A dotted name, and where in the template it stands."""

    name: str
    """`customer_name`, `record.number`, `box.channel.电话`; a column of a table as `parts.qty`."""
    part: str
    """The part of the docx: `word/document.xml`."""
    place: str
    """Visible text of the paragraph it stands in."""


def has_tags(text: str) -> bool:
    """Tell whether `text` holds a placeholder or tag."""
    return "{{" in text or "{%" in text or "{#" in text or "{_" in text


def with_lines(source: str) -> str:
    """Return the source with every paragraph on a line of its own, so that line numbers name paragraphs."""
    return _PARAGRAPH.sub("\n<w:p", source)


def place_at(lines: str, number: int) -> str:
    """Return the visible text of line `number` (from 1) of a source from `with_lines`, shortened."""
    rows = lines.split("\n")
    if not 1 <= number <= len(rows):
        return ""
    text = unescape(re.sub(r"<[^>]*>", " ", rows[number - 1]))
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= _PLACE else text[:_PLACE] + "…"


def template_names(parts: Mapping[str, str]) -> dict[str, set[str]]:
    """Return for every part the dotted names its template uses."""
    found: dict[str, set[str]] = {part: set() for part in parts}
    for use in template_uses(parts):
        found[use.part].add(use.name)
    return found


def template_uses(parts: Mapping[str, str]) -> list[NameUse]:
    """Return every use of a name in document order; loop variables are resolved to the table they run over.

    The sources must be the checked ones that the template compiler returns.
    """
    from jinja2 import Environment

    # Only the parser is used; nothing is ever rendered here.
    parser = Environment(autoescape=True)
    uses: list[NameUse] = []
    for part, source in parts.items():
        lines = with_lines(source)
        places: dict[int, str] = {}
        for name, line in _Names().of(parser.parse(lines)):
            if line not in places:
                places[line] = place_at(lines, line)
            uses.append(NameUse(name=name, part=part, place=places[line]))
    return uses


class _Names:
    """Walks a tree with the scopes of Jinja: what a loop, `set`, `with` or a macro names is not asked from outside."""

    def __init__(self) -> None:
        self._found: list[tuple[str, int]] = []

    def of(self, tree: nodes.Template) -> list[tuple[str, int]]:
        self._body(tree.body, {})
        return self._found

    def _body(self, body: Iterable[nodes.Node], scope: dict[str, str | None]) -> None:
        for node in body:
            self._visit(node, scope)

    def _visit(self, node: nodes.Node, scope: dict[str, str | None]) -> None:
        from jinja2 import nodes as kinds

        if isinstance(node, kinds.For):
            self._visit(node.iter, scope)
            inner = dict(scope)
            self._bind(node.target, self._path(node.iter, scope), inner)
            inner["loop"] = None
            if node.test is not None:
                self._visit(node.test, inner)
            self._body(node.body, inner)
            self._body(node.else_, dict(scope))
        elif isinstance(node, kinds.Assign):
            self._visit(node.node, scope)
            self._bind(node.target, self._path(node.node, scope), scope)
        elif isinstance(node, kinds.AssignBlock):
            self._body(node.body, dict(scope))
            self._bind(node.target, None, scope)
        elif isinstance(node, (kinds.Macro, kinds.CallBlock)):
            if isinstance(node, kinds.Macro):
                scope[node.name] = None
            else:
                self._visit(node.call, scope)
            inner = dict(scope)
            for argument in node.args:
                inner[argument.name] = None
            for default in node.defaults:
                self._visit(default, scope)
            self._body(node.body, inner)
        elif isinstance(node, kinds.With):
            inner = dict(scope)
            for target, value in zip(node.targets, node.values, strict=True):
                self._visit(value, scope)
                self._bind(target, self._path(value, scope), inner)
            self._body(node.body, inner)
        elif isinstance(node, (kinds.Name, kinds.Getattr, kinds.Getitem)):
            self._use(node, scope)
        elif isinstance(node, kinds.Call) and isinstance(node.node, kinds.Getattr):
            # `text.upper()`: the method is no name; what it is called on is.
            for child in (node.node.node, *node.args, *node.kwargs):
                self._visit(child, scope)
        else:
            for child in node.iter_child_nodes():
                self._visit(child, scope)

    def _bind(self, target: nodes.Node, path: str | None, scope: dict[str, str | None]) -> None:
        from jinja2 import nodes as kinds

        if isinstance(target, kinds.Name):
            scope[target.name] = path
        elif isinstance(target, (kinds.Tuple, kinds.List)):
            for item in target.items:
                self._bind(item, None, scope)

    def _path(self, node: nodes.Node, scope: dict[str, str | None]) -> str | None:
        """Return the dotted name of an expression, None when it is not one that comes from outside."""
        from jinja2 import nodes as kinds

        if isinstance(node, kinds.Name):
            return scope.get(node.name, None if node.name in _GLOBALS else node.name)
        if isinstance(node, kinds.Getattr):
            inner = self._path(node.node, scope)
            return None if inner is None else f"{inner}.{node.attr}"
        if isinstance(node, kinds.Getitem):
            inner = self._path(node.node, scope)
            if inner is None:
                return None
            if isinstance(node.arg, kinds.Const) and isinstance(node.arg.value, str):
                return f"{inner}.{node.arg.value}"
            return inner
        if isinstance(node, kinds.Filter) and node.node is not None and node.name in _KEEPS_ITEMS:
            return self._path(node.node, scope)
        return None

    def _use(self, node: nodes.Name | nodes.Getattr | nodes.Getitem, scope: dict[str, str | None]) -> None:
        from jinja2 import nodes as kinds

        path = self._path(node, scope)
        if path is not None:
            self._found.append((path, node.lineno))
            for argument in _arguments(node):
                self._visit(argument, scope)
            return
        if not isinstance(node, kinds.Name):
            for child in node.iter_child_nodes():
                self._visit(child, scope)


_KEEPS_ITEMS = frozenset({"list", "sort", "reverse", "first", "last", "unique", "selectattr", "rejectattr"})


def _arguments(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the expressions in square brackets along a dotted name."""
    from jinja2 import nodes as kinds

    while isinstance(node, (kinds.Getattr, kinds.Getitem)):
        if isinstance(node, kinds.Getitem) and not isinstance(node.arg, kinds.Const):
            yield node.arg
        node = node.node
