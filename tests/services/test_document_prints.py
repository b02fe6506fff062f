"""Which text a copy shows and how it is marked: in force, waiting for its day, draft."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, cast

import pytest

from controller.adapters.procedure_layout import ProcedureLayout
from controller.domain.effect_schedule import EffectSchedule, PendingEffect
from controller.domain.library_day import ItemKind
from controller.domain.print_stamp import StampKind
from controller.file_formats.effect_file import EFFECT_FILE, write_effect
from controller.services.document_prints import DocumentPrints, NoDraftError
from controller.services.files_in_force import FilesInForce
from tests.memory_files import MemoryFiles

if TYPE_CHECKING:
    from controller.services.document_history import DocumentHistory
    from controller.services.files_in_force import DatedFiles

NUMBER, NEW = "AB-YLQXCX-001", "AB-YLQXCX-002"


@dataclass
class Clock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


class Commits:
    """A library with two commits, `old` and `new`."""

    def __init__(self, old: MemoryFiles, new: MemoryFiles) -> None:
        self._at = {"old": old, "new": new}

    def revision(self) -> str:
        return "new"

    def read(self, path: str, *, at: str | None = None) -> bytes | None:
        return self._at[at or "new"].read(path)

    def folders(self, path: str, *, at: str | None = None) -> list[str]:
        return self._at[at or "new"].folders(path)

    def files(self, path: str, *, at: str | None = None) -> list[str]:
        return self._at[at or "new"].files(path)


def document(number: str, revision: str, text: str) -> dict[str, bytes]:
    control = (
        f"format: wenkong/document/1\nnumber: {number}\ntitle: 回访程序\n"
        f"revision: {revision}\nclass: 程序\nowner: 售后部\n"
    )
    folder = f"procedures/{number}"
    return {f"{folder}/document.yml": control.encode(), f"{folder}/clauses.txt": f"回访程序\n1.目的:{text}\n".encode()}


def prints(today: str) -> DocumentPrints:
    """001 goes from A/0 to A/1 on 1 December, and 002 comes on that day; somebody drafts 001 as A/2."""
    first = date(2026, 12, 1)
    pending = [
        PendingEffect((f"procedures/{number}",), ItemKind.DOCUMENT, number, revision, first, before, "2026-0001")
        for number, revision, before in ((NUMBER, "A/1", "old"), (NEW, "A/0", None))
    ]
    old = document(NUMBER, "A/0", "旧的目的。")
    new = document(NUMBER, "A/1", "新的目的。") | document(NEW, "A/0", "另一份。")
    schedule = {EFFECT_FILE: write_effect(EffectSchedule(tuple(pending)))}
    approved = cast("DatedFiles", Commits(MemoryFiles(old), MemoryFiles(new | schedule)))
    clock = Clock(datetime.fromisoformat(f"{today}T09:00:00+08:00"))
    draft = MemoryFiles(new | document(NUMBER, "A/2", "草稿里的目的。"))
    return DocumentPrints(
        approved=approved,
        in_force=FilesInForce(approved, clock),
        history=cast("DocumentHistory", None),
        draft_of=lambda number: (draft, "2026-0002") if number == NUMBER else None,
        drawing=ProcedureLayout(),
        company="某某医疗器械有限公司",
        clock=clock,
        uncontrolled_days=14,
    )


def test_until_its_day_comes_the_approved_revision_is_marked_as_not_in_force() -> None:
    service = prints("2026-11-30")
    now, coming = service.find("CX-001"), service.find("CX-001", revision="a/1")
    assert (now.revision, now.kind, now.in_force) == ("A/0", StampKind.UNCONTROLLED, True)
    assert (coming.revision, coming.kind, coming.note) == ("A/1", StampKind.PENDING, "自 2026-12-01 起生效")
    ribbon = service.stamp(coming, "周明").ribbon
    assert ribbon.startswith(f"{NUMBER} A/1 · 未生效 · 已批准未生效，不得据此作业 · 自 2026-12-01 起生效")
    assert "旧的目的" in text(service, "CX-001")
    assert "新的目的" in text(service, "CX-001", "A/1")
    fresh = service.find("CX-002")
    assert (fresh.number, fresh.kind) == (NEW, StampKind.PENDING)


def test_on_its_day_it_is_an_ordinary_copy_that_ends_after_the_companys_days() -> None:
    service = prints("2026-12-01")
    found = service.find("CX-001")
    assert (found.revision, found.kind) == ("A/1", StampKind.UNCONTROLLED)
    assert service.stamp(found, "周明").valid_until == date(2026, 12, 15)
    assert service.find("CX-002").kind is StampKind.UNCONTROLLED


def test_a_draft_says_so_and_which_change_it_belongs_to() -> None:
    service = prints("2026-11-30")
    found = service.find("CX-001", draft=True)
    assert (found.revision, found.kind, found.note) == ("A/2", StampKind.DRAFT, "更改 2026-0002")
    with pytest.raises(NoDraftError):
        service.find("CX-002", draft=True)


def test_a_copy_for_training_says_so_and_keeps_the_word_that_it_is_not_in_force() -> None:
    service = prints("2026-11-30")
    coming = service.find("CX-001", revision="A/1", training=True)
    assert coming.kind is StampKind.TRAINING
    assert "培训用 · 未生效，自 2026-12-01 起生效" in service.stamp(coming, "周明").ribbon
    now = service.find("CX-001", training=True)
    assert (now.kind, now.note) == (StampKind.TRAINING, "")


def text(service: DocumentPrints, wanted: str, revision: str | None = None) -> str:
    from controller.file_formats.docx_package import open_docx

    docx = service.docx(service.find(wanted, revision=revision))
    return open_docx(docx).contents["word/document.xml"].decode()
