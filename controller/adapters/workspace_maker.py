"""工作区建造. Makes a new workspace beside its final place and moves it there in one step.

A process killed in the middle leaves a hidden folder with a telling name, never a half-made workspace.
"""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING

from controller.adapters.git_controlled_files import init_repository
from controller.domain.errors import RefusedError
from controller.domain.text import T
from controller.services.workspace_setup import FolderNotEmptyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from controller.domain.record import Signatory


class WorkspaceNotMadeError(RefusedError):
    """工作区没有建成. The disk refused: no space, no permission. Nothing is left behind."""

    code = "workspace-not-made"

    def __init__(self, *, folder: Path, reason: OSError) -> None:
        super().__init__(
            T("不能在“{folder}”新建工作区：{reason}", folder=folder, reason=reason.strerror or str(reason)),
            hint=T("检查磁盘空间和目录权限后重试；没有留下半成品。"),
        )


class FolderWorkspaceMaker:
    """工作区建造者. Implements `WorkspaceMaker` with ordinary folders and the Git repository adapter."""

    def make(
        self,
        folder: Path,
        files: Mapping[str, bytes],
        *,
        site: str,
        begin: Sequence[Mapping[str, bytes]],
        by: Signatory,
        at: datetime,
    ) -> None:
        """Write `files` and the repository with its branches; the archive begins with one commit for each of `begin`.

        Raises:
            FolderNotEmptyError: something is there already.
            WorkspaceNotMadeError: the disk refused.
        """
        check_free(folder)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            made = folder.parent / f".wenkong-init-{uuid.uuid4().hex[:12]}"
            made.mkdir()
        except OSError as exc:
            raise WorkspaceNotMadeError(folder=folder, reason=exc) from exc
        try:
            for name, data in files.items():
                path = made / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            init_repository(made, site=site, begin=begin, by=by, at=at)
            if folder.exists():
                folder.rmdir()
            made.rename(folder)
        except OSError as exc:
            shutil.rmtree(made, ignore_errors=True)
            raise WorkspaceNotMadeError(folder=folder, reason=exc) from exc
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise


def check_free(folder: Path) -> None:
    """Make sure that a workspace can be made in `folder`.

    Raises:
        FolderNotEmptyError: something is there already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmptyError(folder=folder)
