"""密钥进程. Processes that change keys, for tests in which they work at once or are killed in the middle."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.adapters import personal_keys
from controller.adapters.attempt_counter import FileAttemptCounter
from controller.adapters.personal_keys import Pkcs12Keys
from controller.domain.personal_key import PassphraseWrongError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KILLED = 137


def change_and_die(folder: str, step: int, old: str, new: str) -> None:
    """Change a passphrase, and end without any cleaning up just before the `step`-th touch of the disk."""
    personal_keys.ROUNDS = 1
    left = step

    def counted(touch: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os._exit(KILLED)
            return touch(*arguments, **named)

        return wrapped

    os.open = counted(os.open)
    os.fsync = counted(os.fsync)
    for name in ("replace", "unlink"):
        setattr(Path, name, counted(getattr(Path, name)))
    Pkcs12Keys(Path(folder)).change_passphrase("p002", old=old, new=new, at=AT)


def change(folder: str, old: str, new: str, answer: Connection) -> None:
    """Change a passphrase and tell whether it was done."""
    personal_keys.ROUNDS = 1
    try:
        Pkcs12Keys(Path(folder)).change_passphrase("p002", old=old, new=new, at=AT)
    except PassphraseWrongError:
        answer.send(False)
    else:
        answer.send(True)


def fail_often(folder: str, times: int) -> None:
    """Note failed attempts."""
    counter = FileAttemptCounter(Path(folder))
    for _ in range(times):
        counter.note("p002", at=AT)


def change_on_a_full_disk(folder: str, old: str, new: str, answer: Connection) -> None:
    """Change a passphrase where no file may grow beyond a few bytes; send the code of the refusal."""
    import resource

    from controller.domain.errors import QmsError

    personal_keys.ROUNDS = 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    try:
        Pkcs12Keys(Path(folder)).change_passphrase("p002", old=old, new=new, at=AT)
    except QmsError as exc:
        answer.send(exc.code)
