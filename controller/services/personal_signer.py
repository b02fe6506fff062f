"""签名人. The person of an open sitting, and what the person is asked before a signature (21 CFR 11.200 a 1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.text import T
from controller.services.key_signing import KeySigner

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.person import Person


class PassphraseNeededError(RefusedError):
    """需要口令. The act asks for the passphrase and there is nobody to ask."""

    code = "passphrase-needed"

    def __init__(self, *, meaning: str) -> None:
        super().__init__(
            T("以“{meaning}”签名须再次输入口令，没有签名。", meaning=meaning or "签名"),
            hint=T("请在命令窗口里操作并按提示输入口令；自动运行时用 --passphrase-file 指明口令文件。"),
        )


@dataclass(frozen=True)
class PassphraseQuestion:
    """口令提问. What the person at the screen is asked."""

    person: Person
    meaning: str
    full: bool
    """True when the id is asked too (first signing of a sitting under `part11`; 21 CFR 11.200 a 1 i)."""


@dataclass(frozen=True)
class PassphraseAnswer:
    """口令回答."""

    passphrase: str = field(repr=False)
    person: str | None = None
    """The id that was given with it, where it was asked."""


@dataclass
class PersonalSigner(KeySigner):
    """签名人. The person of an open sitting, who is asked for the passphrase where the profile demands it."""

    _confirm: Callable[[str], None] = field(repr=False)
    _asks_again: Callable[[str], bool] = field(repr=False)
    _confirmed: bool = field(default=False, repr=False)
    """True once the passphrase was given for what this one act shows."""

    def ready(self, meaning: str) -> None:
        """Ask for the passphrase where the profile demands it for `meaning`; once for one act.

        An empty meaning is no signature of the person's will: the trail of prints and exports.
        """
        if meaning and not self._confirmed and self._asks_again(meaning):
            self._confirm(meaning)
            self._confirmed = True
