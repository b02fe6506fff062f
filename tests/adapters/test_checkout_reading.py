"""Checked-out files through a real office program, generated texts, and files that somebody tampered with."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.adapters.checkout_layout import CheckoutLayout
from controller.adapters.checkout_reading import CheckoutReading
from controller.adapters.working_files import WorkingFiles
from controller.file_formats.docx_package import (
    EmbeddedObjectError,
    ExternalLinkError,
    MacroError,
    XmlDeclarationError,
    open_docx,
    write_docx,
)
from controller.services.document_checkout import DocumentCheckout
from controller.services.document_library import DocumentLibrary
from tests.checked_out import TEXT, WHO, Sent, deleted, inserted, new_paragraph, paragraph_with, with_body
from tests.real_tools import need

if TYPE_CHECKING:
    from controller.domain.errors import QmsError
    from controller.services.checkout_ports import DocumentDrafts
    from controller.services.ports import Clock
    from controller.services.statement_filing import StatementFiling

ROOT = Path(__file__).parents[2]
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
NUMBERING = (
    '<w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:abstractNum '
    'w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText '
    'w:val="(%1)"/><w:lvlJc '
    'w:val="left"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
)
AUTO = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
BASE = TEXT + "|消毒剂|浓度|\n|---|---|\n|酒精|75%|\n4.记录:填写消毒记录。\n"


def office(files: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    """Return the files as LibreOffice writes them after opening them, all in one run."""
    source, target = folder / "in", folder / "out"
    source.mkdir()
    for name, data in files.items():
        (source / f"{name}.docx").write_bytes(data)
    subprocess.run(
        [need("soffice"), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to",
         "docx:MS Word 2007 XML", "--outdir", str(target), *map(str, sorted(source.iterdir()))],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return {name: (target / f"{name}.docx").read_bytes() for name in files}


def gone(place: str) -> str:
    """Return a paragraph deleted with its end, tracked."""
    out = place.replace("<w:r>", f"<w:del {WHO}><w:r>").replace("</w:r>", "</w:r></w:del>")
    out = out.replace("<w:t ", "<w:delText ").replace("</w:t>", "</w:delText>")
    return out.replace("</w:pPr>", f"<w:rPr><w:del {WHO}/></w:rPr></w:pPr>")


def edits(sent: Sent) -> dict[str, list[tuple[str, str]]]:
    """Sixteen edits as a manager makes them, each as replacements in the body."""
    first, last = paragraph_with(sent.docx, "3.1."), paragraph_with(sent.docx, "3.2.")
    bold = f"<w:r><w:rPr><w:b/><w:rPrChange {WHO}><w:rPr/></w:rPrChange></w:rPr><w:t>退机</w:t></w:r>"
    return {
        "nothing": [],
        "word-in": [("不少于30", "不少于" + inserted("连续") + "30")],
        "word-out": [("不少于30", deleted("不少于") + "30")],
        "number": [("30分钟", deleted("30") + inserted("60") + "分钟")],
        "two-people": [("30分钟", deleted("30") + inserted("45", WHO.replace("王芳", "李强")) + "分钟")],
        "paragraph-in": [(last, last + new_paragraph("3.3.贴上标签,写明日期。"))],
        "paragraph-between": [(last, new_paragraph("3.2.登记机号。") + last.replace("3.2.", "3.3."))],
        "paragraph-out": [(last, gone(last))],
        "paragraph-middle-out": [(first, gone(first)), ("3.2.", "3.1.")],
        "untracked": [("30分钟", "60分钟")],
        "untracked-paragraph": [(last, last + new_paragraph("3.3.贴上标签。", tracked=False))],
        "bold": [("收到退机", f"收到</w:t></w:r>{bold}<w:r><w:t>")],
        "cell": [("75%", "75%" + inserted("以上"))],
        "continuation": [(last, last + new_paragraph("作用期间不得移动设备。"))],
        "line-break": [("不少于30", "</w:t></w:r><w:r><w:br/><w:t>不少于30")],
        "page-break": [(first, first.replace("</w:pPr>", "<w:pageBreakBefore/></w:pPr>"))],
    }


@pytest.mark.slow
def test_edited_files_come_back_from_an_office_program_as_they_were_sent_there(tmp_path: Path) -> None:
    sent = Sent(BASE)
    direct: dict[str, bytes] = {}
    types = open_docx(sent.docx).contents["[Content_Types].xml"].decode()
    types = types.replace(
        "</Types>", f'<Override PartName="/word/numbering.xml" ContentType="{WORD}numbering+xml"/></Types>'
    )
    relations = open_docx(sent.docx).contents["word/_rels/document.xml.rels"].decode()
    relations = relations.replace(
        "</Relationships>",
        '<Relationship Id="n1" Target="numbering.xml" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/numbering"/></Relationships>',
    )
    automatic = {
        "word/numbering.xml": NUMBERING.encode(),
        "[Content_Types].xml": types.encode(),
        "word/_rels/document.xml.rels": relations.encode(),
    }
    end = paragraph_with(sent.docx, "4.记录")
    listed = end + "".join(new_paragraph(text, properties=AUTO) for text in ("型号;", "机号;", "消毒人。"))
    for name, replacements in edits(sent).items():
        direct[f"typed-{name}"] = sent.edited(*replacements)
        direct[f"automatic-{name}"] = sent.edited(*replacements, (end, listed), parts=automatic)
    assert len(direct) == 32
    through = office(direct, tmp_path)
    for name, data in direct.items():
        here, there = sent.back(data), sent.back(through[name])
        assert (name, there.text, there.traced.ids) == (name, here.text, here.traced.ids)
        assert (name, there.clauses) == (name, here.clauses)
        assert (name, {item.author for item in there.changes}) == (name, {item.author for item in here.changes})
        assert (name, [item.code for item in there.doubts]) == (name, [item.code for item in here.doubts])
        # What LibreOffice makes of a format is no edit either.
        assert here.unchanged == (name in {"typed-nothing", "typed-bold", "typed-page-break"}), name
        if name.startswith("automatic-"):
            assert here.text.endswith("4.记录:填写消毒记录。\n(1)型号;\n(2)机号;\n(3)消毒人。\n")


@pytest.mark.slow
def test_the_starter_procedures_come_back_from_an_office_program_to_the_byte(tmp_path: Path) -> None:
    files = WorkingFiles(ROOT)
    checkouts = DocumentCheckout(
        cast("DocumentDrafts", files), files, cast("StatementFiling", None), CheckoutLayout(), CheckoutReading(),
        cast("Clock", None), "安泽医疗器械有限公司",
    )  # fmt: skip
    from controller.services.returned_text import compare

    numbers = [number for number in DocumentLibrary(files).numbers() if "CX" in number]
    assert len(numbers) == 13
    given = {number: checkouts.sheet(number, "abcdef012345") for number in numbers}
    through = office({number: docx for number, (_, docx) in given.items()}, tmp_path)
    for number, (document, docx) in given.items():
        for data in (docx, through[number]):
            returned = CheckoutReading().read(data, name=number)
            assert (returned.checkout, returned.number) == ("abcdef012345", number)
            back = compare(document, checkouts.sent(document, docx), returned, next_serial=99, name=number)
            assert (number, back.unchanged, back.doubts, back.notes) == (number, True, (), ())


# -- generated ---------------------------------------------------------------------------------------------------

WORDS = st.text(alphabet="消毒设备登记回访用户,。:(《》 a1<&|\\-\t旳", min_size=1, max_size=20)
LABELS = st.sampled_from(["1.", "2.", "3.", "一、", "二、", "(一)", "(1)", "5.1.", "第一条", "第二条", "①", ""])
LINES = st.lists(st.tuples(LABELS, WORDS).map("".join), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES, st.sampled_from(["\n", "\r\n"]))
def test_any_text_comes_back_to_the_byte(lines: list[str], end: str) -> None:
    text = "1.目的:回访。" + end + end.join(lines) + end
    sent = Sent(text)
    back = sent.back(sent.docx)
    assert (back.text, back.unchanged, back.doubts) == (text, True, ())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES, st.data())
def test_a_line_added_anywhere_leaves_every_other_byte_alone(lines: list[str], data: st.DataObject) -> None:
    text = "1.目的:回访。\n" + "\n".join(lines) + "\n"
    sent = Sent(text)
    body = open_docx(sent.docx).contents["word/document.xml"].decode()
    places = [found.end() for found in re.finditer(r"</w:p>", body)][18:-22]
    inked = [line for line in text.splitlines() if line.strip()]
    added = "本行是新写的一句话。"
    spots = [at for at in places if body[at:].startswith("<w:p>") and "wk_" in body[:at]]
    if not spots or any(line.lstrip().startswith("|") for line in inked):
        return
    at = data.draw(st.sampled_from(spots))
    back = sent.back(with_body(sent.docx, body[:at] + new_paragraph(added) + body[at:]))
    assert [line for line in back.text.splitlines() if line.strip() and line != added] == inked
    assert back.text.count(added) == 1
    assert set(sent.document.segment.clauses[0].id or "") <= set("".join(back.traced.ids))


# -- hostile -----------------------------------------------------------------------------------------------------


def tampered(name: str, content: bytes, kind: str = "", relation: str = "") -> bytes:
    sent = Sent()
    parts = dict(open_docx(sent.docx).contents)
    parts[name] = content
    if kind:
        types = parts["[Content_Types].xml"].decode()
        override = f'<Override PartName="/{name}" ContentType="{kind}"/></Types>'
        parts["[Content_Types].xml"] = types.replace("</Types>", override).encode()
    if relation:
        listed = parts["word/_rels/document.xml.rels"].decode()
        parts["word/_rels/document.xml.rels"] = listed.replace(
            "</Relationships>", relation + "</Relationships>"
        ).encode()
    return write_docx(parts)


def linked(kind: str, target: str) -> str:
    office_kind = f"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}"
    return f'<Relationship Id="x9" Type="{office_kind}" Target="{target}" TargetMode="External"/>'


HARMFUL: dict[str, tuple[bytes, type[QmsError]]] = {
    "macro": (tampered("word/vbaProject.bin", b"vba", "application/vnd.ms-office.vbaProject"), MacroError),
    "ole": (tampered("word/embeddings/oleObject1.bin", b"x", "application/x-oleobject"), EmbeddedObjectError),
    "activex": (
        tampered("word/activeX/activeX1.xml", b"<a/>", "application/vnd.ms-office.activeX+xml"),
        EmbeddedObjectError,
    ),
    "template": (
        tampered("x.xml", b"<a/>", relation=linked("attachedTemplate", "https://example.org/t.dotm")),
        ExternalLinkError,
    ),
    "picture": (tampered("x.xml", b"<a/>", relation=linked("image", "https://example.org/a.png")), ExternalLinkError),
    "entities": (tampered("x.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), XmlDeclarationError),
    "font": (tampered("word/fonts/font1.odttf", b"MZ" * 40, "application/x-font-ttf"), EmbeddedObjectError),
    "hidden font": (
        tampered(
            "word/fonts/font1.odttf", b"#!/bin/sh" * 9, "application/vnd.openxmlformats-officedocument.obfuscatedFont"
        ),
        EmbeddedObjectError,
    ),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_what_acts_or_fetches_is_refused_with_its_place(name: str) -> None:
    data, error = HARMFUL[name]
    with pytest.raises(error) as refusal:
        CheckoutReading().read(data, name="改.docx")
    assert refusal.value.where


def test_bookmarks_and_properties_that_lie_are_believed_in_nothing() -> None:
    sent = Sent()
    lies = [
        ('w:name="wk_c1"', 'w:name="wk_c99999999999999999999"'),
        ('w:name="wk_c2"', 'w:name="wk_../../etc"'),
        ('w:name="wk_c3"', 'w:name="wk_c5"'),
    ]
    back = sent.back(sent.edited(*lies))
    assert back.unchanged
    assert back.traced.ids == ("c1", "c2", "c3", "c4", "c5")
    edited = sent.back(sent.edited(*lies, ("30分钟", "60分钟")))
    assert set(edited.traced.ids) == {"c1", "c2", "c3", "c4", "c5"}
