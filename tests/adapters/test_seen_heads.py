from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from controller.adapters.seen_heads import SeenHeadsFile
from controller.services.archive_ports import SeenHead

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_seen_of_each_site_comes_back_in_another_process(tmp_path: Path) -> None:
    heads = SeenHeadsFile(tmp_path / "keys", tmp_path / "w")
    heads.remember("main", SeenHead("a" * 40, 7))
    heads.remember("shanghai", SeenHead("b" * 40))
    heads.remember("main", SeenHead("c" * 40, 8))
    again = SeenHeadsFile(tmp_path / "keys", tmp_path / "w")
    assert (again.last("main"), again.last("shanghai"), again.last("other")) == (
        SeenHead("c" * 40, 8),
        SeenHead("b" * 40),
        None,
    )
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["seen.json"]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"format": "wenkong/seen/1", "folders": [{"folder": "w", "sites": {"main": {"tip": 3}}}, 3, {}]}',
    ],
)
def test_rubbish_counts_as_not_seen_and_is_written_over(tmp_path: Path, rubbish: bytes) -> None:
    (tmp_path / "seen.json").write_bytes(rubbish)
    heads = SeenHeadsFile(tmp_path, tmp_path / "w")
    assert heads.last("main") is None
    heads.remember("main", SeenHead("a" * 40))
    assert heads.last("main") == SeenHead("a" * 40)


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    heads = SeenHeadsFile(tmp_path / "file" / "keys", tmp_path / "w")
    heads.remember("main", SeenHead("a" * 40))
    assert heads.last("main") is None


def workspace(folder: Path) -> Path:
    (folder / ".git").mkdir(parents=True)
    return folder


def test_a_copy_in_another_folder_is_told_apart_and_knows_what_was_seen_before(tmp_path: Path) -> None:
    real = SeenHeadsFile(tmp_path / "keys", workspace(tmp_path / "real"))
    real.remember("main", SeenHead("a" * 40))
    copy = SeenHeadsFile(tmp_path / "keys", workspace(tmp_path / "copy"))
    assert copy.last("main") is None
    copy.remember("main", SeenHead("b" * 40))
    assert (real.last("main"), copy.last("main")) == (SeenHead("a" * 40), SeenHead("b" * 40))
    assert copy.before("main") == [(str(tmp_path / "real"), SeenHead("a" * 40))]
    assert real.before("main") == []


def test_a_folder_that_was_moved_is_the_same_and_one_put_in_its_place_is_too(tmp_path: Path) -> None:
    here = workspace(tmp_path / "here")
    SeenHeadsFile(tmp_path / "keys", here).remember("main", SeenHead("a" * 40))
    there = here.rename(tmp_path / "there")
    moved = SeenHeadsFile(tmp_path / "keys", there)
    assert moved.last("main") == SeenHead("a" * 40)
    replaced = SeenHeadsFile(tmp_path / "keys", workspace(tmp_path / "here"))
    assert replaced.last("main") == SeenHead("a" * 40)


def test_keys_that_are_copied_with_the_workspace_remember_the_copy(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    SeenHeadsFile(first / "keys", workspace(first / "w"), together=True).remember("main", SeenHead("a" * 40))
    shutil.copytree(first, second)
    assert SeenHeadsFile(second / "keys", second / "w", together=True).last("main") == SeenHead("a" * 40)
