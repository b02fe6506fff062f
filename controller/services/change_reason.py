"""更改的原因. Why something is changed, given up or put off: never left blank (ISO 13485 4.2.4)."""

from __future__ import annotations

from controller.domain.errors import RefusedError
from controller.domain.stated_text import stated_text
from controller.domain.text import T

REASON_AT_LEAST = 5


class ChangeReasonError(RefusedError):
    """需要写明原因 (ISO 13485 4.2.4)."""

    code = "change-reason-needed"

    def __init__(self) -> None:
        super().__init__(
            T("必须写明原因（至少 {count} 个字）。", count=REASON_AT_LEAST),
            hint=T("例如 --reason “新规范要求每半年回访一次”。"),
        )


def checked_reason(text: str) -> str:
    """Return a reason without blanks around it; raises `ChangeReasonError` or `StatedTextError`."""
    said = stated_text(text)
    if len(said) < REASON_AT_LEAST:
        raise ChangeReasonError
    return said
