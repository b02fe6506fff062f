"""陈述归档. Files signed statements: the one way in which anything outside a record gets into the archive.

A statement that cannot be filed means that the act it states does not happen: whoever acts files first.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, NotFoundError, QmsError
from controller.domain.identifiers import Digest
from controller.domain.record import Signatory
from controller.domain.statement import (
    TIMESTAMPS,
    TRAIL,
    UNSIGNED_EVENTS,
    Event,
    Statement,
    check_chain,
    statement_path,
)
from controller.domain.text import T
from controller.file_formats.statement_file import decode_statement, encode_statement
from controller.services.archive_ports import ArchiveChange
from controller.services.gathered_files import GatheredFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from controller.domain.record import Wire
    from controller.domain.signature import Origin
    from controller.services.archive_ports import Archive, ArchiveReader, ControlledChange
    from controller.services.ports import Clock
    from controller.services.signing_ports import Signer
    from controller.services.workspace_identity import WorkspaceIdentity

SYSTEM = Signatory(person="system", name="系统", post="")
"""Named as committer of what nobody was there to sign."""


class StatementMissingError(NotFoundError):
    """没有这份陈述. The chain has no such statement."""

    code = "statement-missing"

    def __init__(self, *, path: str) -> None:
        super().__init__(T("档案中没有陈述 {path}。", path=path), hint=T("运行 qms verify 查看档案是否完整。"))


class StatementChainBrokenError(DamagedError):
    """陈述链断裂. The newest statement of a chain cannot be read, so nothing can follow it."""

    code = "statement-chain-broken"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("陈述 {path} 缺失，不能继续归档。", path=path),
            hint=T("请运行 qms verify 查看全部问题，并从备份恢复。"),
            where=path,
        )


@dataclass(frozen=True)
class StatementDraft:
    """待归档的陈述. What is stated; who, when and where from are added by the machine."""

    chain: str
    event: Event
    subject: str = ""
    meaning: str = ""
    reason: str | None = None
    old: Mapping[str, Wire] = field(default_factory=dict)
    new: Mapping[str, Wire] = field(default_factory=dict)
    files: Mapping[str, Digest] = field(default_factory=dict)
    shown: Digest | None = None


@dataclass(frozen=True)
class MadeStatement:
    """做好的陈述. Its final bytes, and the files that file it."""

    statement: Statement
    digest: Digest
    data: bytes
    path: str
    """Archive path without suffix."""
    files: Mapping[str, bytes]
    """Path → bytes: the statement and the signature of who states it."""


@dataclass(frozen=True)
class FiledStatement:
    """已归档的陈述."""

    statement: Statement
    digest: Digest
    path: str
    """Archive path without suffix."""
    commit: str


@dataclass(frozen=True)
class StoredStatement:
    """档案中的陈述. As it lies in the archive, with the signatures beside it."""

    statement: Statement
    digest: Digest
    data: bytes
    signatures: Mapping[str, bytes]
    """CMS by co-signer's person id; the signature of `by` under the empty string."""
    path: str


@dataclass(frozen=True)
class PreparedStatement:
    """备好的陈述. Made and not yet filed; good as long as the archive stays where it was."""

    made: MadeStatement
    tip: str | None
    """The archive commit it was made for."""


def make_statement(
    identity: WorkspaceIdentity,
    draft: StatementDraft,
    signer: Signer | None,
    *,
    at: datetime,
    origin: Origin,
    after: tuple[int, Digest | None] = (0, None),
) -> MadeStatement:
    """Return the statement that `draft` becomes, signed; `after` is the end of its chain: last sequence and digest.

    `origin` is where a statement comes from that nobody signs.
    """
    if signer is None and draft.event not in UNSIGNED_EVENTS:
        # Filed like this it could never be read again, and nothing could follow it in its chain.
        raise ValueError(draft.event)
    sequence, previous = after[0] + 1, after[1]
    statement = Statement(
        workspace=identity.id,
        site=identity.site,
        chain=draft.chain,
        sequence=sequence,
        previous=previous,
        event=draft.event,
        by=signer.signatory if signer else None,
        certificate=signer.certificate if signer else None,
        origin=signer.origin if signer else origin,
        at=at.isoformat(timespec="seconds"),
        subject=draft.subject,
        meaning=draft.meaning,
        reason=draft.reason,
        old=dict(draft.old),
        new=dict(draft.new),
        files=dict(draft.files),
        shown=draft.shown,
    )
    data, path = encode_statement(statement), statement_path(draft.chain, sequence)
    files = {f"{path}.json": data}
    if signer is not None:
        files[f"{path}.p7s"] = signer.sign(data, at=at)
    return MadeStatement(statement, Digest.of(data), data, path, files)


