from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.clause_alignment import KnownClause, align, similarity

KNOWN = [
    KnownClause("c1", "1.", "目的:规范仪器借用,防止丢失和损坏。"),
    KnownClause("c2", "2.", "范围:适用于公司全部演示样机。"),
    KnownClause("c3", "3.", "借用人应当在归还当日填写归还检查记录。"),
]


def test_a_renumbered_clause_keeps_its_id() -> None:
    result = align(
        KNOWN,
        [
            ("1.", "目的:规范仪器借用,防止丢失和损坏。"),
            ("2.", "依据:《医疗器械经营质量管理规范》。"),
            ("3.", "范围:适用于公司全部演示样机。"),
            ("4.", "借用人应当在归还当日填写归还检查记录。"),
        ],
        next_serial=4,
    )
    assert result.ids == ("c1", "c4", "c2", "c3")
    assert (result.added, result.removed, result.next_serial) == (("c4",), (), 5)


def test_a_moved_clause_keeps_its_id() -> None:
    result = align(KNOWN, [(KNOWN[place].label, KNOWN[place].text) for place in (2, 0, 1)], next_serial=4)
    assert result.ids == ("c3", "c1", "c2")


def test_an_edited_clause_keeps_its_id() -> None:
    result = align(
        KNOWN,
        [
            ("1.", "目的:规范仪器借用,防止丢失和损坏。"),
            ("2.", "范围:适用于公司全部演示样机和备用机。"),
            ("3.", "借用人应当在归还后两个工作日内填写归还检查记录。"),
        ],
        next_serial=4,
    )
    assert result.ids == ("c1", "c2", "c3")


def test_a_clause_replaced_by_another_subject_gets_a_new_id() -> None:
    result = align(
        KNOWN, [("1.", KNOWN[0].text), ("2.", "每年十二月盘点备件仓库一次。"), ("3.", KNOWN[2].text)], next_serial=4
    )
    assert result.ids == ("c1", "c4", "c3")
    assert result.removed == ("c2",)


def test_the_id_of_a_deleted_clause_is_never_given_again() -> None:
    shorter = align(KNOWN, [("1.", KNOWN[0].text), ("2.", KNOWN[1].text)], next_serial=4)
    later = [KnownClause(identifier, "", KNOWN[place].text) for place, identifier in enumerate(shorter.ids)]
    longer = align(
        later,
        [("1.", KNOWN[0].text), ("2.", KNOWN[1].text), ("3.", "新增要求甲乙丙丁。")],
        next_serial=shorter.next_serial,
    )
    assert longer.ids == ("c1", "c2", "c4")


def test_equal_texts_are_matched_in_order() -> None:
    known = [KnownClause("c1", "(1)", "见附件。"), KnownClause("c2", "(2)", "见附件。")]
    assert align(known, [("(1)", "见附件。"), ("(2)", "见附件。")], next_serial=3).ids == ("c1", "c2")


def test_likeness_runs_from_nothing_in_common_to_the_same() -> None:
    assert similarity("售后服务档案", "售后服务档案") == 1.0
    assert similarity("售后服务档案", "温度计校准") == 0.0
    assert 0.5 < similarity("建立售后服务档案", "建立客户售后服务档案") < 1.0


_texts = st.lists(st.tuples(st.sampled_from(["1.", "2.", "(一)", ""]), st.text("甲乙丙丁戊", max_size=6)), max_size=8)


@given(_texts, _texts)
def test_ids_are_unique_and_those_not_carried_on_are_new(
    old: list[tuple[str, str]], new: list[tuple[str, str]]
) -> None:
    first = align((), old, next_serial=1)
    known = [KnownClause(identifier, *clause) for identifier, clause in zip(first.ids, old, strict=True)]
    result = align(known, new, next_serial=first.next_serial)
    assert len(set(result.ids)) == len(new)
    assert set(result.ids) - set(first.ids) == set(result.added)
    assert set(first.ids) - set(result.ids) == set(result.removed)
    assert all(int(identifier[1:]) >= first.next_serial for identifier in result.added)


@given(_texts, st.randoms(use_true_random=False))
def test_an_unchanged_or_shuffled_text_keeps_every_id(old: list[tuple[str, str]], random: object) -> None:
    first = align((), old, next_serial=1)
    known = [KnownClause(identifier, *clause) for identifier, clause in zip(first.ids, old, strict=True)]
    assert align(known, old, next_serial=first.next_serial).ids == first.ids
    shuffled = list(old)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(align(known, shuffled, next_serial=first.next_serial).ids) == set(first.ids)
