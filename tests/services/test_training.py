"""Read and understood: who has to, in which order, who may waive, and what the forms of a procedure ask for."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.effect_schedule import EffectSchedule, PendingEffect
from controller.domain.identifiers import Digest
from controller.domain.library_day import ItemKind
from controller.domain.person import PostHeld
from controller.domain.statement import Event
from controller.domain.training_questions import AnswersUnclearError
from controller.domain.training_standing import TrainingState
from controller.file_formats.effect_file import EFFECT_FILE, write_effect
from controller.services.archive_ports import ControlledChange
from controller.services.library_adoption import library_statement
from controller.services.record_filing import OpeningAct
from controller.services.staff_directory import PostNeededError
from controller.services.training_errors import (
    AnswersNeededError,
    AttemptsUsedError,
    NotAssignedError,
    NothingAssignedError,
    OwnWaiverError,
    QuestionsDamagedError,
    TrainingMissingError,
    TrainingReasonError,
    TrainingSettledError,
    TrainingTextChangedError,
    TrainingTextGoneError,
    TrainingUnknownError,
)
from tests.compliance.evidence import call
from tests.conftest import StandingClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.bootstrap import Application
    from controller.domain.errors import QmsError
    from controller.services.signing_ports import Signer
    from controller.services.training import Training, TrainingOutcome
    from tests.conftest import Workspace

NUMBER = "XX-YLQXCX-014"
CHAIN = f"training/{NUMBER}/A-0"
FORM = "XX-YLQXJL-013"
QUESTIONS = """format: wenkong/questions/1
questions:
  - {ask: 谁受理投诉？, choices: [售后服务管理人员, 仓储养护员], answer: A}
  - {ask: 哪些要登记？, choices: [来电, 来访, 闲谈], answer: [A, B]}
  - {ask: 记录可以事后补写日期。, answer: 错}
