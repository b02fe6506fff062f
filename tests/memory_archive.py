"""测试用档案. An archive in memory with commits, for tests of what reads archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError
from controller.domain.text import T
from controller.services.archive_ports import ArchiveRewrittenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from controller.domain.form import FormDefinition
    from controller.services.archive_ports import ArchiveWriter, IrregularCommit


class MemoryArchive:
    """Port `Archive` for reading; `file` adds one commit."""

    def __init__(self) -> None:
        self.commits: list[tuple[str, dict[str, bytes]]] = []
        self.made = 0

    def file(self, files: Mapping[str, bytes]) -> str:
        """Add a commit with these files and return its id."""
        self.made += 1
        name = f"commit-{self.made}"
        self.commits.append((name, dict(files)))
        return name

    def drop_history(self) -> None:
        """Replace all commits by one with the same files, as nobody may."""
        everything = dict(self.walk())
        self.commits.clear()
        self.file(everything)

    def writing(self) -> AbstractContextManager[ArchiveWriter]:
        """Not for this fake: what reads the archive must not write to it."""
        raise AssertionError

    def tip(self) -> str | None:
        """Return the newest commit."""
        return self.commits[-1][0] if self.commits else None

    def read(self, path: str, *, at: str | None = None) -> bytes | None:
        """Return a file."""
        return dict(self.walk(at=at)).get(path)

    def listing(self, path: str, *, at: str | None = None) -> list[str]:
        """Return the names below a folder."""
        above = len(path) + 1 if path else 0
        return sorted({name[above:].split("/")[0] for name, _ in self.walk(path, at=at)})

    def walk(
        self, path: str = "", *, at: str | None = None, damaged: Callable[[str], None] | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield files in path order; none of them is ever unreadable."""
        del damaged
        found: dict[str, bytes] = {}
        for name, files in self.commits:
            found.update(files)
            if name == at:
                break
        for key in sorted(found):
            if not path or key.startswith(path + "/"):
                yield key, found[key]

    def irregular_commits(self) -> Iterator[IrregularCommit]:
        """Nothing: commits of this fake only add."""
        return iter(())

    def holds(self, commit: str) -> bool:
        """Tell whether there is such a commit."""
        return commit in {name for name, _ in self.commits}

    def damage(self) -> Iterator[str]:
        """Nothing is ever broken here."""
        return iter(())

    def added_since(self, commit: str | None) -> Iterator[tuple[str, bytes]]:
        """Yield what later commits added, in path order."""
        names = [name for name, _ in self.commits]
        if commit is not None and commit not in names:
            raise ArchiveRewrittenError(commit=commit)
        start = 0 if commit is None else names.index(commit) + 1
        added: dict[str, bytes] = {}
        for _, files in self.commits[start:]:
            added.update(files)
        yield from sorted(added.items())


class NoSuchFormError(NotFoundError):
    code = "no-such-form-in-test"


class MemoryForms:
    """The form library of a test."""

    def __init__(self, *definitions: FormDefinition) -> None:
        self.definitions = {item.number.text: item for item in definitions}

    def numbers(self) -> list[str]:
        """Return the numbers."""
        return sorted(self.definitions)

    def definition(self, number: str) -> FormDefinition:
        """Return one."""
        try:
            return self.definitions[number]
        except KeyError:
            raise NoSuchFormError(T("没有表单 {number}", number=number)) from None
