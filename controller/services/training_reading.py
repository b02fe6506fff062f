"""阅知情况. Reads who has to read which revision and who has, from the chains `training/<number>/<A-1>`.

What carries no good signature of its own does not count here; whether certificates were trusted `qms verify` tells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest, Revision
from controller.domain.statement import TRAINING
from controller.domain.training_standing import training_chain, training_standing
from controller.file_formats.statement_file import decode_statement
from controller.services.signed_statement import flaw_of
from controller.services.statement_filing import StoredStatement
from controller.services.training_errors import TrainingUnknownError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.domain.document_control_rules import DocumentControlRules
    from controller.domain.person import Staff
    from controller.domain.statement import Statement
    from controller.domain.text import Text
    from controller.domain.training_standing import PersonTraining, TrainingStanding
    from controller.services.archive_ports import Archive
    from controller.services.statement_filing import StatementFiling


class TrainingReading:
    """阅知情况. Who has to read what, and who has."""

    def __init__(
        self,
        *,
        statements: StatementFiling,
        archive: Archive,
        staff: Staff,
        rules: DocumentControlRules,
        begins: Callable[[str, str], str | None] = lambda _number, _revision: None,
    ) -> None:
        """`begins` tells from which day a waiting revision governs, None when it does not wait."""
        self._begins = begins
        self._statements = statements
        self._archive = archive
        self._staff = staff
        self._rules = rules

    def standing(self, number: str, revision: str) -> TrainingStanding:
        """Return who has to read a revision and who has.

        Raises:
            TrainingUnknownError: nobody was ever asked to read it.
        """
        found = self.find(number, revision)
        if found is None:
            raise TrainingUnknownError(number=number, revision=revision)
        return found

    def find(self, number: str, revision: str) -> TrainingStanding | None:
        """Return who has to read a revision and who has; None when nobody was ever asked to."""
        chain = training_chain(number, revision)
        stored = self._statements.chain(chain) if self._archive.listing(chain) else []
        return self._folded(number, revision, [item.statement for item in stored if flaw_of(item) is None])

    def waits_for(self, number: str, revision: str, person: str) -> PersonTraining | None:
        """Return how it stands with a person who has still to read a revision; None when nothing is asked of them.

        Of whoever has read it only that one signature is checked, so that filing a record does not wait for all.
        """
        chain = training_chain(number, revision)
        names = [name for name in self._archive.listing(chain) if name.endswith(".json")]
        files = {f"{chain}/{name}": self._archive.read(f"{chain}/{name}") or b"" for name in names}
        stated = [decode_statement(data, where=path) for path, data in files.items()]
        standing = self._folded(number, revision, stated)
        own = standing.of(person) if standing is not None else None
        if own is None:
            return None
        data, signature = files.get(f"{own.proof}.json"), self._archive.read(f"{own.proof}.p7s")
        if own.settled and data is not None and signature is not None:
            proof = decode_statement(data, where=own.proof)
            if flaw_of(StoredStatement(proof, Digest.of(data), data, {"": signature}, own.proof)) is None:
                return None
        checked = self.find(number, revision)
        own = checked.of(person) if checked is not None else None
        return own if own is not None and not own.settled else None

    def _folded(self, number: str, revision: str, stated: Sequence[Statement]) -> TrainingStanding | None:
        usual = self._rules.pass_mark, self._rules.attempts
        if not stated:
            return None
        standing = training_standing(number, revision, stated, self._staff, usual=usual)
        return replace(standing, effective=self._begins(number, revision) or standing.effective)

    def numbers(self) -> list[str]:
        """Return the numbers of everything that people were ever asked to read."""
        return self._archive.listing(TRAINING)

    def asked(self, number: str) -> bool:
        """Tell whether anybody was ever asked to read a revision of `number`."""
        return bool(self._archive.listing(f"{TRAINING}/{number}"))

    def all(self, number: str | None = None) -> list[TrainingStanding]:
        """Return every revision that people were asked to read, by number, the newest revision first."""
        found = []
        for name in [number] if number is not None else self._archive.listing(TRAINING):
            for revision in sorted(self._revisions(name), reverse=True):
                standing = self.find(name, revision.text)
                if standing is not None:
                    found.append(standing)
        return found

    def of(self, revisions: Mapping[str, str]) -> list[TrainingStanding]:
        """Return how the given revisions stand (number → revision), those that anybody was asked to read."""
        wanted = [number for number in self.numbers() if number in revisions]
        found = (self.find(number, revisions[number]) for number in wanted)
        return [standing for standing in found if standing is not None]

    def newest(self, number: str) -> TrainingStanding:
        """Return how the newest revision stands that people were asked to read.

        Raises:
            TrainingUnknownError: there is none.
        """
        found = self.all(number)
        if not found:
            raise TrainingUnknownError(number=number, revision="")
        return found[0]

    def line(self, number: str, revision: str) -> Text | None:
        """Return the share that has read a revision in one line; None when nobody was asked to."""
        standing = self.find(number, revision)
        return standing.explain() if standing is not None else None

    def _revisions(self, number: str) -> list[Revision]:
        found = []
        for name in self._archive.listing(f"{TRAINING}/{number}"):
            try:
                found.append(Revision(name.replace("-", "/", 1)))
            except QmsError:
                continue
        return found
