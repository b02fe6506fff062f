"""签名端口. The signed-in person, keys, sittings and failed attempts, as the use cases see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from controller.domain.identifiers import Digest
    from controller.domain.record import Signatory
    from controller.domain.signature import Origin, SigningKey


class Signer(Protocol):
    """签名人. The signed-in person, able to sign in this sitting; names are taken from here and never typed."""

    @property
    def signatory(self) -> Signatory:
        """Id, full name and post of the person."""
        ...

    @property
    def certificate(self) -> Digest:
        """SHA-256 of the person's certificate."""
        ...

    @property
    def origin(self) -> Origin:
        """Computer, account and sitting."""
        ...

    @property
    def key(self) -> SigningKey:
        """The unlocked key; for signatures inside a PDF."""
        ...

    def ready(self, meaning: str) -> None:
        """Make sure that the person may sign with `meaning` now; asks for the passphrase where the profile demands it.

        Called before any lock is taken, because a person may have to answer.

        Raises:
            PassphraseWrongError, SignInNeededError: nothing was signed.
        """
        ...

    def sign(self, data: bytes, *, at: datetime) -> bytes:
        """Return the detached CMS over `data` with signing time `at` (aware)."""
        ...


@dataclass(frozen=True)
class HeldKey:
    """持有的密钥. A private key that this computer keeps for a person."""

    person: str
    certificate: bytes
    """DER."""
    changed_on: str
    """ISO time at which the passphrase was last set."""


class PersonalKeys(Protocol):
    """个人密钥. Passphrase-protected PKCS#12 files outside the workspace, one per person."""

    def make(
        self,
        person: str,
        *,
        passphrase: str,
        issue: Callable[[bytes], Sequence[bytes]],
        at: datetime,
        pending: bool = False,
    ) -> SigningKey:
        """Make a key, let `issue` certify its public key (SubjectPublicKeyInfo DER → certificate, issuers…), keep it.

        With `pending` the key in use stays in use until `promote`; else it is set aside, not deleted.
        """
        ...

    def take_in(
        self,
        person: str,
        data: bytes,
        *,
        its_passphrase: str,
        passphrase: str,
        at: datetime,
        pending: bool = False,
    ) -> SigningKey:
        """Keep the key of an outside PKCS#12 under a new passphrase; `pending` as `make`."""
        ...

    def pending(self) -> Mapping[str, Digest]:
        """Return the certificate of every key that waits to come into use, by person."""
        ...

    def promote(self, person: str) -> None:
        """Take the waiting key into use."""
        ...

    def drop_pending(self, person: str) -> None:
        """Set the waiting key aside; nothing happens when there is none."""
        ...

    def outside_certificates(self, data: bytes, *, its_passphrase: str) -> Sequence[bytes]:
        """Return the certificate of an outside PKCS#12 and those above it, keeping nothing."""
        ...

    def held(self) -> Sequence[HeldKey]:
        """Return every key in use on this computer, without unlocking any."""
        ...

    def unlock(self, person: str, passphrase: str) -> SigningKey:
        """Return the unlocked key; raises the errors of a wrong passphrase, a missing or damaged key."""
        ...

    def change_passphrase(self, person: str, *, old: str, new: str, at: datetime) -> None:
        """Protect the key with another passphrase, in one step."""
        ...

    def put_away(self, person: str) -> None:
        """Take the person's key out of use (revoked, retired, lost)."""
        ...

    def use_again(self, person: str, certificate: Digest | None) -> None:
        """Take the key with `certificate` that was set aside into use instead of the present one; None: no key."""
        ...


class AuthorityKey(Protocol):
    """企业证书机构. The company's own certificate authority; its key has a passphrase of its own."""

    def present(self) -> bool:
        """Tell whether this computer keeps the authority's key."""
        ...

    def found(self, *, company: str, workspace: str, passphrase: str, at: datetime, years: int) -> bytes:
        """Make the root key and return the self-signed root certificate (DER)."""
        ...

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
        """Return a person's certificate and the root (DER each)."""
        ...


@dataclass(frozen=True)
class Sitting:
    """一次登录. An open sitting of one person on this computer."""

    id: str
    person: str
    opened_at: str
    used_at: str
    """When it was last used; decides about idling."""
    key: SigningKey | None
    signed: bool = False
    """True once the passphrase was given for a signature in this sitting (21 CFR 11.200 a 1 i)."""


class Sittings(Protocol):
    """登录状态. Open sittings on this computer; outside the workspace, gone after a restart of the computer."""

    def open(self, person: str, key: SigningKey | None, *, at: datetime) -> Sitting:
        """Open a sitting, replacing one that the person had."""
        ...

    def all(self) -> Sequence[Sitting]:
        """Return every sitting, the last used first; whether one has expired is for the caller."""
        ...

    def touch(self, sitting: Sitting, *, at: datetime, signed: bool = False) -> None:
        """Note that it was used, and with `signed` that a signature was confirmed in it."""
        ...

    def close(self, person: str) -> None:
        """End the person's sitting; nothing happens when there is none."""
        ...


@dataclass(frozen=True)
class FailedAttempts:
    """登录失败. Failed attempts of one person since the last success."""

    count: int
    last_at: str
    """ISO time; empty when none."""


class AttemptCounter(Protocol):
    """登录失败计数. Kept outside the workspace; a counter that cannot be written refuses the attempt."""

    def failures(self, person: str) -> FailedAttempts:
        """Return the failed attempts since the last success."""
        ...

    def note(self, person: str, *, at: datetime) -> FailedAttempts:
        """Count one more."""
        ...

    def clear(self, person: str) -> None:
        """Begin at nothing again."""
        ...
