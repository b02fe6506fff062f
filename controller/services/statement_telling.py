"""陈述的说明. Tells what one statement says, in the words of the audit trail (21 CFR 11.10 e)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.form_problem import MASK
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, RecordNumber
from controller.domain.paper_signature import paper_of
from controller.domain.statement import AUTHORITY, CHANGES, COPIES, DOCUMENTS, REVIEWS, TIMESTAMPS, TRAINING, Event
from controller.domain.trail_event import ObjectKind, ShownChange, TrailEvent, one_line
from controller.services.entry_telling import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.identifiers import Digest
    from controller.domain.record import Wire
    from controller.domain.statement import Statement
    from controller.domain.trail_event import Signed

FACT_LABELS: Mapping[str, str] = {
    "accepted": "已确认的疑点",
    "account": "账户",
    "acknowledgement": "责任声明",
    "added": "新增内容摘要",
    "adequacy": "充分性",
    "answers": "答案",
    "approved": "现行文件",
    "asked": "题数",
    "at": "时间",
    "attempt": "第几次答题",
    "attempts": "最多答题次数",
    "authority": "时间戳机构",
    "certificate": "证书",
    "change": "更改编号",
    "changes": "Word 修订",
    "checkout": "签出号",
    "claimed": "自称",
    "clause": "条款标识",
    "clauses": "条款改动",
    "code": "错误代码",
    "comments": "批注",
    "contents": "内容摘要",
    "copies": "发放号",
    "copy": "发放号",
    "count": "累计次数",
    "damage": "档案已有的不符",
    "deleted": "删除的文件",
    "department": "部门",
    "digest": "摘要",
    "documents": "文件",
    "effective": "生效日期",
    "effectiveness": "有效性",
    "elsewhere_approved": "系统外批准",
    "elsewhere_drafted": "系统外起草",
    "elsewhere_reviewed": "系统外审核",
    "engine": "打印引擎",
    "exemption": "豁免陈述",
    "filed": "归档内容",
    "files": "文件数",
    "filter": "筛选条件",
    "fingerprint": "档案指纹",
    "format": "格式",
    "former_number": "原编号",
    "former_revision": "原版本",
    "heads": "各分支末端",
    "holder": "原签出人",
    "identity_check": "身份核对",
    "keys": "密钥",
    "label": "条款号",
    "meaning": "含义",
    "medium": "载体",
    "message": "提示",
    "method": "销毁方式",
    "name": "姓名",
    "number": "编号",
    "outcome": "结论",
    "pages": "页数",
    "pass_mark": "及格分",
    "people": "人员",
    "period": "期间",
    "person": "工号",
    "post": "岗位",
    "posts": "岗位",
    "questions": "考题摘要",
    "reason": "原因",
    "record": "记录",
    "replaces": "替换的证书",
    "revision": "版本",
    "right": "答对",
    "root": "根证书",
    "rows": "行数",
    "scan": "原批准扫描件",
    "score": "得分",
    "sheet": "纸质签署单",
    "signatures": "签名个数",
    "signed": "带签名",
    "since": "起",
    "source": "来源文件",
    "stamp": "打印标识",
    "suitability": "适宜性",
    "text": "内容",
    "tip": "档案末端",
    "title": "名称",
    "tracked": "有修订痕迹",
    "unknown": "所报姓名或工号不在册，字数",
    "unmasked": "含敏感信息",
    "until": "止",
    "valid_until": "有效至",
    "view": "形式",
    "what": "导出的内容",
    "why": "收回原因",
}
"""Names of facts in statements → how they are shown."""
_COPY_LABELS: Mapping[str, str] = {"holder": "领用", "effective": "收回日期"}
"""Facts that are called otherwise where a statement is about a copy of a document."""
SENSITIVE_FACTS = frozenset({"identity_check"})
"""Facts about a person that are shown only when sensitive values were asked for."""
_TOLD_IN_PAPER = frozenset({"paper", "covers", "code"})
_TOLD_IN_MEANING = frozenset({"route", "step"})
"""Keys of the routes file, which nobody reads; the meaning of the signature says the same in words."""
_FILES_SHOWN = 30
_DIGEST_SHOWN = 12
_SIGNING_IN = {
    Event.SIGNED_IN,
    Event.SIGNED_OUT,
    Event.SIGN_IN_FAILED,
    Event.SIGN_IN_LOCKED,
    Event.SIGNING_FAILED,
    Event.PASSPHRASE_CHANGED,
}
_SHA = re.compile(r"sha256:[0-9a-f]{64}")


def statement_event(
    statement: Statement,
    digest: Digest,
    signed: Signed,
    witnesses: Sequence[str],
    *,
    people: Mapping[str, str],
    post_names: Mapping[str, str],
    unmask: bool,
) -> tuple[TrailEvent, tuple[str, ...]]:
    """Return the statement as an event, and the names of everything it concerns."""
    kind, subject, title = _object(statement, people)
    by, origin = statement.by, statement.origin
    claimed = statement.new.get("claimed") if by is None else None
    event = TrailEvent(
        at=statement.at,
        person=one_line(by.person) if by else "",
        name=one_line(by.name) if by else "",
        post=one_line(by.post) if by else "",
        claimed=one_line(claimed) if isinstance(claimed, str) else "",
        computer=one_line(origin.computer),
        account=one_line(origin.account),
        sitting=one_line(origin.sitting),
        kind=kind,
        object=one_line(subject),
        title=one_line(title),
        code=statement.event.value,
        stage="",
        changes=tuple(_changes(statement, post_names, unmask=unmask)),
        reason=one_line(statement.reason or ""),
        meaning=one_line(statement.meaning),
        aside=(),
        signed=signed,
        witnesses=tuple(map(one_line, witnesses)),
        chain=statement.chain,
        sequence=statement.sequence,
        digest=digest.text,
    )
    names = (subject, statement.subject, statement.chain, statement.chain.partition("/")[2], *statement.files)
    return event, names


def _object(statement: Statement, people: Mapping[str, str]) -> tuple[ObjectKind, str, str]:
    """Return what the statement is about: kind, number or id, and a name beside it."""
    chain, _, rest = statement.chain.partition("/")
    subject = statement.subject
    if chain == "people":
        return ObjectKind.PERSON, rest, people.get(rest, "")
    if chain in {DOCUMENTS, TRAINING, COPIES, REVIEWS}:
        number, _, revision = rest.partition("/")
        return ObjectKind.DOCUMENT, number, revision.replace("-", "/")
    if chain == CHANGES:
        return ObjectKind.CHANGE, rest, subject if subject != rest else ""
    if chain == AUTHORITY:
        return ObjectKind.AUTHORITY, subject, ""
    if chain == TIMESTAMPS:
        return ObjectKind.TIME, subject, ""
    if statement.event in _SIGNING_IN:
        return ObjectKind.PERSON, subject, people.get(subject, "")
    if statement.event is Event.LIBRARY_CHANGED:
        return ObjectKind.LIBRARY, subject, ""
    if subject in people:
        return ObjectKind.PERSON, subject, people[subject]
    for kind, read in ((ObjectKind.RECORD, RecordNumber), (ObjectKind.DOCUMENT, DocumentNumber)):
        try:
            read(subject)
        except InvalidIdentifierError:
            continue
        return kind, subject, ""
    return ObjectKind.SYSTEM, subject, ""


def _changes(statement: Statement, post_names: Mapping[str, str], *, unmask: bool) -> list[ShownChange]:
    found = []
    paper = paper_of(statement.new)
    if paper is not None and statement.by is not None:
        found.append(ShownChange("paper", "纸质签名", "", one_line(paper.told(statement.by))))
    labels = {**FACT_LABELS, **_COPY_LABELS} if statement.chain.startswith(f"{COPIES}/") else FACT_LABELS
    for key in dict.fromkeys((*statement.old, *statement.new)):
        if paper is not None and key in _TOLD_IN_PAPER:
            continue
        if key in _TOLD_IN_MEANING and statement.meaning:
            continue
        if key == "claimed" and statement.by is None:
            continue  # told as who it was
        hidden = key in SENSITIVE_FACTS and not unmask
        old, new = (
            _fact(_named(key, values.get(key), post_names), post_names, hidden=hidden)
            for values in (statement.old, statement.new)
        )
        if old or new:
            found.append(ShownChange(key, labels.get(key, one_line(key)), old, new))
    if statement.files:
        shown = [
            f"{one_line(path)}（{digest.hex[:_DIGEST_SHOWN]}）"
            for path, digest in list(statement.files.items())[:_FILES_SHOWN]
        ]
        more = f" 等 {len(statement.files)} 个" if len(statement.files) > _FILES_SHOWN else ""
        found.append(ShownChange("@files", "涉及的文件", "", "、".join(shown) + more))
    if statement.shown is not None:
        found.append(ShownChange("@shown", "所示内容摘要", "", statement.shown.hex[:_DIGEST_SHOWN]))
    return found


def _named(key: str, value: Wire, post_names: Mapping[str, str]) -> Wire:
    """Return a list of keys of posts as a list of their names."""
    if key != "posts" or not isinstance(value, list):
        return value
    return [post_names.get(item, item) if isinstance(item, str) else item for item in value]


def _fact(value: Wire, post_names: Mapping[str, str], *, hidden: bool) -> str:
    if value is None or value in ("", [], {}):
        return ""
    return MASK if hidden else one_line(_told(value, post_names))


def _told(value: Wire, post_names: Mapping[str, str]) -> str:
    if isinstance(value, list):
        return "、".join(_told(item, post_names) for item in value)
    if isinstance(value, dict):
        parts = []
        for key in ("post", *(key for key in value if key != "post")):
            told = _told(value.get(key), post_names)
            if told:
                parts.append(post_names.get(told, told) if key == "post" else f"{FACT_LABELS.get(key, key)} {told}")
        return " ".join(parts)
    if isinstance(value, str) and _SHA.fullmatch(value):
        return value[7 : 7 + _DIGEST_SHOWN]
    return plain(value)
