"""本机. Where an act comes from: computer and operating system account, told by the machine (21 CFR 11.10 h)."""

from __future__ import annotations

import getpass
import platform

from controller.domain.signature import Origin

_LONGEST = 60


def origin_here(sitting: str = "") -> Origin:
    """Return this computer and account; what cannot be told is left empty."""
    try:
        account = getpass.getuser()
    except (OSError, KeyError, ImportError):
        account = ""
    return Origin(computer=_plain(platform.node()), account=_plain(account), sitting=sitting)


def _plain(name: str) -> str:
    """Return a name that the system gives as it may stand in an entry: printable, not endless."""
    return "".join(char for char in name if char.isprintable())[:_LONGEST]
