from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from controller.adapters.git_archive import GitArchive
from controller.adapters.git_controlled_files import (
    EditedFileError,
    GitControlledFiles,
    RepositoryExistsError,
    init_repository,
)
from controller.adapters.git_import import move_branches
from controller.adapters.git_objects import NotARepositoryError
from controller.adapters.git_program import NoSpaceError, RefMovedError
from controller.adapters.stored_path import PathRefusedError
from controller.adapters.workspace_lock import WorkspaceBusyError, WorkspaceLock
from controller.services.archive_ports import ArchiveChange, ControlledChange
from tests.archives import SITE_FILE, make_workspace
from tests.builders import MORNING, WANG
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILES = {
    ".gitignore": b".qms/\n",
    "procedures/XX-YLQXCX-014/clauses.txt": "一、目的\r\n旳\n".encode(),
    "procedures/XX-YLQXCX-014/document.yml": b"format: wenkong/document/1\n",
    "templates/forms/XX-YLQXJL-018/form.yml": b"number: XX-YLQXJL-018\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need("git")
    return make_workspace(tmp_path / "工作区 一", FILES)


@pytest.fixture
def controlled(folder: Path) -> Iterator[GitControlledFiles]:
    opened = open_files(folder)
    yield opened
    opened.close()


def open_files(folder: Path, patience: float = 60.0) -> GitControlledFiles:
    return GitControlledFiles(folder, lock=WorkspaceLock(folder / ".qms" / "locks"), patience=patience)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True).stdout.decode().strip()


def change(controlled: GitControlledFiles, changes: Mapping[str, bytes | None]) -> str:
    """Change `main` as every act does: in one step with a statement in the archive."""
    lock = WorkspaceLock(controlled.folder / ".qms" / "locks")
    with (
        closing(GitArchive(controlled.folder, lock=lock, controlled=controlled)) as archive,
        archive.writing() as writer,
    ):
        path = f"trail/{len(writer.listing('trail')) + 1}"
        writer.append(
            ArchiveChange({f"{path}.json": b"{}"}, WANG, MORNING, path, {}),
            controlled=ControlledChange(changes, "revise", "XX-YLQXCX-014 A/1", "法规更新", statement=path),
        )
    return controlled.revision()


def test_a_new_workspace_has_its_two_branches_and_nothing_to_commit(folder: Path) -> None:
    assert git(folder, "for-each-ref", "--format=%(refname)") == "refs/heads/archive/main\nrefs/heads/main"
    assert git(folder, "status", "--short") == ""
    assert git(folder, "rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert git(folder, "ls-tree", "--name-only", "archive/main") == "site.json"
    assert git(folder, "merge-base", "--all", "main", "main") == git(folder, "rev-parse", "main")
    assert subprocess.run(["git", "fsck", "--strict"], cwd=folder, capture_output=True, check=False).returncode == 0
    assert [path.name for path in folder.iterdir() if path.name.startswith(".wenkong")] == []


def test_every_byte_of_a_new_workspace_is_kept(controlled: GitControlledFiles) -> None:
    assert {path: controlled.read(path) for path in controlled.files("")} == FILES


def test_a_second_repository_is_not_made_over_the_first(folder: Path) -> None:
    head = git(folder, "rev-parse", "main")
    with pytest.raises(RepositoryExistsError):
        init_repository(folder, site="main", begin=[{"site.json": SITE_FILE}], by=WANG, at=MORNING)
    assert git(folder, "rev-parse", "main") == head


def test_a_repository_that_cannot_be_finished_is_not_there_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a.txt").write_bytes(b"x")
    monkeypatch.setattr("controller.adapters.git_controlled_files.sync_folder", full)
    monkeypatch.setattr("controller.adapters.git_import.sync_folder", full)
    with pytest.raises(NoSpaceError):
        init_repository(tmp_path, site="main", begin=[{"site.json": SITE_FILE}], by=WANG, at=MORNING)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_names_that_windows_cannot_store_are_not_taken_into_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "procedures").mkdir()
    (tmp_path / "procedures" / "aux.txt").write_bytes(b"x")
    with pytest.raises(PathRefusedError, match="aux"):
        init_repository(tmp_path, site="main", begin=[{"site.json": SITE_FILE}], by=WANG, at=MORNING)
    assert [path.name for path in tmp_path.iterdir()] == ["procedures"]


