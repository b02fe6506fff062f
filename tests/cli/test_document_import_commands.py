"""A company's folder of old documents, from the plan to the archive, as the person in charge does it."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING

import docx as python_docx
import pytest

from tests.docx_files import docx
from tests.legacy_files import BODY, OldFile, as_doc, control_table, cover_lines, merged_table
from tests.scans import plain_pdf, small_png

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Answer, Workspace

REASON = ("--reason", "导入启用系统之前的体系文件")
HEAD = "林静"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "旧文件"
    folder.mkdir()
    (folder / "采购控制程序.docx").write_bytes(control_table().bytes())
    (folder / "仓储.docx").write_bytes(merged_table().bytes())
    (folder / "宏.docx").write_bytes(docx("1.目的", parts={"word/vbaProject.bin": b"x"}))
    (folder / "~$采购控制程序.docx").write_bytes(b"lock")
    (folder / "证照.pdf").write_bytes(plain_pdf())
    return folder


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return tmp_path / "对照表.yml"


def plan(workspace: Workspace, old: Path, mapping: Path, *more: str) -> Answer:
    return workspace.qms("doc", "import", str(old), "--plan", str(mapping), *more, person=HEAD)


def bring_in(workspace: Workspace, old: Path, mapping: Path, *more: str, person: str = HEAD) -> Answer:
    return workspace.qms("doc", "import", str(old), "--mapping", str(mapping), *REASON, *more, person=person)


def edit(mapping: Path, old: str, new: str) -> None:
    text = mapping.read_text(encoding="utf-8")
    assert old in text
    mapping.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_plan_tells_everything_and_changes_nothing(workspace: Workspace, old: Path, mapping: Path) -> None:
    before = workspace.tree()
    answer = plan(workspace, old, mapping)
    assert answer.code == 1, answer.err  # a file was refused
    assert "采购控制程序.docx:1-21\tQMST-QP-001\tXX-YLQXCX-" in answer.out
    assert "[不符合] 宏.docx" in answer.out
    assert "看了 4 个文件，1 个没有读入；找到 2 篇，建议导入 2 篇。" in answer.out
    assert "[提示] 证照.pdf 不是文本或 Word 文件，没有读入。" in answer.out
    assert {path: data for path, data in workspace.tree().items() if not path.startswith(".git/")} == {
        path: data for path, data in before.items() if not path.startswith(".git/")
    }
    text = mapping.read_text(encoding="utf-8")
    assert "former_number: QMST-QP-001" in text
    assert "版本“第2版”按 B/0 处理。" in text
    again = plan(workspace, old, mapping)
    assert again.code != 0
    assert "已存在" in again.err


def test_a_plan_as_json_and_as_a_report(workspace: Workspace, old: Path, mapping: Path, tmp_path: Path) -> None:
    report = tmp_path / "报告.docx"
    answer = workspace.qms(
        "--json", "doc", "import", str(old), "--plan", str(mapping), "--report", str(report), person=HEAD
    )
    data = json.loads(answer.out)
    first = data["documents"][1]
    assert (first["former_number"], first["revision"], first["former_revision"]) == ("QMST-QP-001", "B/0", "第2版")
    assert first["approved"] == {"name": "周明", "date": "2019-05-30"}
    assert [item["path"] for item in data["findings"] if item["gravity"] == "error"] == ["宏.docx"]
    cells = [
        cell.text for table in python_docx.Document(str(report)).tables for row in table.rows for cell in row.cells
    ]
    assert "宏.docx" in cells
    assert "版本“第2版”按 B/0 处理。" in cells
    refused = plan(workspace, old, tmp_path / "另一张.yml", "--report", str(tmp_path / "报告.xlsx"))
    assert "import-report-kind-unknown" in refused.err


def test_old_documents_come_in_by_one_signed_act_and_show_as_approved_elsewhere(
    workspace: Workspace, old: Path, mapping: Path, tmp_path: Path
) -> None:
    scans = tmp_path / "扫描"
    scans.mkdir()
    (scans / "批准页.png").write_bytes(small_png())
    plan(workspace, old, mapping)
    edit(mapping, "  sure:\n  - number\n  - title\n  - class\n  - owner", "  scan: 批准页.png\n  sure:\n  - number")
    number = re.findall(r"number: (XX-YLQXCX-\d+)", mapping.read_text(encoding="utf-8"))[0]
    answer = bring_in(workspace, old, mapping, "--scans", str(scans))
    assert answer.code == 0, answer.err
    assert "共导入 2 份，一次签名；其中 2 份登记为系统外批准（扫描件 1 个），0 项未导入。" in answer.out

    shown = workspace.qms("doc", "show", number).out
    assert "批准\t周明 2019-05-30（系统外，不是本系统的签名）" in shown
    assert "原编号\tQMST-QP-001" in shown
    assert "受控状态 | 受控 | 分发号 | 03" in shown
    assert "第1版 2015-03-01 全部 首次发布 赵敏（系统外）" in shown
    for line in BODY:
        assert line in shown
    history = workspace.qms("doc", "history", number).out
    assert "启用本系统之前的修订（系统外，录自旧文件）：" in history
    assert "系统外批准：起草 赵敏 2019-05-20、审核 林静 2019-05-25、批准 周明 2019-05-30" in history
    signatures = workspace.qms("doc", "signatures", number)
    assert signatures.code == 1  # nobody has signed here
    assert "原件扫描件“批准页.png”（林静登记）" in signatures.out
    assert "待签：起草（在册人员）、审核（质量负责人）、批准（企业负责人）" in signatures.out

    printed = tmp_path / "打印.docx"
    assert workspace.qms("doc", "print", number, "--out", str(printed)).code == 0
    pages = python_docx.Document(str(printed))
    words = "\n".join(paragraph.text for paragraph in pages.paragraphs)
    cells = {cell.text for table in pages.tables for row in table.rows for cell in row.cells}
    for line in BODY:
        assert line in words
    assert {"周明（系统外）", "系统外批准", "首营审核改由质管部负责", "赵敏（系统外）", "第2版"} <= cells

    copies = tmp_path / "取出"
    assert workspace.qms("doc", "scans", number, "--out", str(copies)).code == 0
    assert (copies / "批准页.png").read_bytes() == small_png()
    assert workspace.qms("verify").code == 0


def test_its_first_day_and_its_approval_are_told_alike_everywhere(
    workspace: Workspace, old: Path, mapping: Path
) -> None:
    plan(workspace, old, mapping)
    number = re.findall(r"number: (XX-YLQXCX-\d+)", mapping.read_text(encoding="utf-8"))[0]
    assert bring_in(workspace, old, mapping).code == 0
    shown = json.loads(workspace.qms("--json", "doc", "show", number).out)
    day = shown["effective"]
    assert day == "2019-06-01"
    approval = "系统外批准：起草 赵敏 2019-05-20、审核 林静 2019-05-25、批准 周明 2019-05-30"
    history = json.loads(workspace.qms("--json", "doc", "history", number).out)
    (revision,) = history["revisions"]
    assert (revision["effective"], revision["elsewhere"], revision["approved"]) == (day, approval, None)
    (line,) = [line for line in workspace.qms("doc", "history", number).out.splitlines() if "现行有效" in line]
    assert day in line
    assert approval in line
    today = history["changes"][0]["at"][:10]
    items = json.loads(workspace.qms("--json", "doc", "as-of", today).out)["items"]
    (item,) = [item for item in items if item["number"] == number]
    assert (item["effective"], item["elsewhere"], item["approved"]) == (day, approval, None)
    (line,) = [line for line in workspace.qms("doc", "as-of", today).out.splitlines() if number in line]
    assert f"\t{day}\t" in line
    assert line.endswith(approval)
    kept = ("--outcome", "继续有效", "--suitability", "适宜", "--adequacy", "充分", "--effectiveness", "有效")
    reviewed = json.loads(workspace.qms("--json", "review", "record", number, *kept, person=HEAD).out)
    record = workspace.qms("record", "show", reviewed["review"]["record"], person=HEAD).out
    assert f"自 {day} 起现行" in record
    assert approval in record


def test_what_was_imported_is_signed_here_like_any_other_document(
    workspace: Workspace, old: Path, mapping: Path
) -> None:
    plan(workspace, old, mapping)
    number = re.findall(r"number: (XX-YLQXCX-\d+)", mapping.read_text(encoding="utf-8"))[0]
    assert bring_in(workspace, old, mapping).code == 0
    signed = workspace.qms("doc", "sign", number, "--meaning", "起草", person="陈晓")
    assert signed.code == 0, signed.err
    standing = json.loads(workspace.qms("--json", "doc", "signatures", number).out)
    assert [step["signature"] is not None for step in standing["steps"]] == [True, False, False]
    assert standing["elsewhere"][0]["steps"][2] == {"meaning": "批准", "name": "周明", "date": "2019-05-30"}
    assert workspace.qms("verify").code == 0


def test_nothing_comes_in_when_anything_is_wrong_and_all_of_it_is_told(
    workspace: Workspace, old: Path, mapping: Path
) -> None:
    plan(workspace, old, mapping)
    tree = workspace.tree()
    text = mapping.read_text(encoding="utf-8")
    (old / "仓储.docx").write_bytes(cover_lines().bytes())
    changed = bring_in(workspace, old, mapping)
    assert changed.code == 4
    assert "仓储.docx 在生成对照表之后改过。" in changed.err

    (old / "仓储.docx").write_bytes(merged_table().bytes())
    numbers = re.findall(r"  number: (\S+)", text)
    mapping.write_text(text.replace(numbers[1], "XX-YLQXCX-014"), encoding="utf-8")
    taken = bring_in(workspace, old, mapping)
    assert taken.code == 4
    assert "编号 XX-YLQXCX-014 已用于《售后服务质量控制管理程序》。" in taken.err

    mapping.write_text(
        text.replace("  sure:", "  scan: 没有.png\n  forms: [XX-YLQXJL-999]\n  sure:", 1), encoding="utf-8"
    )
    several = bring_in(workspace, old, mapping)
    assert several.code == 4
    assert "没有这些表单：XX-YLQXJL-999。" in several.err
    mapping.write_text(text.replace("  sure:", "  scan: ../对照表.yml\n  sure:", 1), encoding="utf-8")
    outside = bring_in(workspace, old, mapping, "--scans", str(old))
    assert outside.code == 4
    assert "不是目录内的相对路径" in outside.err
    mapping.write_text(text.replace("  sure:", "  scan: 仓储.docx\n  sure:", 1), encoding="utf-8")
    assert "内容不是 PDF、JPEG 或 PNG" in bring_in(workspace, old, mapping, "--scans", str(old)).err

    mapping.write_text(text.replace("import: yes", "import: no"), encoding="utf-8")
    assert "legacy-nothing-mapped" in bring_in(workspace, old, mapping).err
    mapping.write_text(text.replace("  title:", "  titel:", 1), encoding="utf-8")
    misspelt = bring_in(workspace, old, mapping)
    assert "对照表.yml:29" in misspelt.err
    assert "是否想写 title？" in misspelt.err
    mapping.write_text(text, encoding="utf-8")
    assert bring_in(workspace, old, mapping, person="孙丽").code == 4
    bare = workspace.qms("doc", "import", str(old), "--mapping", str(mapping), person=HEAD)
    assert "adoption-reason-needed" in bare.err
    library = {path: data for path, data in workspace.tree().items() if path.startswith("procedures/")}
    assert library == {path: data for path, data in tree.items() if path.startswith("procedures/")}


def test_the_same_folder_is_not_imported_twice(workspace: Workspace, old: Path, mapping: Path, tmp_path: Path) -> None:
    plan(workspace, old, mapping)
    assert bring_in(workspace, old, mapping).code == 0
    refused = bring_in(workspace, old, mapping).err
    assert refused.count("已导入，就是 XX-YLQX") == 2, refused
    assert "采购控制程序.docx 已导入" in refused
    assert "换一个没有用过的编号" not in refused
    again = plan(workspace, old, tmp_path / "第二次.yml")
    assert again.out.count("条款与系统里的 XX-YLQX") == 2
    assert "建议导入 0 篇" in again.out


def test_copies_and_doubled_numbers_are_told_and_only_one_is_proposed(
    workspace: Workspace, tmp_path: Path, mapping: Path
) -> None:
    folder = tmp_path / "重复"
    folder.mkdir()
    (folder / "a.docx").write_bytes(OldFile().lines("采购控制程序", *BODY).bytes())
    (folder / "b.docx").write_bytes(OldFile().lines("QP-9 采购控制程序", "文件编号：QP-09", *BODY).bytes())
    (folder / "c.docx").write_bytes(OldFile().lines("验收程序", "文件编号：QP-09", *BODY[:5], "4.4.另一句话。").bytes())
    answer = plan(workspace, folder, mapping)
    assert "条款与 b.docx:1-10《" in answer.out
    assert "编号 QP-09 与 b.docx:1-10 重复。" in answer.out
    wanted = re.findall(r"import: (\w+)", mapping.read_text(encoding="utf-8"))
    assert wanted == ["no", "yes", "yes"]
    numbers = re.findall(r"  number: (\S+)", mapping.read_text(encoding="utf-8"))
    assert len(set(numbers)) == 3


def test_tracked_changes_wait_for_a_decision(workspace: Workspace, tmp_path: Path, mapping: Path) -> None:
    folder = tmp_path / "修订中"
    folder.mkdir()
    (folder / "a.docx").write_bytes(OldFile().lines("采购控制程序", *BODY).tracked("4.4.新增。").bytes())
    answer = plan(workspace, folder, mapping)
    assert "文档里有未处理的修订，按接受修订后的文字读入。" in answer.out
    assert "import: no" in mapping.read_text(encoding="utf-8")
    edit(mapping, "import: no", "import: yes")
    assert bring_in(workspace, folder, mapping).code == 0
    assert "a.docx 已导入，就是 XX-YLQX" in bring_in(workspace, folder, mapping).err  # nobody approved it elsewhere


def test_a_folder_needs_a_step_and_a_file_takes_none(workspace: Workspace, old: Path, mapping: Path) -> None:
    assert "分两步" in workspace.qms("doc", "import", str(old), person=HEAD).err
    assert "--number" in plan(workspace, old, mapping, "--number", "XX-YLQXCX-099").err
    assert "--mapping 同用" in plan(workspace, old, mapping, *REASON).err
    single = workspace.qms("doc", "import", str(old / "仓储.docx"), "--plan", str(mapping), person=HEAD)
    assert "用于导入文件夹" in single.err


@pytest.mark.slow
def test_a_binary_word_file_comes_in_word_for_word(workspace: Workspace, tmp_path: Path, mapping: Path) -> None:
    folder, made = tmp_path / "旧版", tmp_path / "made"
    folder.mkdir()
    made.mkdir()
    source = as_doc(control_table().bytes(), made, "采购")
    (folder / "采购.doc").write_bytes(source.read_bytes())
    answer = plan(workspace, folder, mapping)
    assert answer.code == 0, answer.out + answer.err
    number = re.findall(r"  number: (\S+)", mapping.read_text(encoding="utf-8"))[0]
    assert bring_in(workspace, folder, mapping).code == 0
    shown = json.loads(workspace.qms("--json", "doc", "show", number).out)
    assert [line for line in shown["text"].split() if line] == ["采购控制程序", *BODY]
    assert shown["former_number"] == "QMST-QP-001"
    assert shown["approved"] == {"name": "周明", "date": "2019-05-30"}


def test_the_words_of_a_print_are_those_of_the_old_file(
    workspace: Workspace, old: Path, mapping: Path, tmp_path: Path
) -> None:
    (old / "采购控制程序.docx").unlink()
    plan(workspace, old, mapping)
    number = re.findall(r"  number: (\S+)", mapping.read_text(encoding="utf-8"))[0]
    assert bring_in(workspace, old, mapping).code == 0
    target = tmp_path / "打印.docx"
    assert workspace.qms("doc", "print", number, "--out", str(target)).code == 0
    said = json.loads(workspace.qms("--json", "doc", "parse", str(target), "--print").out)["text"]
    for paragraph in python_docx.Document(io.BytesIO(merged_table().bytes())).paragraphs:
        assert paragraph.text in said
