"""条目文件. Entry ↔ the canonical bytes that are filed and later signed (`docs/record-storage.md`).

The key set of a format version is closed: an entry is never rewritten, so a key this version does not know comes
either from a newer format, which has another name, or from tampering.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, MisconfiguredError
from controller.domain.identifiers import Digest, DocumentNumber, InvalidIdentifierError, RecordNumber, Revision
from controller.domain.record import Act, Attachment, Entry, FormBinding, SealedValue
from controller.domain.text import T, Text
from controller.file_formats import canonical_json
from controller.file_formats.object_reading import ObjectReader
from controller.file_formats.who_and_where import origin_of, origin_wire, signatory_of, signatory_wire

if TYPE_CHECKING:
    from controller.domain.record import Wire

ENTRY_FORMAT = "wenkong/entry/1"

_KEYS = frozenset(
    {
        "format",
        "workspace",
        "site",
        "record",
        "sequence",
        "previous",
        "act",
        "form",
        "by",
        "certificate",
        "origin",
        "at",
        "meaning",
        "stage",
        "company",
        "values",
        "sealed",
        "attachments",
        "reason",
        "entered_for",
        "source",
        "warnings",
        "shown",
    }
)


class EntryDamagedError(DamagedError):
    """条目损坏. The bytes are not an entry of the archive."""

    code = "entry-damaged"

    def __init__(self, *, problem: Text, where: str | None = None) -> None:
        super().__init__(
            T("记录条目无法读取：{problem}。", problem=problem),
            hint=T("条目归档后不会改变；请用备份核对，并运行 qms verify 查看影响范围。"),
            where=where,
        )


class EntryFormatNewerError(MisconfiguredError):
    """条目格式较新. The entry was written by a newer version of the program."""

    code = "entry-format-unknown"

    def __init__(self, *, found: str, where: str | None = None) -> None:
        super().__init__(
            T("记录条目的格式“{found}”本版本不认识。", found=found[:60]),
            hint=T("请升级文控程序后再打开这个工作区。"),
            where=where,
        )


def encode_entry(entry: Entry) -> bytes:
    """Return the canonical bytes of `entry`; their SHA-256 is the entry's digest.

    Raises:
        NotCanonicalError: a value is not a `Wire` value.
    """
    sealed: dict[str, Wire] = {key: {"digest": item.digest.text} for key, item in entry.sealed.items()}
    return canonical_json.encode(
        {
            "format": ENTRY_FORMAT,
            "workspace": entry.workspace,
            "site": entry.site,
            "record": entry.record.text,
            "sequence": str(entry.sequence),
            "previous": entry.previous.text if entry.previous else None,
            "act": entry.act.value,
            "form": {
                "number": entry.form.number.text,
                "revision": entry.form.revision.text,
                "digest": entry.form.digest.text,
            },
            "by": signatory_wire(entry.by),
            "certificate": entry.certificate.text,
            "origin": origin_wire(entry.origin),
            "at": entry.at,
            "meaning": entry.meaning,
            "stage": entry.stage,
            "company": entry.company,
            "values": dict(entry.values),
            "sealed": sealed,
            "attachments": [
                {"name": item.name, "digest": item.digest.text, "size": str(item.size), "sealed": item.sealed}
                for item in entry.attachments
            ],
            "reason": entry.reason,
            "entered_for": entry.entered_for,
            "source": dict(entry.source) if entry.source is not None else None,
            "warnings": list(entry.warnings),
            "shown": entry.shown.text if entry.shown else None,
        }
    )


def decode_entry(data: bytes, *, where: str | None = None) -> Entry:
    """Return the entry that `data` states; `where` names the file in messages.

    Raises:
        NotCanonicalError: the bytes are not canonical JSON.
        EntryDamagedError: a key is missing, unknown or has a value of the wrong kind.
        EntryFormatNewerError: the entry is of a format this version does not know.
    """
    reader = ObjectReader(
        canonical_json.decode(data, where=where), lambda problem: EntryDamagedError(problem=problem, where=where)
    )
    found = reader.text("format")
    if found != ENTRY_FORMAT:
        raise EntryFormatNewerError(found=found, where=where)
    reader.only(_KEYS)
    form = reader.part("form", "number revision digest")
    try:
        return Entry(
            workspace=reader.filled("workspace"),
            site=reader.filled("site"),
            record=RecordNumber(reader.text("record")),
            sequence=reader.whole("sequence", least=1),
            previous=reader.digest_or_none("previous"),
            act=Act(reader.text("act")),
            form=FormBinding(
                number=DocumentNumber(form.text("number")),
                revision=Revision(form.text("revision")),
                digest=Digest(form.text("digest")),
            ),
            by=signatory_of(reader),
            certificate=Digest(reader.text("certificate")),
            origin=origin_of(reader),
            at=reader.moment("at"),
            meaning=reader.filled("meaning"),
            stage=reader.filled("stage"),
            company=reader.text("company"),
            values=reader.mapping("values"),
            sealed=_sealed(reader),
            attachments=_attachments(reader),
            reason=reader.text_or_none("reason"),
            entered_for=reader.text_or_none("entered_for"),
            source=reader.mapping("source") if reader.values["source"] is not None else None,
            warnings=reader.texts("warnings"),
            shown=reader.digest_or_none("shown"),
        )
    except (InvalidIdentifierError, ValueError) as exc:
        problem = (
            exc.message
            if isinstance(exc, InvalidIdentifierError)
            else T("动作“{act}”不认识", act=reader.text("act")[:40])
        )
        raise EntryDamagedError(problem=problem, where=where) from exc


def _sealed(reader: ObjectReader) -> dict[str, SealedValue]:
    found = {}
    for key in reader.mapping("sealed"):
        part = ObjectReader(reader.mapping("sealed"), reader.damage, "sealed.").part(key, "digest")
        found[key] = SealedValue(Digest(part.text("digest")))
    return found


def _attachments(reader: ObjectReader) -> tuple[Attachment, ...]:
    found = []
    for index, value in enumerate(reader.items("attachments"), 1):
        item = ObjectReader(value, reader.damage, f"attachments.{index}.")
        item.only(frozenset({"name", "digest", "size", "sealed"}))
        sealed = item.values["sealed"]
        if not isinstance(sealed, bool):
            item.fail(T("{key} 应为是或否", key=f"{item.name}sealed"))
        found.append(
            Attachment(
                name=item.filled("name"),
                digest=Digest(item.text("digest")),
                size=item.whole("size", least=0),
                sealed=sealed,
            )
        )
    return tuple(found)
