"""曾有的受控内容. Every number and title that the library ever had, so that a name that is gone can be explained."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError
from controller.domain.library_day import ItemKind
from controller.domain.references import FormerItem
from controller.file_formats.yaml_text import load_yaml
from controller.services.examination_ports import HistoryUnreadable

if TYPE_CHECKING:
    from controller.services.history_ports import LibraryHistory

_MAIN = "main"
_CONTROL_FILE = re.compile(r"(procedures|templates/forms|templates/registers)/[^/]+/(document|form|register)\.yml")
_KINDS = {
    ("procedures", "document"): ItemKind.DOCUMENT,
    ("templates/forms", "form"): ItemKind.FORM,
    ("templates/registers", "register"): ItemKind.REGISTER,
}
_CONTROL_LINE = re.compile(r"^(?:number|title):[^\n]*(?=\n(?![ \t])|\n?\Z)", re.MULTILINE)


class FormerItems:
    """曾有的受控内容. Reads the history of branch `main` once for each of its states.

    Args:
        history: the commits of the controlled library.
    """

    def __init__(self, history: LibraryHistory) -> None:
        self._history = history
        self._read: tuple[str | None, tuple[FormerItem, ...]] = (None, ())

    def __call__(self) -> tuple[FormerItem, ...]:
        """Return every number and title ever approved, oldest first; none where the history cannot be read.

        A damaged history is told by `qms verify`; references must still be looked up.
        """
        tip = self._history.tip(_MAIN)
        if tip is not None and self._read[0] != tip:
            try:
                self._read = (tip, tuple(dict.fromkeys(self._items(tip))))
            except HistoryUnreadable:
                return ()
        return self._read[1]

    def _items(self, tip: str) -> list[FormerItem]:
        named: dict[str, ItemKind] = {}
        for commit in self._history.log(tip, paths=("procedures", "templates/forms", "templates/registers")):
            for change in commit.changes:
                match = _CONTROL_FILE.fullmatch(change.path)
                kind = _KINDS.get((match[1], match[2])) if match is not None else None
                if kind is not None and change.kind != "D":
                    named.setdefault(change.content, kind)
        found = []
        for content, data in self._history.contents((content, content) for content in named):
            lines = _control_lines(data)
            if lines is not None:
                found.append(FormerItem(named[content], *lines))
        return found


def _control_lines(data: bytes | None) -> tuple[str, str] | None:
    """Return number and title of a description, without reading the rest of it where that can be."""
    text = (data or b"").decode("utf-8", "replace").replace("\r\n", "\n").removeprefix("\ufeff")
    for part in ("\n".join(_CONTROL_LINE.findall(text)), text):
        try:
            found = load_yaml(part, where="history")
        except QmsError:
            continue
        if isinstance(found, dict) and {"number", "title"} <= set(found):
            return str(found["number"]), str(found["title"])
    return None
