"""What the master list says of an item: in force, waiting, being changed, withdrawn, approved here or elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast

from controller.domain.change_request import ChangedItem, ChangeKind, ChangeRequest
from controller.domain.effect_schedule import EffectSchedule, PendingEffect
from controller.domain.identifiers import Digest
from controller.domain.library_day import ItemKind, ItemOnDay, LibraryDay, StatedApproval
from controller.services.document_facts import LifecycleFacts
from controller.services.document_library import DocumentLibrary
from tests.builders import WANG
from tests.conftest import StandingClock
from tests.memory_files import MemoryFiles
from tests.services.test_workload_counting import STAFF

if TYPE_CHECKING:
    from controller.services.copy_reading import CopyReading
    from controller.services.periodic_review import PeriodicReview

NUMBER = "AB-YLQXCX-031"
MORNING = datetime.fromisoformat("2026-05-01T09:00:00+08:00")


def control(**more: str) -> bytes:
    lines = {"format": "wenkong/document/1", "number": NUMBER, "title": "程序", "revision": "A/0", "class": "程序",
             "owner": "质管部"} | more  # fmt: skip
    return "".join(f"{key}: {value}\n" for key, value in lines.items()).encode()


def item(*, change: str = "", approved: str | None = None, kind: ItemKind = ItemKind.DOCUMENT) -> ItemOnDay:
    moment = datetime.fromisoformat("2026-03-01T09:00:00+08:00")
    stated = StatedApproval("周明", "企业负责人", datetime.fromisoformat(approved)) if approved else None
    return ItemOnDay(
        kind=kind, number=NUMBER, title="程序", revision="A/0", since=moment, effective=moment.date(), until=None,
        change=change, changed=moment, changed_by="", reason="", contents=Digest.of(b""), approved=stated,
    )  # fmt: skip


def request(number: str, at: str) -> ChangeRequest:
    changed = ChangedItem(ItemKind.DOCUMENT, NUMBER, "程序", "A/0", "A/1", "程序", "质管部", ())
    return ChangeRequest(number, ChangeKind.REVISE, "", (), (changed,), WANG, at, 1)


@dataclass
class Changes:
    """Port `KnownChanges`."""

    opened: list[ChangeRequest] = field(default_factory=list)
    done: dict[str, ChangeRequest] = field(default_factory=dict)

    def open(self) -> list[ChangeRequest]:
        return self.opened

    def read(self, wanted: str) -> ChangeRequest:
        return self.done[wanted]


def facts(
    on_day: ItemOnDay | None = None,
    *,
    pending: tuple[PendingEffect, ...] = (),
    changes: Changes | None = None,
    **written: str,
) -> LifecycleFacts:
    folder = f"procedures/{NUMBER}"
    files = MemoryFiles({f"{folder}/document.yml": control(**written), f"{folder}/clauses.txt": b"1.\xe7\x94\xb2"})
    found = LibraryDay(MORNING.date(), MORNING, (on_day or item(),))
    nothing: Any = None
    return LifecycleFacts(
        day=lambda: found,
        library=DocumentLibrary(files),
        schedule=lambda: EffectSchedule(pending),
        changes=changes or Changes(),
        held=cast("CopyReading", nothing),
        review=cast("PeriodicReview", nothing),
        staff=STAFF,
        clock=StandingClock(MORNING),
    )


def waiting(revision: str | None) -> PendingEffect:
    return PendingEffect(
        ("procedures/x",), ItemKind.DOCUMENT, NUMBER, revision, date(2026, 6, 1), "commit", "2026-0001"
    )


def test_what_was_approved_here_is_in_force_from_the_day_of_its_change() -> None:
    kit = facts(
        item(change="2026-0001", approved="2026-02-20T10:00:00+08:00"),
        changes=Changes(done={"2026-0001": request("2026-0001", "2026-02-13T10:00:00+08:00")}),
        effective="'2020-01-01'",
    )
    assert (kit.approved(NUMBER), kit.effective(NUMBER)) == (date(2026, 2, 20), date(2026, 3, 1))
    assert (kit.approval_days(NUMBER), kit.status(NUMBER)) == (7, "现行有效")


def test_what_was_approved_before_this_system_says_so() -> None:
    kit = facts(approved="{name: 周明, date: '2019-12-20'}", effective="'2020-01-01'")
    assert (kit.approved(NUMBER), kit.effective(NUMBER)) == (date(2019, 12, 20), date(2020, 1, 1))
    assert (kit.approval_days(NUMBER), kit.status(NUMBER)) == (None, "现行有效（系统外批准）")


def test_what_nobody_approved_is_not_called_valid() -> None:
    kit = facts()
    assert (kit.approved(NUMBER), kit.effective(NUMBER)) == (None, date(2026, 3, 1))
    assert kit.status(NUMBER) == "现行，未在本系统批准"


def test_a_revision_that_waits_and_a_change_under_way_are_told_beside_it() -> None:
    kit = facts(
        item(approved="2026-02-20T10:00:00+08:00"),
        pending=(waiting("A/1"),),
        changes=Changes(opened=[request("2026-0002", "2026-04-01T09:00:00+08:00")]),
    )
    assert kit.status(NUMBER) == "现行有效；A/1 已批准，2026-06-01 生效；更改 2026-0002（草稿）"


def test_a_withdrawal_that_waits_is_told() -> None:
    assert facts(pending=(waiting(None),)).status(NUMBER) == "现行，未在本系统批准；2026-06-01 起作废"


def test_a_document_marked_as_withdrawn_is_obsolete() -> None:
    assert facts(status_note="作废，见新版").status(NUMBER) == "作废"


def test_the_department_of_a_post_is_found_and_other_names_stay() -> None:
    assert (facts().department("售后服务员"), facts().department("技术部")) == ("售后服务部", "技术部")
