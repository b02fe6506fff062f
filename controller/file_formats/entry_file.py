"""条目文件. Entry ↔ the canonical bytes that are filed and later signed (`docs/record-storage.md`).

The key set of a format version is closed: an entry is never rewritten, so a key this version does not know comes
either from a newer format, which has another name, or from tampering.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn, cast

from controller.domain.errors import DamagedError, MisconfiguredError
from controller.domain.identifiers import Digest, DocumentNumber, InvalidIdentifierError, RecordNumber, Revision
from controller.domain.record import Act, Attachment, Entry, FormBinding, SealedValue, Signatory
from controller.domain.text import T, Text
from controller.file_formats import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

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
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


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
            "by": {"person": entry.by.person, "name": entry.by.name, "post": entry.by.post},
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
    reader = _Reader(canonical_json.decode(data, where=where), where)
    found = reader.text("format")
    if found != ENTRY_FORMAT:
        raise EntryFormatNewerError(found=found, where=where)
    reader.only(_KEYS)
    form, by = reader.part("form", "number revision digest"), reader.part("by", "person name post")
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
            by=Signatory(person=by.filled("person"), name=by.filled("name"), post=by.text("post")),
            at=reader.moment("at"),
            meaning=reader.filled("meaning"),
            stage=reader.filled("stage"),
            company=reader.text("company"),
            values=reader.mapping("values"),
            sealed=reader.sealed(),
            attachments=reader.attachments(),
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


class _Reader:
    """One JSON object whose members are taken by kind; anything else is damage."""

    def __init__(self, value: Wire, where: str | None, name: str = "") -> None:
        self.where = where
        self.name = name
        if not isinstance(value, dict):
            self.fail(T("{key} 应为对象", key=name.rstrip(".") or "JSON"))
        self.values: Mapping[str, Wire] = value

    def fail(self, problem: Text) -> NoReturn:
        raise EntryDamagedError(problem=problem, where=self.where)

    def only(self, keys: frozenset[str]) -> None:
        for key in self.values:
            if key not in keys:
                self.fail(T("出现不认识的键 {key}", key=(self.name + key)[:60]))
        for key in sorted(keys - self.values.keys()):
            self.fail(T("缺少键 {key}", key=self.name + key))

    def _take(self, key: str) -> Wire:
        if key not in self.values:
            self.fail(T("缺少键 {key}", key=self.name + key))
        return self.values[key]

    def text(self, key: str) -> str:
        value = self._take(key)
        return value if isinstance(value, str) else self.fail(T("{key} 应为文字", key=self.name + key))

    def filled(self, key: str) -> str:
        return self.text(key) or self.fail(T("{key} 不能为空", key=self.name + key))

    def text_or_none(self, key: str) -> str | None:
        return None if self._take(key) is None else self.text(key)

    def digest_or_none(self, key: str) -> Digest | None:
        value = self.text_or_none(key)
        return None if value is None else Digest(value)

    def whole(self, key: str, *, least: int) -> int:
        value = self.text(key)
        if not _WHOLE.fullmatch(value) or int(value) < least:
            self.fail(T("{key} 应为不小于 {least} 的整数", key=self.name + key, least=least))
        return int(value)

    def moment(self, key: str) -> str:
        value = self.text(key)
        try:
            ok = bool(_MOMENT.fullmatch(value)) and datetime.fromisoformat(value).tzinfo is not None
        except ValueError:
            ok = False
        return value if ok else self.fail(T("{key} 应为带时区、精确到秒的时间", key=self.name + key))

    def mapping(self, key: str) -> dict[str, Wire]:
        value = self._take(key)
        return value if isinstance(value, dict) else self.fail(T("{key} 应为对象", key=self.name + key))

    def items(self, key: str) -> list[Wire]:
        value = self._take(key)
        return value if isinstance(value, list) else self.fail(T("{key} 应为列表", key=self.name + key))

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.items(key)
        if not all(isinstance(value, str) for value in values):
            self.fail(T("{key} 应为文字的列表", key=self.name + key))
        return tuple(cast("list[str]", values))

    def part(self, key: str, keys: str) -> _Reader:
        part = _Reader(self._take(key), self.where, f"{self.name}{key}.")
        part.only(frozenset(keys.split()))
        return part

    def sealed(self) -> dict[str, SealedValue]:
        values = self.mapping("sealed")
        readers = {key: _Reader(value, self.where, f"sealed.{key}.") for key, value in values.items()}
        for reader in readers.values():
            reader.only(frozenset({"digest"}))
        return {key: SealedValue(Digest(reader.text("digest"))) for key, reader in readers.items()}

    def attachments(self) -> tuple[Attachment, ...]:
        found = []
        for index, value in enumerate(self.items("attachments"), 1):
            item = _Reader(value, self.where, f"attachments.{index}.")
            item.only(frozenset({"name", "digest", "size", "sealed"}))
            sealed = item.values["sealed"]
            if not isinstance(sealed, bool):
                self.fail(T("{key} 应为是或否", key=f"{item.name}sealed"))
            found.append(
                Attachment(
                    name=item.filled("name"),
                    digest=Digest(item.text("digest")),
                    size=item.whole("size", least=0),
                    sealed=sealed,
                )
            )
        return tuple(found)