""".encode()
RIGHT, WRONG = "1A 2AB 3错", "1B 2A 3对"


@pytest.fixture
def application(workspace: Workspace) -> Iterator[Application]:
    with closing(workspace.open()) as opened:
        yield opened


@pytest.fixture
def training(application: Application) -> Training:
    return application.training


def assign(application: Application, *, questions: bytes | None = None) -> None:
    """陈晓 (document controller) asks everybody in after-sales service to read 014 A/0."""
    application.training.assign(
        NUMBER, "A/0", application.person("陈晓"), title="售后服务质量控制管理程序",
        posts=["售后服务管理人员", "service_engineer"], questions=questions, effective="2026-12-01",
    )  # fmt: skip


def understand(application: Application, name: str, answers: str | None = None) -> TrainingOutcome:
    """Somebody reads 014 A/0 as it lies there and answers."""
    shown = application.training.text(NUMBER, "A/0").digest
    return application.training.understood(NUMBER, "A/0", application.person(name), shown=shown, answers=answers)


def refused(error: type[QmsError], application: Application, name: str, answers: str | None = None) -> str:
    with pytest.raises(error) as caught:
        understand(application, name, answers)
    return str(caught.value.message)


def test_holders_of_the_posts_are_asked_and_the_share_grows_as_they_sign(application: Application) -> None:
    assign(application)
    standing = application.training.standing(NUMBER, "A/0")
    assert [(item.name, item.post, item.state.value) for item in standing.people] == [
        ("赵敏", "售后服务管理人员", "待阅知"),
        ("刘洋", "售后服务技术人员", "待阅知"),
    ]
    assert str(standing.explain()) == "阅知 0/2 人（0%），还缺：赵敏、刘洋"
    outcome = understand(application, "刘洋")
    statement = outcome.filed.statement
    assert (statement.event, statement.meaning, statement.subject) == (Event.TRAINING_UNDERSTOOD, "阅知", NUMBER)
    assert statement.shown == application.training.text(NUMBER, "A/0").digest
    assert str(application.training.line(NUMBER, "A/0")) == "阅知 1/2 人（50%），还缺：赵敏"
    understand(application, "赵敏")
    assert application.training.standing(NUMBER, "A/0").complete
    assert str(application.training.line(NUMBER, "A/0")) == "阅知 2/2 人（100%）"
    assert application.training.line(NUMBER, "A/1") is None


def test_reading_comes_after_assigning_and_only_once_by_who_was_asked(application: Application) -> None:
    assert "没有布置过阅知" in refused(TrainingUnknownError, application, "刘洋")
    assign(application)
    assert "不在 XX-YLQXCX-014 A/0 的阅知名单里" in refused(NotAssignedError, application, "王强")
    understand(application, "刘洋")
    assert "刘洋已于" in refused(TrainingSettledError, application, "刘洋")
    assert len(application.statements.chain(CHAIN)) == 2


def test_what_is_signed_as_read_must_be_the_revision_as_it_stands(application: Application) -> None:
    assign(application)
    by = application.person("刘洋")
    with pytest.raises(TrainingTextChangedError):
        application.training.understood(NUMBER, "A/0", by, shown=Digest.of(b"another text"))
    application.training.assign(NUMBER, "A/9", application.person("陈晓"), people=["刘洋"])
    with pytest.raises(TrainingTextGoneError):
        application.training.understood(NUMBER, "A/9", by, shown=Digest.of(b""))


def test_who_has_failed_as_often_as_the_rules_allow_waits_for_a_decision(application: Application) -> None:
    assign(application, questions=QUESTIONS)
    assert "答题后才能签阅知" in refused(AnswersNeededError, application, "刘洋")
    assert "第 3 题没有答" in refused(AnswersUnclearError, application, "刘洋", "1A 2AB")
    for attempt in (1, 2, 3):
        outcome = understand(application, "刘洋", WRONG)
        assert (outcome.passed, outcome.right, outcome.asked, outcome.own.attempts) == (False, 0, 3, attempt)
        assert outcome.filed.statement.event is Event.TRAINING_FAILED
    assert "已答题 3 次未通过" in refused(AttemptsUsedError, application, "刘洋", RIGHT)
    with pytest.raises(PostNeededError):  # the controller may assign, but not give used-up attempts again
        application.training.assign(NUMBER, "A/0", application.person("陈晓"), people=["刘洋"])
    application.training.assign(NUMBER, "A/0", application.person("林静"), people=["刘洋"], reason="当面讲解后重新答题")
    passed = understand(application, "刘洋", RIGHT)
    assert passed.passed
    assert passed.filed.statement.new["answers"] == "1A 2AB 3错"
    assert passed.own.score == 100


def test_a_waiver_is_decided_by_another_with_a_reason(application: Application) -> None:
    training = application.training
    training.assign(NUMBER, "A/0", application.person("陈晓"), posts=["质量负责人", "service_engineer"])

    def waive(who: str, by: str, reason: str = "产假至年底，返岗后补读") -> None:
        training.waive(NUMBER, "A/0", who, application.person(by), reason=reason)

    with pytest.raises(PostNeededError):
        waive("刘洋", "陈晓")
    with pytest.raises(OwnWaiverError):
        waive("林静", "林静")
    with pytest.raises(TrainingReasonError):
        waive("刘洋", "林静", "忙")
    with pytest.raises(NotAssignedError):
        waive("王强", "林静")
    waive("刘洋", "林静")
    own = training.standing(NUMBER, "A/0").of("p006")
    assert own is not None
    assert (own.state, own.reason, own.decided_by) == (TrainingState.WAIVED, "产假至年底，返岗后补读", "林静")
    with pytest.raises(TrainingSettledError):
        waive("刘洋", "周明")
    understand(application, "刘洋")  # whoever was waived may still read
    after = training.standing(NUMBER, "A/0").of("p006")
    assert after is not None
    assert (after.state, after.reason, after.proof) == (TrainingState.UNDERSTOOD, "", f"{CHAIN}/0003")


def test_who_gets_the_post_later_has_to_read_too_and_who_left_does_not_count(application: Application) -> None:
    assign(application)
    people = dict(application.staff.people)
    people["p004"] = replace(people["p004"], posts=["service_engineer"], held=(PostHeld("service_engineer"),))
    people["p005"] = replace(people["p005"], active=False)
    later = application.training
    later._staff = replace(application.staff, people=people)
    standing = later.standing(NUMBER, "A/0")
    assert [item.name for item in standing.people] == ["刘洋", "王强"]
    assert [item.name for item in standing.left] == ["赵敏"]


def test_assigning_again_what_is_assigned_already_files_nothing(application: Application) -> None:
    assign(application)
    before = len(application.statements.chain(CHAIN))
    with pytest.raises(NothingAssignedError):
        assign(application)
    with pytest.raises(PostNeededError):
        application.training.assign(NUMBER, "A/0", application.person("王强"), people=["孙丽"])
    assert len(application.statements.chain(CHAIN)) == before
    application.training.assign(NUMBER, "A/0", application.person("陈晓"), people=["孙丽"])
    assert application.training.standing(NUMBER, "A/0").assigned == 3


def open_call(application: Application, by: Signer) -> str:
    return application.filing.open(FORM, call(), OpeningAct(by=by)).number.text


def test_the_stages_of_the_forms_open_only_to_who_has_read_the_procedure(application: Application) -> None:
    from controller.domain.identifiers import RecordNumber

    before = RecordNumber(open_call(application, application.person("刘洋")))
    assign(application)
    with pytest.raises(TrainingMissingError) as caught:
        open_call(application, application.person("刘洋"))
    assert "刘洋尚未阅知现行的《售后服务质量控制管理程序》XX-YLQXCX-014 A/0" in str(caught.value.message)
    with pytest.raises(TrainingMissingError):
        application.records.advance(before, {"product_text": "输液泵"}, application.person("赵敏"))
    # Mending what is there stays possible, and so does working for who was not asked to read.
    application.records.correct(
        before, {"customer_name": "江城市第二人民医院"}, application.person("刘洋"), reason="听错了医院名称"
    )
    open_call(application, application.person("王强"))
    understand(application, "刘洋")
    assert open_call(application, application.person("刘洋"))


def test_the_gate_looks_at_the_revision_in_force_and_not_at_a_coming_one(application: Application) -> None:
    application.training.assign(NUMBER, "A/1", application.person("陈晓"), people=["刘洋"])
    assert application.training_gate.missing(NUMBER, "p006") is None
    assign(application)
    told = application.training_gate.missing(NUMBER, "p006")
    assert told is not None
    assert "A/0" in str(told)


def test_question_files_lie_beside_their_assignment_and_are_missed_when_altered(
    application: Application, workspace: Workspace
) -> None:
    assign(application, questions=QUESTIONS)
    understand(application, "刘洋", RIGHT)
    standing = application.training.standing(NUMBER, "A/0")
    assert standing.questions_path == f"{CHAIN}/0001.yml"
    assert application.archive.read(f"{CHAIN}/0001.yml") == QUESTIONS
    with pytest.raises(QuestionsDamagedError):
        application.training.questions(replace(standing, questions=Digest.of(b"others")))
    told = [
        finding.message for finding in application.verify(spread=False).findings if finding.gravity.value == "error"
    ]
    assert [str(item) for item in told] == []


def test_assignments_can_be_filed_with_an_approval(application: Application) -> None:
    from controller.services.act_filing import StatementPart

    made = application.training.assignment(
        NUMBER, "A/1", "售后服务质量控制管理程序", posts=["after_sales_manager"], questions=QUESTIONS,
        effective=date(2026, 12, 1).isoformat(),
    )  # fmt: skip
    application.acts.file(application.person("周明"), [StatementPart(made.draft, made.beside)])
    standing = application.training.standing(NUMBER, "A/1")
    assert (standing.effective, standing.title) == ("2026-12-01", "售后服务质量控制管理程序")
    sheet = application.training.questions(standing)
    assert sheet is not None
    assert len(sheet.questions) == 3


def test_a_coming_revision_is_read_before_its_day_and_asked_for_from_that_day_on(workspace: Workspace) -> None:
    folder = f"procedures/{NUMBER}"
    with closing(workspace.open()) as application:
        approved, now = application.approved_files, application.clock.now()
        day = now.date() + timedelta(days=7)
        control = (approved.read(f"{folder}/document.yml") or b"").decode().replace("revision: A/0", "revision: A/1")
        waiting = PendingEffect((folder,), ItemKind.DOCUMENT, NUMBER, "A/1", day, approved.revision(), "2026-0001")
        changed: dict[str, bytes | None] = {
            f"{folder}/document.yml": control.encode(),
            EFFECT_FILE: write_effect(EffectSchedule((waiting,))),
        }
        statement = library_statement(approved, changed, subject=NUMBER, reason="修订", meaning="批准")
        change = ControlledChange(changed, action="adopt", subject=NUMBER, note="修订")
        application.statements.file(statement, application.person("林静"), controlled=change)
    with closing(workspace.open()) as application:
        application.training.assign(NUMBER, "A/1", application.person("陈晓"), people=["刘洋", "赵敏"])
        text = application.training.text(NUMBER, "A/1")
        assert text.digest != application.training.text(NUMBER, "A/0").digest
        application.training.understood(NUMBER, "A/1", application.person("刘洋"), shown=text.digest)
        assert application.training_gate.missing(NUMBER, "p005") is None
    with closing(workspace.open(StandingClock(now + timedelta(days=8)))) as application:
        assert "赵敏尚未阅知" in str(application.training_gate.missing(NUMBER, "p005"))
        assert application.training_gate.missing(NUMBER, "p006") is None
        with pytest.raises(TrainingTextGoneError):
            application.training.text(NUMBER, "A/0")
