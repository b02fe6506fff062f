"""在用密钥. Which key of a person is in use here: the one before, until the enrolment of the new one counts.

Whoever knows the authority's passphrase can apply for a certificate in anybody's name; nobody loses their key by that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.personal_key import PassphraseWrongError, PersonalKeyMissingError
from controller.services.signing_in import CertificateNotCountingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from controller.domain.identifiers import Digest
    from controller.domain.signature import SigningKey
    from controller.services.people_standing import PeopleStanding
    from controller.services.signing_ports import HeldKey, PersonalKeys


@dataclass
class KeysInUse:
    """在用密钥. Implements `PersonalKeys` over the keys of this computer."""

    keys: PersonalKeys
    standing: PeopleStanding

    def settle(self) -> None:
        """Take every waiting key into use whose enrolment counts by now; set aside what will never count."""
        waiting = self.keys.pending()
        if not waiting:
            return
        history = self.standing.history()
        opened = {item.certificate for item in history.open_enrolments()}
        for person, certificate in waiting.items():
            known = history.person(person)
            if known is not None and known.certificate == certificate:
                self.keys.promote(person)
            elif certificate not in opened:
                self.keys.drop_pending(person)

    def unlock(self, person: str, passphrase: str) -> SigningKey:
        """Return the unlocked key in use.

        Raises:
            PassphraseWrongError: told with the person's name.
            CertificateNotCountingError: there is no key any more because the certificate was revoked.
            PersonalKeyMissingError, PersonalKeyDamagedError: as the keys tell it.
        """
        self.settle()
        try:
            return self.keys.unlock(person, passphrase)
        except PassphraseWrongError as exc:
            known = self.standing.history().person(person)
            raise PassphraseWrongError(name=known.name if known else person) from exc
        except PersonalKeyMissingError as exc:
            history = self.standing.history()
            known, held = history.person(person), history.certificates_of(person)
            why = self.standing.standing_now(held[-1]).why if held else None
            if known is None or known.certificate is not None or why is None:
                raise
            raise CertificateNotCountingError(name=known.name, problem=why) from exc

    def held(self) -> Sequence[HeldKey]:
        """Return every key in use on this computer, without unlocking any."""
        self.settle()
        return self.keys.held()

    def make(
        self,
        person: str,
        *,
        passphrase: str,
        issue: Callable[[bytes], Sequence[bytes]],
        at: datetime,
        pending: bool = False,
    ) -> SigningKey:
        """Make a key; see `PersonalKeys`."""
        return self.keys.make(person, passphrase=passphrase, issue=issue, at=at, pending=pending)

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
        """Keep an outside key; see `PersonalKeys`."""
        return self.keys.take_in(
            person, data, its_passphrase=its_passphrase, passphrase=passphrase, at=at, pending=pending
        )

    def outside_certificates(self, data: bytes, *, its_passphrase: str) -> Sequence[bytes]:
        """Return the certificates of an outside file; see `PersonalKeys`."""
        return self.keys.outside_certificates(data, its_passphrase=its_passphrase)

    def pending(self) -> Mapping[str, Digest]:
        """Return the certificates of the keys that still wait."""
        self.settle()
        return self.keys.pending()

    def promote(self, person: str) -> None:
        """Take the waiting key into use."""
        self.keys.promote(person)

    def drop_pending(self, person: str) -> None:
        """Set the waiting key aside."""
        self.keys.drop_pending(person)

    def change_passphrase(self, person: str, *, old: str, new: str, at: datetime) -> None:
        """Protect the key in use with another passphrase."""
        self.settle()
        self.keys.change_passphrase(person, old=old, new=new, at=at)

    def put_away(self, person: str) -> None:
        """Take the person's key out of use."""
        self.keys.put_away(person)

    def use_again(self, person: str, certificate: Digest | None) -> None:
        """Take the key with `certificate` into use again."""
        self.keys.use_again(person, certificate)
