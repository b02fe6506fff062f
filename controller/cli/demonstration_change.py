"""演示文件更改. The sample procedure goes from A/0 to A/1 as people do it: copy, Word, review, effect, training, close.

Each step is the service that the command of the same name calls, at the moment that `records/samples/change` says, so
that the change lies among the records of the sample year.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from controller.cli.document_revision_view import told_status
from controller.cli.files import write_output
from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from controller.bootstrap import Application
    from controller.cli.output import Output
    from controller.domain.identifiers import Digest
    from controller.services.key_signing import KeySigner

_DRAFTER, _CONTROLLER, _REVIEWER, _APPROVER = "p005", "p003", "p002", "p001"
_READS_WORD = "p006"
"""Who comments in the Word file."""
_BOUND = "程序"
"""The class of documents that is bound as a set: all of them would take a quarter of the demonstration's time."""
_BETWEEN_READERS = timedelta(minutes=20)


@dataclass
class ChangeShown:
    """演示的文件更改. What came of it, to be told."""

    change: str = ""
    item: str = ""
    before: str = ""
    after: str = ""
    effective: str = ""
    comments: int = 0
    readers: int = 0
    copies: tuple[str, str] = ("", "")
    """Number of the old copy and of the new one."""
    records: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    pages: int = 0
    """Of the bound set."""

    def data(self) -> dict[str, Any]:
        """Return it for `--json`."""
        return {
            "number": self.change,
            "item": self.item,
            "from": self.before,
            "to": self.after,
            "effective": self.effective,
            "comments": self.comments,
            "readers": self.readers,
            "records": self.records,
            "files": self.files,
            "set_pages": self.pages,
        }


