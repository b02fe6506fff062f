"""测试用对象库. Lays every object of a repository bare, so that a test can take one away or change it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def unpack(folder: Path) -> None:
    """Turn all packs of the workspace at `folder` into loose objects."""
    for pack in list((folder / ".git" / "objects" / "pack").glob("*.pack")):
        data = pack.read_bytes()
        for part in pack.parent.glob(f"{pack.stem}.*"):
            part.unlink()
        subprocess.run(["git", "-C", str(folder), "unpack-objects", "-q"], input=data, check=True)


def lose(folder: Path, named: str) -> str:
    """Take the object that git knows as `named` away; return its name."""
    unpack(folder)
    words = ["git", "-C", str(folder), "rev-parse", named]
    name = subprocess.run(words, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout.strip()
    (folder / ".git" / "objects" / name[:2] / name[2:]).unlink()
    return name
