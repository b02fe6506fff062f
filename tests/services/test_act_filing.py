"""One signed act files several statements and records, and a change of the controlled files, or nothing at all."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from controller.adapters.git_archive import PathTakenError
from controller.domain.conformity import Gravity
from controller.domain.identifiers import Digest
from controller.domain.statement import Event
from controller.services.act_filing import (
    ActFiling,
    ActMoment,
    ActOvertakenError,
    AdvancingPart,
    OpeningPart,
    StatementPart,
)
from controller.services.archive_ports import ControlledChange
from controller.services.change_paperwork import APPLICATION, CHANGE, application_values, change_values
from controller.services.changed_texts import ChangedText
from controller.services.entry_making import ValuesRefusedError
from controller.services.library_adoption import library_statement
from controller.services.record_control import NothingChangedError, ShownChangedError
from controller.services.stage_control import StageRefusedError
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from controller.bootstrap import Application
    from controller.services.act_filing import Part
    from controller.services.archive_ports import ArchiveWriter
    from tests.conftest import Workspace

BEIJING = ZoneInfo("Asia/Shanghai")
MANAGER, HEAD, OFFICER, SALES, SERVICE = "周明", "林静", "陈晓", "王强", "赵敏"
VISIT: dict[str, Any] = {
    "customer_name": "江城市第一人民医院",
    "visit_type": "定期回访",
    "mode": "电话",
    "visit_at": "2026-05-20 09:00",
    "interviewee": "设备科李工",
    "use_status": "正常使用",
    "satisfaction": "5",
    "injury_flag": "否",
}
COMPLAINT: dict[str, Any] = {
    "received_at": "2026-05-20 09:30",
    "channel": "电话",
    "content": "输液泵运行中自动停机,病房已换用备用机",
    "injury": "无",
    "customer_name": "江城市第一人民医院",
    "contact_phone": "13800000001",
    "product_name": "输液泵",
    "serial_no": "SP5-01",
}
CLOSED = {
    "products": "输液泵 SP5",
    "handled": "无问题",
    "customer_type": "医疗机构",
    "contact_name": "李工",
    "contact_phone": "13800000001",
}
FORM = "templates/forms/XX-YLQXJL-020/"


@dataclass
class SetClock:
    """A clock that stands until it is set."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 5, 20, 10, 0, tzinfo=BEIJING))


@pytest.fixture
def app(workspace: Workspace, clock: SetClock) -> Iterator[Application]:
    with closing(workspace.open(clock)) as application:
        yield application


def printed(subject: str = "XX-YLQXJL-018") -> StatementDraft:
    return StatementDraft("trail", Event.PRINTED, subject=subject)


def errors(app: Application) -> list[str]:
    return [item.code for item in app.verify(rerender=False).findings if item.gravity is Gravity.ERROR]


def last(app: Application, chain: str) -> int:
    newest = app.statements.newest(chain)
    return newest.statement.sequence if newest else 0


def untouched(
    app: Application, act: Callable[[], object], error: type[BaseException]
) -> pytest.ExceptionInfo[BaseException]:
    """Do an act that must fail, and make sure that nothing is left of it anywhere."""
    before = (app.branch_heads.all(), sorted(app.archive.walk()))
    with pytest.raises(error) as refused:
        act()
    assert (app.branch_heads.all(), sorted(app.archive.walk())) == before
    app.indexing.catch_up()
    assert app.indexing.status().records == 0
    return refused


# -- together


