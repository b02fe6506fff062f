"""个人密钥与企业证书机构. Keys under passphrases outside the workspace; implements `PersonalKeys` and `AuthorityKey`.

Files and passphrases: `key_file`, `pkcs12_file`; certificates: `certificate_issuing`; backup: `key_backup`.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controller.adapters.certificate_issuing import person_certificate, root_certificate
from controller.adapters.key_file import CERTIFICATE, KEY, OLD, PENDING, KeyFile, in_memory, read_note
from controller.adapters.pkcs12_file import UnreadablePkcs12Error, WrongPassphraseError, unprotect
from controller.adapters.private_file import LARGEST, person_name, read_private
from controller.domain.identifiers import Digest
from controller.domain.passphrase import normalised
from controller.domain.personal_key import (
    AuthorityKeyDamagedError,
    AuthorityKeyMissingError,
    AuthorityPassphraseWrongError,
    KeyOwnerRefusedError,
    OutsideKeyRefusedError,
    OutsidePassphraseWrongError,
    PassphraseWrongError,
    PersonalKeyDamagedError,
    PersonalKeyMissingError,
)
from controller.domain.text import T
from controller.services.signing_ports import HeldKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from controller.adapters.pkcs12_file import PrivateKey
    from controller.adapters.unlocked_key import UnlockedKey

ROUNDS = 600_000
"""Rounds of PBKDF2-HMAC-SHA256 between a passphrase and its key (docs/signatures.md)."""
AUTHORITY = "authority"
"""Name of the authority's files."""
_RESERVED = (OLD.removesuffix(KEY), PENDING.removesuffix(KEY))
"""How the names of keys that are out of use, or not in use yet, end; no person may be called so."""


