"""组装. Builds the real adapters for one workspace and hands the services to `cli` and `web`.

Everything is made at first use, so that a command pays only for what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from controller.settings import Settings, find_workspace, load_settings

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Application:
    """一个打开的工作区. Its settings and its services."""

    folder: Path
    settings: Settings

    @cached_property
    def local_folder(self) -> Path:
        """`.qms/`: local, disposable, never committed."""
        return self.folder / ".qms"


def open_workspace(start: Path) -> Application:
    """Open the workspace in `start` or above it.

    Raises:
        NotAWorkspaceError: there is none.
        SettingsError: its `qms.toml` is not acceptable.
    """
    folder = find_workspace(start.resolve())
    return Application(folder=folder, settings=load_settings(folder))
