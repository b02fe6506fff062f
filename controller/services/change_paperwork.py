"""更改的表单内容. What the forms about documents say, built from what the program knows, so that nobody types it again.

Each function returns values as a person would type them (docs/form-language.md); the form's own rules check them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.document_comparison import Comparison
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError
from controller.services.changed_texts import NOTHING, ChangedText, compared_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from controller.domain.record import Signatory

APPLICATION, CHANGE, ISSUE = "JL-001", "JL-002", "JL-003"
"""文件编制(修订)申请审批表; 文件更改申请单; 文件发放回收记录. Short numbers: the company's prefix is its own."""
DESTRUCTION, TRAINING, REVIEW = "JL-005", "JL-006", "JL-035"
"""文件销毁审批记录; 培训计划与实施记录; 文件评审记录."""

MOST_ROWS = 200
"""Rows of a before/after list; a text that changed in more places is read in its redline."""
MOST_CHARACTERS = 2800
"""Of one cell of it."""
_LINE, _TEXT = 900, 18_000
"""Characters of a one-line value and of a long one."""
_PLACE = 60
_CLASSES = frozenset({"制度", "程序", "职责", "记录表单", "台账", "外来文件"})
_POSTS = {
    "企业负责人": "企业负责人",
    "质量负责人": "质量负责人",
    "质管员": "质管员",
    "购销员": "购销员",
    "售后服务员": "售后服务员",
    "售后服务管理人员": "售后服务管理人员",
    "售后服务技术人员": "技术人员",
    "验收员": "验收员",
    "不良事件监测员": "不良事件监测员",
    "文件管理员": "文件管理员",
    "仓储养护员": "仓储养护员",
}
"""Name of a post → how the form calls it."""
_DEPARTMENTS = frozenset({"总经办", "质管部", "医疗器械经营部", "售后服务部", "仓储部", "行政部", "财务部", "外部"})
_TAUGHT = {"制度": "质量管理制度", "职责": "职责", "外来文件": "法律法规规章规范"}
"""Class of a document → category of training; whatever else is taught is how to work."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Trainee:
    """参加培训的人. Somebody who was to read a revision, and how it ended."""

    person: str
    """Id."""
    name: str
    post: str
    outcome: str
    """合格, 不合格, 缺考, 已阅知 or 免训."""
    signed_on: date | None = None
    score: Decimal | None = None
    proof: str = ""
    """Where the signature lies."""


def application_values(
    *,
    kind: str,
    class_word: str,
    title: str,
    number: str,
    before: str | None,
    after: str | None,
    reason: str,
    triggers: Sequence[str],
    drafter: Signatory,
    due: date,
    change: str = "",
    effective: date | None = None,
    laws: Sequence[str] = (),
    documents: Sequence[str] = (),
    posts: Sequence[str] = (),
    impact: Sequence[str] = (),
    workload: Sequence[str] = (),
    exemption: str = "",
) -> dict[str, object]:
    """Return what JL-001 says of one item of a change.

    `before` and `after` are revisions, None where there is none; `kind` and `triggers` are words of the form. `posts`
    are names of posts to train. Whatever of `documents` is no document's number is told under `impact`.
    """
    numbers, others = _numbers(documents)
    told = [*impact, *([f"另涉及：{'、'.join(others)}"] if others else [])]
    return _filled(
        req_type=kind,
        doc_class=class_word if class_word in _CLASSES else "其他",
        doc_title=_line(title, 100),
        doc_no=number,
        current_version=before,
        target_version=after or before,
        reason=_long(reason),
        trigger=list(triggers),
        law_refs=_line("、".join(laws)),
        impact_docs=numbers,
        impact_training=list(dict.fromkeys(_POSTS.get(post, "其他岗位") for post in posts)) or [NOTHING],
        impact=_long("\n".join(told)),
        workload=_long("\n".join(workload)),
        drafter=drafter.person,
        due_date=due.isoformat(),
        change_no=change,
        effective_on=effective.isoformat() if effective else None,
        exemption=_line(exemption),
    )


def change_values(
    changes: Comparison | Sequence[ChangedText],
    *,
    number: str,
    title: str,
    before: str,
    after: str,
    reason: str,
    impact: Sequence[str] = (),
    change: str = "",
    effective: date | None = None,
    exemption: str = "",
) -> dict[str, object]:
    """Return what JL-002 says of one item: each place before and after, why, and what it touches."""
    rows = compared_texts(changes) if isinstance(changes, Comparison) else list(changes)
    if not any(row.before != row.after for row in rows):
        rows = [ChangedText("全文", "修改", f"{before} 版", f"{after} 版；文字没有变化，只有版面或版本不同")]
    if len(rows) > MOST_ROWS:
        more = len(rows) - MOST_ROWS + 1
        rest = ChangedText("其余", "修改", f"另有 {more} 处更改", "见修订对照（红线稿）")
        rows = [*rows[: MOST_ROWS - 1], rest]
    return _filled(
        doc_no=number,
        doc_title=_line(title, 100),
        from_version=before,
        to_version=after,
        changes=[
            {
                "clause": _line(row.place, _PLACE) or "（无编号）",
                "kind": row.kind,
                "before": _cell(row.before),
                "after": _cell(row.after),
            }
            for row in rows
        ],
        change_reason=_long(reason),
        risk_assess=_long("\n".join(impact)) or "没有查到受影响的在用表单、未结记录和岗位",
        change_no=change,
        effective_on=effective.isoformat() if effective else None,
        exemption=_line(exemption),
    )


def recall_values(*, due: int, recalled: int, waiver: str = "") -> dict[str, object]:
    """Return how JL-002 ends: how many old copies were to come back, and did."""
    return _filled(old_copies_due=str(due), old_copies_recalled=str(recalled), recall_waiver=_line(waiver, 300))


def issue_values(
    *,
    number: str,
    title: str,
    revision: str,
    copy: str,
    department: str,
    paper: bool,
    issued: date,
    holder: str = "",
    holder_name: str = "",
    controlled: bool = True,
) -> dict[str, object]:
    """Return what JL-003 says when one copy is issued; `holder` is a person's id, `holder_name` anybody else."""
    medium = ("纸质受控" if controlled else "纸质非受控") if paper else "电子"
    return _filled(
        doc_no=number,
        doc_title=_line(title, 100),
        version=revision,
        copy_no=copy,
        holder_dept=department if department in _DEPARTMENTS else "其他",
        holder=holder,
        holder_name=_line(holder_name or ("" if holder else department), 100),
        medium=medium,
        copies="1",
        issued_on=issued.isoformat(),
    )


