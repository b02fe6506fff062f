"""表单定义. What a controlled form asks, when, of whom, and which rules its values obey (ISO 13485 4.2.4, 4.2.5).

A `FormDefinition` is complete: shared blocks are already inlined. Reading and writing `form.yml` is
`file_formats.form_file`; checking values is `domain.form_check`; the language is described in `docs/form-language.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.errors import MisconfiguredError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.identifiers import DocumentNumber, Revision


class ImpossibleFormError(MisconfiguredError):
    """表单定义自相矛盾. No record could ever be made on such a form."""

    code = "form-impossible"

    def __init__(self, problem: Text) -> None:
        super().__init__(T("表单定义不成立：{problem}", problem=problem), hint=T("用 qms form lint 查看全部问题。"))


class FieldType(StrEnum):
    """字段类型. The kinds of answer a form can ask for (docs/form-language.md)."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    """Number with optional unit; kept as the exact text that was entered, `12.50` stays `12.50`."""
    DATE = "date"
    DATETIME = "datetime"
    BOOL = "bool"
    CHOICE = "choice"
    MULTI_CHOICE = "multi_choice"
    TABLE = "table"
    ASSIGNEE = "assignee"
    """A person who is given the task; may be picked."""
    PERFORMER = "performer"
    """The signed-in person; written by the machine, never picked (GSP inspection item 5.51)."""
    PHONE = "phone"
    EMAIL = "email"
    UDI = "udi"
    """A GS1 element string; one scan fills product identifier, lot, expiry and serial."""
    RECORD_REF = "record_ref"
    DOCUMENT_REF = "document_ref"
    ATTACHMENT = "attachment"
    EXTERNAL_SIGNATURE = "external_signature"
    """Signature of somebody outside: scan, handwriting, chat screenshot, or refused/unobtainable with reason."""
    COMPUTED = "computed"
    """Calculated by `Field.value` when the entry is made and stored with it; never typed."""


class Personal(StrEnum):
    """个人信息标记. `SENSITIVE` values are stored only sealed and shown masked (PIPL Art. 28)."""

    NONE = "none"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


class Level(StrEnum):
    """严重程度. An error refuses the entry; a warning is shown and the entry may be made."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Pattern:
    """格式规则. A regular expression the whole value must match."""

    regex: str
    message: str
    """What would be right, in Chinese, with an example."""
    level: Level = Level.ERROR


@dataclass(frozen=True)
class Field:
    """字段. One question of a form; also one column of a table field."""

    key: str
    """Name in values, templates and rules: lower-case ASCII identifier, unique in the form."""
    label: str
    type: FieldType
    required_from: str | None = None
    """Key of the stage from which a real value must be present; None: never required as such."""
    required_if: str | None = None
    """Expression; when true (from stage `required_if_from`) a value must be present."""
    required_if_from: str | None = None
    relevant_if: str | None = None
    """Expression; when false the field is not asked and a value is refused as contradictory."""
    choices: tuple[str, ...] = ()
    min: str | None = None
    """Lower limit as text in the type's own notation; dates also `today`, datetimes `now`."""
    max: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: Pattern | None = None
    unit: str | None = None
    columns: tuple[Field, ...] = ()
    """For `TABLE`: the columns, of simple types."""
    rows: tuple[str, ...] = ()
    """For `TABLE`: preset first-column values, one row each (a check list)."""
    min_rows: int | None = None
    value: str | None = None
    """For `COMPUTED`: the expression. For `ASSIGNEE` and others: None."""
    default: str | None = None
    """Text used when nothing is entered; counts as entered."""
    personal: Personal = Personal.NONE
    reported: bool = False
    """自述时间: a time that people report, kept apart from the times the machine stamps."""
    fills: Mapping[str, str] = field(default_factory=dict)
    """For `UDI`: which field each scanned part fills: keys `di`, `lot`, `expiry`, `serial`, `production`."""
    forms: tuple[str, ...] = ()
    """For `RECORD_REF`: the form numbers the record may belong to; empty means any."""
    many: bool = False
    """For `RECORD_REF`, `DOCUMENT_REF`, `ASSIGNEE`, `ATTACHMENT`: the value is a list."""
    help: str | None = None
    """One line under the field on screen and in `form show`; never printed."""
    block: str | None = None
    """Name of the shared block the field came from."""
    line: int | None = field(default=None, compare=False)
    """Line in the file it was read from, for findings."""

    def __post_init__(self) -> None:
        if self.type in {FieldType.CHOICE, FieldType.MULTI_CHOICE} and not self.choices:
            raise ImpossibleFormError(T("选择字段 {key} 没有选项", key=self.key))
        if self.type is FieldType.TABLE and not self.columns:
            raise ImpossibleFormError(T("表格 {key} 没有列", key=self.key))
        if (self.type is FieldType.COMPUTED) != (self.value is not None):
            raise ImpossibleFormError(T("字段 {key} 的类型与算式不相配", key=self.key))


