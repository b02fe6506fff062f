from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.adapters.seen_heads import SeenHeadsFile
from controller.services.ports import SeenHead

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_seen_of_each_site_comes_back_in_another_process(tmp_path: Path) -> None:
    heads = SeenHeadsFile(tmp_path / "keys")
    heads.remember("main", SeenHead("a" * 40, 7))
    heads.remember("shanghai", SeenHead("b" * 40))
    heads.remember("main", SeenHead("c" * 40, 8))
    again = SeenHeadsFile(tmp_path / "keys")
    assert (again.last("main"), again.last("shanghai"), again.last("other")) == (
        SeenHead("c" * 40, 8),
        SeenHead("b" * 40),
        None,
    )
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["seen.json"]


@pytest.mark.parametrize(
    "rubbish", [b"", b"{", b"\xff\xfe", b"[]", b'{"format": "wenkong/seen/1", "sites": {"main": {"tip": 3}}}']
)
def test_rubbish_counts_as_not_seen_and_is_written_over(tmp_path: Path, rubbish: bytes) -> None:
    (tmp_path / "seen.json").write_bytes(rubbish)
    heads = SeenHeadsFile(tmp_path)
    assert heads.last("main") is None
    heads.remember("main", SeenHead("a" * 40))
    assert heads.last("main") == SeenHead("a" * 40)


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    heads = SeenHeadsFile(tmp_path / "file" / "keys")
    heads.remember("main", SeenHead("a" * 40))
    assert heads.last("main") is None
