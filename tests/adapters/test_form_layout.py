"""Where the fields of a form lie: sections, shared rows, rating tables, widths."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.adapters.form_layout import (
    Grid,
    Rating,
    Rows,
    arrange,
    broken_label,
    choice_lines,
    column_widths,
    inside_sections,
    label_width,
)
from controller.domain.form import Field, FieldType, FormDefinition, Section, Stage
from controller.domain.identifiers import DocumentNumber, Revision

SCALE = ("5=非常满意", "4=满意", "3=一般", "2=不满意", "1=非常不满意")
SIMPLE = [FieldType.TEXT, FieldType.INTEGER, FieldType.DATE, FieldType.DATETIME, FieldType.BOOL, FieldType.LONG_TEXT]


def text(key: str, label: str = "栏目", block: str | None = None) -> Field:
    return Field(key=key, label=label, type=FieldType.TEXT, block=block)


def form(*fields: Field, sections: tuple[Section, ...] = (), customer_page: tuple[str, ...] = ()) -> FormDefinition:
    return FormDefinition(
        number=DocumentNumber("AB-YLQXJL-001"),
        title="登记表",
        revision=Revision("A/0"),
        procedure=None,
        owner="质管部",
        retention="other",
        fields=fields,
        stages=(Stage("filled", "已填写"),),
        sections=sections,
        customer_page=customer_page,
    )


def test_two_short_fields_share_a_row_and_a_long_text_takes_one() -> None:
    a, b, long, c = text("a"), text("b"), Field("long", "说明", FieldType.LONG_TEXT), text("c")
    (grid,) = arrange([a, b, long, c], title="一、登记", half=3000)
    assert isinstance(grid, Grid)
    assert [row.fields for row in grid.rows] == [(a, b), (long,), (c,)]


def test_a_table_field_breaks_the_grid_and_only_the_first_piece_carries_the_heading() -> None:
    a, c = text("a"), text("c")
    rows = Field("rows", "明细", FieldType.TABLE, columns=(text("x"),))
    pieces = arrange([a, rows, c], title="二、明细", half=3000)
    assert [type(piece) for piece in pieces] == [Grid, Rows, Grid]
    assert [piece.title for piece in pieces] == ["二、明细", None, None]


def test_neighbouring_questions_on_one_scale_become_a_rating_table() -> None:
    first = Field("q1", "产品质量", FieldType.CHOICE, choices=SCALE)
    second = Field("q2", "服务态度", FieldType.CHOICE, choices=SCALE)
    other = Field("q3", "方式", FieldType.CHOICE, choices=("电话", "来访"))
    pieces = arrange([first, second, other], title=None, half=3000)
    assert isinstance(pieces[0], Rating)
    assert pieces[0].questions == (first, second)
    assert isinstance(pieces[1], Grid)


def test_a_choice_that_does_not_fit_half_a_row_takes_a_whole_one() -> None:
    short = Field("s", "等级", FieldType.CHOICE, choices=("一般", "重大"))
    wide = Field("w", "渠道", FieldType.CHOICE, choices=("电话", "来访", "邮件", "售后人员转报", "监管部门"))
    (grid,) = arrange([short, wide], title=None, half=3000)
    assert isinstance(grid, Grid)
    assert [len(row.fields) for row in grid.rows] == [1, 1]


def test_blocks_get_sections_of_their_own_where_a_form_names_none() -> None:
    shown = inside_sections(form(text("p", block="product"), text("c", block="customer"), text("own")))
    assert [(section.title, section.fields) for section in shown] == [
        ("产品信息", ("p",)),
        ("客户信息", ("c",)),
        ("记录内容", ("own",)),
    ]


def test_fields_that_no_section_names_come_last() -> None:
    shown = inside_sections(form(text("a"), text("b"), sections=(Section("登记", ("a",)),)))
    assert [(section.title, section.fields) for section in shown] == [("登记", ("a",)), ("其他", ("b",))]


def test_sections_on_the_customers_page_are_left_out_and_the_rest_is_counted_anew() -> None:
    shown = inside_sections(
        form(
            text("a"),
            text("q"),
            text("c"),
            sections=(Section("一、登记", ("a",)), Section("二、评价", ("q",)), Section("三、汇总", ("c",))),
            customer_page=("q",),
        )
    )
    assert [section.title for section in shown] == ["一、登记", "二、汇总"]


def test_the_reason_for_a_late_entry_is_in_no_section() -> None:
    shown = inside_sections(form(text("a"), text("late_entry_reason"), sections=(Section("登记", ("a",)),)))
    assert [section.fields for section in shown] == [("a",)]


def test_a_long_label_breaks_at_a_natural_place() -> None:
    width = label_width([text("a", "生产许可证编号/备案编号")])
    assert broken_label("生产许可证编号/备案编号", width) == "生产许可证编号/\n备案编号"
    assert broken_label("UDI-DI 产品标识", width) == "UDI-DI\n产品标识"
    assert broken_label("联系人", width) == "联系人"


@given(st.text("质量负责人意见/（）()AB 、", min_size=1, max_size=40))
def test_breaking_a_label_loses_no_character_but_blanks(label: str) -> None:
    broken = broken_label(label, 1720)
    assert broken.replace("\n", "").replace(" ", "") == label.replace(" ", "")


def test_options_break_only_between_options() -> None:
    lines = choice_lines(("医疗机构", "经营企业", "生产企业", "其他有合理使用需求单位", "个人消费者"), 7900)
    assert lines == [["医疗机构", "经营企业", "生产企业", "其他有合理使用需求单位"], ["个人消费者"]]


@given(st.lists(st.sampled_from(SIMPLE), min_size=1, max_size=12), st.integers(7000, 15000))
def test_columns_fill_the_width_exactly(types: list[FieldType], width: int) -> None:
    columns = [Field(f"c{number}", "检测项目名称"[: number + 1], kind) for number, kind in enumerate(types)]
    widths = column_widths(columns, width, numbered=600)
    assert sum(widths) == width
    assert min(widths) > 0
