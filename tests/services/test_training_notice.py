"""The notice of change: which clauses it shows to which post, in short, with the day, the forms and whom to ask."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.adapters.training_notice_drawing import notice_docx
from controller.domain.document_comparison import compare
from controller.domain.text_difference import Mark, Stretch
from controller.domain.training_notice import NoticePost, shortened, sorted_changes
from controller.file_formats.docx_package import open_docx
from controller.file_formats.training_notice_page import notice_page
from controller.services.archive_ports import ControlledChange
from controller.services.library_adoption import library_statement
from controller.services.person_control import UnknownPostError
from tests.revised_documents import compared, versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.bootstrap import Application
    from controller.domain.training_notice import TrainingNotice
    from tests.conftest import Workspace

NUMBER = "XX-YLQXCX-015"
FOLDER = f"procedures/{NUMBER}"
CLERK = NoticePost("sales_clerk", "购销员", "经营部", forms={"AB-YLQXJL-007": "客户资料表"})
OLD = """1.职责
1.1.购销员每月回访。
1.2.质管员每季度抽查。
2.经营部
2.1.发货前核对三项。
3.记录
3.1.资料保存两年。
3.2.每年盘点一次。
"""


def told(new: str, post: NoticePost = CLERK) -> tuple[dict[str, str], list[str]]:
    """Places that concern the post with why, and the other places."""
    found = sorted_changes(compared(OLD, new), post)
    return {str(item.place): str(item.because) for item in found.own}, [str(item.place) for item in found.general]


def test_a_clause_concerns_the_post_that_it_names_or_whose_department_heads_it() -> None:
    new = OLD.replace("每月", "每周").replace("每季度", "每月").replace("三项", "四项").replace("两年", "五年")
    assert told(new) == ({"1.1.": "写到“购销员”", "2.1.": "在“2.经营部”之下"}, ["1.2.", "3.1."])


def test_a_clause_that_speaks_of_everybody_concerns_every_post() -> None:
    assert told(OLD.replace("每年盘点一次", "各部门每半年盘点一次"))[0] == {"3.2.": "写到“各部门”"}


def test_a_clause_that_leads_to_a_form_of_the_post_concerns_it() -> None:
    before, after = versions(OLD, OLD.replace("两年", "五年"))
    after = replace(after, document=replace(after.document, links={"3.1": ("AB-YLQXJL-007",)}))
    found = sorted_changes(compare(before, after), CLERK)
    assert [str(item.because) for item in found.own] == ["用到本岗位填的《客户资料表》"]


def test_renumbered_clauses_are_counted_and_not_listed() -> None:
    found = sorted_changes(compared(OLD, OLD.replace("3.2.", "3.3.").replace("3.1.", "3.2.")), CLERK)
    assert (found.own, found.general, found.renumbered) == ((), (), 2)


def test_what_the_page_has_no_room_for_is_counted() -> None:
    lines = [f"{place}.购销员第{place}项工作按规定办理并做好记录。" for place in range(1, 41)]
    old, new = "\n".join(lines) + "\n", "\n".join(line.replace("规定", "新规定") for line in lines) + "\n"
    found = sorted_changes(compared(old, new), CLERK)
    assert len(found.own) + found.more == 40
    assert len(found.own) == 10


def test_long_stretches_keep_the_words_beside_the_change() -> None:
    same = "甲" * 100
    marks = (Stretch(Mark.SAME, same), Stretch(Mark.ADDED, "乙"), Stretch(Mark.SAME, same))
    assert [item.text for item in shortened(marks)] == ["…" + "甲" * 28, "乙", "甲" * 28 + "…"]


def revise(application: Application) -> None:
    """015 A/0 → A/1, approved: a deadline shortened, a clause added, a form given up and one taken on."""
    text = (application.approved_files.read(f"{FOLDER}/clauses.txt") or b"").decode()
    control = (application.approved_files.read(f"{FOLDER}/document.yml") or b"").decode()
    changes = (
        ("5.6.不调查的，写明理由并由质管员同意。", "5.6.不调查的，写明理由并由质管员同意，报质量负责人备案。"),
        ("15个工作日内以书面", "10个工作日内以书面"),
    )
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    control = control.replace("revision: A/0", "revision: A/1").replace("XX-YLQXJL-032]", "XX-YLQXJL-020]")
    changed: Mapping[str, bytes | None] = {
        f"{FOLDER}/clauses.txt": text.encode(),
        f"{FOLDER}/document.yml": control.encode(),
    }
    statement = library_statement(
        application.approved_files, changed, subject=NUMBER, reason="缩短答复时限", meaning="批准"
    )
    application.statements.file(
        statement,
        application.person("林静"),
        controlled=ControlledChange(changed, action="adopt", subject=NUMBER, note="缩短答复时限"),
    )


@pytest.fixture
def application(workspace: Workspace) -> Iterator[Application]:
    with closing(workspace.open()) as opened:
        revise(opened)
        yield opened


def for_post(application: Application, post: str) -> TrainingNotice:
    return application.training_notices.notices("CX-015", posts=[post])[0]


def test_a_notice_says_what_changed_for_whom_from_when_and_whom_to_ask(application: Application) -> None:
    application.training.assign(
        NUMBER, "A/1", application.person("陈晓"), posts=["质管员", "购销员"], effective="2026-12-15"
    )
    officer, clerk = application.training_notices.notices("CX-015")
    assert (officer.post, officer.before, officer.after) == ("质管员", "A/0", "A/1")
    assert (officer.effective, officer.reason) == ("2026-12-15", "缩短答复时限")
    assert [(str(item.place), str(item.because)) for item in officer.own] == [
        ("5.6.", "写到“质管员”"),
        ("5.9.", "用到本岗位填的《质量投诉处理记录》"),
    ]
    assert "".join(part.text for part in officer.own[0].stretches if part.mark is Mark.ADDED) == "，报质量负责人备案"
    assert {item.number: (str(item.told), item.own) for item in officer.forms} == {
        "XX-YLQXJL-020": ("开始使用", True),
        "XX-YLQXJL-032": ("不再由本文件管理", True),
    }
    assert str(officer.to_do[0]) == "2026-12-15 起按 A/1 执行；在那之前仍按 A/0 执行。"
    assert str(officer.ask) == "不明白的地方请问：归口部门售后服务部、文件管理员陈晓。"
    assert (clerk.post, clerk.own, [str(item.place) for item in clerk.general]) == ("购销员", (), ["5.6.", "5.9."])


def test_without_an_assignment_the_posts_are_those_that_the_document_concerns(application: Application) -> None:
    concerned = application.training_notices.posts_concerned("CX-015")
    assert {"quality_officer", "after_sales_manager", "quality_head"} <= set(concerned)
    assert "system_admin" not in concerned
    assert "sales_clerk" not in concerned
    assert next(item.post for item in application.training_notices.notices("CX-015")) == "企业负责人"
    with pytest.raises(UnknownPostError):
        for_post(application, "总工程师")


def test_the_first_revision_is_told_as_new(application: Application) -> None:
    notice = application.training_notices.notices("CX-015", revision="A/0", posts=["质管员"])[0]
    assert (notice.before, notice.after) == (None, "A/0")
    assert [str(item.place) for item in notice.own if "质管员" in str(item.because)] == ["5.6."]
    assert all("旧版" not in str(line) for line in notice.to_do)


def test_the_page_holds_every_word_and_nothing_that_runs(application: Application) -> None:
    notice = replace(for_post(application, "质管员"), reason='<script>alert("1")</script>')
    page = notice_page([notice], str).decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<ins>，报质量负责人备案</ins>" in page
    assert "<del>15</del><ins>10</ins>" in page
    docx = notice_docx([notice, for_post(application, "售后服务管理人员")], str)
    words = open_docx(docx).contents["word/document.xml"].decode()
    assert words.count("pageBreakBefore") == 1
    assert "与质管员有关的更改" in words
    assert notice_docx([notice], str) == notice_docx([notice], str)


@pytest.mark.slow
def test_a_full_notice_stays_on_one_page(application: Application) -> None:
    lines = [f"{place}.质管员第{place}项工作按规定办理，做好记录并保存五年。" for place in range(1, 41)]
    old, new = "\n".join(lines) + "\n", "\n".join(line.replace("五年", "十年以上") for line in lines) + "\n"
    changes = sorted_changes(compare(*versions(old, new)), NoticePost("quality_officer", "质管员"))
    notice = for_post(application, "质管员")
    forms = (notice.forms * 3)[:6]
    full = replace(notice, own=changes.own, general=(), more=changes.more, forms=forms)
    assert application.printing.print(notice_docx([full], str)).pages == 1
