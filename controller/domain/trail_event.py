"""审计追踪. One event of the trail as people read it: who, when, where from, what, old and new, why (21 CFR 11.10 e).

An event stands for one entry of a record or one statement; nothing here is stored, the archive is. The words for acts
and events are here, so that the screen, exports and registers say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError
from controller.domain.record import Act
from controller.domain.register import Period
from controller.domain.statement import UNSIGNED_EVENTS, Event
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACT_LABELS: Mapping[Act, Text] = {
    Act.OPENED: T("登记"),
    Act.FILLED: T("填写"),
    Act.ADVANCED: T("推进"),
    Act.CORRECTED: T("更正"),
    Act.ATTACHED: T("补充附件"),
    Act.VOIDED: T("作废"),
    Act.SIGNED_ON_PAPER: T("纸质签字"),
}
"""What an entry did."""
EVENT_LABELS: Mapping[Event, Text] = {
    Event.SITE_OPENED: T("建立站点"),
    Event.AUTHORITY_FOUNDED: T("建立证书机构"),
    Event.AUTHORITY_REPLACED: T("更换证书机构"),
    Event.PERSON_REGISTERED: T("登记人员"),
    Event.PERSON_ENROLLED: T("申请签名证书（见证后生效）"),
    Event.PERSON_POSTS_CHANGED: T("变更岗位"),
    Event.PERSON_REVOKED: T("吊销签名证书"),
    Event.PERSON_RETIRED: T("停用人员"),
    Event.SIGNED_IN: T("登录"),
    Event.SIGN_IN_FAILED: T("登录失败"),
    Event.SIGN_IN_LOCKED: T("登录被锁定"),
    Event.SIGNING_FAILED: T("签名口令错误"),
    Event.SIGNED_OUT: T("退出登录"),
    Event.PASSPHRASE_CHANGED: T("更换口令"),
    Event.REFUSED: T("操作被拒绝"),
    Event.PRINTED: T("打印"),
    Event.EXPORTED: T("导出"),
    Event.UNMASKED: T("查看敏感信息"),
    Event.CHECKED_OUT: T("签出文件"),
    Event.CHECKED_IN: T("签入文件"),
    Event.LIBRARY_CHANGED: T("变更受控文件"),
    Event.DOCUMENT_SIGNED: T("签署文件"),
    Event.DOCUMENT_SIGNED_ON_PAPER: T("纸质签署文件"),
    Event.APPROVED_ELSEWHERE: T("登记系统外批准"),
    Event.CHANGE_OPENED: T("提出文件更改"),
    Event.DRAFT_SAVED: T("保存草稿"),
    Event.CHANGE_SUBMITTED: T("提交审核"),
    Event.CHANGE_COMMENTED: T("提出审核意见"),
    Event.CHANGE_COMMENT_RESOLVED: T("答复审核意见"),
    Event.CHANGE_RETURNED: T("退回更改"),
    Event.CHANGE_REVIEWED: T("审核更改"),
    Event.CHANGE_APPROVED: T("批准更改"),
    Event.EFFECT_POSTPONED: T("推迟生效"),
    Event.CHANGE_ISSUED: T("发放文件"),
    Event.CHANGE_CLOSED: T("更改办结"),
    Event.CHANGE_CANCELLED: T("取消更改"),
    Event.TRAINING_ASSIGNED: T("安排文件培训"),
    Event.TRAINING_UNDERSTOOD: T("确认已阅知"),
    Event.TRAINING_FAILED: T("阅知考核未通过"),
    Event.TRAINING_WAIVED: T("豁免文件培训"),
    Event.COPY_ISSUED: T("发放受控副本"),
    Event.COPY_RECEIVED: T("签收受控副本"),
    Event.COPY_RECALLED: T("通知收回副本"),
    Event.COPY_RETURNED: T("收回副本"),
    Event.COPY_LOST: T("副本遗失"),
    Event.COPY_DESTROYED: T("销毁副本"),
    Event.DOCUMENT_REVIEWED: T("文件复审"),
    Event.HEADS_STAMPED: T("加盖时间戳"),
    Event.STAMP_FAILED: T("时间戳失败"),
    Event.CLOCK_CORRECTED: T("校正时钟"),
    Event.KEYS_BACKED_UP: T("备份密钥"),
    Event.KEYS_RESTORED: T("恢复密钥"),
}
"""What a statement is about."""
UNREADABLE = "unreadable"
"""Code of the event that stands for a file of the archive that cannot be read."""
UNREADABLE_LABEL = T("无法读出")
FAILURES = frozenset({*(event.value for event in UNSIGNED_EVENTS), UNREADABLE})
"""Codes of events that tell of something that failed or was refused."""

_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), *range(8234, 8239), *range(8294, 8298), 8232, 8233), "�")
_ONE_LINE = str.maketrans(_CONTROLS | {ord("\n"): "↵", ord("\r"): None, ord("\t"): " "})


def one_line(text: str) -> str:
    """Return `text` on one line, without what a screen or another program would obey instead of show.

    So a value with line ends cannot pass for two values, nor for a line of the trail.
    """
    return text if text.isprintable() else text.translate(_ONE_LINE)


class Signed(StrEnum):
    """签名情况. Whether a signature lies beside the event; whether it is valid is for `qms verify`."""

    YES = "signed"
    MISSING = "missing"
    NOBODY = "nobody"
    """Nobody was there to sign."""


SIGNED_LABELS: Mapping[Signed, Text] = {
    Signed.YES: T("已签名"),
    Signed.MISSING: T("缺少签名"),
    Signed.NOBODY: T("无人签名"),
}


class ObjectKind(StrEnum):
    """对象类别. What an event is about."""

    RECORD = "record"
    DOCUMENT = "document"
    PERSON = "person"
    AUTHORITY = "authority"
    TIME = "time"
    LIBRARY = "library"
    CHANGE = "change"
    SYSTEM = "system"


KIND_LABELS: Mapping[ObjectKind, Text] = {
    ObjectKind.RECORD: T("记录"),
    ObjectKind.DOCUMENT: T("文件"),
    ObjectKind.PERSON: T("人员"),
    ObjectKind.AUTHORITY: T("证书机构"),
    ObjectKind.TIME: T("时间"),
    ObjectKind.LIBRARY: T("受控文件"),
    ObjectKind.CHANGE: T("文件更改"),
    ObjectKind.SYSTEM: T("系统"),
}


@dataclass(frozen=True, slots=True)
class ShownChange:
    """一项内容. One field or fact that the event set, as printed; empty text where there was nothing."""

    key: str
    label: str
    old: str
    new: str


def for_people(changes: Sequence[ShownChange]) -> list[ShownChange]:
    """Return what is shown where people read: without the code of an error that is told in words as well."""
    worded = any(item.key == "message" for item in changes)
    return [item for item in changes if not (worded and item.key == "code")]


def old_values(changes: Sequence[ShownChange]) -> str:
    """Return the earlier values, one field a line; a field that had none is left out."""
    return "\n".join(f"{item.label}：{item.old}" for item in changes if item.old)


def new_values(changes: Sequence[ShownChange]) -> str:
    """Return the new values, one field a line; a field that was cleared is said to be."""
    return "\n".join(f"{item.label}：{item.new or '（空）'}" for item in changes)


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """审计追踪的一行."""

    at: str
    """Machine time, ISO 8601 with offset; empty when it cannot be read."""
    person: str
    """Person id; empty when nobody was signed in."""
    name: str
    post: str
    claimed: str
    """With nobody signed in: who was claimed to be there."""
    computer: str
    account: str
    sitting: str
    kind: str
    """An `ObjectKind`."""
    object: str
    """Number of the record or document, id of the person, or what the statement names."""
    title: str
    """Title of the form, name of the person, revision of the document."""
    code: str
    """Stable name of the act or event."""
    stage: str
    changes: tuple[ShownChange, ...]
    reason: str
    meaning: str
    aside: tuple[str, ...]
    """For whom it was entered, where imported values came from."""
    signed: str
    """A `Signed`."""
    witnesses: tuple[str, ...]
    """Who signed the same bytes beside the one who stated them."""
    chain: str
    """Record number, or name of the statement chain."""
    sequence: int
    digest: str
    """SHA-256 of the bytes in the archive."""

    @property
    def action(self) -> Text:
        """What was done, in words."""
        return action_label(self.code)

    @property
    def failure(self) -> bool:
        """Whether something failed or was refused."""
        return self.code in FAILURES


def action_label(code: str) -> Text:
    """Return the words for an act or event."""
    label = _LABELS.get(code)
    return label if label is not None else Text(code)


_LABELS: Mapping[str, Text] = {
    **{act.value: label for act, label in ACT_LABELS.items()},
    **{event.value: label for event, label in EVENT_LABELS.items()},
    UNREADABLE: UNREADABLE_LABEL,
}


class UnknownTrailActionError(NotFoundError):
    """没有这种操作. The filter names no act or event."""

    code = "trail-action-unknown"

    def __init__(self, *, action: str) -> None:
        super().__init__(
            T("审计追踪中没有“{action}”这种操作。", action=action[:40]),
            hint=T("可写：{known}。", known=list(_LABELS.values())),
        )


def find_action(wanted: str) -> str:
    """Return the code of an act or event by its code or Chinese words.

    Raises:
        UnknownTrailActionError: there is none.
    """
    for code, label in _LABELS.items():
        if wanted in {code, label.template}:
            return code
    raise UnknownTrailActionError(action=wanted)


@dataclass(frozen=True)
class TrailFilter:
    """筛选条件. Which events are wanted; every condition must hold."""

    period: Period = field(default_factory=Period)
    person: str | None = None
    """Id or name, claimed ones included."""
    object: str | None = None
    """Number of a record, document or form, id of a person, path or part of a path of a file."""
    action: str | None = None
    """Code of an act or event."""
    failures: bool = False
    """Only what failed or was refused."""
    text: str | None = None
    """Words that must stand in the event as it is shown."""

    def admits(self, event: TrailEvent, names: Sequence[str]) -> bool:
        """Tell whether `event` is wanted; `names` are the numbers, ids and paths of everything it concerns."""
        if self.failures and not event.failure:
            return False
        if self.action is not None and event.code != self.action:
            return False
        if self.person is not None and self.person not in {event.person, event.name, event.claimed}:
            return False
        if self.object is not None and not any(concerns(name, self.object) for name in names):
            return False
        return self._in_period(event) and (self.text is None or self._says(event, self.text.casefold()))

    def _in_period(self, event: TrailEvent) -> bool:
        if event.code == UNREADABLE:
            return True  # it might belong here, and what cannot be read must not go unseen
        return self.period.holds(datetime.fromisoformat(event.at))

    @staticmethod
    def _says(event: TrailEvent, words: str) -> bool:
        told = [event.name, event.post, event.claimed, event.computer, event.account, event.object, event.title]
        told += [event.action.template, event.stage, event.reason, event.meaning, *event.aside, *event.witnesses]
        for change in event.changes:
            told += [change.label, change.old, change.new]
        return any(words in item.casefold() for item in told)

    def described(self) -> list[Text]:
        """Return the conditions in words; empty when everything is wanted."""
        found = []
        if self.person is not None:
            found.append(T("人员：{person}", person=self.person))
        if self.object is not None:
            found.append(T("对象：{object}", object=self.object))
        if self.action is not None:
            found.append(T("操作：{action}", action=action_label(self.action)))
        if self.failures:
            found.append(T("只要失败和被拒绝的"))
        if self.text is not None:
            found.append(T("含有：{text}", text=self.text))
        return found


def concerns(name: str, wanted: str) -> bool:
    """Tell whether `name` is `wanted` or belongs to it: a record to its form, a path to its folder or document."""
    if name == wanted or name.startswith((f"{wanted}-", f"{wanted}/")):
        return True
    return f"/{wanted}/" in name or name.endswith(f"/{wanted}")


def instant(at: str) -> int:
    """Return a machine time as seconds since 1970; 0 when there is none."""
    return int(datetime.fromisoformat(at).timestamp()) if at else 0
