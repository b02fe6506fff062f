"""密钥文件. One passphrase-protected key with its certificate, and beside it a PEM that needs no passphrase.

`<name>.p12` is the key; it is replaced in one step, so that it is always the old or the new one. `<name>.pem`
repeats the certificate for people and programs, and notes which digests the key file may have: that tells a damaged
file from a wrong passphrase. It is written first and names the file before, too. Older keys stay as
`<name>.<certificate serial>.old.p12`; a new key whose certificate does not count yet lies as `<name>.pending.p12`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from controller.adapters.certificate_issuing import serial_of
from controller.adapters.pkcs12_file import (
    Pkcs12Facts,
    UnreadablePkcs12Error,
    WrongPassphraseError,
    facts,
    protect,
    unprotect,
)
from controller.adapters.private_file import private_folder, read_private, remove_private, sweep, write_private
from controller.adapters.unlocked_key import UnlockedKey
from controller.adapters.workspace_lock import WorkspaceLock
from controller.domain.identifiers import Digest
from controller.domain.passphrase import normalised
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from controller.adapters.pkcs12_file import PrivateKey
    from controller.domain.errors import DamagedError, RefusedError
    from controller.domain.text import Text

KEY, CERTIFICATE, OLD, PENDING = ".p12", ".pem", ".old.p12", ".pending.p12"
_PATIENCE = 30.0
_CHANGED = re.compile(rb"^passphrase set: (\S{1,40})\r?$", re.MULTILINE)
_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]{1,65536}-----END CERTIFICATE-----")


@dataclass(frozen=True)
class CertificateNote:
    """密钥旁的证书. What the PEM beside a key file says."""

    certificate: bytes
    changed_on: str
    digests: frozenset[bytes]
    """The key file as it was written last, and the one before."""


class KeyFile:
    """密钥文件. `damaged`, `wrong` make the owner's own errors: not what was written, not opened by the passphrase."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        damaged: Callable[[Text, Path], DamagedError],
        wrong: Callable[[], RefusedError],
        pending: bool = False,
    ) -> None:
        self.path = folder / f"{name}{PENDING if pending else KEY}"
        self._pem = self.path.with_suffix(CERTIFICATE)
        self._name = name
        self._damaged = damaged
        self._wrong = wrong

    def writing(self) -> AbstractContextManager[None]:
        """Keep other programs from changing keys of this folder meanwhile; makes the folder."""
        folder = private_folder(self.path.parent)
        return WorkspaceLock(folder)("keys", _PATIENCE)

    def read(self) -> bytes | None:
        """Return the encrypted file, None when there is none."""
        return read_private(self.path)

    def facts(self, data: bytes) -> Pkcs12Facts:
        """Return what the file shows without its passphrase; raises the owner's error of a damaged file."""
        try:
            found = facts(data)
        except UnreadablePkcs12Error as exc:
            raise self._damaged(T("内容不完整或已损坏"), self.path) from exc
        holder = found.label.partition(" ")[0]
        if holder != self._name:
            raise self._damaged(T("它是“{holder}”的密钥", holder=holder[:60]), self.path)
        return found

    def note(self) -> CertificateNote | None:
        """Return what the PEM beside the key says, None when it is missing or unreadable."""
        return read_note(self._pem)

    def private_key(self, data: bytes, passphrase: str) -> tuple[PrivateKey, bytes, tuple[bytes, ...]]:
        """Return key, certificate and issuers.

        Raises:
            RefusedError: the owner's own; the file is as it was written, so it must be the passphrase.
            DamagedError: the owner's own; the file was changed or cut off.
        """
        self.facts(data)
        try:
            return unprotect(data, normalised(passphrase))
        except WrongPassphraseError as exc:
            note = self.note()
            if note is not None and Digest.of(data).text.encode() not in note.digests:
                raise self._damaged(T("内容已被改动，与写入时不一致"), self.path) from exc
            raise self._wrong() from exc
        except UnreadablePkcs12Error as exc:
            raise self._damaged(T("内容不完整或已损坏"), self.path) from exc

    def unlocked(self, data: bytes, passphrase: str) -> UnlockedKey:
        """Return the key for signing; errors as `private_key`."""
        key, certificate, issuers = self.private_key(data, passphrase)
        return in_memory(key, certificate, issuers)

    def write(
        self,
        key: PrivateKey,
        certificate: bytes,
        issuers: Sequence[bytes],
        *,
        passphrase: str,
        rounds: int,
        at: datetime,
    ) -> None:
        """Put the key in place of the one before; call it inside `writing`."""
        changed_on = at.isoformat(timespec="seconds")
        label = f"{self._name} {changed_on}"
        data = protect(key, certificate, issuers, label=label, passphrase=normalised(passphrase), rounds=rounds)
        self.put(data, changed_on=changed_on)

    def put(self, data: bytes, *, changed_on: str) -> None:
        """Put a finished key file in place of the one before; call it inside `writing`."""
        sweep(self.path, self._pem)
        before = self.read()
        digests = [Digest.of(data)] if before is None else [Digest.of(data), Digest.of(before)]
        write_private(self._pem, _note_bytes(self._name, facts(data).certificate, changed_on, digests))
        write_private(self.path, data)

    def set_aside(self) -> None:
        """Keep a copy of the present key under its old name, if there is one; call it inside `writing`."""
        data = self.read()
        if data is not None:
            write_private(self.path.with_name(old_name(self._name, data)), data)

    def remove(self) -> None:
        """Take the key out of use; call it inside `writing`, after `set_aside`."""
        remove_private(self.path)
        remove_private(self._pem)


def in_memory(key: PrivateKey, certificate: bytes, issuers: Sequence[bytes]) -> UnlockedKey:
    """Return `key` as a key that signs."""
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return UnlockedKey(plain, certificate, issuers)


def old_name(name: str, data: bytes) -> str:
    """Return the file name of a key that is out of use; a damaged one is named by its digest."""
    try:
        mark = serial_of(facts(data).certificate)
    except UnreadablePkcs12Error:
        mark = Digest.of(data).hex[:32]
    return f"{name}.{mark}{OLD}"


def read_note(path: Path) -> CertificateNote | None:
    """Return what a PEM beside a key says, None when it is missing or unreadable."""
    data = read_private(path)
    pem = _CERTIFICATE.search(data) if data else None
    if data is None or pem is None:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(pem[0]).public_bytes(Encoding.DER)
    except ValueError:
        return None
    head = data[: pem.start()]
    changed = _CHANGED.search(head)
    changed_on = changed[1].decode("ascii", "replace") if changed else ""
    return CertificateNote(certificate, changed_on, frozenset(_DIGEST.findall(head)))


def _note_bytes(name: str, certificate: bytes, changed_on: str, digests: Sequence[Digest]) -> bytes:
    pem = x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM).decode("ascii")
    files = " ".join(digest.text for digest in digests)
    return f"holder: {name}\npassphrase set: {changed_on}\nkey file: {files}\n{pem}".encode()
