"""起步文件库. The library that `qms init` copies: inside the installed package, or the project folder itself."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = ("procedures", "templates", "records", "signatures")
_NOT_COPIED = ("records/samples/",)


class PackagedStarterLibrary:
    """起步文件库. Implements `StarterLibrary` over the wheel's copy or, in a source checkout, the project root."""

    def __init__(self, root: Path | None = None) -> None:
        packaged = Path(str(files("controller"))) / "starter"
        self._root = root or (packaged if packaged.is_dir() else packaged.parent.parent)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield workspace-relative path and bytes of every library file, in path order; sample records are left out."""
        for folder in FOLDERS:
            for path in sorted((self._root / folder).rglob("*")):
                name = path.relative_to(self._root).as_posix()
                if path.is_file() and not name.startswith(_NOT_COPIED) and "/." not in f"/{name}":
                    yield name, path.read_bytes()

    def samples(self) -> Path:
        """Return the folder of the sample records that `qms demo` files."""
        return self._root / "records" / "samples"
