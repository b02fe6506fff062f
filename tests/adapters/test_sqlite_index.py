from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.sqlite_index import IndexUnwritableError, SqliteIndex
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.record import Attachment, RecordState, SealedValue, Signatory
from controller.services.index_ports import IndexedRecord
from tests.builders import WANG, WORKSPACE, form_binding

if TYPE_CHECKING:
    from pathlib import Path

COMPLAINT = "XX-YLQXJL-018"
SALE = "XX-YLQXJL-010"


def state(number: str = f"{COMPLAINT}-2026-0001", **changes: object) -> RecordState:
    parsed = RecordNumber(number)
    blank = RecordState(
        number=parsed,
        form=form_binding(parsed.form),
        stage="registered",
        values={"channel": "电话", "parts": [{"part_no": "P-1", "qty": "2"}], "injury": False},
        sealed={"content": SealedValue(Digest.of(b"salted"))},
        opened_at="2026-05-01T09:30:00+08:00",
        opened_by=WANG,
        changed_at="2026-05-02T10:00:00+08:00",
        changed_by=Signatory("p001", "李强", "质量负责人"),
        entries=2,
        head=Digest.of(b"head"),
        signed={"registered": (WANG, "2026-05-01T09:30:00+08:00")},
        attachments=(Attachment("照片.jpg", Digest.of(b"photo"), 1234, sealed=True),),
        corrected=frozenset({"channel"}),
    )
    return replace(blank, **changes)  # type: ignore[arg-type]


def item(number: str, text: str, **changes: object) -> IndexedRecord:
    return IndexedRecord(
        state(number, **changes), text, title="质量投诉处理记录", subject="面部发红", stage_label="已登记"
    )


@pytest.fixture
def index(tmp_path: Path) -> SqliteIndex:
    return SqliteIndex(tmp_path / ".qms" / "index.sqlite", workspace=WORKSPACE)


def found(index: SqliteIndex, words: str) -> list[str]:
    return [hit.number.text[-4:] for hit in index.search(words)]


def test_a_record_comes_back_as_it_was_put_in(index: SqliteIndex) -> None:
    index.apply([IndexedRecord(state(), "电话")], commit="c1")
    assert index.record(RecordNumber(f"{COMPLAINT}-2026-0001")) == state()


def test_a_record_that_is_not_there_is_none(index: SqliteIndex) -> None:
    assert index.record(RecordNumber(f"{COMPLAINT}-2026-0009")) is None


def test_a_new_index_is_at_no_commit_and_then_at_the_one_applied(index: SqliteIndex) -> None:
    assert index.archive_commit() is None
    assert index.apply([], commit="c1", after=None)
    assert index.archive_commit() == "c1"


def test_an_index_that_another_process_moved_on_is_not_written(index: SqliteIndex) -> None:
    index.apply([], commit="c2")
    assert not index.apply([item(f"{COMPLAINT}-2026-0001", "电话")], commit="c3", after="c1")
    assert index.archive_commit() == "c2"
    assert list(index.records()) == []


def test_two_character_words_are_found_wherever_they_stand_together(index: SqliteIndex) -> None:
    index.apply(
        [
            item(f"{COMPLAINT}-2026-0001", "客户来电投诉报警音过小"),
            item(f"{COMPLAINT}-2026-0002", "投标前的诉求"),
            item(f"{COMPLAINT}-2026-0003", "张三\n李四"),
        ],
        commit="c1",
    )
    assert found(index, "投诉") == ["0001"]
    assert found(index, "报警 客户") == ["0001"]
    assert found(index, "报警 诉求") == []
    assert found(index, "三李") == []


def test_numbers_and_latin_words_are_found_by_their_beginning(index: SqliteIndex) -> None:
    index.apply([item(f"{COMPLAINT}-2026-0001", "XX-YLQXJL-018-2026-0001\nSN20260077")], commit="c1")
    assert found(index, "sn2026") == ["0001"]
    assert found(index, "YLQXJL-01") == ["0001"]
    assert found(index, "YLQXJL-02") == []
    assert found(index, "0077") == []


