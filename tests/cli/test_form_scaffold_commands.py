"""`qms form scaffold` and `qms form compile` in a workspace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from controller.file_formats.docx_package import open_docx, write_docx

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace


def template(workspace: Workspace) -> Path:
    return workspace.folder / "templates" / "forms" / "XX-YLQXJL-013" / "form.docx"


def restyle(path: Path) -> None:
    parts = dict(open_docx(path.read_bytes()).contents)
    parts["word/document.xml"] = parts["word/document.xml"].replace(b"</w:body>", b"<w:p/></w:body>")
    path.write_bytes(write_docx(parts))


def test_the_starter_forms_are_as_their_definitions_draw_them(workspace: Workspace) -> None:
    before = workspace.tree()
    answer = workspace.qms("--json", "form", "scaffold", "--all")
    assert answer.code == 0, answer.err
    forms = json.loads(answer.out)["forms"]
    assert len(forms) >= 34
    assert [form["number"] for form in forms if form["changed"]] == []
    assert workspace.tree() == before


def test_a_restyled_template_is_refused_then_forced_with_a_copy_kept(workspace: Workspace) -> None:
    restyle(template(workspace))
    mine = template(workspace).read_bytes()
    refused = workspace.qms("form", "scaffold", "JL-013")
    assert refused.code == 4
    assert "--force" in refused.err
    assert template(workspace).read_bytes() == mine
    forced = workspace.qms("--json", "form", "scaffold", "JL-013", "--force")
    assert forced.code == 0
    kept = json.loads(forced.out)["forms"][0]["kept"]
    assert (workspace.folder / kept).read_bytes() == mine


def test_one_restyled_template_does_not_keep_the_others_from_being_made(workspace: Workspace) -> None:
    restyle(template(workspace))
    answer = workspace.qms("form", "scaffold", "JL-013", "JL-014")
    assert answer.code == 1
    assert "XX-YLQXJL-014" in answer.out
    assert "没有覆盖它" in answer.out


def test_a_restyled_template_compiles(workspace: Workspace) -> None:
    restyle(template(workspace))
    assert workspace.qms("form", "compile", "JL-013").code == 0
    assert workspace.qms("form", "lint", "JL-013").code == 0


def misspell(path: Path) -> None:
    parts = dict(open_docx(path.read_bytes()).contents)
    parts["word/document.xml"] = parts["word/document.xml"].replace(b"{{ detail }}", b"{{ detial }}{{ colour }}")
    path.write_bytes(write_docx(parts))


def test_one_form_that_cannot_be_compiled_tells_everything_that_is_wrong_with_it(workspace: Workspace) -> None:
    misspell(template(workspace))
    before = workspace.tree()
    answer = workspace.qms("form", "compile", "JL-013")
    assert answer.code == 6
    assert "template-names-undeclared" in answer.err
    assert "detial" in answer.err
    assert "colour" in answer.err
    assert "[不符合]" in answer.err
    found = json.loads(workspace.qms("--json", "form", "compile", "JL-013").out)["error"]["findings"]
    assert {"compiled-stale"} < {finding["code"] for finding in found}
    assert workspace.tree() == before


def test_of_several_forms_each_gets_its_own_result(workspace: Workspace) -> None:
    misspell(template(workspace))
    template(workspace).parents[1].joinpath("XX-YLQXJL-014", "form.docx").write_bytes(b"no docx")
    answer = workspace.qms("--json", "form", "compile", "JL-013", "JL-014", "JL-015")
    assert answer.code == 1
    made = json.loads(answer.out)
    assert [form["number"] for form in made["forms"]] == ["XX-YLQXJL-015"]
    assert [form["number"] for form in made["refused"]] == ["XX-YLQXJL-013", "XX-YLQXJL-014"]
    assert {finding["subject"] for finding in made["findings"]} == {"XX-YLQXJL-013", "XX-YLQXJL-014"}


def test_compiling_also_checks_the_definition(workspace: Workspace) -> None:
    path = template(workspace).with_name("form.yml")
    path.write_text(path.read_text(encoding="utf-8").replace("XX-YLQXCX-", "XX-YLQXCX-9", 1), encoding="utf-8")
    answer = workspace.qms("form", "compile", "JL-013")
    assert answer.code == 1
    assert "form.yml" in answer.out


def test_no_form_and_an_unknown_form_are_told_apart(workspace: Workspace) -> None:
    assert workspace.qms("form", "scaffold").code == 2
    unknown = workspace.qms("form", "scaffold", "JL-999")
    assert unknown.code == 3
    assert "JL-999" in unknown.err
