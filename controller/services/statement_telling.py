"""陈述的说明. Tells what one statement says, in the words of the audit trail (21 CFR 11.10 e)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.form_problem import MASK
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, RecordNumber
from controller.domain.paper_signature import paper_of
from controller.domain.statement import AUTHORITY, CHANGES, COPIES, DOCUMENTS, REVIEWS, TIMESTAMPS, TRAINING, Event
from controller.domain.text import T
from controller.domain.trail_event import ObjectKind, ShownChange, TrailEvent, one_line
from controller.domain.word_changes import CHANGE_LABELS, CLAUSE_CHANGE_LABELS
from controller.services.entry_telling import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.identifiers import Digest
    from controller.domain.record import Wire
    from controller.domain.statement import Statement
    from controller.domain.text import Text
    from controller.domain.trail_event import Signed

FACT_LABELS: Mapping[str, Text] = {
    "accepted": T("已确认的疑点"),
    "account": T("账户"),
    "acknowledgement": T("责任声明"),
    "added": T("新增内容摘要"),
    "adequacy": T("充分性"),
    "answers": T("答案"),
    "answer": T("答复"),
    "approved": T("现行文件"),
    "asked": T("题数"),
    "at": T("时间"),
    "attempt": T("第几次答题"),
    "attempts": T("最多答题次数"),
    "authority": T("时间戳机构"),
    "begun": T("提出更改时生成"),
    "certificate": T("证书"),
    "change": T("更改编号"),
    "changes": T("Word 修订"),
    "checkout": T("签出号"),
    "claimed": T("自称"),
    "class": T("文件类别"),
    "clause": T("条款标识"),
    "clauses": T("条款改动"),
    "code": T("错误代码"),
    "command": T("命令"),
    "comments": T("批注"),
    "comment": T("意见序号"),
    "contents": T("内容摘要"),
    "copies": T("发放号"),
    "copy": T("发放号"),
    "count": T("累计次数"),
    "damage": T("档案已有的不符"),
    "deleted": T("删除的文件"),
    "department": T("部门"),
    "digest": T("摘要"),
    "documents": T("文件"),
    "effective": T("生效日期"),
    "effectiveness": T("有效性"),
    "elsewhere_approved": T("系统外批准"),
    "elsewhere_drafted": T("系统外起草"),
    "elsewhere_reviewed": T("系统外审核"),
    "engine": T("打印引擎"),
    "exemption": T("豁免陈述"),
    "filed": T("归档内容"),
    "files": T("文件数"),
    "filter": T("筛选条件"),
    "fingerprint": T("档案指纹"),
    "format": T("格式"),
    "from": T("原版本"),
    "former_number": T("原编号"),
    "former_revision": T("原版本"),
    "heads": T("各分支末端"),
    "holder": T("原签出人"),
    "identity_check": T("身份核对"),
    "item": T("更改对象"),
    "items": T("更改的文件"),
    "keys": T("密钥"),
    "kind": T("类型"),
    "label": T("条款号"),
    "meaning": T("含义"),
    "medium": T("载体"),
    "message": T("提示"),
    "method": T("销毁方式"),
    "name": T("姓名"),
    "number": T("编号"),
    "outcome": T("结论"),
    "owner": T("归口部门"),
    "pages": T("页数"),
    "pass_mark": T("及格分"),
    "people": T("人员"),
    "period": T("期间"),
    "person": T("工号"),
    "post": T("岗位"),
    "posts": T("岗位"),
    "questions": T("考题摘要"),
    "reason": T("原因"),
    "record": T("记录"),
    "records": T("自动归档的记录"),
    "replaces": T("替换的证书"),
    "revision": T("版本"),
    "right": T("答对"),
    "root": T("根证书"),
    "rows": T("行数"),
    "scan": T("原批准扫描件"),
    "score": T("得分"),
    "sheet": T("纸质签署单"),
    "signatures": T("签名个数"),
    "signed": T("带签名"),
    "since": T("起"),
    "source": T("来源文件"),
    "stamp": T("打印标识"),
    "suitability": T("适宜性"),
    "text": T("内容"),
    "tip": T("档案末端"),
    "to": T("新版本"),
    "title": T("名称"),
    "tracked": T("有修订痕迹"),
    "triggers": T("触发原因"),
    "unknown": T("所报姓名或工号不在册，字数"),
    "unmasked": T("含敏感信息"),
    "until": T("止"),
    "valid_until": T("有效至"),
    "view": T("形式"),
    "what": T("导出的内容"),
    "why": T("收回原因"),
}
"""Names of facts in statements → how they are shown."""
_COPY_LABELS: Mapping[str, Text] = {"holder": T("领用"), "effective": T("收回日期")}
"""Facts that are called otherwise where a statement is about a copy of a document."""
SENSITIVE_FACTS = frozenset({"identity_check"})
"""Facts about a person that are shown only when sensitive values were asked for."""
_FILES_LABEL, _SHOWN_LABEL, _PAPER_LABEL = T("涉及的文件"), T("所示内容摘要"), T("纸质签名")
_NOT_TOLD = frozenset({"post", "paths"})
"""Of what stands inside a fact: told first, or of no use to anybody who reads."""
_TOLD_IN_PAPER = frozenset({"paper", "covers", "code"})
_TOLD_IN_MEANING = frozenset({"route", "step"})
"""Keys of the routes file, which nobody reads; the meaning of the signature says the same in words."""
_WORDS: Mapping[str, Mapping[str, Text]] = {
    "kind": {
        **CLAUSE_CHANGE_LABELS,
        **{kind.value: label for kind, label in CHANGE_LABELS.items()},
        "document": T("文件"),
        "form": T("表单"),
        "register": T("台账"),
        "external": T("外来文件"),
    },
    "view": {
        "history": T("更改历史"),
        "diff": T("两版对照"),
        "redline": T("修订标记稿"),
        "training-notice": T("更改通知"),
    },
}
"""Facts that are stated as codes → the words for each."""
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
    if statement.event is Event.REFUSED and not subject:
        return ObjectKind.SYSTEM, plain(statement.new.get("command")), ""
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
        found.append(ShownChange("paper", str(_PAPER_LABEL), "", one_line(paper.told(statement.by))))
    labels = {**FACT_LABELS, **_COPY_LABELS} if statement.chain.startswith(f"{COPIES}/") else FACT_LABELS
    for key in dict.fromkeys((*statement.old, *statement.new)):
        if paper is not None and key in _TOLD_IN_PAPER:
            continue
        if key in _TOLD_IN_MEANING and statement.meaning:
            continue
        if key == "claimed" and statement.by is None:
            continue  # told as who it was
        if key == "files" and isinstance(statement.old.get(key), dict):
            continue  # told with the files as they became
        if key == "command" and not statement.subject:
            continue  # told as what it was about
        hidden = key in SENSITIVE_FACTS and not unmask
        old, new = (
            _fact(_named(key, values.get(key), post_names), post_names, hidden=hidden)
            for values in (statement.old, statement.new)
        )
        if old or new:
            found.append(ShownChange(key, str(labels.get(key) or one_line(key)), old, new))
    files = _files(statement)
    if files:
        more = f" 等 {len(files)} 个" if len(files) > _FILES_SHOWN else ""
        found.append(ShownChange("@files", str(_FILES_LABEL), "", "、".join(files[:_FILES_SHOWN]) + more))
    if statement.shown is not None:
        found.append(ShownChange("@shown", str(_SHOWN_LABEL), "", statement.shown.hex[:_DIGEST_SHOWN]))
    return found


def _files(statement: Statement) -> list[str]:
    """Return every file of the statement with the beginning of its digest, and of the one it replaced."""
    replaced = statement.old.get("files")
    before = replaced if isinstance(replaced, dict) else {}
    told = []
    for path in dict.fromkeys((*before, *statement.files)):
        old = _told(before.get(path), {})
        new = statement.files[path].hex[:_DIGEST_SHOWN] if path in statement.files else ""
        digests = f"{old} → {new or '（删除）'}" if old else new
        told.append(f"{one_line(path)}（{digests}）")
    return told


def _named(key: str, value: Wire, post_names: Mapping[str, str]) -> Wire:
    """Return a list of keys of posts as a list of their names, and a code as its word."""
    if key != "posts" or not isinstance(value, list):
        return _worded(key, value)
    return [post_names.get(item, item) if isinstance(item, str) else item for item in value]


def _worded(key: str, value: Wire) -> Wire:
    """Return a code as its word, anything else as it is."""
    word = _WORDS.get(key, {}).get(value) if isinstance(value, str) else None
    return str(word) if word is not None else value


def _fact(value: Wire, post_names: Mapping[str, str], *, hidden: bool) -> str:
    if value is None or value in ("", [], {}):
        return ""
    return MASK if hidden else one_line(_told(value, post_names))


def _told(value: Wire, post_names: Mapping[str, str]) -> str:
    if isinstance(value, list):
        return "、".join(_told(item, post_names) for item in value)
    if isinstance(value, dict):
        parts = []
        for key in ("post", *(key for key in value if key not in _NOT_TOLD)):
            told = _told(_worded(key, value.get(key)), post_names)
            if told:
                parts.append(post_names.get(told, told) if key == "post" else f"{FACT_LABELS.get(key, key)} {told}")
        return " ".join(parts)
    if isinstance(value, str) and _SHA.fullmatch(value):
        return value[7 : 7 + _DIGEST_SHOWN]
    return plain(value)
