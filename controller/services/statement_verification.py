"""陈述验证. Examines the chains of statements: audit trail, people, authority, documents, heads (21 CFR 11.10 e).

Each chain must run from 1 without gap, every statement in its place, bound to the one before, of this workspace, about
what its chain is for, and signed unless nobody may have been there to sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.statement import (
    AUTHORITY,
    CHANGES,
    COPIES,
    DOCUMENTS,
    REVIEWS,
    TIMESTAMPS,
    TRAIL,
    TRAINING,
    Event,
    check_chain,
    statement_path,
)
from controller.domain.text import T
from controller.file_formats.signature_file import check_signature
from controller.file_formats.statement_file import decode_statement
from controller.services.examination_ports import HeldStatement
from controller.services.signature_verification import SignedThing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from controller.domain.signature import CheckedSignature
    from controller.domain.statement import Statement
    from controller.domain.text import Text
    from controller.services.commit_order import CommitOrder
    from controller.services.signature_verification import SignatureVerification
    from controller.services.workspace_identity import WorkspaceIdentity

PEOPLE = "people"
CHAIN_FOLDERS = (AUTHORITY, CHANGES, COPIES, DOCUMENTS, PEOPLE, REVIEWS, TIMESTAMPS, TRAIL, TRAINING)
"""Folders at the top of the archive that hold chains of statements."""
_STEM = re.compile(r"[0-9]{4,8}")
_BEGINS = {
    TRAIL: Event.SITE_OPENED,
    AUTHORITY: Event.AUTHORITY_FOUNDED,
    PEOPLE: Event.PERSON_REGISTERED,
    CHANGES: Event.CHANGE_OPENED,
}
_SCANNED = frozenset({Event.DOCUMENT_SIGNED_ON_PAPER, Event.APPROVED_ELSEWHERE})
"""Statements about something on paper, whose scan lies beside them."""
_ONLY_ONCE = frozenset(_BEGINS.values())
_WITNESSED = frozenset({AUTHORITY, PEOPLE})
"""Chains whose witnesses are judged with the people; elsewhere two sign for a destruction alone."""
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def belongs(event: Event, chain: str) -> bool:
    """Tell whether `event` may be stated in `chain`."""
    kind = chain.split("/", maxsplit=1)[0]
    if event.value.startswith("authority-"):
        return kind == AUTHORITY
    if event.value.startswith("person-"):
        return kind == PEOPLE
    if event is Event.DOCUMENT_REVIEWED:
        return kind == REVIEWS
    if event.value.startswith("document-") or event is Event.APPROVED_ELSEWHERE:
        return kind == DOCUMENTS
    if event.value.startswith(("change-", "draft-", "effect-")):
        return kind == CHANGES
    if event.value.startswith("training-"):
        return kind == TRAINING
    if event.value.startswith("copy-"):
        return kind == COPIES
    if event is Event.HEADS_STAMPED:
        return kind == TIMESTAMPS
    if event is Event.STAMP_FAILED:
        return kind in {TIMESTAMPS, TRAIL}
    return kind == TRAIL


@dataclass
class StatementFiles:
    """一份陈述的文件. What lies in the archive under one stem."""

    stem: str
    """Archive path without suffix."""
    data: bytes | None = None
    signature: bytes | None = None
    witnesses: dict[str, bytes] = field(default_factory=dict)
    stamp: bytes | None = None
    others: dict[str, bytes] = field(default_factory=dict)
    """Suffix → bytes of what else lies there."""

    def add(self, path: str, data: bytes) -> None:
        """Take one file."""
        suffix = path[len(self.stem) :]
        person = suffix[1:].removesuffix(".p7s")
        if suffix == ".json":
            self.data = data
        elif suffix == ".p7s":
            self.signature = data
        elif suffix == ".tsr":
            self.stamp = data
        elif suffix.endswith(".p7s") and _PERSON.fullmatch(person):
            self.witnesses[person] = data
        else:
            self.others[suffix] = data


@dataclass
class _End:
    """How far a chain was read."""

    sequence: int = 0
    digest: Digest | None = None
    unsure: bool = False
    """The statement before could not be read: what should follow is not known."""


class StatementVerification:
    """陈述验证. Reads chains in path order and tells what is wrong with their shape; `judged` does signatures."""

    def __init__(self, identity: WorkspaceIdentity, order: CommitOrder) -> None:
        self._identity = identity
        self._order = order
        self._ends: dict[str, _End] = {}
        self.seen = 0
        """Statements read so far."""

    def read(
        self, files: Iterable[tuple[str, bytes]], damaged: set[str], found: Callable[[Finding], None]
    ) -> Iterator[HeldStatement]:
        """Yield every statement among `files` (path order) that can be read; what is wrong is told to `found`.

        `damaged` holds the paths that cannot be read and have a finding of their own; it may grow meanwhile.
        """
        for stem, group in groupby(files, key=lambda item: _stem(item[0])):
            held = StatementFiles(stem)
            for path, data in group:
                held.add(path, data)
            one = self._statement(held, damaged, found)
            if one is not None:
                yield one
        # A damaged tail shows nowhere else that something should be there; its own finding tells.

    def _statement(
        self, files: StatementFiles, damaged: set[str], found: Callable[[Finding], None]
    ) -> HeldStatement | None:
        path = f"{files.stem}.json"
        since = self._order.since(path)

        def wrong(code: str, message: Text, suffix: str = ".json") -> None:
            where = f"{files.stem}{suffix}"
            found(Finding(code, Gravity.ERROR, message, path=where, since=self._order.since(where) or since))

        chain = _chain(files.stem)
        if chain is None or (files.data is None and path not in damaged):
            for suffix in sorted(_suffixes(files)):
                wrong("file-unknown", T("档案中有来历不明的文件。"), suffix)
            return None
        end = self._ends.setdefault(chain, _End())
        place = int(files.stem.rpartition("/")[2])
        if files.data is None:
            end.sequence, end.digest, end.unsure = place, None, True
            return None
        self.seen += 1
        digest = Digest.of(files.data)
        try:
            statement = decode_statement(files.data, where=path)
        except QmsError as exc:
            wrong("statement-unreadable", exc.message)
            end.sequence, end.digest, end.unsure = place, digest, False
            return None
        if statement_path(statement.chain, statement.sequence) != files.stem or statement.chain != chain:
            message = T(
                "文件名与内容不符：内容是“{chain}”的第 {sequence} 份陈述。",
                chain=statement.chain,
                sequence=statement.sequence,
            )
            wrong("statement-misplaced", message)
        if (statement.workspace, statement.site) != (self._identity.id, self._identity.site):
            wrong("statement-of-another-workspace", T("陈述不属于这个工作区或站点。"))
        if place != end.sequence + 1:
            first, last = end.sequence + 1, place - 1
            message = (
                T("陈述链 {chain} 缺少第 {first} 份陈述。", chain=chain, first=first)
                if first == last
                else T("陈述链 {chain} 缺少第 {first} 至 {last} 份陈述。", chain=chain, first=first, last=last)
            )
            wrong("statement-gap", message)
        elif not end.unsure and statement.previous != end.digest:
            wrong("statement-previous-wrong", T("陈述没有接在前一份之后（前项摘要不符）。"))
        if not belongs(statement.event, chain):
            message = T("事件 {event} 不应出现在陈述链 {chain} 中。", event=statement.event.value, chain=chain)
            wrong("statement-event-misplaced", message)
        begins = _BEGINS.get(chain.split("/")[0])
        if begins is not None and (place == 1) != (statement.event is begins):
            message = T("陈述链 {chain} 应以 {event} 开始，且只有一份。", chain=chain, event=begins.value)
            if place == 1 or statement.event in _ONLY_ONCE:
                wrong("statement-event-misplaced", message)
        end.sequence, end.digest, end.unsure = place, digest, False
        self._beside(statement, chain, files, wrong, damaged)
        return self._held(statement, files, digest, damaged, wrong)

    @staticmethod
    def _beside(
        statement: Statement,
        chain: str,
        files: StatementFiles,
        wrong: Callable[[str, Text, str], None],
        damaged: set[str],
    ) -> None:
        kind = chain.split("/", maxsplit=1)[0]
        unknown = set(files.others)
        if statement.event in _SCANNED:
            for path, digest in statement.files.items():
                suffix = path.removeprefix(files.stem)
                if suffix == path:
                    continue
                unknown.discard(suffix)
                if suffix not in files.others:
                    if path not in damaged:
                        wrong("paper-scan-missing", T("纸质签名的扫描件不见了。"), suffix)
                elif Digest.of(files.others[suffix]) != digest:
                    wrong("paper-scan-differs", T("纸质签名的扫描件被改动过（摘要不符）。"), suffix)
        elif kind == DOCUMENTS:
            unknown.discard(".pdf")
        elif statement.event is Event.TRAINING_ASSIGNED and statement.new.get("questions") is not None:
            unknown.discard(".yml")
            if ".yml" not in files.others:
                if f"{files.stem}.yml" not in damaged:
                    wrong("training-questions-missing", T("阅知考题文件不见了。"), ".yml")
            elif Digest.of(files.others[".yml"]).text != statement.new["questions"]:
                wrong("training-questions-differ", T("阅知考题文件被改动过（摘要不符）。"), ".yml")
        if files.stamp is not None and kind != TIMESTAMPS:
            unknown.add(".tsr")
        if kind not in _WITNESSED and statement.event is not Event.COPY_DESTROYED:
            unknown |= {f".{person}.p7s" for person in files.witnesses}
        for suffix in sorted(unknown):
            wrong("file-unknown", T("档案中有来历不明的文件。"), suffix)

    def _held(
        self,
        statement: Statement,
        files: StatementFiles,
        digest: Digest,
        damaged: set[str],
        wrong: Callable[[str, Text, str], None],
    ) -> HeldStatement:
        assert files.data is not None
        path = f"{files.stem}.json"
        own = f"{files.stem}.p7s"
        signature = self._signature(files.data, files.signature, own, wrong, ".p7s")
        if statement.by is None and files.signature is not None:
            wrong("signature-unexpected", T("陈述没有陈述人，却有签名。"), ".p7s")
        elif statement.by is not None and files.signature is None and own not in damaged:
            wrong("signature-missing", T("没有签名。"), ".p7s")
        witnesses: dict[str, CheckedSignature] = {}
        orders: dict[str, int] = {}
        for person, data in files.witnesses.items():
            suffix = f".{person}.p7s"
            where = files.stem + suffix
            checked = self._signature(files.data, data, where, wrong, suffix)
            if checked is not None:
                witnesses[person] = checked
                order = self._order.of(where)
                if order is not None:
                    orders[person] = order
        return HeldStatement(
            path=path,
            statement=statement,
            digest=digest,
            data=files.data,
            signature=signature,
            witnesses=witnesses,
            stamp=files.stamp,
            pdf=files.others.get(".pdf"),
            order=self._order.of(path),
            witness_orders=orders,
        )

    @staticmethod
    def _signature(
        data: bytes, signature: bytes | None, where: str, wrong: Callable[[str, Text, str], None], suffix: str
    ) -> CheckedSignature | None:
        if signature is None:
            return None
        try:
            return check_signature(signature, data, where=where)
        except QmsError as exc:
            wrong("signature-unreadable", exc.message, suffix)
            return None


def judged(held: HeldStatement, signatures: SignatureVerification) -> Iterator[Finding]:
    """Yield what is wrong with the signatures of a statement, and with its time."""
    statement = held.statement
    if statement.by is None or statement.certificate is None:
        yield from signatures.unsigned_time(held.path, statement.at)
        return
    subject = statement.subject or None
    thing = SignedThing(held.path, held.data, statement.by, statement.certificate, statement.at, subject)
    establishing = statement.chain == AUTHORITY or statement.chain.startswith(f"{PEOPLE}/")
    if held.signature is not None:
        signatures.checked += 1
        yield from signatures.judged(thing, held.signature, standing=not establishing)
    else:
        yield from signatures.filed_when_stated(thing)
    for person, checked in held.witnesses.items():
        signatures.checked += 1
        path = f"{held.path.removesuffix('.json')}.{person}.p7s"
        yield from signatures.witness_time(thing, checked, path)
        if not establishing:
            yield from signatures.countersigned(thing, person, checked, path)


def _stem(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return folder + slash + name.split(".")[0]


def _suffixes(files: StatementFiles) -> set[str]:
    found = set(files.others) | {f".{person}.p7s" for person in files.witnesses}
    for suffix, data in ((".json", files.data), (".p7s", files.signature), (".tsr", files.stamp)):
        if data is not None:
            found.add(suffix)
    return found


def _chain(stem: str) -> str | None:
    """Return the chain that a statement at `stem` belongs to by its place, None when none can lie there."""
    parts = stem.split("/")
    if not _STEM.fullmatch(parts[-1]):
        return None
    chain = parts[0] if parts[0] in {TRAIL, TIMESTAMPS} else "/".join(parts[:-1])
    try:
        check_chain(chain)
    except QmsError:
        return None
    return chain if statement_path(chain, int(parts[-1])) == stem else None
