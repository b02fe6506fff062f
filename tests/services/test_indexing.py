from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.sqlite_index import SqliteIndex
from controller.domain.form import Field, FieldType, FormDefinition, Personal, Stage
from controller.domain.identifiers import DocumentNumber, RecordNumber, Revision
from controller.domain.record import Act, SealedValue
from controller.services.indexing import Indexing
from tests.builders import FORM, WORKSPACE, chain, entry, record_files
from tests.memory_archive import MemoryArchive, MemoryForms

if TYPE_CHECKING:
    from pathlib import Path

    from controller.domain.record import Entry

COMPLAINT = FormDefinition(
    number=DocumentNumber(FORM),
    title="质量投诉处理记录",
    revision=Revision("A/0"),
    procedure=None,
    owner="质管部",
    retention="complaint",
    fields=(
        Field("channel", "投诉渠道", FieldType.CHOICE, choices=("电话", "来访", "邮件")),
        Field("summary", "摘要", FieldType.TEXT),
        Field("capa_ref", "纠正预防措施单", FieldType.RECORD_REF),
        Field("content", "投诉内容", FieldType.LONG_TEXT, personal=Personal.SENSITIVE),
    ),
    stages=(Stage("registered", "已登记"), Stage("closed", "已结案", after=("registered",), final=True)),
    subject="summary",
)


class Bench:
    """An archive, its index on disk, and the service between them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "index.sqlite"
        self.archive = MemoryArchive()
        self.index = SqliteIndex(self.path, workspace=WORKSPACE)
        self.indexing = Indexing(self.archive, self.index, MemoryForms(COMPLAINT))

    def found(self, words: str) -> list[str]:
        return [hit.number.text[-4:] for hit in self.index.search(words)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def complaint(serial: int, summary: str, *later: Entry) -> dict[str, bytes]:
    return record_files([entry(serial, values={"channel": "电话", "summary": summary}), *later])


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything the index knows, without row ids and commit."""
    db = sqlite3.connect(path)
    wanted = {
        "record": "SELECT number, form, year, serial, opened_at, voided, entries, title, subject, stage_label, state,"
        " text FROM record ORDER BY number",
        "reference": "SELECT * FROM reference ORDER BY 1, 2, 3",
    }
    result = {name: db.execute(sql).fetchall() for name, sql in wanted.items()}
    words = "SELECT term, number FROM temp.vocabulary JOIN record ON record.id = vocabulary.doc ORDER BY 1, 2, offset"
    db.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, words, instance)")
    result["words"] = db.execute(words).fetchall()
    db.close()
    return result


def test_catching_up_finds_what_was_filed(bench: Bench) -> None:
    bench.archive.file(complaint(1, "面部发红"))
    assert bench.indexing.behind()
    report = bench.indexing.catch_up()
    assert (report.records, report.rebuilt, list(report.findings)) == (1, True, [])
    hits = bench.index.search("发红")
    assert [(hit.number.text, hit.title, hit.subject, hit.stage) for hit in hits] == [
        (f"{FORM}-2026-0001", "质量投诉处理记录", "面部发红", "已登记")
    ]
    assert not bench.indexing.behind()


def test_catching_up_twice_does_nothing_the_second_time(bench: Bench) -> None:
    bench.archive.file(complaint(1, "面部发红"))
    bench.indexing.catch_up()
    assert bench.indexing.catch_up().records == 0


def test_a_later_entry_is_folded_with_the_earlier_ones_of_the_archive(bench: Bench) -> None:
    opening = entry(1, values={"channel": "电话", "summary": "面部发红"})
    correction = entry(1, act=Act.CORRECTED, values={"summary": "面部红肿"}, reason="听错")
    files = sorted(record_files([opening, correction]).items())
    bench.archive.file(dict(files[:1]))
    bench.indexing.catch_up()
    bench.archive.file(dict(files[1:]))
    report = bench.indexing.catch_up()
    state = bench.index.record(RecordNumber(f"{FORM}-2026-0001"))
    assert (report.records, report.rebuilt) == (1, False)
    assert state is not None
    assert (state.values, state.entries) == ({"channel": "电话", "summary": "面部红肿"}, 2)
    assert (bench.found("发红"), bench.found("红肿"), bench.found("电话")) == ([], ["0001"], ["0001"])


def test_a_filing_is_noted_without_reading_the_archive_again(bench: Bench) -> None:
    from controller.domain.record_chain import fold

    first = bench.archive.file(complaint(1, "面部发红"))
    bench.indexing.catch_up()
    second = bench.archive.file(complaint(2, "皮肤刺痛"))
    state = fold(chain(entry(2, values={"channel": "电话", "summary": "皮肤刺痛"})))
    assert bench.indexing.note([state], previous=first, commit=second)
    noted = tables(bench.path)
    assert not bench.indexing.behind()
    bench.indexing.rebuild()
    assert tables(bench.path) == noted


def test_a_filing_is_noted_alike_in_whatever_order_its_cells_were_typed(bench: Bench) -> None:
    from controller.domain.record_chain import fold

    typed = entry(1, values={"rows": [{"score": "96", "name": "王强", "result": "合格"}], "channel": "电话"})
    commit = bench.archive.file(record_files([typed]))
    assert bench.indexing.note([fold(chain(typed))], previous=None, commit=commit)
    noted = tables(bench.path)
    bench.indexing.rebuild()
    assert tables(bench.path) == noted


def test_a_filing_noted_on_an_index_that_is_behind_brings_the_rest_in_too(bench: Bench) -> None:
    from controller.domain.record_chain import fold

    first = bench.archive.file(complaint(1, "面部发红"))
    second = bench.archive.file(complaint(2, "皮肤刺痛"))
    state = fold(chain(entry(2, values={"channel": "电话", "summary": "皮肤刺痛"})))
    assert bench.indexing.note([state], previous=first, commit=second)
    assert bench.found("电话") == ["0002", "0001"]


