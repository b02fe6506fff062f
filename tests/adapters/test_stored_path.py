from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.adapters.stored_path import PathRefusedError, check_path


@pytest.mark.parametrize(
    "path",
    [
        "site.json",
        "附件/现场 照片(1).jpg",
        ".gitignore",
        ".gitattributes",
        "a/.github",
        "XX-YLQXJL-018/2026/00/00/x",
        "console",
    ],
)
def test_ordinary_names_are_taken_as_they_are(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "./a",
        "a\\b", "C:", "a:b", "a*", "a?", 'a"b', "a<b", "a|b", "a\nb", "a\0b", "a\x7fb", "\ud800",
        "a.", "a ", " a", "a./b", "con", "CON.txt", "aux", "com1", "LPT9.log", "nul",
        ".git", ".GIT/config", "a/.git/hooks/x", "git~1", ".gitmodules", ".g\u200cit", "\uff0egit",
        "x" * 241,
    ],
)  # fmt: skip
def test_names_that_some_system_reads_otherwise_are_refused(path: str) -> None:
    with pytest.raises(PathRefusedError) as caught:
        check_path(path)
    assert caught.value.code == "path-refused"


@given(st.text(max_size=30))
def test_no_accepted_path_leaves_its_folder(path: str) -> None:
    try:
        accepted = check_path(path)
    except PathRefusedError:
        return
    assert not accepted.startswith("/")
    assert not {"", ".", ".."} & set(accepted.split("/"))
