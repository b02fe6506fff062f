"""The proof that a template's output is well-formed whatever its values: never wrong, found for ordinary forms."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from controller.adapters.template_sandbox import TemplateSandbox
from controller.adapters.xml_balance import proves_well_formed


def sandbox() -> TemplateSandbox:
    return TemplateSandbox(finalize=lambda value: value)


def proven(source: str) -> bool:
    tree, _ = sandbox().compile_template(source)
    return proves_well_formed(tree)


PROVEN = [
    "<a>{{ x }}</a>",
    '<?xml version="1.0"?><a b="{{ x }}"><c/>{{ x }}</a>',
    "<a>{% if x %}<b>1</b>{% else %}<c/>{% endif %}</a>",
    "<a>{% for i in x %}<b>{{ i }}</b>{% endfor %}</a>",
    "<a><b>{% if x %}1</b><b>2{% endif %}</b></a>",
    "<a>{% set y = 1 %}{% with z = 2 %}<b/>{% endwith %}</a>",
]
UNPROVEN = [
    "<a>{% if x %}<b>{% endif %}</a>",
    "<a>{% if x %}</a>{% endif %}",
    "<a>{% for i in x %}<b>{% endfor %}</a>",
    "<a>{% for i in x %}</b><b>{% endfor %}</a>",
    "<{{ x }}></a>",
    "<a {{ x }}></a>",
    "<a></b>",
    "<a/>text",
    "<a><b></a></b>",
    "<a>{% filter upper %}<b>{% endfilter %}</a>",
]


@pytest.mark.parametrize("source", PROVEN)
def test_balanced_templates_are_proven(source: str) -> None:
    assert proven(source)


@pytest.mark.parametrize("source", UNPROVEN)
def test_templates_that_may_break_are_not_proven(source: str) -> None:
    assert not proven(source)


PIECES = ["<a>", "</a>", "<b>", "</b>", "<c/>", "文字", "{{ x }}", '<d e="{{ x }}"/>']
LEAF = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)
TREE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"{{% if p %}}{pair[0]}{{% else %}}{pair[1]}{{% endif %}}"),
        inner.map(lambda body: f"{{% for i in n %}}{body}{{% endfor %}}"),
        inner.map(lambda body: f"{{% if q %}}{body}{{% endif %}}"),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(TREE)
def test_what_is_proven_is_well_formed_for_every_value(body: str) -> None:
    source = f"<r>{body}</r>"
    tree, template = sandbox().compile_template(source)
    if not proves_well_formed(tree):
        return
    for p, q, n in product((True, False), (True, False), ([], [1], [1, 2])):
        etree.fromstring(template.render(p=p, q=q, n=n, x="<&\">'"))