def test_statements_and_records_of_one_act_lie_in_one_commit_signed_at_one_moment(app: Application) -> None:
    filed = app.acts.file(
        app.person(OFFICER),
        [
            StatementPart(printed("甲")),
            OpeningPart("XX-YLQXJL-020", VISIT, key="visit"),
            OpeningPart("XX-YLQXJL-018", {**COMPLAINT, "notice_evidence": ["a.txt"]}, files={"a.txt": b"fax"}),
            StatementPart(printed("乙")),
        ],
    )
    assert app.archive.tip() == filed.commit
    visit, complaint = filed.records
    assert [item.statement.subject for item in filed.statements] == ["甲", "乙"]
    assert [item.statement.sequence for item in filed.statements] == [last(app, "trail") - 1, last(app, "trail")]
    moments = {item.statement.at for item in filed.statements}
    moments |= {app.records.read(item.number).entries[0][0].at for item in (visit, complaint)}
    assert moments == {"2026-05-20T10:00:00+08:00"}
    assert app.records.read(complaint.number, unmask=True).opened["content"] == COMPLAINT["content"]
    assert [item.name for item in app.records.read(complaint.number).state.attachments] == ["a.txt"]
    assert not app.indexing.behind()
    assert [hit.number for hit in app.index.search("设备科李工")] == [visit.number]
    assert errors(app) == []


def test_records_of_one_form_in_one_act_get_numbers_one_after_the_other(app: Application) -> None:
    by = app.person(OFFICER)
    first = app.acts.file(by, [OpeningPart("JL-020", VISIT), OpeningPart("JL-020", {**VISIT, "mode": "上门"})])
    second = app.acts.file(by, [OpeningPart("JL-020", VISIT)])
    serials = [item.number.serial for act in (first, second) for item in act.records]
    assert serials == [1, 2, 3]
    assert errors(app) == []


def test_an_act_takes_the_record_that_it_opens_further_and_statements_name_it(app: Application) -> None:
    filed = app.acts.file(
        app.person(OFFICER),
        [
            OpeningPart("XX-YLQXJL-018", COMPLAINT, key="complaint"),
            AdvancingPart("complaint", {"department": "ICU"}),
            AdvancingPart("complaint", {"contact_name": "李工"}),
            StatementPart(lambda moment: printed(moment.records["complaint"].text)),
        ],
    )
    number = filed.records[0].number
    assert [item.number for item in filed.records] == [number] * 3
    assert filed.statements[0].statement.subject == number.text
    record = app.records.read(number, unmask=True)
    assert [entry.sequence for entry, _ in record.entries] == [1, 2, 3]
    assert record.before["department"] == "ICU"
    assert (filed.records[-1].digest, filed.records[-1].state.entries) == (record.entries[-1][1], 3)
    assert errors(app) == []


def test_an_act_goes_on_with_records_that_are_filed(app: Application) -> None:
    officer = app.person(OFFICER)
    number = app.acts.file(officer, [OpeningPart("XX-YLQXJL-018", COMPLAINT)]).records[0].number
    app.acts.file(
        officer,
        [
            AdvancingPart(number, {"department": "ICU"}),
            AdvancingPart(number, {"contact_name": "李工"}),
            OpeningPart("JL-020", VISIT, key="visit"),
            AdvancingPart("visit", CLOSED, stage="已关闭"),
        ],
    )
    record = app.records.read(number)
    assert (record.before["department"], record.before["contact_name"], len(record.entries)) == ("ICU", "李工", 3)
    assert errors(app) == []


def test_a_draft_made_in_the_moment_sees_what_the_act_has_made(app: Application) -> None:
    def next_chain(moment: ActMoment) -> StatementDraft:
        taken = len(moment.listing("changes"))
        return StatementDraft(f"changes/2026-{taken + 1:04d}", Event.CHANGE_OPENED, reason="法规更新", new={})

    parts = [
        StatementPart(next_chain, beside=lambda data: {".pdf": Digest.of(data).hex.encode()}),
        StatementPart(next_chain),
    ]
    filed = app.acts.file(
        app.person(OFFICER),
        parts,
        along=lambda moment: {f"changes/2026-0001/files/{'a' * 64}": str(moment.listing("changes")).encode()},
    )
    assert [item.statement.chain for item in filed.statements] == ["changes/2026-0001", "changes/2026-0002"]
    first = filed.statements[0]
    assert app.archive.read(first.path + ".pdf") == first.digest.hex.encode()
    assert app.archive.read(f"changes/2026-0001/files/{'a' * 64}") == b"['2026-0001', '2026-0002']"