class Pkcs12Keys:
    """个人密钥. One PKCS#12 file a person in `folder`; implements `PersonalKeys`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(
        self,
        person: str,
        *,
        passphrase: str,
        issue: Callable[[bytes], Sequence[bytes]],
        at: datetime,
        pending: bool = False,
    ) -> UnlockedKey:
        """Make a P-256 key, let `issue` certify its public key (SubjectPublicKeyInfo DER → certificate, issuers…).

        With `pending` it is kept beside the key in use, which stays, until `promote`; else an older key of the person
        is set aside, not deleted. When `issue` fails nothing is kept.

        Raises:
            KeyOwnerRefusedError: `person` is no id that can name a file.
            PrivateFolderUnusableError, NoSpaceError: nothing was changed.
        """
        file = self._file(person, pending=pending)
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        certificate, *issuers = issue(public)
        self._keep(file, key, certificate, issuers, passphrase=passphrase, at=at)
        return in_memory(key, certificate, issuers)

    def take_in(
        self,
        person: str,
        data: bytes,
        *,
        its_passphrase: str,
        passphrase: str,
        at: datetime,
        pending: bool = False,
    ) -> UnlockedKey:
        """Keep the key of an outside PKCS#12, with its certificates, under a new passphrase; `pending` as `make`.

        Raises:
            KeyOwnerRefusedError: `person` is no id that can name a file.
            PassphraseWrongError: `its_passphrase` does not open it.
            KeyUnsupportedError: it is neither P-256 nor RSA of at least 2048 bits.
            OutsideKeyRefusedError: there is no key with a certificate for signing that is valid at `at`.
        """
        file = self._file(person, pending=pending)
        key, certificate, issuers = _outside(data, its_passphrase)
        _check_purpose(certificate, at)
        self._keep(file, key, certificate, issuers, passphrase=passphrase, at=at)
        return in_memory(key, certificate, issuers)

    def outside_certificates(self, data: bytes, *, its_passphrase: str) -> Sequence[bytes]:
        """Return the certificate of an outside PKCS#12 and those above it, keeping nothing; errors as `take_in`."""
        _, certificate, issuers = _outside(data, its_passphrase)
        return certificate, *issuers

    def held(self) -> Sequence[HeldKey]:
        """Return every key in use on this computer, by person, without unlocking any.

        Of a damaged key file the certificate beside it is told; unlocking says what is wrong.
        """
        if not self._folder.is_dir():
            return ()
        names = sorted(path.name for path in self._folder.glob(f"*{KEY}") if not path.name.endswith((OLD, PENDING)))
        found = (self._held(name.removesuffix(KEY)) for name in names)
        return tuple(key for key in found if key is not None)

    def pending(self) -> Mapping[str, Digest]:
        """Return the certificate of every key that waits to come into use, by person; damaged ones are left out."""
        found: dict[str, Digest] = {}
        for path in sorted(self._folder.glob(f"*{PENDING}")) if self._folder.is_dir() else ():
            person = path.name.removesuffix(PENDING)
            with suppress(KeyOwnerRefusedError, PersonalKeyDamagedError):
                file = self._file(person, pending=True)
                data = file.read()
                if data is not None:
                    found[person] = Digest.of(file.facts(data).certificate)
        return found

    def promote(self, person: str) -> None:
        """Take the waiting key into use; the one before is set aside. Nothing happens when none waits."""
        waiting, file = self._file(person, pending=True), self._file(person)
        with file.writing():
            data = waiting.read()
            if data is None:
                return
            file.set_aside()
            file.put(data, changed_on=waiting.facts(data).label.partition(" ")[2])
            waiting.remove()

    def drop_pending(self, person: str) -> None:
        """Set the waiting key aside: it never comes into use. Nothing happens when none waits."""
        file = self._file(person, pending=True)
        if file.read() is None:
            return
        with file.writing():
            file.set_aside()
            file.remove()

    def unlock(self, person: str, passphrase: str) -> UnlockedKey:
        """Return the unlocked key.

        Raises:
            PersonalKeyMissingError, PersonalKeyDamagedError, PassphraseWrongError: nothing was unlocked.
        """
        file = self._file(person)
        return file.unlocked(self._present(file, person), passphrase)

    def change_passphrase(self, person: str, *, old: str, new: str, at: datetime) -> None:
        """Protect the key with another passphrase, in one step; errors as `unlock`."""
        file = self._file(person)
        self._present(file, person)
        with file.writing():
            key, certificate, issuers = file.private_key(self._present(file, person), old)
            file.write(key, certificate, issuers, passphrase=new, rounds=ROUNDS, at=at)

    def put_away(self, person: str) -> None:
        """Take the person's key out of use; it stays, set aside. Nothing happens when there is none."""
        file = self._file(person)
        if file.read() is None:
            return
        with file.writing():
            file.set_aside()
            file.remove()

    def use_again(self, person: str, certificate: Digest | None) -> None:
        """Take the key with `certificate` that was set aside back into use; the present one is set aside.

        When there is none of that certificate, no key of the person is in use.
        """
        file = self._file(person)
        with file.writing():
            file.set_aside()
            for path in sorted(self._folder.glob(f"{person}.*{OLD}")):
                data = read_private(path)
                if data is None:
                    continue
                with suppress(PersonalKeyDamagedError):
                    found = file.facts(data)
                    if Digest.of(found.certificate) == certificate:
                        file.put(data, changed_on=found.label.partition(" ")[2])
                        return
            file.remove()

    def _keep(
        self,
        file: KeyFile,
        key: PrivateKey,
        certificate: bytes,
        issuers: Sequence[bytes],
        *,
        passphrase: str,
        at: datetime,
    ) -> None:
        with file.writing():
            self._check_twins(file)
            file.set_aside()
            file.write(key, certificate, issuers, passphrase=passphrase, rounds=ROUNDS, at=at)

    def _file(self, person: str, *, pending: bool = False) -> KeyFile:
        if person.endswith(_RESERVED):
            raise KeyOwnerRefusedError(person=person)
        return KeyFile(
            self._folder,
            person_name(person),
            damaged=lambda problem, path: PersonalKeyDamagedError(person=person, problem=problem, place=str(path)),
            wrong=lambda: PassphraseWrongError(name=person),
            pending=pending,
        )

    def _check_twins(self, file: KeyFile) -> None:
        """Refuse a name that Windows or macOS would take for another person's."""
        mine = file.path.name
        for path in self._folder.glob(f"*{KEY}"):
            if path.name != mine and path.name.casefold() == mine.casefold():
                raise KeyOwnerRefusedError(person=mine.removesuffix(KEY))

    def _present(self, file: KeyFile, person: str) -> bytes:
        data = file.read()
        if data is None:
            raise PersonalKeyMissingError(person=person, place=str(self._folder))
        return data

    def _held(self, person: str) -> HeldKey | None:
        try:
            file = self._file(person)
            found = file.facts(self._present(file, person))
        except (KeyOwnerRefusedError, PersonalKeyMissingError):
            return None
        except PersonalKeyDamagedError:
            note = read_note(self._folder / f"{person}{CERTIFICATE}")
            return HeldKey(person, note.certificate, note.changed_on) if note else None
        return HeldKey(person, found.certificate, found.label.partition(" ")[2])


