"""签名. Keys, sittings, people, the daily time stamp."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError

if TYPE_CHECKING:
    from pathlib import Path

    from controller.adapters.key_backup import KeyBackup
    from controller.adapters.personal_keys import FileAuthorityKey
    from controller.adapters.sittings import FileSittings
    from controller.domain.identifiers import Digest
    from controller.domain.text import Text
    from controller.services.authority_control import AuthorityControl
    from controller.services.clock_correction import ClockCorrection
    from controller.services.keys_in_use import KeysInUse
    from controller.services.library_tip import LibraryTip
    from controller.services.people_standing import PeopleStanding
    from controller.services.person_control import PersonControl
    from controller.services.person_enrolment import PersonEnrolment
    from controller.services.personal_signer import PersonalSigner
    from controller.services.signing_in import SigningIn
    from controller.services.signing_ports import PersonalKeys
    from controller.services.timestamp_ports import OutsideWitness
    from controller.services.timestamp_verification import StampVerification
    from controller.services.timestamping import Timestamping
    from controller.services.witness_comparison import WitnessComparison

from controller.bootstrap.foundations import Foundations


@dataclass
class Signing(Foundations):
    """签名. Keys, sittings, people, the daily time stamp."""

    def person(self, wanted: str | None) -> PersonalSigner:
        """Return who acts: the signed-in person, `wanted` by id or name where several are signed in.

        Raises:
            LibraryUnsignedError: the rules in force are not what somebody signed; nobody acts by them.
        """
        signer = self.signing_in.signer(wanted)
        self.library_tip.check()
        return signer

    @cached_property
    def library_tip(self) -> LibraryTip:
        """Tells whether the newest change of `main` is signed."""
        from controller.services.library_tip import LibraryTip

        standing = self.people_standing
        return LibraryTip(self.history, self.archive, lambda person: standing.history().certificates_of(person))

    @cached_property
    def personal_keys(self) -> KeysInUse:
        """The private keys of people that this computer keeps."""
        from controller.adapters.personal_keys import Pkcs12Keys
        from controller.services.keys_in_use import KeysInUse

        return KeysInUse(Pkcs12Keys(self.private_folder / "keys"), self.people_standing)

    @cached_property
    def key_backup(self) -> KeyBackup:
        """Copies keys to another folder and back, still encrypted."""
        from controller.adapters.key_backup import KeyBackup

        return KeyBackup(self.private_folder)

    @cached_property
    def authority_key(self) -> FileAuthorityKey:
        """The key of the company's certificate authority, where this computer keeps it."""
        from controller.adapters.personal_keys import FileAuthorityKey

        return FileAuthorityKey(self.private_folder)

    @cached_property
    def signing_in(self) -> SigningIn:
        """Opens and finds sittings."""
        return self._signing_in(self.personal_keys)

    def signing_in_from(self, backup: Path) -> SigningIn:
        """Opens sittings with the keys of a backup, while those of this computer are lost."""
        return self._signing_in(self.key_backup.keys_in(backup))

    def _signing_in(self, keys: PersonalKeys) -> SigningIn:
        from controller.adapters.attempt_counter import FileAttemptCounter
        from controller.adapters.this_computer import origin_here
        from controller.services.signing_in import SigningIn

        return SigningIn(
            staff=self.staff,
            keys=keys,
            sittings=self.sittings,
            attempts=FileAttemptCounter(self.private_folder),
            rules=self.signing_rules,
            clock=self.clock,
            statements=self.statements,
            standing=self.certificate_problem,
            origin=origin_here,
            wait=self.wait,
            ask=self.ask,
        )

    @cached_property
    def people_standing(self) -> PeopleStanding:
        """Who may sign now, as the archive tells it."""
        from controller.adapters.file_versions import file_versions
        from controller.file_formats.signing_rules_file import SIGNING_FILE
        from controller.services.people_standing import PeopleStanding

        folder = self.folder
        versions = partial(file_versions, folder, SIGNING_FILE)
        return PeopleStanding(self.archive, self.clock, self.signing_rules, versions)

    def certificate_problem(self, person: str, certificate: Digest) -> Text | None:
        """Return why the person cannot sign with `certificate` now, None when they can."""
        return self.people_standing.problem(person, certificate)

    @cached_property
    def people(self) -> PersonControl:
        """Registers people, changes their posts."""
        from controller.services.person_control import PersonControl

        return PersonControl(
            statements=self.statements,
            standing=self.people_standing,
            controlled=self.approved_files,
            staff=self.staff,
            rules=self.signing_rules,
            keys=self.personal_keys,
            clock=self.clock,
        )

    @cached_property
    def enrolment(self) -> PersonEnrolment:
        """Gives people keys and certificates."""
        from controller.adapters.this_computer import origin_here
        from controller.services.person_enrolment import PersonEnrolment

        return PersonEnrolment(
            people=self.people,
            statements=self.statements,
            standing=self.people_standing,
            staff=self.staff,
            rules=self.signing_rules,
            keys=self.personal_keys,
            authority=self.authority_key,
            clock=self.clock,
            identity=self.identity,
            origin=origin_here,
        )

    @cached_property
    def authority_control(self) -> AuthorityControl:
        """Changes the root of the company's certificate authority."""
        from controller.services.authority_control import AuthorityControl

        return AuthorityControl(
            statements=self.statements,
            standing=self.people_standing,
            staff=self.staff,
            rules=self.signing_rules,
            authority=self.authority_key,
            clock=self.clock,
            identity=self.identity,
        )

    @cached_property
    def sittings(self) -> FileSittings:
        """The open sittings of this computer."""
        from controller.adapters.sittings import FileSittings
        from controller.adapters.this_computer import runtime_folder

        given = None if self.settings.key_folder else runtime_folder()
        secrets = given or self.private_folder / "runtime"
        return FileSittings(self.private_folder / "sittings", secrets / self.settings.workspace_id)

    def outside_witness(self, folder: Path | None = None) -> OutsideWitness | None:
        """The folder off the machine: `folder`, or that of the settings; None when there is none."""
        from controller.adapters.outside_witness import WitnessFolder

        chosen = self.settings.witness_folder
        if folder is None and not chosen:
            return None
        return WitnessFolder(
            folder or self.folder / chosen,
            workspace=self.settings.workspace_id,
            site=self.settings.site,
            outbox=self.local_folder / "outbox",
            apart_from=[self.folder, self.private_folder],
        )

    def witness_comparison(self, folder: Path | None = None) -> WitnessComparison | None:
        """Compares the archive with the copies off the machine; None when there is no such folder."""
        from controller.services.witness_comparison import WitnessComparison

        witness = self.outside_witness(folder)
        return WitnessComparison(self.archive, witness) if witness is not None else None

    @cached_property
    def timestamping(self) -> Timestamping:
        """States, stamps and keeps elsewhere the daily heads."""
        from controller.adapters.timestamp_authority import HttpTimestampAuthority
        from controller.services.timestamping import Timestamping

        address = self.settings.timestamp_authority
        return Timestamping(
            archive=self.archive,
            branches=self.branch_heads,
            statements=self.statements,
            clock=self.clock,
            controlled=self.approved_files,
            site=self.settings.site,
            authority=HttpTimestampAuthority(address) if address else None,
            witness=self.outside_witness(),
            comparison=self.witness_comparison(),
        )

    @cached_property
    def stamp_verification(self) -> StampVerification:
        """Checks the daily statements and their stamps."""
        from controller.services.timestamp_verification import StampVerification
        from controller.services.timestamping import trusted_roots

        try:
            roots = trusted_roots(self.controlled_files)
        except QmsError:
            # What is damaged is told by the examination of the library; nobody is trusted then.
            roots = []
        return StampVerification(roots, zone=self.zone, now=self.clock.now())

    @cached_property
    def clock_correction(self) -> ClockCorrection:
        """States that the clock ran ahead."""
        from controller.services.clock_correction import ClockCorrection

        return ClockCorrection(
            statements=self.statements,
            branches=self.branch_heads,
            clock=self.clock,
            staff=self.staff,
            posts=self.signing_rules.informed_posts,
            site=self.settings.site,
        )
