"""A redline with true tracked changes: accepting all is the new print, rejecting all the old one, here and in Word."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from controller.adapters.house_style import house_file
from controller.adapters.procedure_layout import procedure_docx
from controller.adapters.redline_layout import RedlineInexactError, RedlineLayout
from controller.domain.identifiers import Digest
from controller.file_formats.docx_package import open_docx, write_docx
from controller.file_formats.island_file import IslandFile, write_island
from controller.file_formats.tracked_changes import accepted, body_blocks, rejected, serialized
from tests.real_tools import need
from tests.revised_documents import compared, redline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOUSE = house_file("procedure")
MAIN = "word/document.xml"
OLD = """\
1.目的:规范售后回访工作。
2.职责:售后部负责回访。
3.范围:本程序适用于售后服务。
4.内容:
4.1.每半年回访一次重点客户,填写ISO 9001记录。
4.2.回访记录保存五年。
|记录|期限|
|---|---|
|回访记录|五年|
|投诉记录|五年|
5.附则
"""
NEW = """\
1.目的:规范售后回访和投诉处理工作。
3.范围:本程序适用于售后服务。
2.职责:售后部负责回访,质管部监督。
4.内容:
4.1.每季度回访两次重点客户,填写ISO 13485记录。
4.2.新客户一个月内回访<首次>。
4.3.回访记录保存六年。
|记录|期限|
|---|---|
|回访记录|六年|
|培训记录|三年|
|投诉记录|五年|
|a|b|c|
5.附则:自批准之日起施行,原规定同时废止,由质管部负责解释。
"""
LINES = st.sampled_from([*OLD.splitlines(), *NEW.splitlines(), "", "没有编号的一段。", "版本:A/1", "第 3 页 共 9 页"])
TEXTS = st.lists(LINES, max_size=10).map("\n".join)


def draw(old: str, new: str, islands: Mapping[Digest, bytes] | None = None) -> bytes:
    return RedlineLayout().draw(redline(compared(old, new), islands), HOUSE)


def main(docx: bytes) -> bytes:
    return open_docx(docx).contents[MAIN]


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS)
def test_accepting_and_rejecting_gives_both_prints_for_any_pair(old: str, new: str) -> None:
    shown = redline(compared(old, new))
    document = main(RedlineLayout().draw(shown, HOUSE))
    assert body_blocks(accepted(document)) == body_blocks(etree.fromstring(main(procedure_docx(shown.new, HOUSE))))
    assert body_blocks(rejected(document)) == body_blocks(etree.fromstring(main(procedure_docx(shown.old, HOUSE))))


def test_marks_name_author_and_moment_and_every_id_is_used_once() -> None:
    root = etree.fromstring(main(draw(OLD, NEW)))
    word = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    marks = list(root.iter(f"{word}ins", f"{word}del"))
    assert {item.get(f"{word}author") for item in marks} == {"陈晓"}
    assert {item.get(f"{word}date") for item in marks} == {"2026-03-02T10:15:00Z"}
    ids = [item.get(f"{word}id") for item in root.iter() if item.get(f"{word}author")]
    assert len(ids) == len(set(ids))
    assert [item for item in root.iter(f"{word}del") if item.find(f"{word}r/{word}t") is not None] == []


def test_same_input_gives_the_same_bytes() -> None:
    assert draw(OLD, NEW) == draw(OLD, NEW)


def test_a_picture_that_came_and_a_table_that_went_are_tracked_as_wholes() -> None:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    merged = write_island(
        IslandFile(
            f'<w:tbl xmlns:w="{word}"><w:tblPr/><w:tblGrid><w:gridCol w:w="4000"/></w:tblGrid><w:tr><w:tc><w:tcPr>'
            '<w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>合并</w:t></w:r></w:p></w:tc></w:tr></w:tbl>'
        )
    )
    drawing = write_island(IslandFile(f'<w:drawing xmlns:w="{word}"/>'))
    islands = {Digest.of(merged): merged, Digest.of(drawing): drawing}
    old = f"{OLD}〔图表 {Digest.of(merged)} 合并〕\n"
    new = f"{OLD}〔图表 {Digest.of(drawing)} 流程图〕\n"
    document = main(draw(old, new, islands))
    assert "合并" in str(body_blocks(rejected(document)))
    assert "合并" not in str(body_blocks(accepted(document)))
    assert "\ufffc" in body_blocks(accepted(document))
    assert "\ufffc" not in body_blocks(rejected(document))


def test_a_redline_that_is_not_exact_is_never_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.adapters.redline_layout.differences", lambda _old, _new: ())
    with pytest.raises(RedlineInexactError):
        draw(OLD, NEW)


def office(source: Path, form: str) -> Path:
    """Convert with a real LibreOffice in a profile of its own; returns the new file."""
    made = source.parent / form
    command = [need("soffice"), f"-env:UserInstallation={(source.parent / 'profile').as_uri()}", "--headless"]
    ended = subprocess.run(
        [*command, "--convert-to", form, "--outdir", str(made), str(source)],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return made / source.with_suffix(f".{form}").name


@pytest.mark.slow
def test_libreoffice_reads_the_same_two_texts(tmp_path: Path) -> None:
    """LibreOffice saves the redline again: its own marks, accepted and rejected, are the prints as it reads them."""
    docx = draw(OLD, NEW)
    source = tmp_path / "redline.docx"
    source.write_bytes(docx)
    saved = main(office(source, "docx").read_bytes())
    assert b"<w:ins " in saved
    assert b"<w:del " in saved
    assert "陈晓".encode() in saved
    prints = {"new": accepted, "old": rejected}
    for name, resolve in prints.items():
        plain = tmp_path / f"{name}.docx"
        plain.write_bytes(write_docx({**open_docx(docx).contents, MAIN: serialized(resolve(main(docx)))}))
        text = office(plain, "txt").read_text(encoding="utf-8-sig")
        words = body_blocks(etree.fromstring(main(plain.read_bytes())))
        assert [line for line in words if line] == [line for line in body_blocks(resolve(saved)) if line]
        for block in words:
            for passage in [block] if isinstance(block, str) else [cell for row in block for cell in row]:
                assert all(line in text for line in passage.splitlines())
