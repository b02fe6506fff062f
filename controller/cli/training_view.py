"""阅知的显示. How `qms training` shows who has read what: as tables for people, as data for `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.domain.text import T, moment_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.cli.output import Output
    from controller.domain.text import Text
    from controller.domain.training_notice import NoticeChange, TrainingNotice
    from controller.domain.training_standing import PersonTraining, TrainingStanding


def show_standings(found: Sequence[TrainingStanding], out: Output, *, person: str | None) -> None:
    """Print one line a revision: the share, or how it stands for one person."""
    if not found:
        return
    heads = [T("编号"), T("名称"), T("版本"), T("生效日期")]
    rows: list[list[object]] = []
    for item in found:
        row: list[object] = [item.number, item.title, item.revision, item.effective or ""]
        own = item.of(person) if person is not None else None
        if own is not None:
            row += [own.state.value, moment_text(own.at), _score(own)]
        else:
            row += [share_shown(item), [missing.name for missing in item.missing], T("有") if item.questions else ""]
        rows.append(row)
    heads += [T("状态"), T("时间"), T("成绩")] if person is not None else [T("阅知"), T("还缺"), T("考题")]
    out.table(heads, rows)


def share_shown(standing: TrainingStanding) -> Text:
    """Return the share that has read a revision for a table, those who were waived counted apart."""
    counts = {"done": standing.settled - standing.waived, "all": standing.assigned}
    if standing.waived:
        return T("{done}/{all}，豁免 {waived}", waived=standing.waived, **counts)
    return T("{done}/{all}（{share}%）", share=standing.share, **counts)


def show_people(standing: TrainingStanding, out: Output) -> None:
    """Print a revision with everybody who has to read it."""
    out.line(f"《{standing.title}》{standing.number} {standing.revision}")
    out.line(T("{standing}。", standing=standing.explain()))
    rows: list[list[object]] = []
    for item in (*standing.people, *standing.left):
        aside = T("{by}豁免：{reason}", by=item.decided_by, reason=item.reason) if item.decided_by else ""
        if item in standing.left:
            aside = T("已停用，不计")
        elif standing.used_up(item):
            aside = T("次数已用完，待决定")
        rows.append([item.name, item.post, item.state.value, moment_text(item.at), _score(item), aside])
    out.table([T("姓名"), T("岗位"), T("状态"), T("时间"), T("成绩"), T("说明")], rows)


def standing_data(standing: TrainingStanding, out: Output) -> dict[str, Any]:
    """Return how reading a revision stands as data."""
    return {
        "number": standing.number,
        "title": standing.title,
        "revision": standing.revision,
        "effective": standing.effective,
        "assigned": standing.assigned,
        "settled": standing.settled,
        "waived": standing.waived,
        "share": standing.share,
        "explained": out.text(standing.explain()),
        "posts": list(standing.posts),
        "questions": standing.questions.text if standing.questions is not None else None,
        "pass_mark": standing.pass_mark,
        "attempts": standing.most_attempts,
        "people": [_person_data(item) for item in standing.people],
        "left": [_person_data(item) for item in standing.left],
    }


def notice_data(notice: TrainingNotice, out: Output) -> dict[str, Any]:
    """Return a notice as data."""

    def change(item: NoticeChange) -> dict[str, Any]:
        return {
            "place": item.place if isinstance(item.place, str) else out.text(item.place),
            "kinds": [out.text(kind) for kind in item.kinds],
            "marks": [{"mark": part.mark.value, "text": part.text} for part in item.stretches],
            "because": out.text(item.because) if item.because is not None else None,
        }

    return {
        "number": notice.number,
        "before": notice.before,
        "after": notice.after,
        "post": notice.post,
        "effective": notice.effective,
        "own": [change(item) for item in notice.own],
        "general": [change(item) for item in notice.general],
        "more": notice.more,
        "renumbered": notice.renumbered,
        "forms": [{"number": i.number, "title": i.title, "told": out.text(i.told), "own": i.own} for i in notice.forms],
        "to_do": [out.text(line) for line in notice.to_do],
        "ask": out.text(notice.ask),
    }


def _person_data(item: PersonTraining) -> dict[str, Any]:
    return {
        "person": item.person,
        "name": item.name,
        "post": item.post,
        "state": item.state.value,
        "at": item.at or None,
        "score": item.score,
        "attempts": item.attempts,
        "reason": item.reason or None,
        "decided_by": item.decided_by or None,
        "statement": item.proof or None,
    }


def _score(item: PersonTraining) -> str:
    return str(item.score) if item.score is not None else ""