def test_reading_shows_the_commit_not_the_half_edited_folder(folder: Path, controlled: GitControlledFiles) -> None:
    (folder / "procedures/XX-YLQXCX-014/document.yml").write_bytes(b"edited\n")
    (folder / "procedures/new.yml").write_bytes(b"new\n")
    assert controlled.read("procedures/XX-YLQXCX-014/document.yml") == FILES["procedures/XX-YLQXCX-014/document.yml"]
    assert controlled.read("procedures/new.yml") is None
    assert controlled.folders("") == ["procedures", "templates"]
    assert controlled.folders("procedures") == ["XX-YLQXCX-014"]
    assert controlled.folders("nowhere") == []
    assert controlled.files("procedures") == [path for path in FILES if path.startswith("procedures")]
    assert controlled.read("procedures") is None


def test_what_was_read_is_read_anew_when_main_has_moved(folder: Path, controlled: GitControlledFiles) -> None:
    path = "templates/forms/XX-YLQXJL-018/form.yml"
    first = controlled.revision()
    assert controlled.read(path) == FILES[path]
    assert controlled.read("templates/forms/XX-YLQXJL-019/form.yml") is None
    assert controlled.folders("templates/forms") == ["XX-YLQXJL-018"]
    with closing(open_files(folder)) as other:
        change(other, {path: b"number: two\n", "templates/forms/XX-YLQXJL-019/form.yml": b"number: new\n"})
    git(folder, "pack-refs", "--all")
    assert controlled.read(path) == b"number: two\n"
    assert controlled.read("templates/forms/XX-YLQXJL-019/form.yml") == b"number: new\n"
    assert controlled.folders("templates/forms") == ["XX-YLQXJL-018", "XX-YLQXJL-019"]
    assert controlled.read(path, at=first) == FILES[path]


def test_a_change_reaches_commit_folder_and_index_together(folder: Path, controlled: GitControlledFiles) -> None:
    before = controlled.revision()
    changes = {
        "procedures/XX-YLQXCX-014/document.yml": b"revision: A/1\r\n",
        "procedures/XX-YLQXCX-015/clauses.txt": "新增 “引号”\n".encode(),
        "templates/forms/XX-YLQXJL-018/form.yml": None,
    }
    commit = change(controlled, changes)
    assert controlled.revision() == commit != before
    assert {path: controlled.read(path) for path in changes} == changes
    assert (folder / "procedures/XX-YLQXCX-014/document.yml").read_bytes() == b"revision: A/1\r\n"
    assert not (folder / "templates/forms/XX-YLQXJL-018/form.yml").exists()
    assert git(folder, "status", "--short") == ""
    assert controlled.files("templates") == []
    assert git(folder, "log", "-1", "--format=%an %s%n%(trailers:only,unfold)").splitlines() == [
        "王芳 revise: XX-YLQXCX-014 A/1",
        "QMS-Action: revise",
        "QMS-Subject: XX-YLQXCX-014 A/1",
        "QMS-Signer: p003",
        "QMS-Statement: trail/1",
    ]
    assert git(folder, "show", "archive/main:trail/1.json") == "{}"


def test_a_change_takes_only_its_own_paths_along(folder: Path, controlled: GitControlledFiles) -> None:
    (folder / "templates/forms/XX-YLQXJL-018/form.yml").write_bytes(b"my edit\n")
    (folder / "staged.txt").write_bytes(b"staged\n")
    git(folder, "add", "staged.txt")
    change(controlled, {"procedures/XX-YLQXCX-014/document.yml": b"revision: A/1\n"})
    assert git(folder, "show", "--name-only", "--format=", "main") == "procedures/XX-YLQXCX-014/document.yml"
    assert git(folder, "status", "--short").splitlines() == [
        "A  staged.txt",
        " M templates/forms/XX-YLQXJL-018/form.yml",
    ]


def test_a_change_to_what_is_there_already_makes_no_commit(controlled: GitControlledFiles) -> None:
    before = controlled.revision()
    assert change(controlled, dict(FILES)) == before