def test_a_file_that_the_archive_holds_already_is_not_filed_again_and_never_replaced(app: Application) -> None:
    path, by = f"changes/2026-0001/files/{'a' * 64}", app.person(OFFICER)
    app.acts.file(by, [StatementPart(printed())], along={path: b"draft"})
    app.acts.file(by, [StatementPart(printed())], along={path: b"draft"})
    tip = app.archive.tip()
    with pytest.raises(PathTakenError):
        app.acts.file(by, [StatementPart(printed())], along={path: b"another"})
    assert (app.archive.tip(), app.archive.read(path)) == (tip, b"draft")


def test_the_chosen_statement_covers_the_change_of_the_controlled_files(app: Application) -> None:
    gone: Mapping[str, bytes | None] = dict.fromkeys(
        [FORM + name for name in ("form.yml", "form.docx", "compiled.json")]
    )
    draft = library_statement(app.controlled_files, gone, subject="XX-YLQXJL-020", reason="x", meaning="批准")
    filed = app.acts.file(
        app.person(HEAD),
        [OpeningPart("XX-YLQXJL-020", VISIT), StatementPart(printed()), StatementPart(draft)],
        controlled=lambda _moment: ControlledChange(gone, action="withdraw", subject="XX-YLQXJL-020", note="x"),
        covered_by=1,
    )
    assert app.controlled_files.read(FORM + "form.yml") is None
    assert filed.statements[1].statement.event is Event.LIBRARY_CHANGED
    assert errors(app) == []


def test_the_two_pages_of_a_change_are_signed_with_it_stage_by_stage(app: Application) -> None:
    drafter, head, manager = app.person(SERVICE), app.person(HEAD), app.person(MANAGER)
    item = {"number": "XX-YLQXCX-014", "title": "售后服务质量控制管理程序", "before": "A/0", "after": "A/1"}
    told = {"reason": "投诉中多次发现回访不及时", "change": "2026-0001", "effective": date(2026, 6, 1)}
    application = application_values(
        kind="修订", class_word="程序", triggers=["投诉/不良事件"], drafter=drafter.signatory, due=date(2026, 6, 1),
        **item, **told,  # type: ignore[arg-type]
    )  # fmt: skip
    rows = [ChangedText("5.1", "修改", "每半年回访一次", "每季度回访一次")]
    drafted = app.acts.file(
        drafter,
        [
            OpeningPart(APPLICATION, application, stage="submitted", key="application"),
            OpeningPart(CHANGE, change_values(rows, **item, **told), stage="submitted", key="change"),  # type: ignore[arg-type]
            StatementPart(lambda moment: printed("、".join(number.text for number in moment.records.values()))),
        ],
    )
    pages = [item.number for item in drafted.records]
    assert drafted.statements[0].statement.subject == "XX-YLQXJL-001-2026-0001、XX-YLQXJL-002-2026-0001"
    for by, stage in ((head, "reviewed"), (manager, "approved")):
        app.acts.file(by, [StatementPart(printed()), *(AdvancingPart(page, {}, stage=stage) for page in pages)])
    for page in pages:
        record = app.records.read(page)
        assert [entry.meaning for entry, _ in record.entries] == ["起草", "审核", "批准"]
        assert record.state.values["approver"] == {"person": "p001", "name": "周明"}
    assert errors(app) == []


# -- or nothing


def test_problems_of_all_forms_of_an_act_are_told_at_once_and_nothing_is_filed(app: Application) -> None:
    parts: list[Part] = [
        StatementPart(printed()),
        OpeningPart("XX-YLQXJL-020", {**VISIT, "mode": "写信"}, key="visit"),
        AdvancingPart("visit", {"interviewee": "李工"}),
        OpeningPart("XX-YLQXJL-018", {**COMPLAINT, "channel": None}),
    ]
    refused = untouched(app, lambda: app.acts.file(app.person(OFFICER), parts), ValuesRefusedError)
    assert isinstance(refused.value, ValuesRefusedError)
    assert [problem.field for problem in refused.value.problems] == ["mode", "channel"]
    assert "《用户访问/回访记录》《质量投诉处理记录》（XX-YLQXJL-020、XX-YLQXJL-018）" in str(refused.value)
    assert "有 2 处不符合要求，没有归档" in str(refused.value)


