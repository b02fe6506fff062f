"""Where this computer keeps what must be gone at restart."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from controller.adapters.this_computer import runtime_folder

if TYPE_CHECKING:
    import pytest

LINUX = sys.platform not in {"win32", "darwin"}


def test_without_a_folder_of_its_own_the_account_gets_none_in_the_common_one_and_no_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(Path, "is_dir", lambda path: False if path.is_relative_to("/run/user") else path.exists())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (runtime_folder() is None) is LINUX
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "not there"))
        assert (runtime_folder() is None) is LINUX
