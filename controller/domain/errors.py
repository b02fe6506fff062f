"""错误. The root error, its four families and the rule every message follows: code, what, where, next step.

One class per situation lives beside the rule that raises it; the families decide the exit code (`cli`) or
HTTP status (`web`). `code` is stable: support, tests and `docs/errors.md` refer to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.conformity import Finding
    from controller.domain.text import Text


class QmsError(Exception):
    """所有可预期错误的根. Carries a stable `code`, a `message`, and a `hint` that names the next step."""

    code: ClassVar[str] = "qms"
    unauthorised: ClassVar[bool] = False
    """True when somebody tried what their posts or sign-in do not allow: goes into the audit trail (21 CFR 11.10 g)."""

    def __init__(self, message: Text, *, hint: Text | None = None, where: str | None = None) -> None:
        super().__init__(str(message))
        self.message = message
        """What is wrong, naming the thing."""
        self.hint = hint
        """What the reader can do next."""
        self.where = where
        """The file, line, record or field concerned, if one is."""
        self.findings: Sequence[Finding] = ()
        """Everything that is wrong, each with its place, when the error sums up several findings."""


class NotFoundError(QmsError):
    """找不到. The thing named does not exist (exit 3)."""

    code = "not-found"


class RefusedError(QmsError):
    """按规则拒绝. A rule forbids the act; nothing was changed (exit 4)."""

    code = "refused"


class DamagedError(QmsError):
    """数据损坏. Stored or supplied bytes are not what they must be (exit 5)."""

    code = "damaged"


class MisconfiguredError(QmsError):
    """配置有误. Settings, definitions or the machine need mending first (exit 6)."""

    code = "misconfigured"
