"""What a hostile template tries, and the clear error it gets: never a hang, never memory without end, never a file."""

from __future__ import annotations

import gc
import tracemalloc
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from controller.adapters.docx_renderer import JinjaDocxRenderer
from controller.adapters.docx_template import DocxtplCompiler
from controller.adapters.template_errors import (
    ForbiddenInTemplateError,
    TemplateCalculationError,
    TemplateLimitError,
    TemplateSyntaxProblemError,
    UndefinedInTemplateError,
    UnprintableValueError,
)
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.file_formats.docx_package import open_docx
from tests.docx_files import docx

if TYPE_CHECKING:
    from collections.abc import Mapping

VALUES: dict[str, object] = {
    "text": "文字",
    "number": Decimal("12.50"),
    "day": date(2026, 5, 1),
    "moment": datetime(2026, 5, 1, 9, 30, tzinfo=timezone(timedelta(hours=8))),
    "rows": [{"no": 1, "name": "甲"}, {"no": 2, "name": "乙"}],
    "yes": True,
    "nothing": None,
}


def printed(*paragraphs: str, values: Mapping[str, object] | None = None) -> str:
    """Render the paragraphs and return the document's XML."""
    template = docx(*(text.replace("&", "&amp;").replace("<", "&lt;") for text in paragraphs))
    parts = DocxtplCompiler().compile(template)
    result = JinjaDocxRenderer().render(
        docx=template, parts=parts, key=Digest.of(template), context=VALUES if values is None else values
    )
    return open_docx(result).contents["word/document.xml"].decode()


INTERNALS = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ text['__class__'] }}",
    "{{ rows.__init__.__globals__ }}",
    "{{ ''|attr('__class__') }}",
    "{{ rows|map(attribute='__class__')|list }}",
    "{{ rows|map('attr', '__class__')|list }}",
    "{{ rows|groupby('__class__') }}",
    "{{ '{0.__class__}'.format(text) }}",
    "{{ '{x.__class__.__mro__}'.format(x=1) }}",
    "{{ text.format_map({}) }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__ }}",
    "{{ namespace.__init__ }}",
    "{{ cycler.__init__.__globals__.os.system('id') }}",
    "{{ joiner._x }}",
    "{{ range.mro() }}",
    "{% macro m() %}{% endmacro %}{{ m.__call__ }}",
    "{% for r in rows %}{{ loop.__class__ }}{% endfor %}",
    "{% for r in rows %}{{ loop._iterable }}{% endfor %}",
    "{{ text.encode('utf-16').decode() }}",
    "{{ text.translate({}) }}",
    "{{ rows.append(1) }}",
    "{{ rows.clear() }}",
    "{{ rows[0].update({'no': 3}) }}",
    "{{ rows[0].pop('no') }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import system %}",
    "{% extends 'x' %}",
    "{% block a %}{{ self.a() }}{% endblock %}",
    "{% autoescape false %}{{ text }}{% endautoescape %}",
    "{{ text|safe }}",
    "{{ text|xmlattr }}",
    "{{ rows|random }}",
    "{{ rows|tojson }}",
    "{{ rows|pprint }}",
    "{{ day.today() }}",
    "{{ moment.now() }}",
    "{{ moment.timestamp() }}",
    "{{ moment.astimezone() }}",
    "{{ day.strftime('%A %c') }}",
    "{{ '{:%B}'.format(day) }}",
    "{{ day.__format__('%B') }}",
    "{{ number.as_tuple() }}",
    "{{ text() }}",
]


@pytest.mark.parametrize("template", INTERNALS)
def test_reaching_for_internals_files_or_the_clock_is_forbidden(template: str) -> None:
    with pytest.raises((ForbiddenInTemplateError, UndefinedInTemplateError)) as caught:
        printed("前", template)
    assert caught.value.hint is not None


def test_the_message_says_what_is_forbidden_and_where() -> None:
    with pytest.raises(ForbiddenInTemplateError) as caught:
        printed("第一段", "客户信息 {{ text.__class__ }}")
    told = str(caught.value)
    assert "“__class__”" in told
    assert "正文 word/document.xml" in told
    assert "客户信息" in told


