"""A git that was started and forgotten ends by itself, without a warning."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from controller.adapters.git_objects import GitObjects
from tests.archives import make_workspace
from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path


def programs() -> set[int]:
    return {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}


def reader(folder: Path) -> object:
    objects = GitObjects(folder)
    assert objects.get("refs/heads/main")
    return objects


def half_read(folder: Path) -> object:
    objects = GitObjects(folder)
    found = objects.contents([("first", "refs/heads/main"), ("second", "refs/heads/main")])
    next(found)
    return found


@pytest.mark.parametrize("forgotten", [reader, half_read])
def test_a_forgotten_git_ends_quietly_even_when_only_the_collector_finds_it(tmp_path: Path, forgotten: Any) -> None:
    need("git")
    folder = make_workspace(tmp_path / "ws")
    before = programs()
    circle: list[object] = [forgotten(folder)]
    circle.append(circle)
    assert programs() - before
    del circle
    gc.collect()
    assert not programs() - before
