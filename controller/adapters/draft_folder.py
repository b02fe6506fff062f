"""草稿文件夹. Where documents are edited that no change has in hand (setting up): the workspace folder."""

from __future__ import annotations

from controller.adapters.working_files import WorkingFiles
from controller.adapters.working_folder import WorkingFolder


class DraftFolder(WorkingFiles, WorkingFolder):
    """草稿文件夹. Implements the port `DocumentDrafts` on the workspace folder; `qms change adopt` takes it on."""