def test_an_object_in_the_context_gives_nothing_away() -> None:
    class Holder:
        inside = "里面"

        def save(self) -> None:
            raise AssertionError

    for template in ("{{ x.inside }}", "{{ x.save() }}", "{{ x['inside'] }}"):
        with pytest.raises(ForbiddenInTemplateError):
            printed(template, values={"x": Holder()})


ENDLESS = [
    "{{ range(10**9)|list }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in range(5000) %}{% for b in range(5000) if false %}x{% endfor %}{% endfor %}",
    "{{ 'x' * 10**9 }}",
    "{{ 10**9 * 'x' }}",
    "{{ [1] * 10**9 }}",
    "{{ 9**9**9 }}",
    "{{ 9.0**999 }}",
    "{% set x = namespace(n=9) %}{% for i in range(99) %}{% set x.n = x.n * x.n %}{% endfor %}{{ x.n }}",
    "{% set x = namespace(t='ab') %}{% for i in range(99) %}{% set x.t = x.t ~ x.t %}{% endfor %}",
    "{% set x = namespace(t='ab') %}{% for i in range(99) %}{% set x.t = x.t + x.t %}{% endfor %}",
    "{% set x = namespace(t=[1]) %}{% for i in range(99) %}{% set x.t = x.t + x.t %}{% endfor %}",
    "{% set x = namespace(t=[1]) %}{% for i in range(99) %}{% set x.t = [x.t, x.t] %}{% endfor %}",
    "{% set x = namespace(t=[1]) %}{% for i in range(99) %}{% set x.t = {'a': x.t, 'b': x.t} %}{% endfor %}",
    "{% set x = namespace(t=(1, 2)) %}{% for i in range(99) %}{% set x.t = (x.t, x.t) %}{% endfor %}",
    "{% set a %}xxxxxxxxxx{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40,
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% for i in range(3) recursive %}{{ loop(range(3)) }}{% endfor %}",
    "{{ '%999999999d' % 1 }}",
    "{{ '%*d' % (999999999, 1) }}",
    "{{ '%.999999999f' % 1 }}",
    "{{ '%999999999d'|format(1) }}",
    "{{ '{:999999999}'.format(1) }}",
    "{{ '{:{w}}'.format(1, w=999999999) }}",
    "{{ text.center(10**9) }}",
    "{{ text.ljust(10**9) }}",
    "{{ text.zfill(10**9) }}",
    "{{ text|center(10**9) }}",
    "{{ text|indent(10**9) }}",
    "{{ rows|batch(10**9, 'x')|list }}",
    "{{ rows|slice(10**9)|list }}",
    "{{ 1.5|round(10**9) }}",
    "{% set a = 'a' * 100000 %}{{ a.replace('a', a) }}",
    "{% set a = 'a' * 100000 %}{{ a|replace('a', a) }}",
    "{% set a = 'a' * 100000 %}{{ [a, a, a, a]|join(a) }}",
    "{% set a = 'a' * 100000 %}{{ a.join(a) }}",
    "{% set a = 'a' * 100000 %}{% for i in range(5000) %}{{ a }}{% endfor %}",
    "{% for i in range(5000) %}{% for j in range(100) %}" + "很长的固定文字" * 500 + "{% endfor %}{% endfor %}",
    "{{ text|wordwrap(0) }}",
]


@pytest.mark.parametrize("template", ENDLESS)
def test_what_would_not_end_or_not_fit_is_stopped(template: str) -> None:
    gc.collect()
    tracemalloc.start()
    try:
        with pytest.raises((TemplateLimitError, TemplateCalculationError, TemplateSyntaxProblemError)):
            printed(template)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 120 * 1024 * 1024


