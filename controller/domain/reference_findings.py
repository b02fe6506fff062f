"""引用检查. What is wrong with references: targets that are gone, renamed or no longer valid; forms nobody owns.

A cited external document that is not in force is a finding with the certainty of that statement: the product points
out, it never rewrites.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.identifiers import nearest
from controller.domain.library_day import ItemKind
from controller.domain.references import SourceKind, TargetState, Via
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from controller.domain.references import Reference, Target, Targets
    from controller.domain.text import Text

_LAW_WORDS = ("条例", "办法", "规范", "规定", "法", "规则", "指导原则", "通知", "公告")
_FORM_WORDS = ("表", "单", "记录", "台账", "清单", "卡", "报告", "书", "簿")
_LAW_STATES = {TargetState.REPEALED, TargetState.NOT_YET, TargetState.UNCHECKED}
_TOLD_ELSEWHERE = {(SourceKind.FORM, Via.PROCEDURE), (SourceKind.FORM, Via.SOURCES), (SourceKind.REGISTER, Via.SOURCES)}
"""Missing targets that the lint of forms and of registers tells."""


def reference_findings(
    references: Iterable[Reference], targets: Targets, noted: Mapping[tuple[str, str], str]
) -> list[Finding]:
    """Return what is wrong with references, each thing once for each item that refers.

    Args:
        references: all that were found.
        targets: everything that can be referred to.
        noted: (document, clause) → id of the gap note that speaks of it.
    """
    found: list[Finding] = []
    told: set[tuple[str, str, TargetState, str]] = set()
    for item in references:
        if not item.broken:
            continue
        by_text = item.via is Via.TEXT
        clause = "" if item.state in _LAW_STATES or by_text else item.clause
        key = (item.source.number, item.target, item.state, clause)
        if key in told or (item.source.kind, item.via) in _TOLD_ELSEWHERE:
            continue
        finding = _finding(item, targets, noted)
        if finding is not None:
            told.add(key)
            found.append(finding)
    return found


def owner_findings(references: Iterable[Reference], targets: Targets) -> list[Finding]:
    """Return the forms that no procedure owns, or several do, or another than the one they name."""
    owners: dict[str, list[Reference]] = defaultdict(list)
    for item in references:
        if item.via is Via.FORMS and item.kind is ItemKind.FORM:
            owners[item.target].append(item)
    found: list[Finding] = []
    for form in targets.of_kind(ItemKind.FORM):
        found += _owned(form, owners.get(form.number, []))
    return found


def _owned(form: Target, owners: list[Reference]) -> Iterator[Finding]:
    path = f"templates/forms/{form.number}/form.yml"
    names = [item.source.number for item in owners]
    if len(names) > 1:
        message = T("表单 {form} 同时列在 {documents} 名下，只能归一份文件。", form=form.number, documents=names)
        yield Finding("form-owner-several", Gravity.WARNING, message, path=owners[-1].source.path, subject=names[-1])
    elif form.procedure and form.procedure not in names:
        message = T(
            "表单 {form} 写明归 {procedure}，该文件的 forms 没有列它。", form=form.number, procedure=form.procedure
        )
        hint = T("列在 {documents} 名下。", documents=names) if names else None
        yield Finding("form-owner-differs", Gravity.WARNING, message, path=path, subject=form.number, hint=hint)
    elif not names:
        message = T("表单 {form} 没有归口的程序文件。", form=form.number)
        yield Finding("form-owner-missing", Gravity.WARNING, message, path=path, subject=form.number)


def _finding(item: Reference, targets: Targets, noted: Mapping[tuple[str, str], str]) -> Finding | None:
    if item.state in _LAW_STATES:
        return _law(item)
    if item.state is TargetState.MISSING:
        return _missing(item, targets, noted)
    subject, hint = item.source.number, None
    gravity = Gravity.WARNING
    if item.state is TargetState.RENAMED:
        code, message = (
            "reference-renamed",
            T("{place}引用的{name}现名《{now}》。", place=_place(item), name=_name(item), now=item.now),
        )
    elif item.state is TargetState.RENUMBERED:
        code = "reference-renumbered"
        message = T("{place}引用的 {name} 现编号 {now}。", place=_place(item), name=item.wording, now=item.now)
        gravity = Gravity.WARNING if item.via is Via.TEXT else Gravity.ERROR
    elif item.state is TargetState.WITHDRAWN:
        code = "reference-withdrawn"
        message = T(
            "{place}引用的 {number}《{title}》已作废。", place=_place(item), number=item.target, title=item.title
        )
    elif item.state is TargetState.CLAUSE_MISSING:
        code = "reference-clause-missing"
        if item.target == item.source.number:
            message = T("{place}引用本文件的“{clause}”，本文件没有这一条。", place=_place(item), clause=item.now)
        else:
            message = T(
                "{place}引用《{title}》的“{clause}”，该文件没有这一条。",
                place=_place(item), title=item.title, clause=item.now,
            )  # fmt: skip
    else:
        code = "reference-revision"
        message = T(
            "{place}写的是{title}的版本 {revision}，现行版本是 {now}。",
            place=_place(item), title=f"《{item.title}》", revision=item.wording, now=item.now,
        )  # fmt: skip
        hint = T("正文一般不写被引用文件的版本，以现行版本为准。")
    return Finding(code, gravity, message, path=item.source.path, line=item.line, subject=subject, hint=hint)


def _name(item: Reference) -> str:
    return item.wording if item.wording.startswith("《") else f"“{item.wording}”"


def _place(item: Reference) -> Text:
    if item.source.kind is SourceKind.POST:
        return T("岗位“{name}”", name=item.source.title)
    if item.source.kind is SourceKind.CHECKLIST:
        return T("检查项 {clause} ", clause=item.source.number)
    if item.via is Via.RELATED:
        return T("相关文件")
    if item.clause:
        return T("条款 {clause}", clause=item.clause)
    return T("本件")


def _law(item: Reference) -> Finding:
    validity = {TargetState.REPEALED: "废止", TargetState.NOT_YET: "未施行"}.get(item.state, "待核实")
    message = T(
        "依据《{title}》的有效性是“{validity}”（{certainty}）。",
        title=item.title,
        validity=validity,
        certainty=item.now,
    )
    gravity = Gravity.WARNING if item.state is TargetState.REPEALED else Gravity.NOTE
    path, line = item.source.path, item.line
    return Finding("basis-not-valid", gravity, message, path=path, line=line, subject=item.source.number)


def _missing(item: Reference, targets: Targets, noted: Mapping[tuple[str, str], str]) -> Finding | None:
    if item.via is Via.TEXT:
        return _unknown_name(item, targets, noted)
    path, subject, target = item.source.path, item.source.number, item.target
    outside = target.startswith("WL-")
    if outside and not targets.of_kind(ItemKind.EXTERNAL):
        return None  # the list itself is missing or unreadable, and told
    close = None if outside else nearest(target, [known.number for known in targets.items.values()])
    hint = T("是否想写 {number}？", number=close) if close else None
    if item.source.kind is SourceKind.CHECKLIST:
        message = T("检查项 {clause} 的证据 {target} 不存在。", clause=item.source.number, target=target)
        return Finding("evidence-missing", Gravity.WARNING, message, path=path, hint=hint)
    if item.via is Via.BASIS:
        message = T("依据 {id} 不在外来文件清单里。", id=target)
    elif item.via is Via.FORMS:
        message = T("名下的表单 {form} 不存在。", form=target)
    elif outside:
        message = T("{place}引用的外来文件 {id} 不在清单里。", place=_place(item), id=target)
    else:
        message = T("{place}指向的 {target} 不存在。", place=_place(item), target=item.wording)
    return Finding("link-target-missing", Gravity.ERROR, message, path=path, subject=subject, hint=hint)


def _unknown_name(item: Reference, targets: Targets, noted: Mapping[tuple[str, str], str]) -> Finding:
    """Return the finding about a title or number in a text that nothing known has."""
    title, path, line, subject = item.target, item.source.path, item.line, item.source.number
    if "《" not in item.wording:
        message = T("正文提到的编号 {number} 不在文件库里。", number=title)
        close = nearest(title, [*targets.items, *targets.aliases])
        hint = T("是否想写 {number}？", number=close) if close else None
        return Finding(
            "reference-number-unknown", Gravity.WARNING, message, path=path, line=line, subject=subject, hint=hint
        )
    if title.endswith(_LAW_WORDS):
        note = noted.get((subject, item.clause))
        if note is not None:
            message = T("引用的《{title}》不在外来文件清单里；已有提示 {note}。", title=title, note=note)
            return Finding("citation-unknown", Gravity.NOTE, message, path=path, line=line, subject=subject)
        message = T("引用的《{title}》不在外来文件清单里，是否现行无法判断。", title=title)
        close = nearest(title, [known.title for known in targets.of_kind(ItemKind.EXTERNAL)])
        hint = T("是否指《{title}》？核实后登记到外来文件清单。", title=close) if close else None
        return Finding("citation-unknown", Gravity.WARNING, message, path=path, line=line, subject=subject, hint=hint)
    if title.endswith(_FORM_WORDS):
        close = nearest(title, [known.title for known in targets.of_kind(ItemKind.FORM, ItemKind.REGISTER)])
        hint = T("名称最接近的是《{title}》。", title=close) if close else None
        message = T("正文要求的《{title}》没有同名的表单或台账。", title=title)
        return Finding(
            "required-form-missing", Gravity.WARNING, message, path=path, line=line, subject=subject, hint=hint
        )
    message = T("正文提到的《{title}》不在文件库和外来文件清单里。", title=title)
    return Finding("citation-unknown", Gravity.NOTE, message, path=path, line=line, subject=subject)
