"""Two versions of a document clause by clause: added, removed, reworded, renumbered, moved; tables by row."""

from __future__ import annotations

from controller.domain.document_comparison import ChangeKind
from tests.revised_documents import compared

OLD = """\
1.目的:规范售后回访工作。
2.职责:售后部负责回访,质管部负责监督。
3.内容:
3.1.每半年回访一次重点客户。
3.2.回访记录保存五年。
3.3.投诉转质管部处理。
"""


def kinds(old: str, new: str) -> list[tuple[str, list[str]]]:
    changes = compared(old, new).changes
    return [(item.place, [kind.value for kind in ChangeKind if kind in item.kinds]) for item in changes]


def test_an_inserted_clause_renumbers_the_others_and_rewords_none() -> None:
    new = OLD.replace("3.2.回访", "3.2.新客户一个月内回访。\n3.3.回访").replace("3.3.投诉", "3.4.投诉")
    assert kinds(OLD, new) == [("3.2.", ["added"]), ("3.3.", ["renumbered"]), ("3.4.", ["renumbered"])]


def test_a_removed_and_a_reworded_clause_stand_where_they_stood() -> None:
    new = OLD.replace("3.1.每半年回访一次重点客户。\n", "").replace("五年", "六年")
    assert kinds(OLD, new) == [("3.1.", ["removed"]), ("3.2.", ["changed"])]


def test_a_clause_that_changed_places_is_moved_and_met_twice() -> None:
    lines = OLD.splitlines(keepends=True)
    new = "".join([lines[1], lines[0], *lines[2:]])
    found = compared(OLD, new)
    moved = [item for item in found.changes if ChangeKind.MOVED in item.kinds]
    assert len(moved) == 1
    met = [(item.shows_old, item.shows_new) for item in found.sequence if item.change is moved[0]]
    assert sorted(met) == [(False, True), (True, False)]


def test_the_place_of_a_clause_names_those_above_it_where_its_number_needs_them() -> None:
    old = "一、内容\n(一)回访\n1.每年一次。\n"
    assert kinds(old, old.replace("每年", "每月")) == [("一、(一)1.", ["changed"])]


def test_a_table_is_compared_row_by_row_and_cell_by_cell() -> None:
    table = "1.期限见下表:\n|记录|期限|\n|---|---|\n|回访记录|五年|\n|投诉记录|五年|\n"
    (change,) = compared(table, table.replace("|投诉记录|五年|", "|投诉记录|六年|\n|培训记录|三年|")).changes
    assert change.kinds == {ChangeKind.EDITED}
    assert [(row.old, row.new) for row in change.rows if not row.same] == [
        (("投诉记录", "五年"), ("投诉记录", "六年")),
        (None, ("培训记录", "三年")),
    ]


def test_blank_lines_and_page_marks_are_no_change_of_the_text() -> None:
    found = compared(OLD, OLD + "\n第 3 页 共 9 页\n")
    assert found.changes == ()
    assert [item.new for item in found.control] == ["A/1"]


def test_the_same_text_has_no_changes_at_all() -> None:
    assert kinds(OLD, OLD) == []
