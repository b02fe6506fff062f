from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.errors import QmsError
from controller.file_formats.clause_ids import (
    ClauseIdsError,
    clause_ids_of_text,
    first_ids,
    read_clause_ids,
    realigned,
    renewed,
    write_clause_ids,
)
from controller.file_formats.clause_text import parse_text

OLD = "1.目的:规范样机借用。\n2.范围:全部演示样机。\n3.归还:当日填写检查记录。\n"
NEW = (
    "1.目的:规范样机借用。\n2.依据:《医疗器械经营质量管理规范》。\n3.范围:全部演示样机。\n4.归还:两日内填写检查记录。\n"
)


def test_a_document_gets_its_ids_in_order_and_the_file_reads_back_the_same() -> None:
    text = clause_ids_of_text(OLD)
    ids = read_clause_ids(text, where="clauses.yml")
    assert [(mark.id, mark.label) for mark in ids.marks] == [("c1", "1."), ("c2", "2."), ("c3", "3.")]
    assert ids.next_serial == 4
    assert write_clause_ids(ids) == text


def test_ids_follow_their_clauses_through_a_revision() -> None:
    old, new = parse_text(OLD).segments[0].clauses, parse_text(NEW).segments[0].clauses
    ids, alignment = realigned(first_ids(old), old, new)
    assert [mark.id for mark in ids.marks] == ["c1", "c4", "c2", "c3"]
    assert (alignment.added, alignment.removed, ids.next_serial) == (("c4",), (), 5)


def test_unknown_keys_survive_a_revision() -> None:
    old = parse_text(OLD).segments[0].clauses
    ids = read_clause_ids(clause_ids_of_text(OLD) + "later: 值\n", where="clauses.yml")
    changed, _alignment = realigned(ids, old, old)
    assert "later: 值" in write_clause_ids(changed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "format: wenkong/clauses/2\nnext: 1\nclauses: []\n",
        "format: wenkong/clauses/1\nclauses: []\n",
        "format: wenkong/clauses/1\nnext: 0\nclauses: []\n",
        "format: wenkong/clauses/1\nnext: 2\nclauses: [c1]\n",
        "format: wenkong/clauses/1\nnext: 2\nclauses:\n- {id: c1, label: 1., digest: 短}\n",
        "format: wenkong/clauses/1\nnext: 2\nclauses:\n"
        + ("- {id: c1, label: 1., digest: 'sha256:" + "0" * 64 + "'}\n") * 2,
        "format: wenkong/clauses/1\nformat: x\n",
    ],
)
def test_a_damaged_file_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(QmsError) as caught:
        read_clause_ids(text, where="procedures/X/clauses.yml")
    assert "procedures/X/clauses.yml" in (caught.value.where or "")


def test_the_refusal_of_a_repeated_id_names_it() -> None:
    row = "- {id: c1, label: 1., digest: 'sha256:" + "0" * 64 + "'}\n"
    with pytest.raises(ClauseIdsError, match="c1 出现两次"):
        read_clause_ids("format: wenkong/clauses/1\nnext: 2\nclauses:\n" + row * 2, where="clauses.yml")


def test_ids_stay_when_only_the_wording_of_each_clause_is_changed() -> None:
    ids = clause_ids_of_text(OLD)
    own = OLD.replace("样机", "设备")
    assert renewed(ids, own, where="clauses.yml") == clause_ids_of_text(own)
    with pytest.raises(ClauseIdsError, match="有 3 个标识，正文有 4 条"):
        renewed(ids, NEW, where="clauses.yml")


@given(st.lists(st.text("甲乙丙丁。", min_size=1, max_size=6), max_size=6))
def test_the_file_of_any_text_reads_back(lines: list[str]) -> None:
    text = "".join(f"{place}.{line}\n" for place, line in enumerate(lines, start=1))
    written = clause_ids_of_text(text)
    assert write_clause_ids(read_clause_ids(written, where="clauses.yml")) == written
