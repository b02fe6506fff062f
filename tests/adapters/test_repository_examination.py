"""The repository as a folder of files: what was put there beside what the program made."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from controller.adapters.git_index_examination import GitIndexExamination
from controller.adapters.repository_examination import RepositoryExamination
from tests.archives import make_workspace
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need("git")
    return make_workspace(tmp_path / "ws")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def codes(folder: Path) -> list[tuple[str, str | None]]:
    return [(item.code, item.path) for item in RepositoryExamination(folder).findings()]


def test_a_new_workspace_and_one_with_a_server_have_nothing_to_tell(folder: Path) -> None:
    assert codes(folder) == []
    git(folder, "config", "remote.origin.url", "ssh://server/company.git")
    git(folder, "config", "branch.main.remote", "origin")
    assert codes(folder) == []


def setting(key: str, value: str) -> Callable[[Path], None]:
    return lambda folder: git(folder, "config", key, value)


def file(name: str, content: bytes = b"x\n") -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        path = folder / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return write


def deleted(pattern: str) -> Callable[[Path], None]:
    def delete(folder: Path) -> None:
        for path in (folder / ".git").glob(pattern):
            path.unlink()

    return delete


CONFIG = ".git/config"


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (setting("core.hooksPath", "elsewhere/hooks"), ("repository-setting-dangerous", CONFIG)),
        (setting("alias.log", "!rm -rf /"), ("repository-setting-dangerous", CONFIG)),
        (setting("filter.x.clean", "evil"), ("repository-setting-dangerous", CONFIG)),
        (setting("include.path", "elsewhere/settings"), ("repository-setting-dangerous", CONFIG)),
        (setting("core.sshCommand", "evil"), ("repository-setting-dangerous", CONFIG)),
        (setting("gc.auto", "1"), ("repository-setting-wrong", CONFIG)),
        (setting("core.bare", "true"), ("repository-setting-wrong", CONFIG)),
        (setting("push.default", "matching"), ("repository-setting-wrong", CONFIG)),
        (setting("user.name", "somebody"), ("repository-setting-wrong", CONFIG)),
        (file("config", b"[core\n"), ("repository-setting-wrong", CONFIG)),
        (file("config", b""), ("repository-setting-wrong", CONFIG)),
        (file("HEAD", b"ref: refs/heads/other\n"), ("head-not-on-main", ".git/HEAD")),
        (file("hooks/pre-commit"), ("repository-hook", ".git/hooks/pre-commit")),
        (file("refs/heads/archive/main", b"rubbish"), ("ref-damaged", ".git/refs/heads/archive/main")),
        (file("refs/heads/archive/main", b""), ("ref-damaged", ".git/refs/heads/archive/main")),
        (file("refs/heads/main", b"ref: refs/heads/other\n"), ("ref-damaged", ".git/refs/heads/main")),
        (file("packed-refs", b"rubbish\n"), ("ref-damaged", ".git/packed-refs")),
        (file("refs/heads/other", b"0" * 40), ("ref-unknown", ".git/refs/heads/other")),
        (file(f"refs/replace/{'0' * 40}", b"0" * 40), ("objects-replaced", f".git/refs/replace/{'0' * 40}")),
        (file("info/grafts"), ("objects-replaced", ".git/info/grafts")),
        (file("shallow"), ("objects-replaced", ".git/shallow")),
        (file("objects/info/alternates"), ("objects-replaced", ".git/objects/info/alternates")),
        (file("notes"), ("repository-file-unknown", ".git/notes")),
        (file("objects/pack/notes"), ("repository-file-unknown", ".git/objects/pack/notes")),
    ],
)
def test_what_does_not_belong_there_is_named(
    folder: Path, done: Callable[[Path], None], expected: tuple[str, str]
) -> None:
    done(folder)
    assert expected in codes(folder)


@pytest.mark.parametrize("kind", ["idx", "pack"])
def test_half_of_a_pack_is_named(folder: Path, kind: str) -> None:
    deleted(f"objects/pack/*.{kind}")(folder)
    assert {code for code, _ in codes(folder)} == {"pack-incomplete"}


def test_a_workspace_without_repository_is_one_finding(tmp_path: Path) -> None:
    assert codes(tmp_path) == [("repository-missing", ".git")]


@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_an_index_that_is_lost_or_damaged_is_told_and_how_to_mend_it(folder: Path, content: bytes | None) -> None:
    assert list(GitIndexExamination(folder).findings()) == []
    path = folder / ".git" / "index"
    path.unlink() if content is None else path.write_bytes(content)
    (finding,) = GitIndexExamination(folder).findings()
    assert (finding.code, finding.path) == ("git-index-differs", ".git/index")


def test_an_index_with_other_content_is_told(folder: Path) -> None:
    git(folder, "rm", "--cached", "-q", "-r", ".")
    (finding,) = GitIndexExamination(folder).findings()
    assert "clauses.txt" in str(finding.message)
