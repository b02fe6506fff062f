from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from controller.adapters.git_program import (
    GitFailedError,
    GitMissingError,
    GitProgram,
    GitTooOldError,
    NoSpaceError,
    StorageDeniedError,
    durable_settings,
    git_version,
)
from tests.archives import make_workspace
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def program(tmp_path: Path) -> GitProgram:
    need("git")
    folder = make_workspace(tmp_path / "ws")
    return GitProgram(folder / ".git", folder)


@pytest.fixture
def forgotten_version() -> Iterator[None]:
    git_version.cache_clear()
    yield
    git_version.cache_clear()


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        ("error: file write error: No space left on device\nfatal: unable to write", NoSpaceError),
        ("fatal: write error: Disk quota exceeded", NoSpaceError),
        ("fatal: sha1 file '.git/objects/pack/tmp_pack_x' write error. Out of diskspace", NoSpaceError),
        ("fatal: unable to write: File too large", NoSpaceError),
        ("error: unable to create temporary file: Permission denied", StorageDeniedError),
        ("fatal: unable to create '/x/.git/a.lock': Read-only file system", StorageDeniedError),
        ("error: insufficient permission for adding an object to repository database .git/objects", StorageDeniedError),
        ("fatal: bad object HEAD", GitFailedError),
        ("", GitFailedError),
    ],
)
def test_gits_words_become_an_error_with_a_next_step(
    program: GitProgram, stderr: str, expected: type[NoSpaceError | StorageDeniedError | GitFailedError]
) -> None:
    error = program.failure(stderr.encode(), 128)
    assert type(error) is expected
    assert error.hint is not None


def test_a_bad_exit_code_is_an_error_and_an_expected_one_is_not(program: GitProgram) -> None:
    with pytest.raises(GitFailedError, match="fatal: Needed a single revision"):
        program.run("rev-parse", "--verify", "refs/heads/nowhere")
    assert program.run("rev-parse", "--verify", "--quiet", "refs/heads/nowhere", codes=(1,)) == b""


def test_without_git_the_message_says_what_to_install(
    program: GitProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, forgotten_version: None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissingError) as caught:
        git_version()
    assert "2.34" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["git version 2.33.9\n", "git version 1.8.3.1\n"])
def test_a_git_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, text: str, forgotten_version: None) -> None:
    answer = subprocess.CompletedProcess(["git"], 0, stdout=text.encode(), stderr=b"")
    monkeypatch.setattr("controller.adapters.git_program.subprocess.run", lambda *_args, **_kwargs: answer)
    with pytest.raises(GitTooOldError, match=text.split()[2]):
        git_version()


@pytest.mark.parametrize("text", ["git version 2.47.1.windows.2\n", "git version 2.39.5 (Apple Git-154)\n"])
def test_versions_of_other_makers_are_understood(
    monkeypatch: pytest.MonkeyPatch, text: str, forgotten_version: None
) -> None:
    answer = subprocess.CompletedProcess(["git"], 0, stdout=text.encode(), stderr=b"")
    monkeypatch.setattr("controller.adapters.git_program.subprocess.run", lambda *_args, **_kwargs: answer)
    assert git_version()[:2] == tuple(int(part) for part in text.split()[2].split(".")[:2])


def test_older_gits_sync_as_far_as_they_can() -> None:
    assert durable_settings((2, 36, 0)) == {"core.fsync": "all"}
    assert durable_settings((2, 35, 8)) == {"core.fsyncObjectFiles": "true"}


def test_a_users_own_settings_are_not_read(
    program: GitProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text("[wenkong]\n\ttest = 1\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    fresh = GitProgram(program.git_folder, program.work_folder)
    assert fresh.run("config", "--get", "wenkong.test", codes=(0, 1)) == b""
