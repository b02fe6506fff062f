"""How long a person waits for `qms --help` (a whole process, start to end)."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any


def _median_ms(command: list[str], runs: int) -> float:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def run(*, quick: bool) -> list[dict[str, Any]]:
    runs = 5 if quick else 15
    ours = _median_ms([sys.executable, "-m", "controller", "--help"], runs)
    plain = _median_ms([sys.executable, "-c", "import click, docxtpl, git, pypdf"], runs)
    return [
        {
            "name": "qms --help / importing the plain stack",
            "ours_ms": ours,
            "plain_ms": plain,
            "ratio": plain / ours,
            "goal": "≤ 150 ms",
            "reached": ours <= 150,
        }
    ]