def test_hits_come_newest_first_and_say_what_they_are(index: SqliteIndex) -> None:
    index.apply(
        [
            item(f"{COMPLAINT}-2026-0002", "泄漏", opened_at="2026-03-01T00:00:00+08:00"),
            item(f"{COMPLAINT}-2026-0001", "泄漏", opened_at="2026-05-01T00:00:00+08:00", voided=True),
            item(f"{SALE}-2026-0003", "泄漏", opened_at="2026-04-01T00:00:00+08:00"),
        ],
        commit="c1",
    )
    hits = index.search("泄漏")
    assert [hit.number.text for hit in hits] == [
        f"{COMPLAINT}-2026-0001",
        f"{SALE}-2026-0003",
        f"{COMPLAINT}-2026-0002",
    ]
    assert [(hit.title, hit.subject, hit.stage, hit.excerpt) for hit in hits[:2]] == [
        ("质量投诉处理记录", "面部发红", "已作废", "泄漏"),
        ("质量投诉处理记录", "面部发红", "已登记", "泄漏"),
    ]
    assert len(index.search("泄漏", limit=2)) == 2


def test_a_changed_record_is_found_by_its_new_words_only(index: SqliteIndex) -> None:
    index.apply([item(f"{COMPLAINT}-2026-0001", "漏液 屏幕")], commit="c1")
    index.apply([item(f"{COMPLAINT}-2026-0001", "屏幕 黑屏")], commit="c2")
    assert found(index, "漏液") == []
    assert found(index, "黑屏") == ["0001"]
    assert found(index, "屏幕") == ["0001"]


def test_a_record_given_twice_in_one_run_counts_once_with_its_last_state(index: SqliteIndex) -> None:
    index.apply([item(f"{COMPLAINT}-2026-0001", "漏液"), item(f"{COMPLAINT}-2026-0001", "黑屏")], commit="c1")
    assert (found(index, "漏液"), found(index, "黑屏"), index.status().records) == ([], ["0001"], 1)


@pytest.mark.parametrize(
    "query", ['"', '投诉" OR text:*', "NEAR(投 诉)", "-投诉*^", "a:b AND", "'; DROP TABLE record", "\x00投诉"]
)
def test_a_query_is_never_taken_for_syntax(index: SqliteIndex, query: str) -> None:
    index.apply([item(f"{COMPLAINT}-2026-0001", "电话")], commit="c1")
    assert index.search(query) == []
    assert index.status().records == 1


@pytest.fixture(scope="module")
def shared_index(tmp_path_factory: pytest.TempPathFactory) -> SqliteIndex:
    return SqliteIndex(tmp_path_factory.mktemp("shared") / "index.sqlite", workspace=WORKSPACE)


@settings(max_examples=60, deadline=None)
@given(text=st.text("质量投诉的", max_size=12), query=st.text("质量投诉的", min_size=1, max_size=4))
def test_a_chinese_word_is_found_exactly_where_it_stands_in_the_text(
    shared_index: SqliteIndex, text: str, query: str
) -> None:
    shared_index.apply([item(f"{COMPLAINT}-2026-0001", text)], commit="c1")
    assert found(shared_index, query) == (["0001"] if query in text else [])


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30), query=st.text(max_size=30))
def test_any_text_can_be_stored_and_any_query_asked(shared_index: SqliteIndex, text: str, query: str) -> None:
    shared_index.apply([item(f"{COMPLAINT}-2026-0001", text)], commit="c1")
    assert found(shared_index, query) in ([], ["0001"])


def test_records_come_in_number_order_filtered_by_form_and_day(index: SqliteIndex) -> None:
    numbers = [
        (f"{SALE}-2026-0002", "2026-02-01"),
        (f"{COMPLAINT}-2026-0001", "2026-03-01"),
        (f"{SALE}-2025-0001", "2025-12-31"),
    ]
    index.apply([item(number, "x", opened_at=f"{day}T12:00:00+08:00") for number, day in numbers], commit="c1")
    every = [f"{SALE}-2025-0001", f"{SALE}-2026-0002", f"{COMPLAINT}-2026-0001"]
    assert [r.number.text for r in index.records()] == every
    assert [r.number.text for r in index.records(forms=[SALE])] == every[:2]
    assert [r.number.text for r in index.records(opened_from="2026-01-01", opened_to="2026-02-01")] == [every[1]]
    assert [r.number.text for r in index.records(newest_first=True, limit=2)] == [every[2], every[1]]