def test_an_index_that_cannot_be_written_does_not_fail_the_filing(tmp_path: Path) -> None:
    from controller.domain.record_chain import fold

    bench = Bench(tmp_path)
    bench.path.mkdir()
    commit = bench.archive.file(complaint(1, "面部发红"))
    assert not bench.indexing.note([fold(chain(entry(1)))], previous=None, commit=commit)


def test_rewritten_history_leads_to_a_new_index(bench: Bench) -> None:
    bench.archive.file(complaint(1, "面部发红"))
    bench.archive.file(complaint(2, "皮肤刺痛"))
    bench.indexing.catch_up()
    bench.archive.commits.pop()
    bench.archive.drop_history()
    report = bench.indexing.catch_up()
    assert (report.records, report.rebuilt) == (1, True)
    assert bench.found("刺痛") == []


def test_an_emptied_archive_empties_the_index(bench: Bench) -> None:
    bench.archive.file(complaint(1, "面部发红"))
    bench.indexing.catch_up()
    bench.archive.commits.clear()
    bench.indexing.catch_up()
    assert bench.index.status().records == 0


def test_a_damaged_index_file_is_rebuilt_without_a_word(bench: Bench) -> None:
    bench.archive.file(complaint(1, "面部发红"))
    bench.indexing.catch_up()
    bench.index.close()
    bench.path.write_bytes(b"\x00" * 5000)
    assert bench.indexing.catch_up().rebuilt
    assert bench.found("发红") == ["0001"]


def test_sensitive_values_never_reach_the_index_even_if_an_entry_holds_them_open(bench: Bench) -> None:
    sealed = SealedValue(chain(entry(9))[0][1])
    opening = entry(1, values={"channel": "电话", "content": "患者张三丰病历"}, sealed={})
    other = entry(2, values={"channel": "电话"}, sealed={"content": sealed})
    bench.archive.file({**record_files([opening]), **record_files([other])})
    bench.indexing.catch_up()
    bench.index.close()
    everything = b"".join(path.read_bytes() for path in bench.path.parent.glob("index.sqlite*"))
    assert "张三丰".encode() not in everything
    assert bench.found("张三丰") == []


def test_references_to_records_that_do_not_exist_are_known(bench: Bench) -> None:
    bench.archive.file(record_files([entry(1, values={"capa_ref": "XX-YLQXJL-027-2026-0009"})]))
    bench.indexing.catch_up()
    assert list(bench.index.dangling_references()) == [(f"{FORM}-2026-0001", "capa_ref", "XX-YLQXJL-027-2026-0009")]


def test_a_record_with_a_damaged_entry_is_kept_up_to_it_and_reported(bench: Bench) -> None:
    files = record_files(
        [entry(1, values={"summary": "甲"}), entry(1, act=Act.CORRECTED, values={"summary": "乙"}, reason="改")]
    )
    last = max(files)
    bench.archive.file({**files, last: b"{}", **complaint(2, "好的记录")})
    report = bench.indexing.catch_up()
    state = bench.index.record(RecordNumber(f"{FORM}-2026-0001"))
    assert state is not None
    assert state.values == {"summary": "甲"}
    assert [finding.code for finding in report.findings] == ["record-unreadable"]
    assert bench.found("好的记录") == ["0002"]


def test_files_that_are_no_entries_are_passed_over(bench: Bench) -> None:
    folder = RecordNumber(f"{FORM}-2026-0001").folder
    bench.archive.file({"site.json": b"{}", f"{folder}/0001.sealed": b"x", f"{folder}/attachments/ab": b"x"})
    assert bench.indexing.catch_up().records == 0


def test_progress_is_told_in_steps(bench: Bench) -> None:
    files: dict[str, bytes] = {}
    for serial in range(1, 251):
        files |= complaint(serial, "x")
    bench.archive.file(files)
    seen: list[int] = []
    bench.indexing.catch_up(lambda done, _total: seen.append(done))
    assert seen == [100, 200]


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
    cuts=st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_catching_up_in_any_steps_gives_what_rebuilding_gives(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], order: object, cuts: list[bool]
) -> None:
    bench = Bench(tmp_path_factory.mktemp("steps"))
    waiting = []
    for serial, length in enumerate(lengths, 1):
        acts = [
            entry(
                serial, act=Act.CORRECTED, values={"summary": f"第{step}次更正 {serial}", "channel": None}, reason="改"
            )
            for step in range(1, length)
        ]
        opening = entry(serial, values={"channel": "电话", "capa_ref": f"XX-YLQXJL-027-2026-{serial:04d}"})
        waiting.append(sorted(record_files([opening, *acts]).items()))
    step = 0
    while any(waiting):
        turn = order.choice([files for files in waiting if files])  # type: ignore[attr-defined]
        bench.archive.file(dict([turn.pop(0)]))
        if cuts[step % len(cuts)]:
            bench.indexing.catch_up()
        step += 1
    bench.indexing.catch_up()
    incremental = tables(bench.path)
    bench.indexing.rebuild()
    assert tables(bench.path) == incremental
    assert len(incremental["record"]) == len(lengths)
    bench.index.close()


def test_an_entry_that_lies_in_the_folder_of_another_record_is_not_indexed(bench: Bench) -> None:
    (data,) = complaint(1, "面部发红").values()
    elsewhere = RecordNumber(f"{FORM}-2026-0002").folder
    bench.archive.file({f"{elsewhere}/0001.json": data})
    report = bench.indexing.catch_up()
    assert [finding.code for finding in report.findings] == ["record-unreadable"]
    assert bench.index.status().records == 0