class DemonstratedChange:
    """演示文件更改.

    Args:
        application: opened with the clock that the samples set.
        signers: person → who signs.
        told: the change as `records/samples/change` tells it.
        folder: where what people hold in their hands is written.
        out: translates what is drawn.
    """

    def __init__(
        self,
        application: Application,
        signers: Mapping[str, KeySigner],
        told: Mapping[str, Any],
        folder: Path,
        out: Output,
    ) -> None:
        self._application = application
        self._signers = signers
        self._told = told
        self._folder = folder
        self._out = out
        self._docx = b""
        self.shown = ChangeShown(item=str(told["number"]))

    def steps(self) -> Iterator[tuple[datetime, Callable[[], None]]]:
        """Yield every step with its moment, in order of time; who has to read shows only once it is approved."""
        yield self._at("copy_issued"), self._issue_old_copy
        yield self._at("copy_received"), lambda: self._receive(self.shown.copies[0])
        yield self._at("opened"), self._open
        yield self._at("checked_out"), self._check_out
        yield self._at("checked_in"), self._check_in
        yield self._at("submitted"), self._submit
        yield self._at("commented"), self._comment
        yield self._at("answered"), self._answer
        yield self._at("reviewed"), lambda: self._sign(Event.CHANGE_REVIEWED, _REVIEWER)
        yield self._at("approved"), lambda: self._sign(Event.CHANGE_APPROVED, _APPROVER)
        yield self._at("questions"), self._set_questions
        yield self._at("issued"), self._issue
        standing = self._application.training.standing(self.shown.item, self.shown.after)
        for place, person in enumerate(standing.people):
            yield self._at("understood") + place * _BETWEEN_READERS, partial(self._read_and_understand, person.person)
        yield self._at("copy_returned"), self._take_back
        yield self._at("new_copy_issued"), self._issue_new_copy
        yield self._at("new_copy_received"), lambda: self._receive(self.shown.copies[1])
        yield self._at("closed"), self._close

    def _at(self, name: str) -> datetime:
        return datetime.fromisoformat(str(self._told["acts"][name])).replace(tzinfo=self._application.zone)

    # -- the copies --------------------------------------------------------------------------------------------

    def _issue_old_copy(self) -> None:
        self.shown.copies = (self._handed_out(None), "")

    def _issue_new_copy(self) -> None:
        target = self._folder / f"{self.shown.item}受控副本.pdf"
        self.shown.copies = (self.shown.copies[0], self._handed_out(target))

    def _handed_out(self, target: Path | None) -> str:
        from controller.domain.identifiers import Digest

        by, issuing = self._signers[_CONTROLLER], self._application.copy_issuing
        planned = issuing.plan(self.shown.item, _DRAFTER, by.signatory)
        pdf = self._application.controlled_print(planned, by.signatory.name) if target is not None else None
        issuing.issue(planned, by, shown=Digest.of(pdf) if pdf is not None else None)
        if target is not None and pdf is not None:
            self._keep(target, pdf)
        return planned.copy

    def _receive(self, copy: str) -> None:
        self._application.copy_issuing.receive(self.shown.item, copy, self._signers[_DRAFTER])

    def _take_back(self) -> None:
        self._application.copy_recall.take_back(self.shown.item, self.shown.copies[0], self._signers[_CONTROLLER])

    # -- the draft ---------------------------------------------------------------------------------------------

    def _open(self) -> None:
        from controller.domain.change_request import ChangeKind
        from controller.services.change_drafting import ChangeOrder

        order = ChangeOrder(
            ChangeKind.REVISE, str(self._told["reason"]), tuple(self._told["triggers"]), (self.shown.item,)
        )
        request = self._application.change_drafting.open(order, self._signers[_DRAFTER])
        item = request.items[0]
        self.shown.change, self.shown.before, self.shown.after = request.number, item.before or "", item.after or ""

    def _check_out(self) -> None:
        checkout, by = self._application.document_checkout, self._signers[_DRAFTER]
        made = checkout.check_out(self.shown.item, by=by)
        checkout.state(made, by=by)
        self._docx = self._edited(made.docx)

    def _edited(self, docx: bytes) -> bytes:
        """Return the file as two people leave it in Word, each change under its author's name."""
        from controller.adapters.word_editing import WordAuthor, WordEditing

        editing = WordEditing(docx)
        name = self._signers[_DRAFTER].signatory.name
        author = WordAuthor(name, self._at("edited"))
        for edit in self._told["edits"]:
            if "after" in edit:
                editing.add_paragraph(edit["after"], edit["new"], author)
            else:
                editing.replace(edit["old"], edit["new"], author)
        reader = WordAuthor(self._signers[_READS_WORD].signatory.name, self._at("commented_in_word"))
        editing.comment(self._told["word_comment"]["about"], self._told["word_comment"]["text"], reader)
        return editing.saved()

    def _check_in(self) -> None:
        from controller.services.document_checkin import CheckinOrder

        by = self._signers[_DRAFTER]
        name = f"{self.shown.item}修订.docx"
        made = self._application.document_checkin.prepare(self._docx, name=name, by=by, order=CheckinOrder())
        self._application.document_checkin.take_in(made, by=by)
        self._keep(self._folder / name, self._docx)

    # -- review and approval -----------------------------------------------------------------------------------

    def _submit(self) -> None:
        self._sign(Event.CHANGE_SUBMITTED, _DRAFTER, effective=self._at("effective").date())

    def _comment(self) -> None:
        told = self._told["comment"]
        self._application.change_steps.comment(
            self.shown.change, told["text"], self._signers[_REVIEWER], clause=told["clause"]
        )

    def _answer(self) -> None:
        answers = {self._told[key]["text"]: self._told[key]["answer"] for key in ("word_comment", "comment")}
        for comment in self._application.changes.read(self.shown.change).unresolved:
            self._application.change_steps.resolve(
                self.shown.change, comment.id, answers[comment.text], self._signers[_DRAFTER]
            )
            self.shown.comments += 1

    def _sign(self, event: Event, person: str, *, effective: date | None = None) -> None:
        done = self._application.change_approval.sign(
            self.shown.change, event, self._signers[person], effective=effective
        )
        self.shown.effective = done.request.effective or ""

    # -- afterwards --------------------------------------------------------------------------------------------

    def _set_questions(self) -> None:
        questions = str(self._told["questions"]).encode()
        self._application.training.assign(
            self.shown.item, self.shown.after, self._signers[_CONTROLLER], questions=questions
        )

    def _issue(self) -> None:
        from controller.adapters.training_notice_drawing import notice_docx

        application, item = self._application, self.shown.item
        application.change_steps.issue(self.shown.change, self._signers[_CONTROLLER])
        notices = application.training_notices.notices(item, revision=self.shown.after)
        told = application.printing.print(notice_docx(notices, self._out.text)).data
        self._hand_out(f"{item}更改通知.pdf", told, view="training-notice")

    def _read_and_understand(self, person: str) -> None:
        training, item, revision = self._application.training, self.shown.item, self.shown.after
        text = training.text(item, revision)
        training.understood(
            item, revision, self._signers[person], shown=text.digest, answers=str(self._told["answers"])
        )
        self.shown.readers += 1

    def _close(self) -> None:
        application = self._application
        request = application.change_steps.close(self.shown.change, self._signers[_CONTROLLER])
        self.shown.records = [record for forms in request.records.values() for record in forms.values()]
        self._write_proofs()

    # -- what people hold in their hands -----------------------------------------------------------------------

    def _write_proofs(self) -> None:
        """Write redline, history, signed document and the bound set, each stated in the trail first."""
        from controller.domain.clause_blame import blame
        from controller.file_formats.history_page import HistoryPage, history_page

        application, item, text = self._application, self.shown.item, self._out.text
        history = application.document_history
        timeline = history.timeline(item)
        old, new = history.version(timeline, self.shown.before), history.version(timeline, self.shown.after)
        redline = application.redlines.docx(history.difference(timeline, old, new))
        self._hand_out(f"{item}修订标记.docx", redline, view="redline")
        today = application.clock.now().astimezone(application.zone).date()
        page = HistoryPage(
            company=application.settings.company,
            number=item,
            title=timeline.title,
            made=application.clock.now().astimezone(application.zone),
            comparisons=timeline.comparisons(),
            timeline=timeline,
            blame=blame(timeline.readable),
            statuses={found.revision: told_status(found, today) for found in timeline.revisions},
        )
        self._hand_out(f"{item}更改历史.html", history_page(page, text, language=self._out.language), view="history")
        self._hand_out(f"{item}已签署.pdf", application.document_signing.shown(item))
        self._bind()

    def _bind(self) -> None:
        from controller.domain.procedure_print import CLASS_NAMES

        application = self._application
        sets = application.document_sets
        standing, procedures = sets.standing(None), sets.documents(classes=[_BOUND])
        with self._out.progress(T("正在装订汇编")) as progress:
            bound = sets.pdf(standing, documents=procedures, selection=CLASS_NAMES[_BOUND], progress=progress)
        stamp = application.document_prints.set_stamp(standing, self._signers[_CONTROLLER].signatory.name)
        self._hand_out(
            "体系文件汇编（程序）.pdf", application.pdf_stamping.stamped(bound.data, stamp), subject=standing.number
        )
        self.shown.pages = bound.pages

    def _hand_out(self, name: str, data: bytes, *, view: str = "", subject: str = "") -> None:
        facts = {"format": name.rpartition(".")[2], "revision": self.shown.after} | ({"view": view} if view else {})

        def note(shown: Digest) -> None:
            by = self._signers[_CONTROLLER]
            self._application.trail.printed(by, subject or self.shown.item, shown, facts=facts)

        write_output(self._folder / name, data, before=note)
        self.shown.files.append(name)

    def _keep(self, target: Path, data: bytes) -> None:
        write_output(target, data)
        self.shown.files.append(target.name)
