"""Records go on after they are opened: who may take them further, what may change without a reason, what is refused."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from controller.adapters.git_archive import ClockBackwardsError
from controller.domain.conformity import Gravity
from controller.domain.record import Act
from controller.services.archive_ports import ControlledChange
from controller.services.entry_making import AttachmentUnknownError, ValuesRefusedError
from controller.services.library_adoption import library_statement
from controller.services.record_control import (
    NothingChangedError,
    ReasonNeededError,
    RecordControl,
    ShownChangedError,
)
from controller.services.record_filing import Filed, OpeningAct
from controller.services.record_reading import RecordDamagedError, RecordKeyMissingError
from controller.services.stage_control import StageRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from controller.bootstrap import Application
    from controller.domain.identifiers import RecordNumber
    from controller.services.archive_ports import Archive, ArchiveWriter
    from controller.services.signing_ports import Signer
    from tests.conftest import Workspace

BEIJING = ZoneInfo("Asia/Shanghai")
HEAD, OFFICER, SALES, SERVICE = "林静", "陈晓", "王强", "赵敏"

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

AUTHORISATION: dict[str, Any] = {
    "salesperson": "王强",
    "salesperson_name": "王强",
    "id_number": "110101199003071234",
    "product_scope": "本公司经营许可范围内的全部产品",
    "area": "江城市",
    "valid_from": "2026-05-20",
    "valid_to": "2026-12-31",
}


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


@pytest.fixture
def second(workspace: Workspace, clock: SetClock) -> Iterator[Application]:
    """The same workspace, opened by another program."""
    with closing(workspace.open(clock)) as application:
        yield application


def opened(app: Application, form: str, values: Mapping[str, object], by: str | Signer = OFFICER, **act: Any) -> Filed:
    """Open a record; `by` is the name of who is signed in, or somebody who signed in before the clock was set."""
    return app.filing.open(form, values, OpeningAct(by=app.person(by) if isinstance(by, str) else by, **act))


def complaint(app: Application, by: str | Signer = OFFICER) -> RecordNumber:
    return opened(app, "XX-YLQXJL-018", COMPLAINT, by).number


def entered(app: Application, number: RecordNumber) -> dict[str, object]:
    record = app.records.read(number, unmask=True)
    return {**record.state.values, **record.opened}


def problems(error: pytest.ExceptionInfo[ValuesRefusedError]) -> list[tuple[str, str]]:
    return [(problem.code, problem.field) for problem in error.value.problems]


def errors(app: Application) -> list[str]:
    return [item.code for item in app.verify(rerender=True).findings if item.gravity is Gravity.ERROR]


# -- adding and correcting


def test_what_was_entered_is_not_replaced_on_the_way_but_corrected_with_a_reason(app: Application) -> None:
    number = complaint(app)
    tip = app.archive.tip()
    with pytest.raises(ValuesRefusedError) as refused:
        app.records.advance(
            number, {"channel": "来访", "content": "其实是完全不同的另一回事，与停机无关"}, app.person(OFFICER)
        )
    assert problems(refused) == [("already-entered", "channel"), ("already-entered", "content")]
    assert "另一回事" not in str([problem.text for problem in refused.value.problems])
    assert app.archive.tip() == tip
    app.records.correct(number, {"channel": "来访"}, app.person(OFFICER), reason="接待人记错方式")
    assert entered(app, number)["channel"] == "来访"


def test_an_earlier_value_is_not_cleared_on_the_way_either(app: Application) -> None:
    number = complaint(app)
    with pytest.raises(ValuesRefusedError) as refused:
        app.records.advance(number, {"serial_no": None, "lot_no": "L1"}, app.person(OFFICER))
    assert problems(refused) == [("already-entered", "serial_no")]


def test_blanks_pending_values_and_defaults_are_filled_in_and_lists_grow(app: Application) -> None:
    number = opened(app, "XX-YLQXJL-020", {**VISIT, "products": "待补"}).number
    app.records.advance(
        number, {"products": "输液泵 SP-5", "key_customer": "是", "department": "设备科"}, app.person(OFFICER)
    )
    values = entered(app, number)
    assert (values["products"], values["key_customer"], values["department"]) == ("输液泵 SP-5", True, "设备科")


def test_a_computed_value_follows_a_correction_of_what_it_is_computed_from(app: Application) -> None:
    number = opened(app, "XX-YLQXJL-020", VISIT).number
    assert entered(app, number)["next_visit"] == "2027-05-20"
    app.records.correct(number, {"visit_at": "2026-05-18 09:00"}, app.person(OFFICER), reason="回访日期写错")
    record = app.records.read(number)
    assert record.state.values["next_visit"] == "2027-05-18"
    assert record.state.corrected == {"visit_at", "next_visit"}
    with pytest.raises(ValuesRefusedError) as refused:
        app.records.correct(number, {"next_visit": "2030-01-01"}, app.person(OFFICER), reason="想改得晚一些")
    assert problems(refused) == [("machine-written", "next_visit")]


def test_a_sensitive_value_is_corrected_and_both_stay_readable_and_sealed(app: Application) -> None:
    number = complaint(app)
    app.records.correct(
        number, {"content": "输液泵前后停机两次，均在夜班时发生"}, app.person(OFFICER), reason="来电人补充说明"
    )
    record = app.records.read(number, unmask=True)
    assert record.opened["content"] == "输液泵前后停机两次，均在夜班时发生"
    assert [sorted(entry.sealed) for entry, _ in record.entries] == [["content"], ["content"]]
    for _, data in app.archive.walk(number.folder):
        assert "夜班".encode() not in data
    assert errors(app) == []


def test_an_act_that_says_nothing_new_is_not_filed(app: Application) -> None:
    number = complaint(app)
    tip = app.archive.tip()
    for values in ({}, {"channel": "电话", "content": COMPLAINT["content"]}):
        with pytest.raises(NothingChangedError):
            app.records.advance(number, values, app.person(OFFICER))
        with pytest.raises(NothingChangedError):
            app.records.correct(number, values, app.person(OFFICER), reason="其实没有改动")
    assert app.archive.tip() == tip


def test_a_correction_and_a_void_need_a_reason_that_says_something(app: Application) -> None:
    number = complaint(app)
    with pytest.raises(ReasonNeededError):
        app.records.correct(number, {"channel": "来访"}, app.person(OFFICER), reason="  错   ")
    with pytest.raises(ReasonNeededError):
        app.records.void(number, app.person(OFFICER), reason="错")
    assert app.records.read(number).state.entries == 1


def test_a_reason_for_late_entry_is_asked_when_opening_and_not_again(app: Application, clock: SetClock) -> None:
    officer = app.person(OFFICER)
    clock.moment = datetime(2026, 6, 20, 10, 0, tzinfo=BEIJING)
    with pytest.raises(ValuesRefusedError) as refused:
        complaint(app, officer)
    assert problems(refused) == [("late-entry", "late_entry_reason")]
    clock.moment = datetime(2026, 5, 20, 10, 0, tzinfo=BEIJING)
    number = complaint(app, officer)
    clock.moment = datetime(2026, 6, 20, 10, 0, tzinfo=BEIJING)
    app.records.correct(number, {"channel": "来访"}, officer, reason="接待人记错方式")
    assert app.records.read(number).state.entries == 2


# -- stages and posts


def test_a_record_opened_at_a_later_stage_verifies(app: Application) -> None:
    values = {**VISIT, "customer_type": "医疗机构", "products": "输液泵", "handled": "无问题", "quality_info": "否"}
    number = opened(app, "XX-YLQXJL-020", values, stage="已关闭").number
    assert app.records.read(number).state.stage == "closed"
    assert errors(app) == []


def test_nobody_steps_over_the_approval_of_others_by_opening_late(app: Application) -> None:
    tip = app.archive.tip()
    with pytest.raises(StageRefusedError, match="应由以下岗位进行"):
        opened(app, "XX-YLQXJL-018", COMPLAINT, by=SALES, stage="closed")
    with pytest.raises(StageRefusedError, match="已受理"):
        opened(app, "XX-YLQXJL-018", COMPLAINT, by=HEAD, stage="closed")
    assert app.archive.tip() == tip


def test_an_import_at_a_later_stage_asks_for_the_posts_too(app: Application) -> None:
    with pytest.raises(StageRefusedError):
        app.filing.import_rows("XX-YLQXJL-018", lambda: iter(()), OpeningAct(by=app.person(SALES), stage="accepted"))


def test_a_guard_keeps_the_wrong_branch_shut(app: Application) -> None:
    number = complaint(app)
    with pytest.raises(StageRefusedError, match="不能从“已登记”直接到“调查中”"):
        app.records.advance(number, {}, app.person(HEAD), stage="调查中")


def test_a_void_record_keeps_its_number(app: Application) -> None:
    first = complaint(app)
    app.records.void(first, app.person(OFFICER), reason="与前一份重复")
    assert complaint(app).serial == first.serial + 1
    with pytest.raises(StageRefusedError, match="已作废"):
        app.records.void(first, app.person(OFFICER), reason="再作废一次")
    assert errors(app) == []


# -- two at once


class Interrupted:
    """An archive where somebody else acts in the moment before the lock is taken."""

    def __init__(self, archive: Archive, other: Callable[[], object]) -> None:
        self._archive = archive
        self._other = other

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)

    @contextmanager
    def writing(self) -> Iterator[ArchiveWriter]:
        self._other()
        with self._archive.writing() as writer:
            yield writer


def test_of_two_who_continue_a_record_at_once_the_second_is_told_to_look_again(
    app: Application, second: Application
) -> None:
    number = complaint(app)
    control = RecordControl(
        replace(
            app.desk,
            archive=Interrupted(
                app.archive,
                lambda: second.records.correct(number, {"channel": "邮件"}, second.person(HEAD), reason="实为邮件投诉"),
            ),
        )
    )
    with pytest.raises(ShownChangedError, match="已被其他人更新，没有签名"):
        control.correct(number, {"channel": "来访"}, app.person(OFFICER), reason="接待人记错方式")
    assert entered(app, number)["channel"] == "邮件"
    assert errors(app) == []


def test_who_saw_an_older_state_of_a_record_signs_nothing_on_it(app: Application) -> None:
    number = complaint(app)
    seen = app.records.read(number).state.head
    app.records.correct(number, {"channel": "邮件"}, app.person(HEAD), reason="实为邮件投诉", seen=seen)
    tip = app.archive.tip()
    acts: tuple[Callable[[], object], ...] = (
        lambda: app.records.advance(number, {"department": "ICU"}, app.person(OFFICER), seen=seen),
        lambda: app.records.correct(number, {"channel": "来访"}, app.person(OFFICER), reason="记错方式了", seen=seen),
        lambda: app.records.void(number, app.person(OFFICER), reason="与前一份重复", seen=seen),
    )
    for act in acts:
        with pytest.raises(ShownChangedError, match="已被其他人更新，没有签名"):
            act()
    assert app.archive.tip() == tip


# -- keys and damage


def without_key(app: Application, number: RecordNumber) -> None:
    app.keys.destroy(number)


def test_without_the_key_nothing_is_filled_in_blindly_and_the_rest_stays_readable(app: Application) -> None:
    number = complaint(app)
    without_key(app, number)
    for act in (
        lambda: app.records.advance(number, {"department": "ICU"}, app.person(SERVICE), stage="已受理"),
        lambda: app.records.correct(number, {"channel": "来访"}, app.person(OFFICER), reason="接待人记错方式"),
        lambda: app.records.print(number, unmask=True),
        lambda: app.records.view(number, unmask=True),
    ):
        with pytest.raises(RecordKeyMissingError, match=number.text):
            act()
    assert app.records.read(number).state.values["customer_name"] == "江城市第一人民医院"
    assert app.records.print(number)
    app.records.void(number, app.person(OFFICER), reason="密钥已按规定处置")
    assert app.records.read(number).state.voided


def test_a_key_that_is_lost_is_never_replaced_by_a_new_one(app: Application, second: Application) -> None:
    number = complaint(app)
    for file in (app.folder.parent / "keys").rglob("record-keys.sqlite*"):
        file.unlink()
    with pytest.raises(RecordKeyMissingError):
        second.records.correct(
            number, {"content": "换一种说法来描述停机的经过"}, second.person(OFFICER), reason="描述不准确"
        )
    assert second.keys.get(number) is None


def test_sealed_values_that_the_entry_does_not_state_are_not_believed(app: Application) -> None:
    from controller.file_formats.sealed_file import salted, seal

    number = complaint(app)
    key = app.keys.get(number)
    assert key is not None
    forged = seal(salted({"content": "伪造的投诉内容"}), key)

    class Forged:
        def __getattr__(self, name: str) -> Any:
            return getattr(app.archive, name)

        def read(self, path: str, *, at: str | None = None) -> bytes | None:
            return forged if path.endswith(".sealed") else app.archive.read(path, at=at)

    control = RecordControl(
        replace(
            app.desk,
            archive=Forged(),
        )
    )
    with pytest.raises(RecordDamagedError, match="与条目不符"):
        control.read(number, unmask=True)


# -- attachments


def test_an_attachment_that_is_already_filed_can_be_named_again_beside_a_new_one(app: Application) -> None:
    number = opened(app, "XX-YLQXJL-018", {**COMPLAINT, "notice_evidence": ["a.txt"]}, files={"a.txt": b"fax"}).number
    files = {"a.txt": b"fax", "b.txt": b"mail"}
    app.records.advance(number, {"notice_evidence": ["a.txt", "b.txt"]}, app.person(OFFICER), files=files)
    record = app.records.read(number)
    assert [item.name for item in record.state.attachments] == ["a.txt", "b.txt"]
    assert [item.name for item in record.entries[1][0].attachments] == ["b.txt"]
    assert errors(app) == []


def test_a_correction_can_bring_another_file(app: Application) -> None:
    number = opened(app, "XX-YLQXJL-018", {**COMPLAINT, "notice_evidence": ["a.txt"]}, files={"a.txt": b"fax"}).number
    app.records.correct(
        number, {"notice_evidence": ["b.txt"]}, app.person(OFFICER), reason="附错了文件", files={"b.txt": b"right one"}
    )
    assert [item.name for item in app.records.read(number).state.attachments] == ["a.txt", "b.txt"]
    assert errors(app) == []


def test_a_digest_that_names_no_file_of_the_record_is_refused(app: Application) -> None:
    invented = {"name": "没有.txt", "digest": "sha256:" + "0" * 64, "size": "1"}
    with pytest.raises(AttachmentUnknownError, match=r"没有\.txt"):
        opened(app, "XX-YLQXJL-018", {**COMPLAINT, "notice_evidence": [invented]})


@pytest.mark.parametrize("wrong", [{"name": "a\x1b[2J.txt"}, {"size": "1; DROP"}, {"name": "x" * 2000}])
def test_what_a_value_says_of_a_filed_attachment_is_checked_like_text(app: Application, wrong: dict[str, str]) -> None:
    named = {"name": "a.txt", "digest": "sha256:" + "0" * 64, "size": "3", **wrong}
    with pytest.raises(ValuesRefusedError) as refused:
        opened(app, "XX-YLQXJL-018", {**COMPLAINT, "notice_evidence": [named]})
    assert [field for _, field in problems(refused)] == ["notice_evidence"]


def test_a_sensitive_file_is_stored_sealed_and_opens_with_the_key(app: Application) -> None:
    from controller.file_formats.sealed_file import unseal_bytes

    values = {**AUTHORISATION, "id_copy": ["id.txt"]}
    number = opened(app, "XX-YLQXJL-033", values, files={"id.txt": b"110101199003071234"}).number
    key = app.keys.get(number)
    assert key is not None
    stored = {path.rsplit("/", 1)[-1]: data for path, data in app.archive.walk(f"{number.folder}/attachments")}
    assert [unseal_bytes(data, key) for data in stored.values()] == [b"110101199003071234"]
    assert all(name.endswith(".sealed") for name in stored)


# -- numbers, forms and words of others


def test_numbers_begin_anew_with_the_company_year(app: Application, clock: SetClock) -> None:
    officer = app.person(OFFICER)
    clock.moment = datetime(2026, 12, 31, 23, 59, tzinfo=BEIJING)
    old = opened(app, "XX-YLQXJL-020", {**VISIT, "visit_at": "2026-12-31 09:00"}, officer)
    clock.moment = datetime(2027, 1, 1, 0, 1, tzinfo=BEIJING)
    new = opened(app, "XX-YLQXJL-020", {**VISIT, "visit_at": "2026-12-31 09:00"}, officer)
    assert [(item.number.year, item.number.serial) for item in (old, new)] == [(2026, 1), (2027, 1)]
    assert errors(app) == []


def test_with_a_clock_set_back_nothing_is_opened_and_nothing_continued(app: Application, clock: SetClock) -> None:
    officer = app.person(OFFICER)
    number = complaint(app)
    tip = app.archive.tip()
    clock.moment -= timedelta(minutes=2, seconds=1)
    for act in (
        lambda: complaint(app, officer),
        lambda: app.records.correct(number, {"channel": "来访"}, officer, reason="接待人记错方式"),
        lambda: app.records.void(number, officer, reason="与前一份重复"),
    ):
        with pytest.raises(ClockBackwardsError, match="没有归档") as refused:
            act()
        assert refused.value.code == "clock-backwards"
    assert app.archive.tip() == tip
    assert app.records.read(number).state.entries == 1


def test_a_clock_a_little_behind_files_at_the_time_of_what_was_filed_last(app: Application, clock: SetClock) -> None:
    officer = app.person(OFFICER)
    number = complaint(app)
    clock.moment -= timedelta(minutes=1, seconds=59)
    app.records.correct(number, {"channel": "来访"}, officer, reason="接待人记错方式")
    first, second = (entry for entry, _ in app.records.read(number).entries)
    assert (first.at, second.at) == ("2026-05-20T10:00:00+08:00", "2026-05-20T10:00:00+08:00")
    assert [item.code for item in app.verify(rerender=False).findings if item.code == "entry-time-backwards"] == []


def test_an_open_record_keeps_the_revision_of_its_form(app: Application, second: Application) -> None:
    number = complaint(app)
    before = app.records.read(number).state.form
    # The form is withdrawn from the library; the record goes on with what the archive keeps.
    path = "templates/forms/XX-YLQXJL-018/"
    gone = dict.fromkeys([path + name for name in ("form.yml", "form.docx", "compiled.json")])
    app.statements.file(
        library_statement(app.controlled_files, gone, subject="XX-YLQXJL-018", reason="x", meaning="批准"),
        app.person(HEAD),
        controlled=ControlledChange(gone, action="withdraw", subject="XX-YLQXJL-018", note="x"),
    )
    assert app.controlled_files.read(path + "form.yml") is None
    second.records.correct(number, {"channel": "来访"}, second.person(OFFICER), reason="接待人记错方式")
    assert second.records.read(number).state.form == before
    assert second.records.print(number)


def test_whose_words_they_are_stands_in_the_entry(app: Application) -> None:
    number = opened(app, "XX-YLQXJL-020", VISIT, entered_for="刘洋").number
    entry = app.records.read(number).entries[0][0]
    assert (entry.by.name, entry.entered_for, entry.act) == ("陈晓", "刘洋", Act.OPENED)


def test_sensitive_values_and_files_never_reach_the_index(app: Application) -> None:
    number = complaint(app)
    app.indexing.catch_up()
    assert [hit.number for hit in app.index.search("江城市")] == [number]
    assert app.index.search("自动停机") == []
    state = app.index.record(number)
    assert state is not None
    assert "content" not in state.values