def test_what_the_person_may_not_sign_is_refused_with_the_whole_act(app: Application) -> None:
    parts: list[Part] = [
        OpeningPart("XX-YLQXJL-020", VISIT),
        OpeningPart("XX-YLQXJL-018", COMPLAINT, key="complaint"),
        AdvancingPart("complaint", {}, stage="调查中"),
    ]
    untouched(app, lambda: app.acts.file(app.person(SALES), parts), StageRefusedError)


def test_an_act_that_fails_in_the_middle_files_nothing(app: Application) -> None:
    def fails(_moment: ActMoment) -> StatementDraft:
        raise KeyboardInterrupt

    parts: list[Part] = [StatementPart(printed()), OpeningPart("XX-YLQXJL-018", COMPLAINT), StatementPart(fails)]
    untouched(app, lambda: app.acts.file(app.person(OFFICER), parts), KeyboardInterrupt)


def test_an_act_that_cannot_change_the_controlled_files_files_nothing(app: Application) -> None:
    change = ControlledChange({"../outside": b"x"}, action="change", subject="x", note="x")
    parts: list[Part] = [StatementPart(printed()), OpeningPart("XX-YLQXJL-020", VISIT)]
    untouched(app, lambda: app.acts.file(app.person(HEAD), parts, controlled=change), Exception)


def test_who_looked_at_an_older_state_of_a_chain_files_nothing(app: Application, clock: SetClock) -> None:
    officer = app.person(OFFICER)
    seen = last(app, "trail")
    app.statements.file(printed(), officer)
    clock.moment += timedelta(minutes=1)
    refused = untouched(
        app, lambda: app.acts.file(officer, [OpeningPart("JL-020", VISIT)], expects={"trail": seen}), ActOvertakenError
    )
    assert "在您查看之后，trail 已由他人继续办理" in str(refused.value)
    app.acts.file(officer, [OpeningPart("JL-020", VISIT)], expects={"trail": seen + 1, "changes/2026-0001": 0})


def test_who_came_second_is_told_so_and_not_what_it_did_to_the_record(app: Application) -> None:
    officer = app.person(OFFICER)
    number = app.acts.file(officer, [OpeningPart("XX-YLQXJL-018", COMPLAINT)]).records[0].number
    seen = last(app, "trail")
    parts: list[Part] = [StatementPart(printed()), AdvancingPart(number, {"department": "ICU"})]
    app.acts.file(officer, parts, expects={"trail": seen})
    with pytest.raises(ActOvertakenError):
        app.acts.file(officer, parts, expects={"trail": seen})
    with pytest.raises(NothingChangedError):
        app.acts.file(officer, parts)


def test_an_act_is_refused_when_a_record_of_it_went_on_meanwhile(app: Application) -> None:
    officer = app.person(OFFICER)
    number = app.acts.file(officer, [OpeningPart("XX-YLQXJL-018", COMPLAINT)]).records[0].number

    class Overtaken:
        """The archive of somebody who waits for the lock while another goes on with the record."""

        def __getattr__(self, name: str) -> Any:
            return getattr(app.archive, name)

        @contextmanager
        def writing(self) -> Iterator[ArchiveWriter]:
            app.records.advance(number, {"contact_name": "李工"}, officer)
            with app.archive.writing() as writer:
                yield writer

    acts = ActFiling(replace(app.desk, archive=Overtaken()), app.filing, app.records, app.statements)
    with pytest.raises(ShownChangedError, match="已被其他人更新，没有签名"):
        acts.file(officer, [StatementPart(printed()), AdvancingPart(number, {"department": "ICU"})])
    assert len(app.records.read(number).entries) == 2
    assert app.archive.tip() == app.index.archive_commit()
