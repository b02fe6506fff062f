"""测试用受控文件. The approved content of a workspace in memory, for tests of what reads or changes it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class MemoryFiles:
    """Port `ControlledFiles`; every change is remembered with what was said about it."""

    content: dict[str, bytes] = field(default_factory=dict)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    """Who, what kind of act, on what."""

    def revision(self) -> str:
        return f"commit-{len(self.changes)}"

    def read(self, path: str) -> bytes | None:
        return self.content.get(path)

    def folders(self, path: str) -> list[str]:
        below = [name[len(path) + 1 :] for name in self.content if name.startswith(path + "/")]
        return sorted({name.split("/")[0] for name in below if "/" in name})

    def files(self, path: str) -> list[str]:
        return sorted(name for name in self.content if name.startswith(path + "/"))