class StatementFiling:
    """陈述归档. Files and reads the statements of one site."""

    def __init__(self, archive: Archive, identity: WorkspaceIdentity, clock: Clock, origin: Origin) -> None:
        self._archive = archive
        self._identity = identity
        self._clock = clock
        self._origin = origin

    def file(
        self,
        draft: StatementDraft,
        signer: Signer | None,
        *,
        along: Mapping[str, bytes] | None = None,
        beside: Callable[[bytes], Mapping[str, bytes]] | None = None,
        controlled: ControlledChange | None = None,
        clock_corrected: bool = False,
    ) -> FiledStatement:
        """File one statement, with other archive files `along` and a change of `main` in the same step.

        `beside` makes further files from the statement's bytes: suffix (such as `.pdf`) → content. With
        `clock_corrected` a clock that is behind the archive is believed, because this statement says so.

        Raises:
            ClockBackwardsError: the clock is behind what was already filed.
            WorkspaceBusyError: another program holds the site too long.
        """
        return self._file(
            [(draft, signer)], along=along, beside=beside, controlled=controlled, clock_corrected=clock_corrected
        )[0]

    def file_all(
        self,
        drafts: Sequence[tuple[StatementDraft, Signer | None]],
        *,
        along: Mapping[str, bytes] | None = None,
        controlled: ControlledChange | None = None,
    ) -> list[FiledStatement]:
        """File several statements in one commit, in this order."""
        return self._file(drafts, along=along, controlled=controlled)

    def make(
        self,
        draft: StatementDraft,
        signer: Signer | None,
        *,
        at: datetime,
        archive: ArchiveReader,
        beside: Callable[[bytes], Mapping[str, bytes]] | None = None,
    ) -> MadeStatement:
        """Make a statement that is filed by whoever holds the lock; `archive` is what the writer sees.

        Raises:
            InvalidChainError: there can be no such chain.
            StatementChainBrokenError: the last statement of the chain is gone.
        """
        made = self._made(draft, signer, at, _end(archive, draft.chain))
        also = beside(made.data) if beside else {}
        return replace(made, files={**made.files, **{made.path + suffix: data for suffix, data in also.items()}})

    def prepare(self, draft: StatementDraft, signer: Signer) -> PreparedStatement:
        """Make and sign a statement without filing it, for what takes long and must not hold the archive's lock.

        Raises:
            ClockBackwardsError: the clock is behind what was already filed.
        """
        with self._archive.writing() as writer:
            at = writer.moment(self._clock.now())
            after = _end(writer, draft.chain)
            tip = self._archive.tip()
        return PreparedStatement(self._made(draft, signer, at, after), tip)

    def file_prepared(
        self, prepared: PreparedStatement, beside: Mapping[str, bytes] | None = None
    ) -> FiledStatement | None:
        """File what was prepared, with files `beside` it (suffix → bytes); None when the archive moved meanwhile."""
        with self._archive.writing() as writer:
            if self._archive.tip() != prepared.tip:
                return None
            statement, path = prepared.made.statement, prepared.made.path
            files = {**prepared.made.files, **{path + suffix: content for suffix, content in (beside or {}).items()}}
            assert statement.by is not None
            at = datetime.fromisoformat(statement.at)
            subject = f"{path} {statement.event}"
            commit = writer.append(self._change(files, statement.by, at, subject, statement.event.value))
        return FiledStatement(statement, prepared.made.digest, path, commit)

    def countersign(self, chain: str, sequence: int, signer: Signer) -> FiledStatement:
        """Add the signature of another person to a statement that is already filed.

        Raises:
            StatementMissingError: there is no such statement.
            PathTakenError: the person has signed it already.
        """
        path = statement_path(chain, sequence)
        with self._archive.writing() as writer:
            data = writer.read(f"{path}.json")
            if data is None:
                raise StatementMissingError(path=path)
            at = writer.moment(self._clock.now())
            by = signer.signatory
            files = {f"{path}.{by.person}.p7s": signer.sign(data, at=at)}
            commit = writer.append(self._change(files, by, at, f"{path} countersigned", "countersign"))
        return FiledStatement(decode_statement(data, where=path), Digest.of(data), path, commit)

    def chain(self, name: str) -> list[StoredStatement]:
        """Return the statements of a short chain (a person, a document, the authority), in order."""
        files = dict(self._archive.walk(name))
        found = []
        for path, data in files.items():
            if path.endswith(".json"):
                stem = path.removesuffix(".json")
                digest = Digest.of(data)
                found.append(
                    StoredStatement(decode_statement(data, where=path), digest, data, _signatures(files, stem), stem)
                )
        return found

    def chains(self) -> list[str]:
        """Return the names of all chains about people and documents, and that of the authority."""
        found = ["authority"] if self._archive.listing("authority") else []
        found += [f"people/{name}" for name in self._archive.listing("people")]
        for number in self._archive.listing("documents"):
            found += [f"documents/{number}/{revision}" for revision in self._archive.listing(f"documents/{number}")]
        return found

    def newest(self, chain: str) -> StoredStatement | None:
        """Return the newest statement of any chain, None while it is empty."""
        sequence = _last(self._archive.listing, chain)
        if not sequence:
            return None
        path = statement_path(chain, sequence)
        data = self._archive.read(f"{path}.json")
        if data is None:
            raise StatementChainBrokenError(path=path)
        signature = self._archive.read(f"{path}.p7s")
        signatures = {"": signature} if signature is not None else {}
        return StoredStatement(decode_statement(data, where=path), Digest.of(data), data, signatures, path)

    def recent(self, chain: str, most: int) -> Iterator[StoredStatement]:
        """Yield the newest statements of a chain, the newest first; what cannot be read is left to `qms verify`."""
        for sequence in range(_last(self._archive.listing, chain), 0, -1)[:most]:
            path = statement_path(chain, sequence)
            with suppress(QmsError):
                data = self._archive.read(f"{path}.json")
                if data is not None:
                    found = decode_statement(data, where=path)
                    yield StoredStatement(found, Digest.of(data), data, {}, path)

    def _file(
        self,
        drafts: Sequence[tuple[StatementDraft, Signer | None]],
        *,
        along: Mapping[str, bytes] | None,
        beside: Callable[[bytes], Mapping[str, bytes]] | None = None,
        controlled: ControlledChange | None,
        clock_corrected: bool = False,
    ) -> list[FiledStatement]:
        made: list[MadeStatement] = []
        with self._archive.writing() as writer:
            at = writer.moment(self._clock.now(), corrected=clock_corrected)
            gathered = GatheredFiles(writer)
            for draft, signer in drafts:
                one = self.make(draft, signer, at=at, archive=gathered, beside=beside)
                gathered.add(one.files)
                made.append(one)
            first = made[0].statement
            by = first.by or SYSTEM
            subject = f"{made[0].path} {first.event}"
            change = self._change({**(along or {}), **gathered.files}, by, at, subject, first.event.value)
            commit = writer.append(
                change, controlled=replace(controlled, statement=made[0].path) if controlled is not None else None
            )
        return [FiledStatement(item.statement, item.digest, item.path, commit) for item in made]

    def _made(
        self, draft: StatementDraft, signer: Signer | None, at: datetime, after: tuple[int, Digest | None]
    ) -> MadeStatement:
        return make_statement(self._identity, draft, signer, at=at, origin=self._origin, after=after)

    @staticmethod
    def _change(files: Mapping[str, bytes], by: Signatory, at: datetime, subject: str, action: str) -> ArchiveChange:
        trailers = {"QMS-Action": action, "QMS-Signer": by.person}
        return ArchiveChange(files=files, by=by, at=at, subject=subject, trailers=trailers)


