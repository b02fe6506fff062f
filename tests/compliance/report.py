"""合规对照表. Makes `docs/compliance.md` from the requirements and the tests that show them."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tests.compliance.requirements import GSP_551, PART11, REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.compliance.requirements import Requirement

PAGE = Path(__file__).resolve().parents[2] / "docs" / "compliance.md"
MODULES = (
    "tests.compliance.test_part11_records",
    "tests.compliance.test_part11_audit_trail",
    "tests.compliance.test_part11_controls",
    "tests.compliance.test_part11_signatures",
    "tests.compliance.test_part11_identification",
    "tests.compliance.test_gsp_551",
)
_NAME = re.compile(r"test_(p11_\d\d|gsp_5_51_\d\d)_")


def requirement_of(test: str) -> str:
    """Return the id of the requirement that a test is named after: `test_p11_05_…` → `P11-05`."""
    match = _NAME.match(test)
    assert match is not None, test
    words = match[1].split("_")
    return f"P11-{words[1]}" if words[0] == "p11" else f"GSP-5.51-{words[3]}"


def shown() -> dict[str, list[Callable[..., object]]]:
    """Return every test by the requirement it shows."""
    found: dict[str, list[Callable[..., object]]] = {key: [] for key in REQUIREMENTS}
    for name in MODULES:
        module = import_module(name)
        for key, value in vars(module).items():
            if key.startswith("test_") and callable(value):
                found[requirement_of(key)].append(value)
    return found


def page() -> str:
    """Return the whole page."""
    tests = shown()
    lines = [
        "# 合规对照 · What the software shows, and what it cannot",
        "",
        "本页由测试生成（`python -m tests.compliance`），请不要手工修改。每一行的“怎样证明”就是一项自动测试，",
        "测试不通过，软件就不能发布。",
        "“企业负责”写明软件替代不了的事。条文用我们自己的话转述，引用时以正式文本为准；本页不是合规结论。",
        "",
        "## 21 CFR Part 11",
        "",
        *_table(PART11, tests),
        "",
        "## 医疗器械经营质量管理规范 第五十一条与现场检查 5.51（计算机信息系统）",
        "",
        "十项功能中，购销存控制、证照近效期预警、效期锁定和自动备份须由企业的进销存系统或备份软件提供，文控不提供，也不装作提供。",
        "",
        *_table(GSP_551, tests),
    ]
    return "\n".join(lines) + "\n"


def _table(requirements: Sequence[Requirement], tests: dict[str, list[Callable[..., object]]]) -> list[str]:
    lines = ["| 编号 | 出处 | 要求 | 怎样证明 | 企业负责什么、软件做不到什么 |", "|---|---|---|---|---|"]
    for item in requirements:
        proofs = "<br>".join(f"{_first(test)}（`{test.__name__}`）" for test in tests[item.id]) or "—"
        told = (("企业", item.company), ("软件的限制", item.open))
        rest = "<br>".join(f"{who}：{text}" for who, text in told if text) or "—"
        lines.append(f"| {item.id} | {item.cite} | {item.phrase} | {proofs} | {rest} |")
    return lines


def _first(test: Callable[..., object]) -> str:
    return (test.__doc__ or "").strip().splitlines()[0].rstrip("。")
