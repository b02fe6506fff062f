"""本机. Where an act comes from: computer and operating system account, told by the machine (21 CFR 11.10 h)."""

from __future__ import annotations

import getpass
import os
import platform
import sys
import tempfile
import warnings
from pathlib import Path

from controller.domain.signature import Origin

_LONGEST = 60
_NAME = "wenkong"


def origin_here(sitting: str = "") -> Origin:
    """Return this computer and account; what cannot be told is left empty."""
    try:
        account = getpass.getuser()
    except (OSError, KeyError, ImportError):
        account = ""
    return Origin(computer=_plain(platform.node()), account=_plain(account), sitting=sitting)


def runtime_folder() -> Path | None:
    """Return the account's folder for what must be gone at restart; None where the system gives it none of its own.

    Linux without a desktop or login session has none: a folder in the common temporary one is not a place for secrets.
    """
    from platformdirs import user_runtime_path

    if sys.platform not in {"win32", "darwin"} and not os.environ.get("XDG_RUNTIME_DIR"):
        given = Path("/run/user") / str(os.getuid())
        return given / _NAME if given.is_dir() else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = user_runtime_path(_NAME, appauthor=False)
    shared = Path(tempfile.gettempdir()).resolve() in found.resolve().parents
    return None if sys.platform not in {"win32", "darwin"} and shared else found


def _plain(name: str) -> str:
    """Return a name that the system gives as it may stand in an entry: printable, not endless."""
    return "".join(char for char in name if char.isprintable())[:_LONGEST]