def test_an_edit_that_is_not_controlled_is_never_overwritten(folder: Path, controlled: GitControlledFiles) -> None:
    edited = folder / "procedures/XX-YLQXCX-014/document.yml"
    edited.write_bytes(b"my edit\n")
    before = controlled.revision()
    with pytest.raises(EditedFileError, match=r"document\.yml"):
        change(controlled, {"procedures/a.txt": b"1", "procedures/XX-YLQXCX-014/document.yml": b"revision: A/1\n"})
    assert edited.read_bytes() == b"my edit\n"
    assert not (folder / "procedures/a.txt").exists()
    assert controlled.revision() == before
    assert "trail" not in git(folder, "ls-tree", "--name-only", "archive/main")
    assert git(folder, "for-each-ref", "refs/heads/main", "--format=%(objectname)") == before


def test_an_edit_that_says_what_the_change_says_is_no_obstacle(folder: Path, controlled: GitControlledFiles) -> None:
    (folder / "procedures/XX-YLQXCX-014/document.yml").write_bytes(b"revision: A/1\n")
    change(controlled, {"procedures/XX-YLQXCX-014/document.yml": b"revision: A/1\n"})
    assert git(folder, "status", "--short") == ""


def test_when_main_moves_meanwhile_folder_and_branch_stay_as_they_were(
    folder: Path, controlled: GitControlledFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = move_branches
    other = git(folder, "rev-parse", "archive/main")

    def meanwhile(*arguments: object, **named: object) -> None:
        git(folder, "update-ref", "refs/heads/main", other)
        real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("controller.adapters.git_archive.move_branches", meanwhile)
    with pytest.raises(RefMovedError):
        change(controlled, {"procedures/XX-YLQXCX-014/document.yml": b"x", "procedures/new.txt": b"1"})
    assert (folder / "procedures/XX-YLQXCX-014/document.yml").read_bytes() == FILES[
        "procedures/XX-YLQXCX-014/document.yml"
    ]
    assert not (folder / "procedures/new.txt").exists()
    assert controlled.revision() == other
    assert "trail" not in git(folder, "ls-tree", "--name-only", "archive/main")


def test_on_another_branch_only_main_changes(folder: Path, controlled: GitControlledFiles) -> None:
    git(folder, "checkout", "--quiet", "-b", "draft/x")
    change(controlled, {"procedures/XX-YLQXCX-014/document.yml": b"revision: A/1\n"})
    assert (folder / "procedures/XX-YLQXCX-014/document.yml").read_bytes() == FILES[
        "procedures/XX-YLQXCX-014/document.yml"
    ]
    assert git(folder, "status", "--short") == ""
    assert controlled.read("procedures/XX-YLQXCX-014/document.yml") == b"revision: A/1\n"


def test_a_busy_workspace_is_not_changed(folder: Path) -> None:
    impatient = open_files(folder, patience=0.05)
    before = impatient.revision()
    with (
        WorkspaceLock(folder / ".qms" / "locks")("controlled-files", 1),
        pytest.raises(WorkspaceBusyError, match="另一个程序"),
    ):
        change(impatient, {"a.txt": b"1"})
    assert impatient.revision() == before
    impatient.close()


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", ".git/hooks/pre-commit", "a/../../b", "C:/a", "nul"])
def test_a_change_cannot_leave_the_workspace(folder: Path, controlled: GitControlledFiles, path: str) -> None:
    before = controlled.revision()
    with pytest.raises(PathRefusedError):
        change(controlled, {path: b"x"})
    assert controlled.revision() == before


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights on Windows")
def test_a_linked_folder_does_not_lead_a_change_out_of_the_workspace(
    folder: Path, controlled: GitControlledFiles, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "link").symlink_to(outside, target_is_directory=True)
    with pytest.raises(PathRefusedError):
        change(controlled, {"link/a.txt": b"x"})
    assert list(outside.iterdir()) == []


def test_hooks_and_foreign_settings_have_no_say(folder: Path, controlled: GitControlledFiles) -> None:
    hook = folder / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    before = controlled.revision()
    assert change(controlled, {"a.txt": b"1"}) != before


def test_another_repositorys_variables_are_not_followed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_workspace(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    controlled = open_files(folder)
    assert controlled.files("templates") == ["templates/forms/XX-YLQXJL-018/form.yml"]
    change(controlled, {"a.txt": b"1"})
    controlled.close()
    monkeypatch.undo()
    assert git(other, "status", "--short") == ""
    assert git(folder, "status", "--short") == ""


def test_a_repository_without_main_is_half_made(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    controlled = open_files(tmp_path)
    with pytest.raises(NotARepositoryError) as caught:
        controlled.read("a")
    assert "qms init" in str(caught.value.hint)
    controlled.close()
