"""更改影响. What a change of controlled items touches, each with why: for application, review and records.

Found by the system from references, forms, registers, the index, the staff and the copies (ISO 13485 4.2.4); what
nobody wrote down as a link it cannot know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.references import STATE_LABELS
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.library_day import ItemKind
    from controller.domain.references import SourceKind, TargetState
    from controller.domain.text import Text

_NAMED = 5
"""Things of one kind that a line names before it only counts."""


@dataclass(frozen=True)
class CitingItem:
    """引用者. An item, or the entry of a list, that refers to what is changed."""

    kind: SourceKind
    number: str
    title: str
    clauses: tuple[str, ...]
    """Where it refers; empty: as a whole."""
    of: str
    """What it refers to."""
    why: Text


@dataclass(frozen=True)
class AffectedItem:
    """受影响的表单或台账."""

    kind: ItemKind
    number: str
    title: str
    why: Text


@dataclass(frozen=True)
class OpenRecord:
    """在办记录. A record that is not finished, on a form the change touches."""

    number: str
    form: str
    revision: str
    """Of the form it was opened on."""
    stage: str
    """Name of the stage it stands in."""
    why: Text


@dataclass(frozen=True)
class PostToTrain:
    """需培训的岗位."""

    key: str
    name: str
    people: tuple[tuple[str, str], ...]
    """Id and name of those who hold it."""
    sure: bool
    """Named by the text or the form itself; False: of a department the duties name."""
    why: Text


@dataclass(frozen=True)
class InvalidBasis:
    """已失效的依据. An external document that is cited and is not in force, or not surely."""

    id: str
    title: str
    state: TargetState
    clauses: tuple[str, ...]
    by: str
    """Item that cites it."""
    why: Text


@dataclass(frozen=True)
class CopyOut:
    """在外副本. A controlled copy that somebody holds."""

    number: str
    copy: str
    revision: str
    holder: str
    why: Text


@dataclass(frozen=True)
class ChangeImpact:
    """更改影响. Everything found; empty parts: nothing of that kind."""

    items: tuple[str, ...]
    citing: tuple[CitingItem, ...] = ()
    forms: tuple[AffectedItem, ...] = ()
    registers: tuple[AffectedItem, ...] = ()
    records: tuple[OpenRecord, ...] = ()
    posts: tuple[PostToTrain, ...] = ()
    laws: tuple[InvalidBasis, ...] = ()
    copies: tuple[CopyOut, ...] = ()

    @property
    def documents(self) -> tuple[str, ...]:
        """Numbers of everything controlled that is touched, each once, the changed items left out."""
        numbers = [item.number for item in self.citing if item.number.count("-") > 1]
        numbers += [item.number for item in (*self.forms, *self.registers)]
        return tuple(number for number in dict.fromkeys(numbers) if number not in self.items)

    @property
    def empty(self) -> bool:
        """Whether nothing was found."""
        return not any((self.citing, self.forms, self.registers, self.records, self.posts, self.laws, self.copies))


def impact_text(impact: ChangeImpact) -> list[Text]:
    """Return the impact in a few short lines, one for each kind that was found, as the application form says it."""
    lines: list[Text] = []

    def say(found: Sequence[object], line: Callable[[str, int], Text], names: Sequence[str]) -> None:
        if found:
            unique = list(dict.fromkeys(names))
            shown = "、".join(unique[:_NAMED]) + ("等" if len(unique) > _NAMED else "")
            lines.append(line(shown, len(unique)))

    citing = [_with_clauses(_called(item), item.clauses) for item in impact.citing]
    say(impact.citing, lambda names, count: T("引用者 {count} 处：{names}", count=count, names=names), citing)
    say(
        impact.forms,
        lambda names, count: T("表单 {count} 张：{names}", count=count, names=names),
        [item.number for item in impact.forms],
    )
    say(
        impact.registers,
        lambda names, count: T("台账 {count} 个：{names}", count=count, names=names),
        [item.number for item in impact.registers],
    )
    say(
        impact.records,
        lambda names, count: T("在办记录 {count} 条：{names}", count=count, names=names),
        [f"{item.number}（{item.stage}）" for item in impact.records],
    )
    say(
        impact.posts,
        lambda names, count: T("需培训的岗位 {count} 个：{names}", count=count, names=names),
        [item.name for item in impact.posts],
    )
    say(
        impact.laws,
        lambda names, count: T("依据的有效性要核对 {count} 项：{names}", count=count, names=names),
        [f"《{item.title}》{STATE_LABELS[item.state]}" for item in impact.laws],
    )
    say(
        impact.copies,
        lambda names, count: T("在外受控副本 {count} 份：{names}", count=count, names=names),
        [f"{item.number} {item.copy} 号（{item.holder}）" for item in impact.copies],
    )
    return lines


def impact_data(impact: ChangeImpact, words: Callable[[Text], str] = str) -> dict[str, object]:
    """Return the impact as JSON shows it; `words` gives the reasons in the reader's language."""
    return {
        "items": list(impact.items),
        "citing": [
            {
                "kind": item.kind.value, "number": item.number, "title": item.title, "clauses": list(item.clauses),
                "of": item.of, "why": words(item.why),
            }
            for item in impact.citing
        ],
        "forms": [_affected(item, words) for item in impact.forms],
        "registers": [_affected(item, words) for item in impact.registers],
        "open_records": [
            {
                "number": item.number, "form": item.form, "revision": item.revision, "stage": item.stage,
                "why": words(item.why),
            }
            for item in impact.records
        ],
        "posts": [
            {
                "post": item.key, "name": item.name,
                "people": [{"person": person, "name": name} for person, name in item.people],
                "sure": item.sure, "why": words(item.why),
            }
            for item in impact.posts
        ],
        "external_documents": [
            {
                "id": item.id, "title": item.title, "state": item.state.value, "by": item.by,
                "clauses": list(item.clauses), "why": words(item.why),
            }
            for item in impact.laws
        ],
        "copies": [
            {
                "number": item.number, "copy": item.copy, "revision": item.revision, "holder": item.holder,
                "why": words(item.why),
            }
            for item in impact.copies
        ],
    }  # fmt: skip


def _affected(item: AffectedItem, words: Callable[[Text], str]) -> dict[str, object]:
    return {"kind": item.kind.value, "number": item.number, "title": item.title, "why": words(item.why)}


def _called(item: CitingItem) -> str:
    """Return how a citing item is called: its number, or what an entry of a list is about."""
    return item.number if item.number.count("-") > 1 else item.title or item.number


def _with_clauses(name: str, clauses: Sequence[str]) -> str:
    return f"{name}（{'、'.join(clauses)}）" if clauses else name