@dataclass(frozen=True)
class Rule:
    """规则. A cross-field check: `check` must be true from stage `from_stage` on."""

    id: str
    check: str
    message: str
    """What is wrong and what would be right, in Chinese."""
    fields: tuple[str, ...] = ()
    level: Level = Level.ERROR
    from_stage: str | None = None
    basis: str | None = None
    """Clause or law the rule rests on, or `企业自定` for a company default."""
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class StageClock:
    """时限. By when a stage is due: `within` e.g. `1 workday`, `7 days`, `24 hours`, counted from a field."""

    starts: str
    within: str
    kind: str
    """`legal` (cited, never pauses) or `company` (shown as 企业自定)."""
    basis: str | None = None


@dataclass(frozen=True)
class Stage:
    """阶段. One step in a record's life; a one-stage form is the simple case."""

    key: str
    label: str
    after: tuple[str, ...] = ()
    """Stages from which this one can be reached; empty for the first."""
    by: tuple[str, ...] = ("any",)
    """Post keys (`signatures/posts.yml`) that may perform it, or `any`."""
    guard: str | None = None
    """Expression that must be true to enter the stage."""
    clock: StageClock | None = None
    final: bool = False
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class SignatureSlot:
    """签名栏. A place on the form where somebody's name, date and meaning stand."""

    key: str
    label: str
    meaning: str
    """记录, 复核, 批准, 执行 … (21 CFR 11.50)."""
    stage: str | None = None
    """The stage whose performer fills it; None when it is filled by hand on paper."""


@dataclass(frozen=True)
class Section:
    """版面分组. A titled group of fields; layout only, the scaffold draws it as one grid."""

    title: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class FormDefinition:
    """表单. The whole definition with blocks inlined; fields in the order they are asked and drawn."""

    number: DocumentNumber
    title: str
    revision: Revision
    procedure: DocumentNumber | None
    owner: str
    retention: str
    """Key in `records/retention.yml`."""
    fields: tuple[Field, ...]
    stages: tuple[Stage, ...]
    rules: tuple[Rule, ...] = ()
    signatures: tuple[SignatureSlot, ...] = ()
    sections: tuple[Section, ...] = ()
    event_time: str | None = None
    """Key of the date or datetime field that tells when the thing happened; decides about late entry."""
    subject: str | None = None
    """Key of the field that best names the record in lists."""
    note: str | None = None
    """Hint for the people who fill it; screen only."""
    print_note: str | None = None
    """Small print under the title or at the foot of the printed form."""
    orientation: str = "portrait"
    customer_page: tuple[str, ...] = ()
    """Fields on a separate page handed to the customer, if any (satisfaction survey)."""
    quick: bool = False
    """快速登记: the first stage must ask for eight entries or fewer; lint counts them."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Unknown top-level keys, kept so that a newer file survives a read and write."""

    def __post_init__(self) -> None:
        if not self.stages:
            raise ImpossibleFormError(T("没有任何阶段"))
        stages = {stage.key for stage in self.stages}
        keys = {item.key for item in self.fields}
        if len(stages) != len(self.stages) or len(keys) != len(self.fields):
            raise ImpossibleFormError(T("字段或阶段重名"))
        if any(not stages.issuperset(stage.after) for stage in self.stages):
            raise ImpossibleFormError(T("after 指向不存在的阶段"))
        named = [self.event_time, self.subject, *self.customer_page]
        named += [key for section in self.sections for key in section.fields]
        if any(name is not None and name not in keys for name in named):
            raise ImpossibleFormError(T("指向不存在的字段"))
        asked = [stage for item in self.fields for stage in (item.required_from, item.required_if_from)]
        asked += [rule.from_stage for rule in self.rules]
        if any(stage is not None and stage not in stages for stage in asked):
            raise ImpossibleFormError(T("必填或规则所写的阶段不存在"))

    def field(self, key: str) -> Field | None:
        """Return the field called `key`, or None."""
        return next((item for item in self.fields if item.key == key), None)

    def stage(self, key: str) -> Stage | None:
        """Return the stage called `key`, or None."""
        return next((item for item in self.stages if item.key == key), None)

    @property
    def first_stage(self) -> Stage:
        """The stage in which a record is opened."""
        return self.stages[0]