def return_values(*, on: date, reason: str) -> dict[str, object]:
    """Return how JL-003 ends when the copy came back; `reason` is a word of the form, such as 换版."""
    return {"returned_on": on.isoformat(), "return_reason": reason}


def loss_values(*, on: date, note: str) -> dict[str, object]:
    """Return how JL-003 ends when the copy is lost."""
    return {"lost_on": on.isoformat(), "lost_note": _long(note)}


def destruction_values(
    *, number: str, revision: str, copies: Sequence[str], withdrawn: date, reason: str
) -> dict[str, object]:
    """Return what JL-005 says when the destruction of copies is requested; `withdrawn` is when they came back."""
    target = f"{number} {revision} 发放号 {'、'.join(copies)}"
    return _filled(
        target_type="作废文件副本",
        target_ref=_line(target, 300),
        copies=str(len(copies)),
        retention_due=withdrawn.isoformat(),
        no_hold=True,
        reason=_long(reason),
    )


def training_values(
    *,
    number: str,
    title: str,
    revision: str,
    class_word: str,
    planned: date,
    tested: bool,
    change: str = "",
    trainer: str = "各人自行阅知",
) -> dict[str, object]:
    """Return what JL-006 says when reading a new revision is planned; `tested` with questions and a pass mark."""
    numbers, _ = _numbers([number])
    return _filled(
        train_type="文件换版",
        topic=_line(f"{number} {title}", 90) + f" {revision}",
        content_cats=[_TAUGHT.get(class_word, "岗位操作规程")],
        related_docs=numbers,
        doc_version=revision,
        change_no=change,
        planned_on=planned.isoformat(),
        trainer=_line(trainer, 60),
        place="线上",
        assess_mode="问答" if tested else NOTHING,
    )


