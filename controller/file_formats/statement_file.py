"""陈述文件. Statement ↔ the canonical bytes that are signed and filed (`docs/signatures.md`).

Like entries, statements are never rewritten, so the set of keys is closed.
"""

from __future__ import annotations

from controller.domain.errors import DamagedError
from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.domain.statement import UNSIGNED_EVENTS, Event, InvalidChainError, Statement, check_chain
from controller.domain.text import T, Text
from controller.file_formats import canonical_json
from controller.file_formats.entry_file import EntryFormatNewerError
from controller.file_formats.object_reading import ObjectReader
from controller.file_formats.who_and_where import origin_of, origin_wire, signatory_of, signatory_wire

STATEMENT_FORMAT = "wenkong/statement/1"

_KEYS = frozenset(
    {
        "format",
        "workspace",
        "site",
        "chain",
        "sequence",
        "previous",
        "event",
        "by",
        "certificate",
        "origin",
        "at",
        "subject",
        "meaning",
        "reason",
        "old",
        "new",
        "files",
        "shown",
    }
)


class StatementDamagedError(DamagedError):
    """陈述损坏. The bytes are not a statement."""

    code = "statement-damaged"

    def __init__(self, *, problem: Text, where: str | None = None) -> None:
        super().__init__(
            T("陈述无法读取：{problem}。", problem=problem),
            hint=T("陈述归档后不会改变；请用备份核对，并运行 qms verify 查看影响范围。"),
            where=where,
        )


def encode_statement(statement: Statement) -> bytes:
    """Return the canonical bytes of `statement`; their SHA-256 is its digest.

    Raises:
        NotCanonicalError: a value is not a `Wire` value.
    """
    by = statement.by
    return canonical_json.encode(
        {
            "format": STATEMENT_FORMAT,
            "workspace": statement.workspace,
            "site": statement.site,
            "chain": statement.chain,
            "sequence": str(statement.sequence),
            "previous": statement.previous.text if statement.previous else None,
            "event": statement.event.value,
            "by": signatory_wire(by) if by else None,
            "certificate": statement.certificate.text if statement.certificate else None,
            "origin": origin_wire(statement.origin),
            "at": statement.at,
            "subject": statement.subject,
            "meaning": statement.meaning,
            "reason": statement.reason,
            "old": dict(statement.old),
            "new": dict(statement.new),
            "files": {path: digest.text for path, digest in statement.files.items()},
            "shown": statement.shown.text if statement.shown else None,
        }
    )


def decode_statement(data: bytes, *, where: str | None = None) -> Statement:
    """Return the statement that `data` holds; `where` names the file in messages.

    Raises:
        NotCanonicalError: the bytes are not canonical JSON.
        StatementDamagedError: a key is missing, unknown or has a value of the wrong kind.
        EntryFormatNewerError: the statement is of a format this version does not know.
    """
    reader = ObjectReader(
        canonical_json.decode(data, where=where),
        lambda problem: StatementDamagedError(problem=problem, where=where),
    )
    found = reader.text("format")
    if found != STATEMENT_FORMAT:
        raise EntryFormatNewerError(found=found, where=where)
    reader.only(_KEYS)
    files = reader.mapping("files")
    try:
        event = Event(reader.text("event"))
    except ValueError:
        reader.fail(T("事件“{event}”不认识", event=reader.text("event")[:40]))
    try:
        statement = Statement(
            workspace=reader.filled("workspace"),
            site=reader.filled("site"),
            chain=check_chain(reader.text("chain")),
            sequence=reader.whole("sequence", least=1),
            previous=reader.digest_or_none("previous"),
            event=event,
            by=signatory_of(reader) if reader.values.get("by", "") is not None else None,
            certificate=reader.digest_or_none("certificate"),
            origin=origin_of(reader),
            at=reader.moment("at"),
            subject=reader.text("subject"),
            meaning=reader.text("meaning"),
            reason=reader.text_or_none("reason"),
            old=reader.mapping("old"),
            new=reader.mapping("new"),
            files={path: Digest(value if isinstance(value, str) else "") for path, value in files.items()},
            shown=reader.digest_or_none("shown"),
        )
    except (InvalidIdentifierError, InvalidChainError) as exc:
        raise StatementDamagedError(problem=exc.message, where=where) from exc
    if (statement.by is None) != (statement.certificate is None):
        reader.fail(T("陈述人与证书应同时写明"))
    if statement.by is None and statement.event not in UNSIGNED_EVENTS:
        reader.fail(T("事件“{event}”必须有陈述人", event=statement.event.value))
    return statement