def test_numbers_in_use_and_references_that_lead_nowhere_are_listed(index: SqliteIndex) -> None:
    first = replace(
        item(f"{COMPLAINT}-2026-0001", "x"),
        references=[("capa_ref", "XX-YLQXJL-027-2026-0001"), ("sale_ref", f"{SALE}-2026-0002")],
    )
    index.apply([first, item(f"{SALE}-2026-0002", "x", voided=True)], commit="c1")
    assert [(n.number, n.year, n.serial, n.voided) for n in index.given_numbers()] == [
        (f"{SALE}-2026-0002", 2026, 2, True),
        (f"{COMPLAINT}-2026-0001", 2026, 1, False),
    ]
    assert list(index.dangling_references()) == [(f"{COMPLAINT}-2026-0001", "capa_ref", "XX-YLQXJL-027-2026-0001")]
    assert list(index.dangling_references([SALE])) == []
    assert {form: (use.records, use.voided) for form, use in index.form_use().items()} == {
        COMPLAINT: (1, 0),
        SALE: (1, 1),
    }


def test_records_opened_in_the_same_second_are_all_kept(index: SqliteIndex) -> None:
    numbers = [f"{COMPLAINT}-2026-{serial:04d}" for serial in range(1, 40)] + ["XX-YLQXJL-019-2026-00001"]
    index.apply([item(number, "同时") for number in [*numbers, f"{COMPLAINT}-2026-00001"]], commit="c1")
    assert index.status().records == 41
    assert len(index.search("同时", limit=100)) == 41


def test_an_interrupted_run_changes_nothing(index: SqliteIndex) -> None:
    def records() -> object:
        yield item(f"{COMPLAINT}-2026-0001", "x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.apply(records(), commit="c1")  # type: ignore[arg-type]
    assert (index.archive_commit(), index.status().records) == (None, 0)


@pytest.mark.parametrize("rubbish", [b"", b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_damaged_file_is_an_empty_index(tmp_path: Path, rubbish: bytes) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(rubbish)
    index = SqliteIndex(path, workspace=WORKSPACE)
    assert index.archive_commit() is None
    index.apply([item(f"{COMPLAINT}-2026-0001", "泄漏")], commit="c1")
    assert found(index, "泄漏") == ["0001"]


def test_an_index_damaged_in_the_middle_is_noticed_and_emptied(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    index = SqliteIndex(path, workspace=WORKSPACE)
    index.apply([item(f"{COMPLAINT}-2026-{n:04d}", "泄漏" * 50) for n in range(1, 300)], commit="c1")
    index.close()
    data = bytearray(path.read_bytes())
    for place in range(4096, len(data)):
        data[place] ^= 0xA5
    path.write_bytes(data)
    assert SqliteIndex(path, workspace=WORKSPACE).archive_commit() is None


def test_the_index_of_another_workspace_or_an_older_schema_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    first = SqliteIndex(path, workspace="another")
    first.apply([item(f"{COMPLAINT}-2026-0001", "泄漏")], commit="c1")
    first.close()
    mine = SqliteIndex(path, workspace=WORKSPACE)
    assert (mine.archive_commit(), found(mine, "泄漏")) == (None, [])
    mine.apply([item(f"{COMPLAINT}-2026-0001", "泄漏")], commit="c2")
    mine.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '0' WHERE key = 'schema'")
    db.close()
    assert SqliteIndex(path, workspace=WORKSPACE).archive_commit() is None


def test_a_place_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").mkdir()
    with pytest.raises(IndexUnwritableError):
        SqliteIndex(tmp_path / "index.sqlite", workspace=WORKSPACE).archive_commit()


def test_clearing_forgets_everything(index: SqliteIndex) -> None:
    index.apply([item(f"{COMPLAINT}-2026-0001", "泄漏")], commit="c1")
    index.clear()
    assert (index.archive_commit(), found(index, "泄漏"), index.status().entries) == (None, [], 0)


def test_two_open_indexes_see_each_others_records(tmp_path: Path) -> None:
    one, two = (SqliteIndex(tmp_path / "index.sqlite", workspace=WORKSPACE) for _ in range(2))
    assert two.archive_commit() is None
    one.apply([item(f"{COMPLAINT}-2026-0001", "泄漏")], commit="c1")
    assert found(two, "泄漏") == ["0001"]
