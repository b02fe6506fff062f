"""更改的折算. A change as its chain of signed statements tells of it, and what the opening states about an item."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.change_request import (
    BEGUN,
    SIGNATURES,
    ChangedItem,
    ChangeKind,
    ChangeRequest,
    ChangeSignature,
    Postponement,
    ReviewComment,
)
from controller.domain.library_day import ItemKind
from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.record import Wire
    from controller.domain.statement import Statement
    from controller.domain.text import Text


def fold_change(number: str, statements: Sequence[Statement]) -> ChangeRequest:
    """Return the change that a chain tells of.

    Raises:
        ValueError: the chain does not begin with the opening of a change, or says something that none can say.
    """
    if not statements or statements[0].event is not Event.CHANGE_OPENED or statements[0].by is None:
        raise ValueError(number)
    request = _opened(number, statements[0])
    for stated in statements[1:]:
        request = replace(_folded(request, stated), sequence=stated.sequence)
    return request


def _opened(number: str, stated: Statement) -> ChangeRequest:
    assert stated.by is not None
    items = stated.new.get("items")
    if not isinstance(items, list) or not items:
        raise ValueError(number)
    triggers = stated.new.get("triggers")
    return ChangeRequest(
        number=number,
        kind=ChangeKind(_text(stated.new, "kind")),
        reason=stated.reason or "",
        triggers=tuple(str(item) for item in triggers) if isinstance(triggers, list) else (),
        items=tuple(_item(item) for item in items),
        by=stated.by,
        at=stated.at,
        sequence=stated.sequence,
        plan=_optional(stated.new, "plan"),
        wanted=_optional(stated.new, "effective"),
        base=dict(stated.files),
        files=dict(stated.files),
    )


def _folded(request: ChangeRequest, stated: Statement) -> ChangeRequest:
    by, event = stated.by, stated.event
    assert by is not None
    if event is Event.DRAFT_SAVED:
        request = _saved(request, stated)
        return replace(request, comments=(*request.comments, *_word_comments(request, stated)))
    if event in SIGNATURES:
        return _signed(request, stated)
    if event is Event.CHANGE_COMMENTED:
        said = ReviewComment(
            str(len(request.comments) + 1),
            _text(stated.new, "item"),
            _optional(stated.new, "clause") or "",
            _text(stated.new, "text"),
            by.name,
            stated.at,
        )
        return replace(request, comments=(*request.comments, said))
    if event is Event.CHANGE_COMMENT_RESOLVED:
        wanted, answer = _text(stated.new, "comment"), _text(stated.new, "answer")
        answered = (
            replace(item, answer=answer, answered_by=by.name) if item.id == wanted else item
            for item in request.comments
        )
        return replace(request, comments=tuple(answered))
    if event is Event.CHANGE_RETURNED:
        why = T("{name}退回：{reason}", name=by.name, reason=stated.reason or "")
        return replace(
            _void(request, why),
            returned=stated.reason or "",
            returned_at=stated.at,
            records={},
            former_records=_former(request),
        )
    if event is Event.EFFECT_POSTPONED:
        day = _text(stated.new, "effective")
        before = _optional(stated.old, "effective") or ""
        moved = Postponement(stated.subject, before, day, by, stated.at, stated.reason or "")
        return replace(request, effective=day, postponements=(*request.postponements, moved))
    if event is Event.CHANGE_ISSUED:
        return replace(request, issued=by, issued_at=stated.at, records=_records(request, stated))
    if event is Event.CHANGE_CLOSED:
        return replace(request, closed=by)
    if event is Event.CHANGE_CANCELLED:
        return replace(request, cancelled=stated.reason or "", cancelled_by=by, cancelled_at=stated.at)
    raise ValueError(event)


def _saved(request: ChangeRequest, stated: Statement) -> ChangeRequest:
    now = dict(stated.files)
    if now == dict(request.files):
        return replace(request, saved_by=stated.by)
    changed = sorted(path for path in {*now, *request.files} if now.get(path) != request.files.get(path))
    names = list(dict.fromkeys(path.rsplit("/", maxsplit=1)[-1] for path in changed))
    assert stated.by is not None
    why = T("{name}在签署之后改动了：{files}", name=stated.by.name, files=names)
    known = {person.person for person in request.authors}
    own = () if BEGUN in stated.new or stated.by.person in known else (stated.by,)
    place = stated.origin.computer if "taken" in stated.new else ""
    edited = {path: place if path in changed else request.edited[path] for path in {*request.edited, *changed}}
    edited = {path: where for path, where in edited.items() if now.get(path) != request.base.get(path)}
    return replace(
        _void(request, why),
        files=now,
        saved_by=stated.by,
        authors=(*request.authors, *own),
        edited=edited if BEGUN not in stated.new else request.edited,
    )


def _void(request: ChangeRequest, why: Text) -> ChangeRequest:
    voided = (item if item.void_because is not None else replace(item, void_because=why) for item in request.signatures)
    return replace(request, signatures=tuple(voided))


def _signed(request: ChangeRequest, stated: Statement) -> ChangeRequest:
    assert stated.by is not None
    signed = stated.new.get("signed")
    if not isinstance(signed, dict):
        raise TypeError(stated.event)
    same = {path: digest.text for path, digest in request.files.items()} == signed
    signature = ChangeSignature(
        sequence=stated.sequence,
        event=stated.event,
        step=_text(stated.new, "step"),
        meaning=stated.meaning,
        by=stated.by,
        at=stated.at,
        files=dict(request.files) if same else {},
        reason=stated.reason,
        void_because=None if same else T("签的不是当时的草稿"),
        exempted="exemption" in stated.new,
    )
    return replace(
        request,
        signatures=(*request.signatures, signature),
        returned=None if stated.event is Event.CHANGE_SUBMITTED else request.returned,
        wanted=_optional(stated.new, "effective") or request.wanted,
        effective=_optional(stated.new, "effective") if stated.event is Event.CHANGE_APPROVED else request.effective,
        records=_records(request, stated),
        former_records=_former(request) if stated.event is Event.CHANGE_SUBMITTED else request.former_records,
    )


def _former(request: ChangeRequest) -> tuple[str, ...]:
    """Return the records of all rounds so far, the present one among them: it is over."""
    return (*request.former_records, *(record for forms in request.records.values() for record in forms.values()))


def _records(request: ChangeRequest, stated: Statement) -> dict[str, Mapping[str, str]]:
    """Return the records of the present round; submitting begins with new ones."""
    listed = stated.new.get("records")
    found: dict[str, Mapping[str, str]] = (
        {} if stated.event is Event.CHANGE_SUBMITTED else {item: dict(forms) for item, forms in request.records.items()}
    )
    for item, forms in listed.items() if isinstance(listed, dict) else ():
        if isinstance(forms, dict):
            new = {form: str(record) for form, record in forms.items()}
            found[item] = {**found.get(item, {}), **new}
    return found


def _word_comments(request: ChangeRequest, stated: Statement) -> list[ReviewComment]:
    """Return the comments that a checked-in Word file brought; one asked before is not asked twice."""
    listed = stated.new.get("comments")
    known = {(item.by, item.text, item.clause) for item in request.comments}
    found: list[ReviewComment] = []
    for said in listed if isinstance(listed, list) else ():
        if not isinstance(said, dict):
            raise TypeError(stated.event)
        name, text, clause = (str(said.get(key, "")) for key in ("name", "text", "clause"))
        if (name, text, clause) not in known:
            about = _optional(stated.new, "item") or stated.subject
            place = str(len(request.comments) + len(found) + 1)
            found.append(ReviewComment(place, about, clause, text, name, stated.at))
    return found


def _item(wire: Wire) -> ChangedItem:
    if not isinstance(wire, dict):
        raise TypeError(wire)
    paths = wire.get("paths")
    return ChangedItem(
        kind=ItemKind(_text(wire, "kind")),
        number=_text(wire, "number"),
        title=_text(wire, "title"),
        before=_optional(wire, "from"),
        after=_optional(wire, "to"),
        class_word=_text(wire, "class"),
        owner=_optional(wire, "owner") or "",
        paths=tuple(str(path) for path in paths) if isinstance(paths, list) else (),
    )


def item_wire(item: ChangedItem) -> dict[str, Wire]:
    """Return what the opening of a change states about an item."""
    return {
        "kind": item.kind.value,
        "number": item.number,
        "title": item.title,
        "from": item.before,
        "to": item.after,
        "class": item.class_word,
        "owner": item.owner,
        "paths": list(item.paths),
    }


def _text(wire: Mapping[str, Wire], key: str) -> str:
    found = wire.get(key)
    if not isinstance(found, str):
        raise TypeError(key)
    return found


def _optional(wire: Mapping[str, Wire], key: str) -> str | None:
    found = wire.get(key)
    return found if isinstance(found, str) else None
