"""A telephone call as it is entered on form JL-013, for tests that need any one record."""

from __future__ import annotations

from typing import Any

CALL: dict[str, Any] = {
    "contact_at": "2026-11-20 09:30",
    "mode": "电话",
    "customer_name": "江城市第一人民医院",
    "contact_phone": "13800000001",
    "kind": ["咨询"],
    "detail": "询问输液泵滴速校准周期",
    "injury_flag": "否",
    "late_entry_reason": "电话在休息日接听",
}
"""Everything that the first stage needs, entered late; copy it to change a value."""
