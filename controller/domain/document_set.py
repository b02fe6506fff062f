"""体系文件汇编. The documents of a system bound as one: cover, order of release, contents, revisions, every document.

The set has a number and an edition of its own. One approval names every document in it with its revision and digest;
a document that changes afterwards does so by its own approval, and the set says which ones did.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.document import CLASS_WORDS
from controller.domain.identifiers import Digest, DocumentNumber
from controller.domain.procedure_print import CLASS_NAMES
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from controller.domain.record import Signatory
    from controller.domain.text import Text

SET_TITLE = "质量管理体系文件汇编"
SET_CODE = "HB"
"""Stands where a document's number has the code of its class."""
FIRST_EDITION = "A/0"
_ORDER = list(CLASS_WORDS.values())


@dataclass(frozen=True)
class SetDocument:
    """汇编中的一份文件."""

    number: str
    title: str
    revision: str
    class_word: str
    owner: str
    contents: Digest
    """Digest over its source files."""
    approved_by: str = ""
    approved_on: date | None = None
    effective: str = ""

    @property
    def class_name(self) -> str:
        """The class as printed."""
        return CLASS_NAMES.get(self.class_word, self.class_word)


@dataclass(frozen=True)
class ListedDocument:
    """批准时列明的文件. A document as an approval of the set names it."""

    number: str
    revision: str
    contents: Digest


@dataclass(frozen=True)
class SetApproval:
    """汇编的批准. One filed approval."""

    edition: str
    by: Signatory
    at: str
    statement: Digest
    path: str
    """Archive path of the statement, without suffix."""
    files: Mapping[str, Digest]
    documents: Sequence[ListedDocument]
    flaw: Text | None = None
    """What is wrong with the signature; None: nothing that can be seen here."""


@dataclass(frozen=True)
class SetStanding:
    """汇编的批准情况. The newest approval, and what changed after it."""

    number: str
    edition: str
    documents: Sequence[SetDocument]
    files: Mapping[str, Digest]
    """All source files as they are now."""
    approval: SetApproval | None

    @property
    def changed(self) -> list[str]:
        """What differs from what was approved, a line for each document."""
        if self.approval is None:
            return []
        before = {item.number: item for item in self.approval.documents}
        now = {item.number: item for item in self.documents}
        told = []
        for number in sorted({*before, *now}):
            old, new = before.get(number), now.get(number)
            if old is None and new is not None:
                told.append(f"{number} 新增 {new.revision}")
            elif new is None and old is not None:
                told.append(f"{number} 不再现行（{old.revision}）")
            elif old is not None and new is not None and old.contents != new.contents:
                told.append(f"{number} {old.revision} → {new.revision}")
        return told

    def unchanged(self, number: str) -> bool:
        """Tell whether a document is still what the newest approval of the set named."""
        if self.approval is None or self.approval.flaw is not None:
            return False
        named = {(item.number, item.contents) for item in self.approval.documents}
        return any(item.number == number and (number, item.contents) in named for item in self.documents)

    def explain_of(self, number: str) -> Text:
        """Return in one sentence what the approval of the set says of one of its documents."""
        assert self.approval is not None
        named = next((item.revision for item in self.approval.documents if item.number == number), None)
        said = {"number": self.number, "edition": self.edition}
        if self.approval.flaw is not None:
            return T("汇编 {number} {edition} 的批准无效：{why}", why=self.approval.flaw, **said)
        said |= {"name": self.approval.by.name, "day": self.approval.at[:10]}
        if named is None:
            return T("汇编 {number} {edition}（{name} {day} 批准）未收录本文件", **said)
        if self.unchanged(number):
            return T("随汇编 {number} {edition} 由{name}于 {day} 批准，其后没有变动", **said)
        return T(
            "随汇编 {number} {edition} 由{name}于 {day} 批准的是版本 {revision}，其后有变动", revision=named, **said
        )

    @property
    def counts(self) -> bool:
        """Whether the approval is sound and covers just what the set is now."""
        return self.approval is not None and self.approval.flaw is None and not self.changed

    def explain(self) -> Text:
        """Return the standing in one sentence."""
        names = {"number": self.number, "edition": self.edition}
        if self.approval is None:
            return T("汇编 {number} {edition} 尚未批准", **names)
        said = names | {"name": self.approval.by.name, "day": self.approval.at[:10]}
        if self.approval.flaw is not None:
            return T("汇编 {number} {edition} 的批准无效：{why}", why=self.approval.flaw, **names)
        if self.changed:
            return T(
                "汇编 {number} {edition} 由{name}于 {day} 批准，其后有变动：{changed}", changed=self.changed, **said
            )
        return T("汇编 {number} {edition} 由{name}于 {day} 批准，所列文件没有变动", **said)


@dataclass(frozen=True)
class SetPrint:
    """汇编打印件. Everything that stands on the pages before the documents."""

    company: str
    number: str
    edition: str
    documents: Sequence[SetDocument]
    order: Sequence[str]
    """Paragraphs of the order of release."""
    releaser: str
    """Post of who releases."""
    released_by: str
    """Name; empty: nobody yet."""
    released_on: str
    selection: str = ""
    """What of the system is bound here, where it is not all."""
    notice: Sequence[str] = ()
    """Lines that whoever opens it must not miss."""

    @property
    def title(self) -> str:
        """What stands on the cover."""
        return SET_TITLE


def set_number(numbers: Iterable[str]) -> str:
    """Return the number of the set: company and family as in most of its documents, then `HB`."""
    heads = Counter(number.removesuffix(DocumentNumber(number).short) for number in numbers)
    # The most common head; of several the first in order.
    return min(heads, key=lambda head: (-heads[head], head)) + SET_CODE


def in_order(documents: Iterable[SetDocument]) -> list[SetDocument]:
    """Return documents by class (手册, 制度, 程序, 职责), then by number."""
    return sorted(documents, key=lambda item: (_place(item.class_word), item.number))


def _place(class_word: str) -> int:
    return _ORDER.index(class_word) if class_word in _ORDER else len(_ORDER)
