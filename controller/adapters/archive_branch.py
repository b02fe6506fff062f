"""档案分支的名称. Which Git branch a site's archive is; wrong site names are refused here."""

from __future__ import annotations

import re

from controller.domain.errors import RefusedError
from controller.domain.text import T

_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class InvalidSiteError(RefusedError):
    """站点名不可用."""

    code = "site-invalid"

    def __init__(self, *, site: str) -> None:
        super().__init__(
            T("站点名“{site}”不可用。", site=site[:60]),
            hint=T("用小写字母、数字和连字符，例如 main 或 shanghai-2。"),
        )


def archive_branch(site: str) -> str:
    """Return the full ref of a site's archive branch.

    Raises:
        InvalidSiteError: the name cannot be part of a branch name.
    """
    if not _SITE.fullmatch(site):
        raise InvalidSiteError(site=site)
    return f"refs/heads/archive/{site}"
