"""Paper signatures of records: printed, signed, scanned, filed; what does not belong to the record is refused."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from controller.domain.conformity import Gravity
from controller.domain.identifiers import Digest
from controller.domain.paper_signature import TAKEN_IN, PaperCode, PaperFactsError, paper_of
from controller.domain.record import Act
from controller.file_formats.scan_file import ScanKind
from controller.services.entry_making import ValuesRefusedError
from controller.services.paper_sheet import record_sheet
from controller.services.paper_signing import (
    PaperCodeDiffersError,
    PaperCodeUnreadError,
    PaperSigning,
    TakenPaper,
)
from controller.services.record_filing import OpeningAct
from controller.services.stage_control import StageRefusedError
from tests.scans import small_png

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.bootstrap import Application
    from controller.domain.identifiers import RecordNumber
    from tests.conftest import StandingClock, Workspace

NOW = datetime(2026, 5, 20, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
COMPLAINT: dict[str, Any] = {
    "received_at": "2026-05-20 09:30",
    "channel": "电话",
    "content": "输液泵运行中自动停机",
    "injury": "无",
    "customer_name": "江城市第一人民医院",
    "contact_phone": "13800000001",
    "product_name": "输液泵",
    "serial_no": "SP5-01",
}
REPAIR: dict[str, Any] = {
    "applied_at": "2026-05-20 09:30",
    "fault_desc": "开机无显示",
    "injury_flag": "否",
    "customer_name": "江城市第一人民医院",
    "contact_name": "李工",
    "contact_phone": "13800000001",
    "product_name": "输液泵",
}
SCAN = small_png()
TAKEN = TakenPaper("客户确认", "张三", "已签", name="扫描.png", scan=SCAN, organisation="江城市第一人民医院")


@dataclass
class ReadCodes:
    """Port `ScanReader`: every scan shows these codes."""

    texts: list[str] | None = field(default_factory=list)

    def check_pdf(self, data: bytes) -> None:
        raise AssertionError(data)

    def codes(self, data: bytes, kind: ScanKind) -> list[str] | None:
        assert data == SCAN
        assert kind is ScanKind.PNG
        return self.texts


@pytest.fixture
def app(workspace: Workspace) -> Iterator[Application]:
    from tests.conftest import StandingClock

    clock: StandingClock = StandingClock(NOW)
    with closing(workspace.open(clock)) as application:
        yield application


def opened(app: Application, form: str = "XX-YLQXJL-018", values: dict[str, Any] = COMPLAINT) -> RecordNumber:
    return app.filing.open(form, values, OpeningAct(by=app.person("陈晓"))).number


def signing(app: Application, *codes: PaperCode | str, able: bool = True) -> PaperSigning:
    texts = [item if isinstance(item, str) else item.text for item in codes]
    return PaperSigning(app.records, ReadCodes(texts if able else None), app.clock, app.settings.workspace_id)


def code(app: Application, number: RecordNumber) -> PaperCode:
    stored = app.records.read(number)
    return record_sheet(stored, meaning="客户确认", signer="", by=app.person("陈晓").signatory, at=NOW).code


def errors(app: Application) -> list[str]:
    found = [item.code for item in app.verify(rerender=True, spread=False).findings if item.gravity is Gravity.ERROR]
    return sorted(set(found))


def test_the_scan_is_filed_with_the_record_by_who_saw_the_original(app: Application) -> None:
    number = opened(app)
    before = app.records.read(number)
    filed, signature = signing(app, code(app, number)).take_in(number, TAKEN, app.person("陈晓"))
    after = app.records.read(number)
    entry = after.entries[-1][0]
    assert (entry.act, entry.by.name, entry.meaning) == (Act.SIGNED_ON_PAPER, "陈晓", TAKEN_IN)
    assert paper_of(entry.source) == signature
    assert (signature.code_read, signature.sequence, signature.covers) == (True, 1, before.state.head)
    assert app.archive.read(f"{number.folder}/attachments/{Digest.of(SCAN).hex}") == SCAN
    assert (after.state.stage, after.state.signed) == (before.state.stage, before.state.signed)
    assert filed.state.head == after.state.head
    assert errors(app) == []


def test_a_sheet_printed_before_a_change_covers_the_entry_it_names(app: Application) -> None:
    number = opened(app)
    sheet = code(app, number)
    app.records.advance(number, {"customer_type": "医疗机构"}, app.person("赵敏"))
    _, signature = signing(app, sheet).take_in(number, TAKEN, app.person("陈晓"))
    assert (signature.sequence, app.records.read(number).state.entries) == (1, 3)
    closing_line = app.records.view(number)[1].closing[-1]
    assert "所签为第 1 个条目时的内容" in closing_line
    assert errors(app) == []


def test_a_code_of_something_else_is_refused(app: Application) -> None:
    number, other = opened(app), opened(app)
    mine = code(app, number)
    for wrong in (
        code(app, other),
        replace(mine, workspace="0" * 36),
        replace(mine, digest=Digest.of(b"x")),
        replace(mine, sequence=2),
        replace(mine, sequence=0),
    ):
        with pytest.raises(PaperCodeDiffersError):
            signing(app, wrong).take_in(number, replace(TAKEN, unread=True), app.person("陈晓"))
    with pytest.raises(PaperCodeDiffersError):
        signing(app, mine, code(app, other)).take_in(number, TAKEN, app.person("陈晓"))
    assert app.records.read(number).state.entries == 1


@pytest.mark.parametrize("able", [True, False])
def test_an_unreadable_code_needs_a_person_to_confirm_and_that_is_noted(app: Application, able: bool) -> None:
    number = opened(app)
    by = app.person("陈晓")
    with pytest.raises(PaperCodeUnreadError):
        signing(app, "https://example.org", able=able).take_in(number, TAKEN, by)
    with pytest.raises(PaperFactsError):
        signing(app, able=able).take_in(number, replace(TAKEN, unread=True, entry=7), by)
    _, signature = signing(app, able=able).take_in(number, replace(TAKEN, unread=True, entry=1), by)
    assert (signature.code_read, signature.sequence) == (False, 1)
    assert "由归档人核对" in app.records.view(number)[1].closing[-1]


def test_a_refusal_is_filed_with_its_reason_and_no_scan(app: Application) -> None:
    number = opened(app)
    asked = replace(TAKEN, outcome="拒签", scan=None, name="")
    with pytest.raises(PaperFactsError):
        signing(app).take_in(number, asked, app.person("陈晓"))
    filed, signature = signing(app).take_in(number, replace(asked, reason="对处理结果有异议"), app.person("陈晓"))
    assert not signature.signed
    assert filed.state.attachments == ()
    assert app.records.read(number).entries[-1][0].reason == "对处理结果有异议"
    assert errors(app) == []


def test_a_scan_with_sensitive_information_is_sealed(app: Application) -> None:
    number = opened(app)
    filed, _ = signing(app, code(app, number)).take_in(number, replace(TAKEN, secret=True), app.person("陈晓"))
    assert [item.sealed for item in filed.state.attachments] == [True]
    sealed = app.archive.read(f"{number.folder}/attachments/{Digest.of(SCAN).hex}.sealed")
    assert sealed is not None
    assert SCAN not in sealed
    assert errors(app) == []


def test_it_fills_a_field_for_outside_signatures_once(app: Application) -> None:
    number = opened(app, "XX-YLQXJL-017", REPAIR)
    by = app.person("陈晓")
    taken = replace(TAKEN, field="用户确认", on=date(2026, 5, 19))
    filed, _ = signing(app, code(app, number)).take_in(number, taken, by)
    value = filed.state.values["user_sign"]
    assert isinstance(value, dict)
    assert (value["kind"], value["name"], value["at"]) == ("纸质签字", "张三", "2026-05-19")
    assert len(filed.state.attachments) == 1
    with pytest.raises(ValuesRefusedError):
        signing(app, code(app, number)).take_in(number, replace(taken, signer="李四"), by)
    with pytest.raises(PaperFactsError, match="product_name"):
        signing(app, code(app, number)).take_in(number, replace(taken, field="product_name"), by)
    assert errors(app) == []


def test_a_void_record_gets_neither_sheet_nor_signature(app: Application) -> None:
    number = opened(app)
    sheet = code(app, number)
    app.records.void(number, app.person("林静"), reason="重复登记，见另一份")
    with pytest.raises(StageRefusedError):
        code(app, number)
    with pytest.raises(StageRefusedError):
        signing(app, sheet).take_in(number, TAKEN, app.person("陈晓"))


def test_the_sheet_shows_every_value_whole_and_masks_what_is_sensitive(app: Application) -> None:
    number = opened(app)
    told_at_length = "更换电源板，" * 60
    app.records.advance(number, {"measure_detail": told_at_length}, app.person("陈晓"))
    stored = app.records.read(number)
    sheet = record_sheet(stored, meaning="客户确认", signer="", by=app.person("陈晓").signatory, at=NOW)
    told = dict(sheet.facts)
    assert "输液泵运行中自动停机" not in str(sheet)
    assert told["记录编号"].startswith(number.text)
    assert told["投诉内容"] == "＊＊＊"
    assert told["措施说明与完成时间"] == told_at_length
    assert (told["投诉渠道及方式"], told["伤害情况"]) == ("电话", "无")
    assert sheet.code == PaperCode(app.settings.workspace_id, number.text, 2, stored.state.head)
