"""工作区身份. What an entry says about where it was made, and the company rules that filing needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkspaceIdentity:
    """工作区身份. Fixed for the life of a workspace, but for the company's name."""

    id: str
    """UUID made at `init`."""
    site: str
    """Name of the site; its archive branch is `archive/<site>`."""
    company: str
    """Company name as printed."""
    late_entry_workdays: int = 3
    """企业自定: an event older than this many working days needs a reason for late entry."""
