"""副本动作. What every act on a copy needs: find the copy, state it, take its record on, file both in one commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.controlled_copies import ControlledCopy, check_follows, find_copy
from controller.domain.errors import RefusedError
from controller.domain.statement import COPIES, Event
from controller.domain.text import T
from controller.services.act_filing import StatementPart
from controller.services.staff_directory import check_post
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.document_control_rules import DocumentControlRules
    from controller.domain.person import Staff
    from controller.domain.record import Signatory, Wire
    from controller.domain.text import Text
    from controller.services.act_filing import ActFiling, FiledAct, Part
    from controller.services.copy_paperwork import CopyPaperwork
    from controller.services.copy_reading import CopyReading, HeldCopies
    from controller.services.signing_ports import Signer

_LONGEST_REASON, SHORTEST_REASON = 500, 4


class CopyReasonError(RefusedError):
    """需要写明原因. Losses, recalls for reasons of their own and returns of copies that are still good need one."""

    code = "copy-reason"

    def __init__(self, *, problem: Text, hint: Text) -> None:
        super().__init__(problem, hint=hint)


@dataclass(frozen=True)
class CopyAct:
    """副本动作的结果. The copies as they are after an act, and what was filed."""

    copies: tuple[ControlledCopy, ...]
    act: FiledAct


@dataclass
class CopyDesk:
    """副本动作所需."""

    reading: CopyReading
    acts: ActFiling
    paperwork: CopyPaperwork
    staff: Staff
    rules: DocumentControlRules

    def check_controller(self, by: Signatory, act: Text) -> None:
        """Make sure that `by` holds a post that looks after copies; raises `PostNeededError`."""
        check_post(self.staff, by, self.rules.controller_posts, act)

    def found(self, wanted: str, copy: str, event: Event) -> tuple[ControlledCopy, HeldCopies]:
        """Return the copy that `event` is about, with all copies of its document.

        Raises:
            UnknownDocumentError, UnknownCopyError: there is no such copy.
            CopyStateError: the event does not follow from where it is.
        """
        held = self.reading.held(self.reading.resolve(wanted))
        found = find_copy(held.copies, held.number, copy)
        check_follows(found, event, today=self.reading.today, governing=self.reading.governing(held.number))
        return found, held

    def file(
        self, held: HeldCopies, by: Signer, draft: StatementDraft, copies: Sequence[str], record: Part | None = None
    ) -> CopyAct:
        """File a statement about `copies` with what it adds to their record.

        Raises:
            ActOvertakenError: somebody else stated something of the document's copies meanwhile.
        """
        parts: list[Part] = [StatementPart(draft), *([record] if record is not None else [])]
        act = self.acts.file(by, parts, expects={draft.chain: held.sequence})
        return self.done(held.number, copies, act)

    def done(self, number: str, copies: Sequence[str], act: FiledAct) -> CopyAct:
        """Return the copies as they are now."""
        wanted = set(copies)
        return CopyAct(tuple(item for item in self.reading.held(number).copies if item.copy in wanted), act)


def copy_statement(
    event: Event, copy: ControlledCopy, meaning: str, facts: Mapping[str, Wire] | None = None, *, reason: str = ""
) -> StatementDraft:
    """Return a statement about one copy."""
    new: dict[str, Wire] = {"copy": copy.copy, "revision": copy.revision, **(facts or {})}
    if copy.record:
        new["record"] = copy.record
    return StatementDraft(f"{COPIES}/{copy.number}", event, copy.number, meaning, reason=reason or None, new=new)


def checked_reason(reason: str, *, missing: Text, hint: Text) -> str:
    """Return a reason without blanks around it.

    Raises:
        CopyReasonError: there is none, or it is too long.
    """
    text = reason.strip()
    if len(text) < SHORTEST_REASON:
        raise CopyReasonError(problem=missing, hint=hint)
    if len(text) > _LONGEST_REASON or not text.isprintable():
        raise CopyReasonError(
            problem=T("原因过长或含有不可打印的字符。"),
            hint=T("最多 {limit} 个字，写在一行内。", limit=_LONGEST_REASON),
        )
    return text
