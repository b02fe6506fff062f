"""`signatures/posts.yml` 与 `people.yml` 的读取. What the staff files may say, and how every slip is named."""

from __future__ import annotations

from datetime import date

import pytest

from controller.domain.conformity import Gravity
from controller.domain.person import Person, PostHeld
from controller.file_formats.staff_file import StaffFileError, StaffReading, read_staff, write_people
from controller.file_formats.yaml_text import YamlTextError

POSTS = """\
format: wenkong/posts/1
posts:
  quality_head: {name: 质量负责人, department: 质管部, duty: XX-YLQXZZ-002, key_post: true, note: 审核体系文件}
  sales_clerk: {name: 购销员}
  system_admin: {name: 系统管理员, business: false}
"""
DAYS = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30), date(2026, 7, 1))
NOBODY = "format: wenkong/people/1\npeople: []\n"


def people(*lines: str) -> str:
    return "format: wenkong/people/1\npeople:\n" + "".join(f"  - {line}\n" for line in lines)


def codes(reading: StaffReading) -> list[tuple[str, int | None]]:
    return [(item.code, item.line) for item in reading.findings]


def test_people_and_posts_are_read_with_all_they_say() -> None:
    reading = read_staff(
        POSTS,
        people(
            "{id: p001, name: 林静, posts: [quality_head, sales_clerk], active: true}",
            "{id: p002, name: 王强, posts: [sales_clerk], active: false}",
        ),
    )
    assert reading.findings == ()
    staff = reading.require()
    assert [(p.id, p.name, tuple(p.posts), p.active) for p in staff.people.values()] == [
        ("p001", "林静", ("quality_head", "sales_clerk"), True),
        ("p002", "王强", ("sales_clerk",), False),
    ]
    head = staff.posts["quality_head"]
    assert (head.name, head.department, head.duty, head.key_post, head.business, head.note) == (
        "质量负责人",
        "质管部",
        "XX-YLQXZZ-002",
        True,
        True,
        "审核体系文件",
    )
    assert staff.signatory(staff.people["p001"]).post == "质量负责人"


def test_an_empty_people_list_is_in_order() -> None:
    reading = read_staff(POSTS, NOBODY)
    assert reading.require().people == {}


def test_a_person_is_active_unless_the_file_says_otherwise() -> None:
    assert read_staff(POSTS, people("{id: p1, name: 林静, posts: [quality_head]}")).staff.people["p1"].active


def test_an_unknown_post_is_an_error_with_the_nearest_known() -> None:
    reading = read_staff(POSTS, people("{id: p001, name: 林静, posts: [quality_hed]}"))
    assert codes(reading) == [("person-post-unknown", 3)]
    assert reading.findings[0].gravity is Gravity.ERROR
    assert str(reading.findings[0].hint) == "是否想写 quality_head？"
    assert reading.staff.people["p001"].posts == ()


def test_a_person_id_given_twice_is_an_error_and_the_first_keeps_it() -> None:
    reading = read_staff(
        POSTS,
        people("{id: p001, name: 林静, posts: [quality_head]}", "{id: p001, name: 王强, posts: [sales_clerk]}"),
    )
    assert codes(reading) == [("person-id-duplicate", 4)]
    assert reading.staff.people["p001"].name == "林静"
    with pytest.raises(StaffFileError) as caught:
        reading.require()
    assert "林静、王强" in str(caught.value)
    assert caught.value.where == "signatures/people.yml:4"


def test_two_active_people_of_one_name_are_an_error() -> None:
    reading = read_staff(
        POSTS,
        people("{id: p001, name: 林静, posts: [quality_head]}", "{id: p002, name: 林静, posts: [sales_clerk]}"),
    )
    assert codes(reading) == [("person-name-duplicate", 4)]
    assert [item.code for item in reading.errors] == ["person-name-duplicate"]


def test_a_former_employee_may_have_had_the_same_name() -> None:
    reading = read_staff(
        POSTS,
        people(
            "{id: p001, name: 林静, posts: [quality_head], active: false}",
            "{id: p002, name: 林静, posts: [quality_head]}",
        ),
    )
    assert reading.findings == ()


def test_the_system_administrator_with_a_business_post_is_a_warning() -> None:
    reading = read_staff(POSTS, people("{id: p001, name: 林静, posts: [system_admin, sales_clerk]}"))
    assert [(item.code, item.gravity) for item in reading.findings] == [("person-posts-conflict", Gravity.WARNING)]
    assert reading.require().people["p001"].name == "林静"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{name: 林静, posts: [quality_head]}", "person-id-invalid"),
        ("{id: 7, name: 林静, posts: [quality_head]}", "person-id-invalid"),
        ("{id: ../p1, name: 林静, posts: [quality_head]}", "person-id-invalid"),
        ("{id: p1, posts: [quality_head]}", "staff-name-missing"),
        ("{id: p1, name: '', posts: [quality_head]}", "staff-name-missing"),
        ("{id: p1, name: ' 林静', posts: [quality_head]}", "staff-name-invalid"),
        ('{id: p1, name: "林\\u202e静", posts: [quality_head]}', "staff-name-invalid"),
        ("{id: p1, name: 林静}", "person-without-post"),
        ("{id: p1, name: 林静, posts: quality_head}", "person-without-post"),
        ("{id: p1, name: 林静, posts: [quality_head, quality_head]}", "person-post-repeated"),
        ("{id: p1, name: 林静, posts: [quality_head], active: 是}", "staff-flag-invalid"),
        ("{id: p1, name: 林静, posts: [quality_head], actve: true}", "staff-key-unknown"),
        ("林静", "person-invalid"),
    ],
)
def test_each_slip_in_a_person_is_named_with_its_line(line: str, code: str) -> None:
    assert codes(read_staff(POSTS, people(line))) == [(code, 3)]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("any: {name: 任何人}", "post-key-invalid"),
        ("Quality-Head: {name: 质量负责人}", "post-key-invalid"),
        ("clerk: 购销员", "post-invalid"),
        ("clerk: {department: 经营部}", "staff-name-missing"),
        ("clerk: {name: 购销员, duty: 职责8}", "post-duty-invalid"),
        ("clerk: {name: 购销员, key_post: 1}", "staff-flag-invalid"),
        ("clerk: {name: 购销员, note: [a]}", "staff-text-invalid"),
        ("clerk: {name: 购销员, departmnt: 经营部}", "staff-key-unknown"),
    ],
)
def test_each_slip_in_a_post_is_named_with_its_line(line: str, code: str) -> None:
    text = f"format: wenkong/posts/1\nposts:\n  {line}\n"
    assert codes(read_staff(text, NOBODY)) == [(code, 3)]


