"""登录状态. Open sittings of this computer; implements `Sittings` (docs/signatures.md, “Signing in”).

A sitting lies encrypted (AES-256-GCM) in the private folder; the random secret to it lies in the runtime folder of the
operating system account, which most systems empty at restart. Where they do not, the mark of the computer's start does
the same: a file that is missing, changed or from before a restart means that there is no such sitting. While it is open
it is as safe as the account, no safer.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from controller.adapters.computer_start import same_start, start_mark
from controller.adapters.private_file import (
    PrivateFolderUnusableError,
    person_name,
    private_folder,
    read_private,
    remove_private,
    sweep,
    write_private,
)
from controller.adapters.unlocked_key import UnlockedKey
from controller.adapters.workspace_lock import WorkspaceLock
from controller.domain.errors import MisconfiguredError
from controller.domain.personal_key import KeyOwnerRefusedError
from controller.services.signing_ports import Sitting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from controller.domain.signature import SigningKey

_FORMAT = "wenkong/sitting/1"
_SITTING, _SECRET = ".sitting", ".secret"
_NONCE, _KEY = 12, 32
_PATIENCE = 30.0


@dataclass(frozen=True)
class _Place:
    sitting: Path
    secret: Path


class FileSittings:
    """登录状态. One sitting a person at most; any number of processes may use it at once."""

    def __init__(self, folder: Path, secret_folder: Path) -> None:
        self._folder = folder
        self._secrets = secret_folder

    def open(self, person: str, key: SigningKey | None, *, at: datetime) -> Sitting:
        """Open a sitting, replacing one that the person had.

        Raises:
            KeyOwnerRefusedError: `person` is no id that can name a file.
            PrivateFolderUnusableError, NoSpaceError: no sitting was opened.
        """
        place = self._place(person)
        moment = at.isoformat(timespec="seconds")
        sitting = Sitting(id=secrets.token_hex(8), person=person, opened_at=moment, used_at=moment, key=key)
        secret = secrets.token_bytes(_KEY)
        with self._writing():
            private_folder(self._secrets, owned=True)
            sweep(place.sitting, place.secret)
            # Without a secret there is no sitting: killed in between, the person is signed out.
            remove_private(place.secret)
            write_private(place.sitting, _encrypted(sitting, secret), durable=False)
            write_private(place.secret, secret, durable=False)
        return sitting

    def all(self) -> Sequence[Sitting]:
        """Return every sitting, the last used first; whether one has expired is for the caller."""
        if not self._folder.is_dir():
            return ()
        names = (path.name.removesuffix(_SITTING) for path in self._folder.glob(f"*{_SITTING}"))
        found = [sitting for name in names if (sitting := self._read(name)) is not None]
        return sorted(found, key=lambda sitting: (_moment(sitting.used_at), sitting.person), reverse=True)

    def touch(self, sitting: Sitting, *, at: datetime, signed: bool = False) -> None:
        """Note that it was used, and with `signed` that a signature was confirmed in it.

        A sitting that was closed or replaced meanwhile stays so. A folder that cannot be written is no error: the
        sitting then expires earlier.
        """
        with suppress(MisconfiguredError), self._writing():
            present = self._read(sitting.person)
            if present is None or present.id != sitting.id:
                return
            place = self._place(sitting.person)
            secret = read_private(place.secret)
            if secret is None or len(secret) != _KEY:
                return
            moment = at.isoformat(timespec="seconds")
            used = moment if at.timestamp() > _moment(present.used_at) else present.used_at
            changed = replace(present, used_at=used, signed=present.signed or signed)
            if changed.used_at != present.used_at or changed.signed != present.signed:
                write_private(place.sitting, _encrypted(changed, secret), durable=False)

    def close(self, person: str) -> None:
        """End the person's sitting; nothing happens when there is none.

        Raises:
            PrivateFolderUnusableError: the sitting could not be removed and may still be open.
        """
        place = self._place(person)
        if not self._folder.is_dir():
            return
        with self._writing():
            remove_private(place.secret)
            remove_private(place.sitting)

    def _writing(self) -> AbstractContextManager[None]:
        return WorkspaceLock(private_folder(self._folder))("sittings", _PATIENCE)

    def _place(self, person: str) -> _Place:
        name = person_name(person)
        return _Place(self._folder / f"{name}{_SITTING}", self._secrets / f"{name}{_SECRET}")

    def _read(self, person: str) -> Sitting | None:
        """Return the person's sitting, None when it or its secret is missing, damaged, or from before a restart."""
        with suppress(KeyOwnerRefusedError, PrivateFolderUnusableError):
            place = self._place(person)
            data, secret = read_private(place.sitting), read_private(place.secret)
            if data is not None and secret is not None:
                return _decrypted(data, secret, person)
        return None


def _encrypted(sitting: Sitting, secret: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    content = json.dumps(
        {
            "format": _FORMAT,
            "start": start_mark(),
            "id": sitting.id,
            "person": sitting.person,
            "opened_at": sitting.opened_at,
            "used_at": sitting.used_at,
            "signed": sitting.signed,
            "key": None if sitting.key is None else _key_content(sitting.key),
        }
    )
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(secret).encrypt(nonce, content.encode("utf-8"), _bound(sitting.person))


def _decrypted(data: bytes, secret: bytes, person: str) -> Sitting | None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        content = json.loads(AESGCM(secret).decrypt(data[:_NONCE], data[_NONCE:], _bound(person)))
    except (InvalidTag, ValueError):
        return None
    if not same_start(content["start"]):
        return None
    return Sitting(
        id=content["id"],
        person=content["person"],
        opened_at=content["opened_at"],
        used_at=content["used_at"],
        key=None if content["key"] is None else _key(content["key"]),
        signed=content["signed"],
    )


def _bound(person: str) -> bytes:
    return f"{_FORMAT} {person}".encode()


def _key_content(key: SigningKey) -> dict[str, Any]:
    if not isinstance(key, UnlockedKey):
        # Only keys that `personal_keys` unlocked can be kept; any other has no way out of its own keeper.
        raise TypeError(repr(type(key)))
    return {
        "private": b64encode(key.unprotected()).decode("ascii"),
        "certificate": b64encode(key.certificate).decode("ascii"),
        "issuers": [b64encode(der).decode("ascii") for der in key.issuers],
    }


def _key(content: dict[str, Any]) -> UnlockedKey:
    issuers = [b64decode(text) for text in content["issuers"]]
    return UnlockedKey(b64decode(content["private"]), b64decode(content["certificate"]), issuers)


def _moment(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
