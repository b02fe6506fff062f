"""Copies while a revision waits for its day, when two people act at once, and when a witness's signature is forged."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from controller.domain.conformity import Gravity
from controller.domain.controlled_copies import CopyState
from controller.domain.effect_schedule import EffectSchedule, PendingEffect
from controller.domain.library_day import ItemKind
from controller.domain.statement import statement_path
from controller.file_formats.effect_file import EFFECT_FILE, write_effect
from controller.services.act_filing import ActOvertakenError
from controller.services.archive_ports import ArchiveChange, ControlledChange
from controller.services.copy_destruction import DestructionEarlyError
from controller.services.copy_issuing import CopyRevisionError
from controller.services.library_adoption import library_statement
from tests.conftest import StandingClock

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.services.signing_ports import Signer
    from tests.conftest import Workspace

DOCUMENT = "XX-YLQXCX-014"
FOLDER = f"procedures/{DOCUMENT}"
EFFECT = date(2026, 3, 1)
APPROVED, BEFORE, ON = "2026-02-01T10:00:00+08:00", "2026-02-28T10:00:00+08:00", "2026-03-01T00:00:00+08:00"


def opened(workspace: Workspace, at: str) -> Application:
    return workspace.open(StandingClock(datetime.fromisoformat(at)))


def approve(application: Application, by: Signer, *, begins: date = EFFECT) -> None:
    """File 014 A/1 as an approval does: it waits for its day, and its old copies are recalled from that day on."""
    path = f"{FOLDER}/document.yml"
    text = (application.approved_files.read(path) or b"").decode()
    before = application.approved_files.revision()
    item = PendingEffect((FOLDER,), ItemKind.DOCUMENT, DOCUMENT, "A/1", begins, before, "2026-0001")
    changes: dict[str, bytes | None] = {
        path: text.replace("revision: A/0", "revision: A/1").encode(),
        EFFECT_FILE: write_effect(EffectSchedule((item,))),
    }
    stated = library_statement(application.approved_files, changes, subject=DOCUMENT, reason="修订", meaning="批准")
    recall = application.copies.recall_draft(DOCUMENT, "A/0", "2026-0001", effective=begins, reason="换版")
    drafts = [(stated, by), *([(recall, by)] if recall is not None else [])]
    application.statements.file_all(drafts, controlled=ControlledChange(changes, "修订", DOCUMENT, "A/1"))


@pytest.mark.slow
def test_old_copies_stay_good_until_the_new_revision_takes_effect(workspace: Workspace) -> None:
    with closing(opened(workspace, APPROVED)) as application:
        chen, lin = application.person("陈晓"), application.person("林静")
        issuing, reading = application.copy_issuing, application.copies
        assert reading.recall_draft(DOCUMENT, "A/0", "2026-0001", effective=EFFECT) is None, "no copy is out"
        old = issuing.issue(issuing.plan("CX-014", "刘洋", chen.signatory), chen).copies[0]
        approve(application, lin)
        assert reading.governing(DOCUMENT) == ("A/0", "A/1")
        new = issuing.plan("CX-014", "王强", chen.signatory)
        assert (new.revision, new.copy, new.waiting) == ("A/1", "02", True)
        issuing.issue(new, chen)
        still = issuing.plan("CX-014", "王强", chen.signatory, revision="A/0")
        assert not still.waiting
        with pytest.raises(CopyRevisionError):
            issuing.plan("CX-014", "王强", chen.signatory, revision="A/2")
        assert issuing.receive("CX-014", "01", application.person("刘洋")).copies[0].copy == old.copy
        standing = reading.recall_standing(DOCUMENT, change="2026-0001")
        assert (standing.recalled, standing.back, standing.complete) == (1, 0, False)
    with closing(opened(workspace, BEFORE)) as application:
        copies = application.copies.held(DOCUMENT).copies
        assert [application.copies.state(item) for item in copies] == [CopyState.RECEIVED, CopyState.ISSUED]
        assert [item.copy for item in application.copies.outstanding()] == ["02"]
        back = application.copy_recall.take_back("CX-014", "01", application.person("陈晓"), why="换版")
        assert back.copies[0].last is CopyState.RETURNED
        ask = application.copy_destruction.request
        with pytest.raises(DestructionEarlyError):
            ask("CX-014", ["01"], application.person("陈晓"), reason="旧版全部收回", no_hold=True)
    with closing(opened(workspace, ON)) as application:
        assert application.copies.governing(DOCUMENT) == ("A/1",)
        assert application.copies.recall_standing(DOCUMENT, change="2026-0001").complete
        chen = application.person("陈晓")
        filed = application.copy_destruction.request("CX-014", ["01"], chen, reason="旧版全部收回", no_hold=True)
        assert filed.state.values["target_type"] == "作废文件副本"
        assert filed.state.values["retention_due"] == EFFECT.isoformat()


@pytest.mark.slow
def test_a_copy_that_is_out_when_its_revision_ends_must_come_back_on_that_day(workspace: Workspace) -> None:
    with closing(opened(workspace, APPROVED)) as application:
        chen = application.person("陈晓")
        application.copy_issuing.issue(application.copy_issuing.plan("CX-014", "刘洋", chen.signatory), chen)
        approve(application, application.person("林静"))
    for at, state in ((BEFORE, CopyState.ISSUED), (ON, CopyState.RECALLED)):
        with closing(opened(workspace, at)) as application:
            (copy,) = application.copies.held(DOCUMENT).copies
            assert application.copies.state(copy) is state


@pytest.mark.slow
def test_nobody_gets_a_number_that_somebody_else_took_meanwhile(workspace: Workspace) -> None:
    with closing(opened(workspace, APPROVED)) as application:
        chen, wu = application.person("陈晓"), application.person("吴涛")
        issuing = application.copy_issuing
        mine, theirs = (issuing.plan("CX-014", to, by.signatory) for to, by in (("刘洋", chen), ("王强", wu)))
        assert mine.copy == theirs.copy == "01"
        issuing.issue(theirs, wu)
        with pytest.raises(ActOvertakenError):
            issuing.issue(mine, chen)
        assert [item.holder.name for item in application.copies.held(DOCUMENT).copies] == ["王强"]
        assert len(list(application.archive.listing("XX-YLQXJL-003/2026/00/00"))) == 1, "and no record is left of it"


def destroyed(application: Application) -> str:
    """Have a copy destroyed by one person; return where a witness's signature would lie, without its name."""
    chen, sun = application.person("陈晓"), application.person("孙丽")
    application.copy_issuing.issue(application.copy_issuing.plan("CX-014", "刘洋", chen.signatory), chen)
    application.copy_recall.take_back("CX-014", "01", chen, why="破损")
    asked = application.copy_destruction.request("CX-014", ["01"], chen, reason="破损不能使用", no_hold=True)
    lin = application.person("林静")
    application.records.advance(asked.number, {"method": "粉碎"}, lin, stage="approved")
    done = application.copy_destruction.destroy(asked.number, sun)
    return statement_path(f"copies/{DOCUMENT}", done.act.statements[0].statement.sequence)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "signer", "code"),
    [("p008", "孙丽", "signature-of-another-person"), ("p007", "孙丽", "countersigned-by-same-person")],
)
def test_a_forged_witness_is_found(workspace: Workspace, name: str, signer: str, code: str) -> None:
    with closing(opened(workspace, APPROVED)) as application:
        path = destroyed(application)
        assert not application.verify(spread=False).of_gravity(Gravity.ERROR)
        by = application.person(signer)
        with application.archive.writing() as writer:
            at = writer.moment(application.clock.now())
            forged = by.sign(writer.read(f"{path}.json") or b"", at=at)
            trailers = {"QMS-Action": "countersign", "QMS-Signer": by.signatory.person}
            change = ArchiveChange({f"{path}.{name}.p7s": forged}, by.signatory, at, f"{path} countersigned", trailers)
            writer.append(change)
        assert application.copies.held(DOCUMENT).copies[0].unwitnessed, "nor does it count"
        assert code in {item.code for item in application.verify(spread=False).of_gravity(Gravity.ERROR)}
