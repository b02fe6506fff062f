"""检查发现. Findings are data: every check returns all of them, none stops at the first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.domain.text import Text


class Gravity(StrEnum):
    """轻重. How much a finding matters."""

    NOTE = "note"
    """提示: worth knowing, nothing need be done."""
    WARNING = "warning"
    """注意: somebody should look."""
    ERROR = "error"
    """不符合: must be mended; the command exits with 1."""


@dataclass(frozen=True)
class Finding:
    """一条发现. What is wrong, where, how grave, and what to do."""

    code: str
    """Stable, kebab-case: `clause-number-missing`."""
    gravity: Gravity
    message: Text
    path: str | None = None
    """File or object concerned, relative to the workspace."""
    line: int | None = None
    """Line in `path`, from 1."""
    subject: str | None = None
    """Document, form or record number concerned."""
    hint: Text | None = None
    since: str | None = None
    """Since when, as far as the archive tells: ISO time of the commit where it begins."""

    @property
    def place(self) -> str | None:
        """File and line, as far as they are known: `signatures/signing.yml:3`."""
        return f"{self.path}:{self.line}" if self.line else self.path
