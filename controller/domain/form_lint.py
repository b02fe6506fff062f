"""表单检查. Proves that a form's parts agree: fields, expressions, stages, template, and the numbers it refers to.

What cannot be read at all is found by `file_formats.form_file`; this module looks at a definition that can be read.
Every finding has the line in `form.yml` (or the block) where it can be mended. How conditions can hold is judged in
`domain.form_logic`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.expression import Expression, unknown_function
from controller.domain.expression_functions import CALENDAR_FUNCTIONS, FUNCTIONS
from controller.domain.form import FieldType
from controller.domain.form_expressions import computing_order
from controller.domain.form_logic import always_or_never, compared_with_none, wrong_choices
from controller.domain.form_stages import reachable, stages_passed
from controller.domain.identifiers import nearest
from controller.domain.template_vocabulary import TemplateVocabulary
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from controller.domain.form import Field, FormDefinition

QUICK_LIMIT = 8
"""Most entries at the first stage of a quick form (ask late and ask little)."""
_AMBIENT = frozenset({"today", "now", "stage"})


@dataclass(frozen=True)
class KnownLibrary:
    """已知的文件库. What else is known in the workspace; None leaves the matter unchecked."""

    documents: Collection[str] | None = None
    """Numbers of procedures in force or in draft."""
    forms: Collection[str] | None = None
    obsolete: Collection[str] = ()
    """Numbers that were withdrawn."""
    posts: Collection[str] | None = None
    retention_classes: Collection[str] | None = None
    template_names: Mapping[str, Collection[str]] | None = None
    """Docx part → dotted names used in it (`record.number`, `box.channel.电话`, `parts.qty` in a loop over `parts`)."""
    blocks: Mapping[str, str] = field(default_factory=dict)
    """Block name → its file."""


def lint_form(definition: FormDefinition, *, where: str, around: KnownLibrary) -> list[Finding]:
    """Return everything in `definition` that does not fit together."""
    return list(_Lint(definition, where, around).run())


class _Lint:
    def __init__(self, definition: FormDefinition, where: str, around: KnownLibrary) -> None:
        self.definition = definition
        self.where = where
        self.around = around
        self.fields = {item.key: item for item in definition.fields}

    def run(self) -> Iterator[Finding]:
        yield from self._expressions()
        yield from self._circles()
        yield from self._labels()
        yield from self._stages()
        yield from self._references()
        yield from self._quick()
        yield from self._logic()
        if self.around.template_names is not None:
            yield from self._template(self.around.template_names)

    def _finding(
        self,
        code: str,
        message: Text,
        *,
        line: int | None = None,
        item: Field | None = None,
        hint: Text | None = None,
        gravity: Gravity = Gravity.ERROR,
    ) -> Finding:
        path = self.where
        if item is not None:
            line = item.line
            if item.block is not None:
                path = self.around.blocks.get(item.block, path)
        return Finding(code, gravity, message, path=path, line=line, subject=self.definition.number.text, hint=hint)

    def _all_expressions(self) -> Iterator[tuple[str, Text, int | None, Field | None]]:
        """Yield every expression with what it is called and where it stands."""
        for item in self.definition.fields:
            for name, text in (
                ("required_if", item.required_if),
                ("relevant_if", item.relevant_if),
                ("value", item.value),
            ):
                if text is not None:
                    yield text, T("字段 {key} 的 {name}", key=item.key, name=name), item.line, item
        for rule in self.definition.rules:
            yield rule.check, T("规则 {id}", id=rule.id), rule.line, None
        for stage in self.definition.stages:
            if stage.guard is not None:
                yield stage.guard, T("阶段 {key} 的 guard", key=stage.key), stage.line, None

    def _expressions(self) -> Iterator[Finding]:
        known = [*self.fields, *_AMBIENT]
        for text, title, line, item in self._all_expressions():
            expression = Expression.compile(text)
            for name in sorted(expression.names - set(known)):
                close = nearest(name, known)
                hint = T("是否想写 {key}？", key=close) if close else T("表达式只能用本表单的字段名。")
                message = T("{title} 用了没有声明的名称 {name}", title=title, name=name)
                yield self._finding("name-undeclared", message, line=line, item=item, hint=hint)
            for name in sorted(expression.functions):
                problem = unknown_function(name, [*FUNCTIONS, *CALENDAR_FUNCTIONS])
                yield self._finding(
                    "function-unknown", T("{title}：{problem}", title=title, problem=problem), line=line, item=item
                )

    def _circles(self) -> Iterator[Finding]:
        ordered = {item.key for item in computing_order(self.definition)}
        circle = [
            item for item in self.definition.fields if item.type is FieldType.COMPUTED and item.key not in ordered
        ]
        if circle:
            keys = [item.key for item in circle]
            hint = T("计算字段不能（经别的计算字段）引用自己。")
            yield self._finding("computed-circle", T("计算字段循环引用：{keys}", keys=keys), item=circle[0], hint=hint)

    def _labels(self) -> Iterator[Finding]:
        counts = Counter(item.label for item in self.definition.fields)
        for item in self.definition.fields:
            if counts[item.label] > 1:
                message = T("标签“{label}”用了 {count} 次", label=item.label, count=counts[item.label])
                hint = T("改成能区分的标签，例如加上“甲方”“复验”。")
                yield self._finding("label-duplicate", message, item=item, hint=hint, gravity=Gravity.WARNING)
            columns = Counter(column.label for column in item.columns)
            for label, count in columns.items():
                if count > 1:
                    message = T("表格 {key} 的列标签“{label}”用了 {count} 次", key=item.key, label=label, count=count)
                    yield self._finding("label-duplicate", message, item=item, gravity=Gravity.WARNING)

    def _stages(self) -> Iterator[Finding]:
        stages = self.definition.stages
        found = reachable(stages)
        for stage in stages:
            if stage.key not in found:
                message = T("阶段“{label}”（{key}）无法到达", label=stage.label, key=stage.key)
                hint = T("检查 after 是否写成了循环或写错了阶段。")
                yield self._finding("stage-unreachable", message, line=stage.line, hint=hint)
            for post in stage.by:
                if self.around.posts is None or post == "any" or post in self.around.posts:
                    continue
                close = nearest(post, self.around.posts)
                hint = T("是否想写 {key}？", key=close) if close else T("岗位见 signatures/posts.yml。")
                message = T("阶段 {key} 的岗位“{post}”不存在", key=stage.key, post=post)
                yield self._finding("post-unknown", message, line=stage.line, hint=hint)
        labels = Counter(stage.label for stage in stages)
        for stage in stages:
            if labels[stage.label] > 1:
                message = T("阶段名称“{label}”用了 {count} 次", label=stage.label, count=labels[stage.label])
                yield self._finding("label-duplicate", message, line=stage.line, gravity=Gravity.WARNING)

    def _references(self) -> Iterator[Finding]:
        procedure = self.definition.procedure
        if procedure is not None:
            yield from self._number(procedure.text, self.around.documents, T("procedure"), None)
        for item in self.definition.fields:
            for form in item.forms:
                yield from self._number(form, self.around.forms, T("字段 {key} 的 forms", key=item.key), item)
        classes = self.around.retention_classes
        if classes is not None and self.definition.retention not in classes:
            close = nearest(self.definition.retention, classes)
            hint = T("是否想写 {key}？", key=close) if close else T("类别见 records/retention.yml。")
            message = T("保存期限类别“{key}”不存在", key=self.definition.retention)
            yield self._finding("retention-unknown", message, hint=hint)

    def _number(self, number: str, known: Collection[str] | None, title: Text, item: Field | None) -> Iterator[Finding]:
        if number in self.around.obsolete:
            message = T("{title} 指向已作废的 {number}", title=title, number=number)
            yield self._finding("number-obsolete", message, item=item, hint=T("改为现行文件的编号。"))
        elif known is not None and number not in known:
            close = nearest(number, known)
            hint = T("是否想写 {key}？", key=close) if close else None
            message = T("{title} 指向不存在的 {number}", title=title, number=number)
            yield self._finding("number-unknown", message, item=item, hint=hint)

    def _quick(self) -> Iterator[Finding]:
        if not self.definition.quick:
            return
        first = self.definition.first_stage.key
        asked = [
            item.label
            for item in self.definition.fields
            if item.required_from == first and item.default is None and item.type is not FieldType.PERFORMER
        ]
        if len(asked) > QUICK_LIMIT:
            message = T(
                "快速登记的表单在第一阶段要填 {count} 项，超过 {limit} 项：{labels}",
                count=len(asked),
                limit=QUICK_LIMIT,
                labels=asked,
            )
            yield self._finding("quick-too-long", message, hint=T("把其余必填项移到需要它们的阶段。"))

    def _logic(self) -> Iterator[Finding]:
        for text, title, line, item in self._all_expressions():
            wrong = list(wrong_choices(text, self.fields))
            for name, choice, close in wrong:
                hint = T("是否想写“{choice}”？", choice=close) if close else T("照抄 choices 里的写法。")
                message = T("{title}：“{choice}”不是字段 {name} 的选项", title=title, choice=choice, name=name)
                yield self._finding("choice-unknown", message, line=line, item=item, hint=hint)
            computed = item is not None and text == item.value
            verdict = None if computed or wrong else always_or_never(text, self.fields)
            if verdict is not None:
                message = T("{title} 永远成立", title=title) if verdict else T("{title} 永远不成立", title=title)
                yield self._finding("condition-constant", message, line=line, item=item, hint=T("改正或删去这个条件。"))
        for rule in self.definition.rules:
            sure = self._surely_filled(rule.from_stage)
            risky = sorted(compared_with_none(rule.check, self.fields, sure))
            if risky:
                message = T("规则 {id} 可能拿空值比较：{names}", id=rule.id, names=risky)
                hint = T("先排除空值，例如 {name} is none or …；空值时本规则不作判断。", name=risky[0])
                yield self._finding("none-compared", message, line=rule.line, hint=hint, gravity=Gravity.NOTE)

    def _surely_filled(self, stage: str | None) -> set[str]:
        passed = stages_passed(self.definition, stage or self.definition.first_stage.key)
        return {item.key for item in self.definition.fields if item.required_from in passed}

    # -- the docx template

    def _template(self, parts: Mapping[str, Collection[str]]) -> Iterator[Finding]:
        vocabulary = TemplateVocabulary(self.definition)
        used: set[str] = set()
        for part, names in sorted(parts.items()):
            for name in sorted(names):
                used.add(name)
                if vocabulary.knows(name):
                    continue
                close = vocabulary.nearest(name)
                form = self.definition.number.text
                hint = T("是否想写 {key}？", key=close) if close else T("可用名称见 qms form show {form}。", form=form)
                message = T("模板 {part} 用了没有声明的名称 {name}", part=part, name=name)
                path = self.where.removesuffix("form.yml") + "form.docx"
                yield Finding("placeholder-undeclared", Gravity.ERROR, message, path=path, subject=form, hint=hint)
        heads = {_head(name) for name in used}
        for item in self.definition.fields:
            spoken = item.key in heads or (item.key == "late_entry_reason" and "record.late_entry_reason" in used)
            if not spoken and item.type is not FieldType.UDI:
                message = T("字段 {key}（{label}）没有出现在模板里", key=item.key, label=item.label)
                hint = T("在 form.docx 中加上 {{{{ {key} }}}}，或用 qms form scaffold 重新生成版式。", key=item.key)
                yield self._finding("field-not-printed", message, item=item, hint=hint, gravity=Gravity.WARNING)
        for slot in self.definition.signatures:
            if not any(name.startswith(f"sig.{slot.key}") for name in used):
                message = T("签名栏 {key}（{label}）没有出现在模板里", key=slot.key, label=slot.label)
                yield self._finding("signature-not-printed", message, gravity=Gravity.WARNING)


def _head(name: str) -> str:
    """Return the field that a dotted template name speaks of: `box.channel.电话` and `channel` both of `channel`."""
    first, _, rest = name.partition(".")
    return rest.split(".", maxsplit=1)[0] if first in {"box", "boxes", "raw"} and rest else first
