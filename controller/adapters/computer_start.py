"""开机时刻. Tells whether the computer was restarted since a mark was taken; not every system clears files then.

Linux gives every start an id. Elsewhere the moment of the start is reckoned from the running clock; setting the clock
counts as a restart, which errs on the safe side.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

_START_ID = Path("/proc/sys/kernel/random/boot_id")
_TOLERANCE = 120
"""Seconds by which two reckonings of the same start may differ."""


def start_mark() -> str:
    """Return a mark of the computer's present run."""
    with suppress(OSError, ValueError):
        return "id:" + _START_ID.read_text(encoding="ascii").strip()
    return f"since:{round(time.time() - _running())}"


def same_start(mark: str) -> bool:
    """Tell whether `mark` was taken since the computer was started last."""
    present = start_mark()
    if mark.startswith("since:") and present.startswith("since:"):
        with suppress(ValueError):
            return abs(int(mark[6:]) - int(present[6:])) <= _TOLERANCE
    return mark == present


def _running() -> float:
    """Return the seconds since the start; sleep counts too wherever the system tells it."""
    clock = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    return time.monotonic() if clock is None else time.clock_gettime(clock)
