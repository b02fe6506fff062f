"""A complaint form of our own with every kind of field, and what is needed to check values on it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from controller.domain.form_check import CheckedValues, check_values
from controller.domain.person import Person, Post, Staff
from controller.domain.record import Signatory
from controller.domain.working_days import WorkingDays
from controller.file_formats.form_file import read_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.form import FormDefinition

BLOCK = """\
format: wenkong/block/1
name: goods
title: 货物块
fields:
  goods_name: {label: 品名, type: text, required: true, min_length: 2, max_length: 20}
  lot_no: {label: 批号, type: text, required_if: not filled(serial_no), help: 批号、序列号至少填一项}
  serial_no: {label: 序列号, type: text}
  made_on: {label: 生产日期, type: date, max: today}
  expires_on: {label: 失效日期, type: date, relevant_if: no_expiry is none or not no_expiry}
  no_expiry: {label: 无有效期, type: bool}
  di: {label: 产品标识, type: text}
  scan:
    label: 扫描
    type: udi
    fills: {di: di, lot: lot_no, expiry: expires_on, serial: serial_no, production: made_on}
rules:
  - id: expiry-after-production
    check: expires_on is none or made_on is none or expires_on > made_on
    message: 失效日期应晚于生产日期
    fields: [expires_on, made_on]
"""

FORM = """\
format: wenkong/form/1
number: AB-YLQXJL-001
title: 来电处理单
revision: A/0
procedure: AB-YLQXCX-001
owner: 售后部
retention: complaint
event_time: called_at
blocks: [goods]
block_overrides:
  serial_no: {max_length: 10}
fields:
  called_at: {label: 来电时间, type: datetime, required: opened, reported: true, max: now}
  channel: {label: 方式, type: choice, choices: [电话, 来访, 邮件], required: opened}
  topics: {label: 类别, type: multi_choice, choices: [质量, 交付, 其他]}
  content: {label: 内容, type: long_text, required: opened, personal: sensitive, min_length: 4, max_length: 50}
  phone: {label: 联系电话, type: phone}
  email: {label: 邮箱, type: email}
  urgent: {label: 紧急, type: bool, default: 否}
  told: {label: 上报对象, type: text, required_if: urgent}
  answered_at: {label: 答复时间, type: datetime, required: answered}
  hours: {label: 用时, type: computed, unit: 小时, value: "hours_between(called_at, answered_at)"}
  slow: {label: 超时, type: computed, value: hours is not none and hours > 24}
  quantity: {label: 数量, type: integer, min: 1, max: 100, unit: 台}
  price: {label: 单价, type: decimal, min: "0", unit: 元}
  permit: {label: 许可证号, type: text, pattern: {regex: 'AB\\d{6}', message: 例如 AB123456, level: warning}}
  code: {label: 代码, type: text, pattern: {regex: '[A-Z]{2}\\d{2}', message: 例如 AB12}}
  handler: {label: 处理人, type: assignee, required: answered}
  helpers: {label: 协助人, type: assignee, many: true}
  writer: {label: 登记人, type: performer, required: opened}
  closer: {label: 结案人, type: performer, required: closed}
  earlier: {label: 前次记录, type: record_ref, forms: [AB-YLQXJL-001], many: true}
  rule_text: {label: 依据文件, type: document_ref}
  photo: {label: 照片, type: attachment, many: true}
  sign: {label: 客户确认, type: external_signature}
  parts:
    label: 更换配件
    type: table
    required: closed
    min_rows: 1
    columns:
      part_no: {label: 配件编号, type: text, required: true}
      qty: {label: 数量, type: integer, min: 1, required: true}
      note: {label: 说明, type: text}
  checks:
    label: 检查项
    type: table
    rows: [外观, 通电]
    columns:
      item: {label: 项目, type: text, required: true}
      result: {label: 结果, type: choice, choices: [合格, 不合格], required: true}
rules:
  - id: answered-after-call
    check: answered_at is none or answered_at >= called_at
    message: 答复不能早于来电
    fields: [answered_at]
  - id: soon
    check: answered_at is none or hours_between(called_at, answered_at) <= 48
    message: 答复超过 48 小时
    fields: [answered_at]
    level: warning
    basis: 企业自定
  - id: checked-before-closing
    check: checks is none or all_of(column(checks, 'result'), '合格')
    message: 检查项应全部合格
    fields: [checks]
    from: closed
stages:
  opened: {label: 已登记, by: [any]}
  answered: {label: 已答复, after: opened, by: [manager]}
  visited: {label: 已上门, after: answered}
  closed: {label: 已结案, after: [answered, visited], by: [manager], guard: channel != '邮件', final: true}
signatures:
  - {key: prepared, label: 登记人, meaning: 记录, stage: opened}
sections:
  - {title: 一、来电, fields: [called_at, channel, content]}
"""

BEIJING = timezone(timedelta(hours=8))
NOW = datetime(2026, 5, 20, 10, 0, tzinfo=BEIJING)
WANG = Signatory(person="p1", name="王芳", post="售后主管")
STAFF = Staff(
    people={
        "p1": Person("p1", "王芳", ["manager"]),
        "p2": Person("p2", "李强", ["manager"]),
        "p3": Person("p3", "赵敏", ["manager"]),
        "p4": Person("p4", "赵敏", ["manager"]),
        "p5": Person("p5", "钱进", ["manager"], active=False),
    },
    posts={"manager": Post("manager", "售后主管")},
)
GOOD: Mapping[str, object] = {
    "goods_name": "输液泵",
    "lot_no": "A1",
    "called_at": "2026-05-19 09:30",
    "channel": "电话",
    "content": "开机后报警不停",
}
"""Enough to open a record."""


@lru_cache(maxsize=1)
def sample_form() -> FormDefinition:
    """Return the form of this module."""
    return read_form(FORM, {"goods": BLOCK}, where="form.yml")


def check(values: Mapping[str, object], *, stage: str = "opened", **more: Any) -> CheckedValues:
    """Check values on the sample form."""
    settings: dict[str, Any] = {
        "now": NOW,
        "performer": WANG,
        "staff": STAFF,
        "calendar": WorkingDays(holidays=frozenset({date(2026, 5, 18)})),
    }
    return check_values(sample_form(), values, stage=stage, **(settings | more))


def told(checked: CheckedValues) -> list[str]:
    """Return the problems as sentences."""
    return [str(problem.text) for problem in checked.problems]
