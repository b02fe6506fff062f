"""表单文件. `form.yml` and the blocks it names → `FormDefinition`, with every problem at once and its line.

The language is described in `docs/form-language.md`. Blocks are inlined before the form's own fields; the product adds
补记原因 to forms with `event_time`. Whether expressions and templates fit the fields is `domain.form_lint`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import MisconfiguredError
from controller.domain.form import Field, FieldType, FormDefinition, Rule, Section, SignatureSlot, Stage, StageClock
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, Revision, nearest
from controller.domain.text import T
from controller.file_formats.definition_reading import Part, Reading
from controller.file_formats.form_fields import FIELD_KEY, FIELD_KEYS, expression, read_field, read_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


FORM_FORMAT = "wenkong/form/1"
BLOCK_FORMAT = "wenkong/block/1"
LATE_ENTRY_REASON = Field(
    key="late_entry_reason", label="补记原因", type=FieldType.LONG_TEXT, max_length=500, help="事后补记时写明原因"
)
"""The field that the product adds to every form with `event_time`."""

_FORM_KEYS = (
    "format", "number", "title", "revision", "procedure", "owner", "retention", "subject", "event_time", "orientation",
    "note", "print_note", "blocks", "block_overrides", "fields", "rules", "stages", "signatures", "sections",
    "customer_page", "quick",
)  # fmt: skip
_BLOCK_KEYS = ("format", "name", "title", "fields", "rules", "note")
_STAGE_KEYS = ("label", "after", "by", "guard", "clock", "final")
_Identifier = TypeVar("_Identifier", DocumentNumber, Revision)
_WITHIN = re.compile(r"[1-9]\d{0,3} (?:workday|day|hour|month|year)s?")


class FormFileError(MisconfiguredError):
    """表单定义有误. `form.yml` or a block cannot be used; `findings` has every problem with its line."""

    code = "form-invalid"

    def __init__(self, *, findings: Sequence[Finding], where: str) -> None:
        errors = [finding for finding in findings if finding.gravity is Gravity.ERROR]
        first = errors[0]
        super().__init__(
            T("{where} 有 {count} 处错误，第一处：{problem}", where=where, count=len(errors), problem=first.message),
            hint=T("用 qms form lint 查看全部问题。"),
            where=first.place,
        )
        self.findings = tuple(findings)


@dataclass(frozen=True)
class FormReading:
    """读取结果. The definition, None when it cannot be used, and every finding."""

    definition: FormDefinition | None
    findings: tuple[Finding, ...]
    where: str
    block_files: Mapping[str, str]
    """Block name → its file, for findings on its fields."""


def read_form(text: str, blocks: Mapping[str, str], *, where: str) -> FormDefinition:
    """Return the definition in `text`; `blocks` gives the text of each shared block by name.

    Raises:
        FormFileError: the definition or a block it names has errors.
    """
    reading = examine_form(text, blocks, where=where)
    if reading.definition is None:
        raise FormFileError(findings=reading.findings, where=where)
    return reading.definition


def examine_form(text: str, blocks: Mapping[str, str], *, where: str) -> FormReading:
    """Return the definition if it can be used, and everything that is wrong or odd in the file and its blocks."""
    reading = Reading()
    form = reading.file(text, where=where, title=T("表单"), expected=FORM_FORMAT)
    definition = _FormReader(reading, form, blocks).read() if form is not None else None
    names = form.data.get("blocks") if form is not None else None
    files = {name: block_path(name) for name in names if isinstance(name, str)} if isinstance(names, list) else {}
    return FormReading(None if reading.broken else definition, tuple(reading.findings), where, files)


def block_path(name: str) -> str:
    """Return where the block called `name` lies in a workspace."""
    return f"templates/blocks/{name}.yml"


class _FormReader:
    """Reads one form; every method notes problems in the shared reading."""

    def __init__(self, reading: Reading, form: Part, blocks: Mapping[str, str]) -> None:
        self.reading = reading
        self.form = form
        self.blocks = blocks
        raw = form.data.get("stages")
        self.stage_keys = [key for key in raw if isinstance(key, str)] if isinstance(raw, dict) else []

    def read(self) -> FormDefinition | None:
        form = self.form
        unknown = form.check_keys(_FORM_KEYS, gravity=Gravity.WARNING)
        number = self._identifier("number", DocumentNumber)
        revision = self._identifier("revision", Revision)
        procedure = self._identifier("procedure", DocumentNumber) if form.data.get("procedure") is not None else None
        title, owner = form.text("title", needed=True, limit=100), form.text("owner", needed=True, limit=100)
        retention = form.text("retention", needed=True, limit=60)
        stages = self._stages()
        fields, rules = self._fields_and_rules()
        keys = [field.key for field in fields]
        event_time = self._one_field("event_time", fields, (FieldType.DATE, FieldType.DATETIME))
        subject = self._one_field("subject", fields, None)
        if event_time is not None:
            fields.append(LATE_ENTRY_REASON)
        self._check_fills(fields)
        self._check_rules(rules, keys)
        self._check_clocks(stages, fields)
        sections = self._sections(keys)
        signatures = self._signatures()
        customer_page = form.texts("customer_page")
        self._known_fields(form, "customer_page", customer_page, keys)
        orientation = form.one_of("orientation", ("portrait", "landscape"), "portrait")
        if number is not None and number.class_code != "JL":
            form.wrong("number", "form-number", T("{number} 不是表单编号（类别应为 JL）", number=number))
        note, print_note, quick = form.text("note"), form.text("print_note"), form.flag("quick")
        if self.reading.broken or number is None or revision is None or title is None or owner is None:
            return None
        return FormDefinition(
            number=number,
            title=title,
            revision=revision,
            procedure=procedure,
            owner=owner,
            retention=retention or "",
            fields=tuple(fields),
            stages=tuple(stages),
            rules=tuple(rules),
            signatures=tuple(signatures),
            sections=tuple(sections),
            event_time=event_time,
            subject=subject or next((field.key for field in fields if field.type is FieldType.TEXT), None),
            note=note,
            print_note=print_note,
            orientation=orientation,
            customer_page=customer_page,
            quick=quick,
            extra={key: form.data[key] for key in unknown},
        )

    def _identifier(self, key: str, kind: type[_Identifier]) -> _Identifier | None:
        text = self.form.text(key, needed=True)
        if text is None:
            return None
        try:
            return kind(text)
        except InvalidIdentifierError as exc:
            self.form.wrong(key, "definition-value", exc.message, hint=exc.hint)
            return None

    # -- fields, blocks and rules

    def _fields_and_rules(self) -> tuple[list[Field], list[Rule]]:
        fields: list[Field] = []
        rules: list[Rule] = []
        overrides = self.form.part("block_overrides", T("block_overrides"))
        changes = dict(overrides.members()) if overrides is not None else {}
        omitted: set[str] = set()
        from_blocks: set[str] = set()
        for name in self.form.texts("blocks"):
            block = self._block(name)
            if block is None:
                continue
            for key, part in block.parts("fields"):
                from_blocks.add(key)
                change = changes.get(key)
                if change is not None and change.flag("omit"):
                    omitted.add(key)
                    continue
                field = read_field(key, _overridden(part, change), self.stage_keys, block=name)
                self._add(fields, field, part)
            rules += read_rules(block, self.stage_keys, [rule.id for rule in rules])
        for key, change in changes.items():
            change.check_keys((*FIELD_KEYS, "omit"))
            if key not in from_blocks:
                close = nearest(key, from_blocks)
                hint = T("是否想写 {key}？", key=close) if close else None
                change.wrong(None, "field-unknown", T("公用块里没有字段 {key}", key=key), hint=hint)
        for key, part in self.form.parts("fields"):
            self._add(fields, read_field(key, part, self.stage_keys), part)
        if not fields and not self.reading.broken:
            self.form.wrong(None, "definition-key-missing", T("没有任何字段"))
        # A block's rule that speaks of a left-out field has nothing to say on this form.
        rules = [rule for rule in rules if not _speaks_of(rule, omitted)]
        rules += read_rules(self.form, self.stage_keys, [rule.id for rule in rules])
        return fields, rules

    def _add(self, fields: list[Field], field: Field | None, part: Part) -> None:
        if field is None:
            return
        if any(known.key == field.key for known in fields):
            hint = T("公用块里已有的字段用 block_overrides 修改。")
            part.wrong(None, "field-duplicate", T("字段 {key} 重复", key=field.key), hint=hint)
            return
        fields.append(field)

    def _block(self, name: str) -> Part | None:
        text = self.blocks.get(name)
        if text is None:
            close = nearest(name, self.blocks)
            hint = T("是否想写 {key}？", key=close) if close else T("公用块：{names}。", names=sorted(self.blocks))
            self.form.wrong("blocks", "block-unknown", T("没有公用块“{name}”", name=name[:60]), hint=hint)
            return None
        block = self.reading.file(
            text, where=block_path(name), title=T("公用块 {name}", name=name), expected=BLOCK_FORMAT
        )
        if block is not None:
            block.check_keys(_BLOCK_KEYS)
        return block

    def _one_field(self, key: str, fields: Sequence[Field], kinds: Sequence[FieldType] | None) -> str | None:
        name = self.form.text(key)
        if name is None:
            return None
        field = next((field for field in fields if field.key == name), None)
        if field is None:
            self._known_fields(self.form, key, (name,), [field.key for field in fields])
            return None
        if kinds is not None and field.type not in kinds:
            self.form.wrong(key, "definition-value", T("{key} 应指向日期或时间字段", key=key))
            return None
        return name

    def _known_fields(self, part: Part, key: str, named: Sequence[str], known: Sequence[str]) -> None:
        for name in named:
            if name not in known:
                close = nearest(name, known)
                hint = T("是否想写 {key}？", key=close) if close else None
                part.wrong(key, "field-unknown", T("{key} 里的字段 {name} 不存在", key=key, name=name[:60]), hint=hint)

    def _check_fills(self, fields: Sequence[Field]) -> None:
        keys = [field.key for field in fields]
        for field in fields:
            for part, target in field.fills.items():
                if target in keys:
                    continue
                close = nearest(target, keys)
                message = T(
                    "字段 {key} 的 fills.{part} 指向不存在的字段 {target}", key=field.key, part=part, target=target
                )
                path = block_path(field.block) if field.block else self.form.where
                hint = T("是否想写 {key}？", key=close) if close else None
                self.reading.note("field-unknown", message, (path, field.line), hint=hint)

    def _check_rules(self, rules: Sequence[Rule], keys: Sequence[str]) -> None:
        for rule in rules:
            for name in rule.fields:
                if name not in keys:
                    close = nearest(name, keys)
                    hint = T("是否想写 {key}？", key=close) if close else None
                    message = T("规则 {id} 的字段 {name} 不存在", id=rule.id, name=name[:60])
                    self.reading.note("field-unknown", message, (self.form.where, rule.line), hint=hint)

    # -- stages, signatures, sections

    def _stages(self) -> list[Stage]:
        found: list[Stage] = []
        for position, (key, given) in enumerate(self.form.parts("stages")):
            part = replace(given, title=T("阶段 {key}", key=key))
            part.check_keys(_STAGE_KEYS)
            if not FIELD_KEY.fullmatch(key):
                part.wrong(
                    None, "stage-key", T("阶段名 {key} 不可用", key=key[:60]), hint=T("用小写字母、数字和下划线。")
                )
            after = part.texts("after", single=True)
            for name in after:
                if name not in self.stage_keys:
                    close = nearest(name, self.stage_keys)
                    hint = T("是否想写 {key}？", key=close) if close else None
                    part.wrong("after", "stage-unknown", T("after 所写的阶段“{name}”不存在", name=name[:60]), hint=hint)
            if position == 0 and after:
                part.wrong("after", "stage-order", T("第一个阶段不能有 after"))
            if position > 0 and not after:
                hint = T("写明在哪个阶段之后，例如 after: {key}。", key=self.stage_keys[position - 1])
                part.wrong(None, "stage-order", T("缺少 after"), hint=hint)
            found.append(
                Stage(
                    key=key,
                    label=part.text("label", needed=True, limit=40) or key,
                    after=after,
                    by=part.texts("by", single=True) or ("any",),
                    guard=expression(part, "guard"),
                    clock=self._clock(part),
                    final=part.flag("final"),
                    line=part.place()[1],
                )
            )
        if not found:
            hint = T("至少一个阶段，例如 filed: {label: 已归档, by: [any]}。")
            self.form.wrong(
                "stages" if "stages" in self.form.data else None,
                "definition-key-missing",
                T("缺少 stages（阶段）"),
                hint=hint,
            )
        return found

    def _clock(self, part: Part) -> StageClock | None:
        inner = part.part("clock", T("{title} 的 clock", title=part.title))
        if inner is None:
            return None
        inner.check_keys(("from", "within", "kind", "basis"))
        starts, within = inner.text("from", needed=True), inner.text("within", needed=True)
        kind = inner.one_of("kind", ("legal", "company"), "company")
        basis = inner.text("basis", limit=300)
        if within is not None and not _WITHIN.fullmatch(within):
            inner.wrong(
                "within",
                "definition-value",
                T("within“{value}”写法不对", value=within[:40]),
                hint=T("例如 1 workday、7 days、24 hours。"),
            )
            return None
        if kind == "legal" and basis is None:
            inner.wrong("kind", "definition-key-missing", T("法定时限缺少 basis（依据）"))
        return StageClock(starts, within, kind, basis) if starts and within else None

    def _check_clocks(self, stages: Sequence[Stage], fields: Sequence[Field]) -> None:
        times = [
            field.key for field in fields if field.type in {FieldType.DATE, FieldType.DATETIME, FieldType.COMPUTED}
        ]
        for stage in stages:
            if stage.clock is not None and stage.clock.starts not in (*times, "record.opened_at"):
                close = nearest(stage.clock.starts, times)
                hint = T("是否想写 {key}？", key=close) if close else None
                message = T("阶段 {key} 的时限起点 {name} 不是日期或时间字段", key=stage.key, name=stage.clock.starts)
                self.reading.note("field-unknown", message, (self.form.where, stage.line), hint=hint)

    def _signatures(self) -> list[SignatureSlot]:
        found: list[SignatureSlot] = []
        for part in self.form.listed("signatures"):
            part.check_keys(("key", "label", "meaning", "stage"))
            key = part.text("key", needed=True, limit=40)
            label, meaning = part.text("label", needed=True, limit=40), part.text("meaning", needed=True, limit=20)
            stage = part.text("stage")
            if stage is not None and stage not in self.stage_keys:
                close = nearest(stage, self.stage_keys)
                hint = T("是否想写 {key}？", key=close) if close else None
                part.wrong("stage", "stage-unknown", T("stage 所写的阶段“{name}”不存在", name=stage[:60]), hint=hint)
            if key is None or label is None or meaning is None:
                continue
            if not FIELD_KEY.fullmatch(key) or any(slot.key == key for slot in found):
                part.wrong("key", "signature-key", T("签名栏名称 {key} 不可用或重复", key=key[:60]))
                continue
            found.append(SignatureSlot(key, label, meaning, stage))
        return found

    def _sections(self, keys: Sequence[str]) -> list[Section]:
        found: list[Section] = []
        placed: set[str] = set()
        for part in self.form.listed("sections"):
            part.check_keys(("title", "fields"))
            title, named = part.text("title", needed=True, limit=100), part.texts("fields")
            self._known_fields(part, "fields", named, keys)
            twice = sorted(placed & set(named))
            if twice:
                part.wrong("fields", "section-duplicate", T("字段 {keys} 已在前面的分组里", keys=twice))
            placed |= set(named)
            if title is not None:
                found.append(Section(title, named))
        return found


def _overridden(part: Part, change: Part | None) -> Part:
    """Return a block's field with the form's changes laid over it."""
    if change is None:
        return part
    changed = {key: value for key, value in change.data.items() if key in FIELD_KEYS}
    data = {**part.data, **changed}
    if data.get("required_if") is None and "required_from" not in changed:
        data.pop("required_from", None)
    return replace(part, data=data, moved={key: change.place(key) for key in changed})


def _speaks_of(rule: Rule, omitted: set[str]) -> bool:
    from controller.domain.expression import Expression

    return bool(omitted & (set(rule.fields) | Expression.compile(rule.check).names))
