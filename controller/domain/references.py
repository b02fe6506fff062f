"""引用关系. What every controlled item refers to, what each reference leads to, and how its target stands today.

A reference is explicit (`basis`, `forms`, `links` …) or written in the text; both are kept, because they can part.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.document import Validity
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError
from controller.domain.library_day import ItemKind
from controller.domain.reference_mentions import article_number
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from controller.domain.document import ExternalDocument
    from controller.domain.reference_mentions import Mention
    from controller.domain.text import Text


class SourceKind(StrEnum):
    """引用者的种类."""

    DOCUMENT = "document"
    FORM = "form"
    REGISTER = "register"
    POST = "post"
    CHECKLIST = "checklist"
    ROUTE = "route"
    RETENTION = "retention"


class Via(StrEnum):
    """引用方式. Where the reference is stated."""

    TEXT = "text"
    BASIS = "basis"
    FORMS = "forms"
    LINKS = "links"
    RELATED = "related"
    PROCEDURE = "procedure"
    SOURCES = "sources"
    DUTY = "duty"
    EVIDENCE = "evidence"


class TargetState(StrEnum):
    """目标的状况."""

    VALID = "valid"
    MISSING = "missing"
    RENAMED = "renamed"
    RENUMBERED = "renumbered"
    WITHDRAWN = "withdrawn"
    REPEALED = "repealed"
    NOT_YET = "not-yet"
    UNCHECKED = "unchecked"
    CLAUSE_MISSING = "clause-missing"
    REVISION_DIFFERS = "revision-differs"


STATE_LABELS: Mapping[TargetState, Text] = {
    TargetState.VALID: T("有效"),
    TargetState.MISSING: T("不存在"),
    TargetState.RENAMED: T("名称已改"),
    TargetState.RENUMBERED: T("编号已改"),
    TargetState.WITHDRAWN: T("已作废"),
    TargetState.REPEALED: T("已废止"),
    TargetState.NOT_YET: T("未施行"),
    TargetState.UNCHECKED: T("有效性待核实"),
    TargetState.CLAUSE_MISSING: T("没有这一条"),
    TargetState.REVISION_DIFFERS: T("不是现行版本"),
}
_OF_LAW = {
    Validity.CURRENT: TargetState.VALID,
    Validity.NOT_YET: TargetState.NOT_YET,
    Validity.REPEALED: TargetState.REPEALED,
    Validity.UNCHECKED: TargetState.UNCHECKED,
}


@dataclass(frozen=True)
class Source:
    """引用者. The item, or the entry of a list, that refers to something."""

    kind: SourceKind
    number: str
    """Number of the item; key of a post; clause of the checklist."""
    title: str
    path: str


@dataclass(frozen=True)
class Reference:
    """一处引用."""

    source: Source
    clause: str
    """Clause of the source, `5.1`, `第三条`; empty: the source as a whole."""
    via: Via
    wording: str
    """As it stands there."""
    kind: ItemKind | None
    """None: nothing tells what is meant."""
    target: str
    """Number of what is meant; the wording where nothing of that name is known."""
    title: str
    """What the target is called now."""
    articles: tuple[str, ...]
    """Clauses of the target that are named, as written."""
    state: TargetState
    now: str = ""
    """What the finding tells besides: the present name, number or revision, the missing clause, the certainty."""
    line: int | None = None

    @property
    def broken(self) -> bool:
        """Whether something has to be looked at."""
        return self.state is not TargetState.VALID


@dataclass(frozen=True)
class FormerItem:
    """曾有的受控内容. A number and title that the library once had."""

    kind: ItemKind
    number: str
    title: str


@dataclass(frozen=True)
class Target:
    """可引用的内容. A document, form, register or external document as it is now."""

    kind: ItemKind
    number: str
    title: str
    revision: str = ""
    clauses: frozenset[tuple[int, ...]] | None = None
    """Numbers of its clauses; None: its clauses are not known here."""
    external: ExternalDocument | None = None
    withdrawn: bool = False
    procedure: str = ""
    """For a form: the procedure it names as its own."""


@dataclass
class Targets:
    """可引用的全部内容. Finds what a name means, and what became of a name that means nothing any more."""

    items: dict[str, Target] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    """Short numbers (`JL-018`, `TZ-07`) → number; a short number that several have is none."""
    former: tuple[FormerItem, ...] = ()
    _titles: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, target: Target, *aliases: str) -> None:
        """Take in what can be referred to."""
        self.items[target.number] = target
        for alias in aliases:
            known = self.aliases.setdefault(alias, target.number)
            if known != target.number:
                self.aliases[alias] = ""
        if target.title:
            self._titles[_plain(target.title)].append(target.number)

    def find(self, number: str) -> Target | None:
        """Return what has that number, short or full."""
        name = number.strip()
        return self.items.get(name) or self.items.get(self.aliases.get(name, ""))

    def titled(self, title: str) -> Target | None:
        """Return what has that title, our own before others; the full name of the state may be left out."""
        found = [self.items[number] for number in self._titles.get(_plain(title), [])]
        return min(found, key=lambda item: item.kind is ItemKind.EXTERNAL, default=None)

    def of_kind(self, *kinds: ItemKind) -> list[Target]:
        """Return what is of these kinds."""
        return [item for item in self.items.values() if item.kind in kinds]

    def explicit(self, source: Source, clause: str, via: Via, wording: str, line: int | None = None) -> Reference:
        """Return what an entry of `links`, `basis` and the like refers to: a number, then perhaps a clause."""
        words = wording.split(maxsplit=1)
        number = words[0] if words else wording
        articles = tuple(words[1:])
        target = self.find(number)
        if target is None:
            return self._lost(source, clause, via, wording, number, articles, line)
        return self._found(source, clause, via, wording, target, articles, line)

    def mentioned(self, source: Source, clause: str, mention: Mention, line: int | None = None) -> Reference | None:
        """Return what a mention in a text refers to; None where it need not be ours (a model called `CX-100`)."""
        wording = mention.wording
        if mention.own:
            own = self.items.get(source.number)
            if own is None or own.clauses is None:
                return None
            return self._found(source, clause, Via.TEXT, wording, own, mention.articles, line)
        target = self.find(mention.number) if mention.number else None
        by_title = self.titled(mention.title) if mention.title else None
        if target is not None and mention.title and _plain(target.title) != _plain(mention.title):
            found = self._found(source, clause, Via.TEXT, wording, target, mention.articles, line)
            return _but(found, TargetState.RENAMED, target.title, wording=f"《{mention.title}》")
        if target is None and by_title is not None and mention.number:
            found = self._found(source, clause, Via.TEXT, wording, by_title, mention.articles, line)
            return _but(found, TargetState.RENUMBERED, by_title.number, wording=mention.number)
        target = target or by_title
        if target is None:
            if not mention.title and not self._ours(mention.number):
                return None
            name = mention.title or mention.number
            return self._lost(source, clause, Via.TEXT, wording, name, mention.articles, line)
        found = self._found(source, clause, Via.TEXT, wording, target, mention.articles, line)
        if mention.revision and target.revision and mention.revision != target.revision and not found.broken:
            return _but(found, TargetState.REVISION_DIFFERS, target.revision, wording=mention.revision)
        return found

    def _ours(self, number: str) -> bool:
        """Tell whether a number that is not known looks like one of ours: full, or short with as many digits."""
        if (
            number.count("-") > 1
            or number.startswith("WL-")
            or any(short_number(item.number) == number for item in self.former)
        ):
            return True
        code, _, serial = number.partition("-")
        return any(known.partition("-")[0] == code and len(known) == len(number) for known in self.aliases if serial)

    def _found(
        self,
        source: Source,
        clause: str,
        via: Via,
        wording: str,
        target: Target,
        articles: tuple[str, ...],
        line: int | None,
    ) -> Reference:
        state, now = TargetState.VALID, ""
        if target.external is not None:
            state = _OF_LAW[target.external.validity]
            now = target.external.certainty
        elif target.withdrawn:
            state = TargetState.WITHDRAWN
        else:
            gone = [name for name in articles if not _has(target, name)]
            if gone:
                state, now = TargetState.CLAUSE_MISSING, gone[0]
        return Reference(
            source, clause, via, wording, target.kind, target.number, target.title, articles, state, now, line
        )

    def _lost(
        self,
        source: Source,
        clause: str,
        via: Via,
        wording: str,
        name: str,
        articles: tuple[str, ...],
        line: int | None,
    ) -> Reference:
        """Return the reference to something that is not there, with what became of it where the past tells."""
        for item in reversed(self.former):
            if name not in {item.number, item.title, short_number(item.number)}:
                continue
            present = self.items.get(item.number)
            if present is not None and present.title != name:
                found = self._found(source, clause, via, wording, present, articles, line)
                return _but(found, TargetState.RENAMED, present.title)
            renumbered = self.titled(item.title)
            if renumbered is not None:
                found = self._found(source, clause, via, wording, renumbered, articles, line)
                return _but(found, TargetState.RENUMBERED, renumbered.number)
            return Reference(
                source, clause, via, wording, item.kind, item.number, item.title, articles,
                TargetState.WITHDRAWN, "", line,
            )  # fmt: skip
        return Reference(source, clause, via, wording, None, name, "", articles, TargetState.MISSING, "", line)


def cited_by(references: Iterable[Reference], number: str) -> list[Reference]:
    """Return the references of others that lead to `number`."""
    return [item for item in references if item.target == number and item.source.number != number]


def told_once(references: Iterable[Reference]) -> Iterator[tuple[Reference, tuple[Via, ...]]]:
    """Yield what one clause refers to once, with all the ways in which it does."""
    ways: dict[tuple[str, str, str, tuple[str, ...], TargetState], list[Via]] = {}
    first: dict[tuple[str, str, str, tuple[str, ...], TargetState], Reference] = {}
    for item in references:
        key = (item.source.number, item.clause, item.target, item.articles, item.state)
        first.setdefault(key, item)
        known = ways.setdefault(key, [])
        if item.via not in known:
            known.append(item.via)
    for key, item in first.items():
        yield item, tuple(ways[key])


def short_number(number: str) -> str:
    """Return a number as people say it (`CX-014`); empty when it is no document number."""
    try:
        return DocumentNumber(number).short
    except InvalidIdentifierError:
        return ""


def _plain(title: str) -> str:
    return title.strip().removeprefix("中华人民共和国")


def _has(target: Target, article: str) -> bool:
    number = article_number(article)
    return target.clauses is None or not number or number in target.clauses


def _but(found: Reference, state: TargetState, now: str, *, wording: str = "") -> Reference:
    return replace(found, state=state, now=now, wording=wording or found.wording)
