"""模板计数. Rewrites a parsed template so that every part of it that can run more than once pays for each time.

The prices are in the units of `template_sandbox.BUDGET`: one for each character put out, more for each step of work.
"""

from __future__ import annotations

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

NODE_COST = 500
"""Price of one step: about what it costs to put out five hundred characters."""


def counted(tree: nodes.Template) -> nodes.Template:
    """Return `tree` with the counting in it, and its own text as docxtpl would put it out."""
    changed = _CountingTree().visit(tree)
    assert isinstance(changed, nodes.Template)
    return changed


class _CountingTree(NodeTransformer):
    """Puts the counting into the tree: every body that can run more than once pays for itself each time."""

    def _cost(self, body: list[nodes.Node], line: int) -> nodes.ExprStmt:
        units = sum(
            (len(node.data) if isinstance(node, nodes.TemplateData) else NODE_COST)
            for part in body
            for node in (part, *part.find_all(nodes.Node))
        )
        return nodes.ExprStmt(_environment_call("spend", [nodes.Const(units, lineno=line)], line), lineno=line)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's name
        cost = self._cost(node.body, node.lineno)
        self.generic_visit(node)
        node.body.insert(0, cost)
        if node.test is not None:
            paid = _environment_call("spend", [nodes.Const(NODE_COST, lineno=node.lineno)], node.lineno)
            node.test = nodes.And(paid, node.test, lineno=node.lineno)
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802 - Jinja's name
        cost = self._cost(node.body, node.lineno)
        self.generic_visit(node)
        node.body.insert(0, cost)
        return node

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:  # noqa: N802 - Jinja's name
        cost = self._cost(node.body, node.lineno)
        self.generic_visit(node)
        node.body.insert(0, cost)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        return _environment_call("joined", [nodes.List(node.nodes, lineno=node.lineno)], node.lineno)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        return _environment_call("listed", [node], node.lineno)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        return _environment_call("listed", [node], node.lineno) if node.ctx == "load" else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        return _environment_call("mapped", [node], node.lineno)

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - Jinja's name
        """Keep Jinja from turning constants into text itself; it would not write 是 and 否."""
        self.generic_visit(node)
        node.nodes = [
            _environment_call("itself", [item], item.lineno)
            if not isinstance(item, nodes.TemplateData) and _constant(item)
            else item
            for item in node.nodes
        ]
        return node

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:  # noqa: N802 - Jinja's name
        # Paragraphs were put on lines of their own for error places; `{_{` is docxtpl's spelling of a literal `{{`.
        text = node.data.replace("\n<w:p ", "<w:p ").replace("\n<w:p>", "<w:p>")
        if "_" in text:
            text = text.replace("{_{", "{{").replace("}_}", "}}").replace("{_%", "{%").replace("%_}", "%}")
        node.data = text
        return node


def _constant(item: nodes.Expr) -> bool:
    try:
        item.as_const()
    except nodes.Impossible:
        return False
    return True


def _environment_call(name: str, args: list[nodes.Expr], line: int) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(name, lineno=line), args, [], None, None, lineno=line)