class FileAuthorityKey:
    """企业证书机构. `authority.p12` in `folder`; implements `AuthorityKey`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = KeyFile(
            folder,
            AUTHORITY,
            damaged=lambda problem, path: AuthorityKeyDamagedError(problem=problem, place=str(path)),
            wrong=AuthorityPassphraseWrongError,
        )

    def present(self) -> bool:
        """Tell whether this computer keeps the authority's key."""
        return self._file.path.is_file()

    def certificate(self) -> bytes:
        """Return the root certificate (DER) that belongs to the key on this computer.

        Raises:
            AuthorityKeyMissingError, AuthorityKeyDamagedError: there is none that can be read.
        """
        return self._file.facts(self._data()).certificate

    def found(self, *, company: str, workspace: str, passphrase: str, at: datetime, years: int) -> bytes:
        """Make the root key and return the self-signed root certificate (DER); an older root key is set aside.

        Raises:
            CertificateNameRefusedError: the company has no name that can stand in a certificate.
            PrivateFolderUnusableError, NoSpaceError: nothing was changed.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        root = root_certificate(key, company=company, workspace=workspace, at=at, years=years)
        with self._file.writing():
            self._file.set_aside()
            self._file.write(key, root, (), passphrase=passphrase, rounds=ROUNDS, at=at)
        return root

    def issue(
        self,
        public_key: bytes,
        *,
        person: str,
        name: str,
        company: str,
        workspace: str,
        passphrase: str,
        at: datetime,
        years: int,
    ) -> Sequence[bytes]:
        """Return a person's certificate and the root (DER each).

        Raises:
            AuthorityKeyMissingError, AuthorityKeyDamagedError, PassphraseWrongError: the key cannot be used.
            AuthorityOutOfTimeError, CertificateNameRefusedError, KeyUnsupportedError: it may not be issued.
        """
        key, root, _ = self._file.private_key(self._data(), passphrase)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise AuthorityKeyDamagedError(problem=T("内容不完整或已损坏"), place=str(self._file.path))
        made = person_certificate(
            public_key,
            root=root,
            root_key=key,
            person=person,
            name=name,
            company=company,
            workspace=workspace,
            at=at,
            years=years,
        )
        return made, root

    def change_passphrase(self, *, old: str, new: str, at: datetime) -> None:
        """Protect the authority's key with another passphrase, in one step.

        Raises:
            AuthorityKeyMissingError, AuthorityKeyDamagedError, PassphraseWrongError: nothing was changed.
        """
        self._data()
        with self._file.writing():
            key, root, issuers = self._file.private_key(self._data(), old)
            self._file.write(key, root, issuers, passphrase=new, rounds=ROUNDS, at=at)

    def check(self, passphrase: str) -> None:
        """Make sure that `passphrase` opens the key.

        Raises:
            AuthorityKeyMissingError, AuthorityKeyDamagedError, AuthorityPassphraseWrongError: it does not.
        """
        self._file.private_key(self._data(), passphrase)

    def _data(self) -> bytes:
        data = read_private(self._file.path)
        if data is None:
            raise AuthorityKeyMissingError(place=str(self._folder))
        return data


def _outside(data: bytes, passphrase: str) -> tuple[PrivateKey, bytes, tuple[bytes, ...]]:
    if len(data) > LARGEST:
        raise OutsideKeyRefusedError(problem=T("文件太大"))
    # Whoever made the file may have typed the passphrase in another form than this program uses.
    for form in dict.fromkeys((passphrase, normalised(passphrase))):
        try:
            return unprotect(data, form)
        except WrongPassphraseError:
            continue
        except UnreadablePkcs12Error as exc:
            raise OutsideKeyRefusedError(problem=T("其中没有成对的私钥和证书")) from exc
    raise OutsidePassphraseWrongError


def _check_purpose(certificate: bytes, at: datetime) -> None:
    """Refuse a certificate that is not a person's for signing, or is not valid at `at`."""
    found = x509.load_der_x509_certificate(certificate)
    try:
        said = {type(extension.value): extension.value for extension in found.extensions}
    except ValueError as exc:
        raise OutsideKeyRefusedError(problem=T("证书内容有误")) from exc
    constraints, usage = said.get(x509.BasicConstraints), said.get(x509.KeyUsage)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        raise OutsideKeyRefusedError(problem=T("这是发证机构的证书，不是个人证书"))
    if isinstance(usage, x509.KeyUsage) and not (usage.digital_signature or usage.content_commitment):
        raise OutsideKeyRefusedError(problem=T("证书的用途不含签名"))
    since, until = found.not_valid_before_utc, found.not_valid_after_utc
    if not since <= at.astimezone(UTC) <= until:
        problem = T("证书的有效期是 {since} 至 {until}", since=since.date(), until=until.date())
        raise OutsideKeyRefusedError(problem=problem)