def training_held_values(people: Sequence[Trainee], *, held: date) -> dict[str, object]:
    """Return what JL-006 says when everybody read the revision, or need not."""
    attended = [item.person for item in people if item.outcome not in {"缺考", "免训"}]
    return _filled(held_on=held.isoformat(), attendees=attended or [item.person for item in people])


def training_result_values(people: Sequence[Trainee], *, effect: str = "", follow_up: str = "") -> dict[str, object]:
    """Return what JL-006 says in the end: who signed when, with which result."""
    counted = {
        word: sum(item.outcome == word for item in people) for word in ("合格", "已阅知", "免训", "不合格", "缺考")
    }
    told = "、".join(f"{word} {count} 人" for word, count in counted.items() if count)
    return _filled(
        scores=[
            _filled(
                name=item.name,
                post=_line(item.post, 40),
                signed_on=item.signed_on.isoformat() if item.signed_on else None,
                proof=_line(item.proof, 60),
                score=f"{item.score:f}" if item.score is not None else None,
                passed=item.outcome,
            )
            for item in people
        ],
        effect=_long(effect) or f"应参加 {len(people)} 人：{told}",
        absent_follow_up=_line(follow_up),
    )


def review_values(
    *,
    number: str,
    title: str,
    revision: str,
    on: date,
    reviewers: Sequence[str],
    suitability: str,
    adequacy: str,
    effectiveness: str,
    outcome: str,
    reason: str = "定期复审",
    evidence: Sequence[str] = (),
    improvement: str = "",
    next_review: date | None = None,
    change: str = "",
) -> dict[str, object]:
    """Return what JL-035 says of a periodic review; `reviewers` are ids, the judgements words of the form."""
    return _filled(
        review_on=on.isoformat(),
        doc_no=number,
        doc_title=_line(title, 100),
        doc_version=revision,
        review_reason=reason,
        reviewers=list(reviewers),
        evidence=_long("\n".join(evidence)),
        suitability=suitability,
        adequacy=adequacy,
        effectiveness=effectiveness,
        outcome=outcome,
        improvement=_long(improvement),
        next_review=next_review.isoformat() if next_review else None,
        change_no=change,
    )


# -- texts as a form takes them


def _numbers(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return which texts are numbers of documents, and which are not (the list of external documents)."""
    numbers: list[str] = []
    others: list[str] = []
    for text in dict.fromkeys(texts):
        try:
            numbers.append(DocumentNumber(text).text)
        except InvalidIdentifierError:
            others.append(text)
    return numbers, others


def _filled(**values: object) -> dict[str, object]:
    """Return the values that say something: a blank would clear what somebody entered."""
    return {key: value for key, value in values.items() if value not in (None, "", [])}


def _plain(text: str) -> str:
    return _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _line(text: str, most: int = _LINE) -> str:
    joined = " ".join(_plain(text).split())
    return joined if len(joined) <= most else joined[: most - 1] + "…"


def _long(text: str, most: int = _TEXT) -> str:
    plain = _plain(text)
    return plain if len(plain) <= most else f"{plain[:most]}……（共 {len(plain)} 字）"


def _cell(text: str) -> str:
    plain = _plain(text)
    if len(plain) > MOST_CHARACTERS:
        return f"{plain[:MOST_CHARACTERS]}……（共 {len(plain)} 字，全文见修订对照）"
    return plain or NOTHING
