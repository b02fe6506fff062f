"""模板结构证明. Proves once, when a template is compiled, that whatever values it gets, its output is well-formed XML.

Every branch of a condition must leave the same elements open as every other, and every pass of a loop as many as it
found. Where that cannot be shown the renderer checks each output instead, which costs a hundred times more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from jinja2 import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable

_TAG = re.compile(r"<(?:\?[^>]*\?|(/?)([A-Za-z_][\w:.-]*)([^<>]*?)(/?))>")
_VALUE = "\x01"


class _State(NamedTuple):
    open: tuple[str, ...]
    pending: str
    """A tag that has begun but not ended."""


_Unproven: TypeAlias = None


def proves_well_formed(tree: nodes.Template) -> bool:
    """Tell whether every output of the template is one well-formed element, as far as its own text goes."""
    end = _walk(tree.body, _State((), ""))
    return end is not None and end == _State((), "")


def _walk(body: Iterable[nodes.Node], state: _State) -> _State | _Unproven:
    current: _State | None = state
    for node in body:
        if current is None:
            return None
        current = _step(node, current)
    return current


def _step(node: nodes.Node, state: _State) -> _State | _Unproven:
    if isinstance(node, nodes.Output):
        return _walk_output(node, state)
    if isinstance(node, nodes.If):
        ends = [_walk(branch, state) for branch in (node.body, *(item.body for item in node.elif_), node.else_)]
        return ends[0] if all(end == ends[0] for end in ends) else None
    if isinstance(node, nodes.For):
        if _walk(node.body, state) != state or _walk(node.else_, state) != state:
            return None
        return state
    if isinstance(node, nodes.With):
        return _walk(node.body, state)
    if isinstance(node, (nodes.Assign, nodes.ExprStmt)):
        return state
    if isinstance(node, (nodes.Macro, nodes.AssignBlock)):
        # What they make is markup; printing it is noticed by the renderer, which then checks the output.
        return state
    return None


def _walk_output(node: nodes.Output, state: _State) -> _State | _Unproven:
    current = state
    for item in node.nodes:
        if isinstance(item, nodes.TemplateData):
            after = _read(item.data, current)
            if after is None:
                return None
            current = after
        elif current.pending:
            if current.pending.count('"') % 2 == 0:
                return None
            current = current._replace(pending=current.pending + _VALUE)
    return current


def _read(text: str, state: _State) -> _State | _Unproven:
    text = state.pending + text
    stack = list(state.open)
    position = 0
    while (begin := text.find("<", position)) >= 0:
        match = _TAG.match(text, begin)
        if match is None:
            rest = text[begin:]
            return None if ">" in rest else _State(tuple(stack), rest)
        closing, name, _, empty = match.groups()
        if name and closing:
            if not stack or stack.pop() != name:
                return None
        elif name and not empty:
            stack.append(name)
        position = match.end()
    if not stack and text[position:].strip():
        return None
    return _State(tuple(stack), "")
