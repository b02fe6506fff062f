"""系统时钟. The computer's clock in the company's time zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


class SystemClock:
    """系统时钟. Implements `Clock`."""

    def __init__(self, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone)

    def now(self) -> datetime:
        """Return the present moment, aware, in the company's time zone, cut to whole seconds."""
        return datetime.now(self._zone).replace(microsecond=0)