@pytest.mark.parametrize("template", ["{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "{{ " + "9" * 10000 + " }}"])
def test_absurd_expressions_are_refused_when_compiled(template: str) -> None:
    with pytest.raises(TemplateSyntaxProblemError):
        DocxtplCompiler().compile(docx(template))


def test_every_rendering_has_the_whole_budget() -> None:
    template = docx("{% for i in range(3000) %}{{ i }} {% endfor %}")
    parts = DocxtplCompiler().compile(template)
    renderer = JinjaDocxRenderer()
    results = {renderer.render(docx=template, parts=parts, key=Digest.of(template), context={}) for _ in range(100)}
    assert len(results) == 1


ALLOWED: list[tuple[str, str]] = [
    ("{{ text.upper() }}{{ 'a,b'.split(',')[1] }}{{ 'x'.center(3) }}", "文字b x "),
    ("{{ day.year }}/{{ day.strftime('%m') }} {{ moment.strftime('%H:%M') }}", "2026/05 09:30"),
    ("{{ day.strftime('%Y年%m月%d日') }}", "2026年05月01日"),
    ("{{ '{:>5}|{:.2f}'.format('a', 1.5) }} {{ '2026年%d' % 3 }}", "    a|1.50 2026年3"),
    ("{{ '{:%Y-%m}'.format(day) }}", "2026-05"),
    ("{% for k, v in rows[0].items() %}{{ k }}={{ v }};{% endfor %}", "no=1;name=甲;"),
    ("{{ rows|map(attribute='name')|join('、') }}", "甲、乙"),
    ("{% set c = cycler('单', '双') %}{% for r in rows %}{{ c.next() }}{% endfor %}", "单双"),
    ("{% set j = joiner(',') %}{% for r in rows %}{{ j() }}{{ r.no }}{% endfor %}", "1,2"),
    ("{% for r in rows %}{{ loop.cycle('a', 'b') }}{{ loop.revindex }}{% endfor %}", "a2b1"),
    ("{{ dict(a=1).a }}{{ {'b': 2}.b }}{{ (1, 2)[1] }}{{ [3, 4]|last }}", "1224"),
    ("{{ missing|default('无') }}{{ missing is defined }}", "无否"),
    ("{{ nothing }}{{ yes }}{{ number }}{{ day }} {{ moment }}", "是12.502026-05-01 2026-05-01 09:30"),
    ("{{ true }}{{ none }}{{ 'b' in 'abc' }}{{ 'b' in text }}{{ 1.5 }}", "是是否1.5"),
    ("{{ rows|selectattr('no', 'gt', 1)|map(attribute='name')|first }}", "乙"),
]


@pytest.mark.parametrize(("template", "shown"), ALLOWED)
def test_what_forms_need_is_allowed(template: str, shown: str) -> None:
    assert f">{shown}</w:t>" in printed(template)


def test_a_key_of_a_mapping_comes_before_the_method_of_that_name() -> None:
    values: dict[str, Any] = {"row": {"items": "三件", "values": "值", "keys": "键"}}
    assert "三件值键" in printed("{{ row.items }}{{ row.values }}{{ row.keys }}", values=values)


@pytest.mark.parametrize("expression", ["rows", "rows[0]", "text.upper", "range(3)", "rows ~ 'x'"])
def test_compound_values_are_not_printed_as_program_text(expression: str) -> None:
    with pytest.raises(UnprintableValueError):
        printed(f"{{{{ {expression} }}}}")


def test_a_comparison_with_nothing_names_the_place() -> None:
    with pytest.raises(TemplateCalculationError) as caught:
        printed("数量 {% if nothing > 3 %}多{% endif %}")
    assert "数量" in str(caught.value)


def test_a_value_is_never_read_as_a_template_or_as_markup() -> None:
    shown = printed("{{ text }}", values={"text": "{{ 7*7 }}{% raw %}<w:br/>{_{"})
    assert "{{ 7*7 }}{% raw %}&lt;w:br/&gt;{_{" in shown


def test_errors_are_ours_for_whatever_stands_in_the_braces() -> None:
    for template in ("{{ }}", "{{ x y }}", "{% if %}", "{% endfor %}", "{{ 'x }}", "{% unknown %}", "{{ 1|nofilter }}"):
        with pytest.raises(QmsError):
            printed(template)