def test_two_posts_of_one_name_are_an_error() -> None:
    text = "format: wenkong/posts/1\nposts:\n  a: {name: 质管员}\n  b: {name: 质管员}\n"
    assert codes(read_staff(text, NOBODY)) == [("post-name-duplicate", 4)]


def test_all_slips_are_reported_at_once() -> None:
    reading = read_staff(
        POSTS,
        people("{id: p001, name: 林静, posts: [nobody]}", "{id: p001, name: 王强, posts: [sales_clerk]}", "{id: 3}"),
    )
    assert codes(reading) == [("person-post-unknown", 3), ("person-id-duplicate", 4), ("person-id-invalid", 5)]


@pytest.mark.parametrize("text", ["", "[]", "format: wenkong/posts/1\npeople: []\n"])
def test_a_people_file_of_another_format_is_an_error(text: str) -> None:
    assert [item.code for item in read_staff(POSTS, text).errors] == ["staff-format"]


def test_people_that_are_no_list_are_an_error() -> None:
    assert codes(read_staff(POSTS, "format: wenkong/people/1\npeople: {p1: 林静}\n")) == [("people-invalid", 2)]


def test_a_file_without_posts_is_an_error() -> None:
    assert codes(read_staff("format: wenkong/posts/1\nposts: {}\n", NOBODY)) == [("posts-missing", 2)]
    assert [item.code for item in read_staff("format: wenkong/people/1\n", NOBODY).errors] == ["staff-format"]


def test_a_duplicate_key_is_refused_with_its_line() -> None:
    with pytest.raises(YamlTextError) as caught:
        read_staff(POSTS, people("{id: p1, id: p2, name: 林静, posts: [quality_head]}"))
    assert caught.value.where == "signatures/people.yml:3"


def test_posts_may_have_days_and_the_old_shape_goes_on() -> None:
    people = """\
format: wenkong/people/1
people:
  - {id: p001, name: 张三, posts: [quality_head, {post: clerk, since: 2026-01-01, until: 2026-06-30}]}
"""
    posts = "format: wenkong/posts/1\nposts:\n  quality_head: {name: 质量负责人}\n  clerk: {name: 文员}\n"
    person = read_staff(posts, people).require().people["p001"]
    assert person.held == (PostHeld("quality_head"), PostHeld("clerk", date(2026, 1, 1), date(2026, 6, 30)))
    assert person.posts == ("quality_head", "clerk")
    held = {day: read_staff(posts, people, on=day).require().people["p001"].posts for day in DAYS}
    assert held == {
        date(2025, 12, 31): ("quality_head",),
        date(2026, 1, 1): ("quality_head", "clerk"),
        date(2026, 6, 30): ("quality_head", "clerk"),
        date(2026, 7, 1): ("quality_head",),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        "{post: clerk, since: soon}",
        "{post: clerk, until: 2026-02-30}",
        "{post: clerk, since: 2026-02-01, until: 2026-01-31}",
        "{post: clerk, since: [1]}",
        "{post: clerk, from: 2026-01-01}",
        "{since: 2026-01-01}",
    ],
)
def test_days_of_a_post_that_cannot_be_are_named(wrong: str) -> None:
    people = f"format: wenkong/people/1\npeople:\n  - {{id: p001, name: 张三, posts: [{wrong}]}}\n"
    posts = "format: wenkong/posts/1\nposts:\n  clerk: {name: 文员}\n"
    [finding] = read_staff(posts, people).errors
    assert finding.code in {"person-post-date", "staff-key-unknown", "person-post-unknown"}
    assert finding.line == 3


def test_what_is_written_is_read_back_and_other_people_and_notes_stay() -> None:
    posts = "format: wenkong/posts/1\nposts:\n  clerk: {name: 文员}\n  head: {name: 负责人}\n"
    before = "format: wenkong/people/1\npeople:\n  - {id: p001, name: 张三, posts: [head], note: 兼职}\n"
    added = Person("p002", "李四: x", ["clerk"], held=(PostHeld("clerk", date(2026, 1, 1)), PostHeld("head")))
    written = write_people(before, [added])
    staff = read_staff(posts, written).require()
    assert staff.people["p002"].held == added.held
    assert "兼职" in written
    gone = Person("p001", "张三", [], active=False, held=(PostHeld("head", None, date(2026, 2, 1)),))
    again = read_staff(posts, write_people(written, [gone])).require()
    assert (again.people["p001"].active, again.people["p001"].held) == (False, gone.held)
    assert list(again.people) == ["p001", "p002"]