def _signatures(files: Mapping[str, bytes], stem: str) -> dict[str, bytes]:
    found = {}
    for path, data in files.items():
        if path.startswith(f"{stem}.") and path.endswith(".p7s"):
            found[path.removeprefix(stem).removesuffix("p7s").strip(".")] = data
    return found


def last_sequence(archive: ArchiveReader, chain: str) -> int:
    """Return the sequence of a chain's last statement, 0 while it is empty; raises `InvalidChainError`."""
    check_chain(chain)
    return _last(archive.listing, chain)


def _end(archive: ArchiveReader, chain: str) -> tuple[int, Digest | None]:
    """Return the last sequence of a chain and the digest of that statement.

    Raises:
        InvalidChainError: there can be no such chain.
        StatementChainBrokenError: its last statement is gone.
    """
    sequence = last_sequence(archive, chain)
    if not sequence:
        return 0, None
    path = statement_path(chain, sequence)
    data = archive.read(f"{path}.json")
    if data is None:
        raise StatementChainBrokenError(path=path)
    return sequence, Digest.of(data)


def _last(listing: Callable[[str], list[str]], chain: str) -> int:
    """Return the highest sequence in a chain, 0 while it is empty."""
    folder = chain
    if chain in {TRAIL, TIMESTAMPS}:
        for _ in range(2):
            below = [name for name in listing(folder) if name.isdecimal()]
            if not below:
                return 0
            folder = f"{folder}/{max(below)}"
    stems: Iterator[str] = (name.split(".")[0] for name in listing(folder))
    return max((int(stem) for stem in stems if stem.isdecimal()), default=0)
