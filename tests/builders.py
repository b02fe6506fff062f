"""测试用构造器. Small, valid domain values; a test names only what it is about."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from controller.domain.identifiers import Digest, DocumentNumber, RecordNumber, Revision
from controller.domain.record import Act, Entry, FormBinding, Signatory
from controller.domain.signature import Origin
from controller.file_formats.entry_file import encode_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKSPACE = "6a1f6a1e-7c52-4d0e-9b42-6a4f0f3f9f10"
FORM = "XX-YLQXJL-018"
BEIJING = timezone(timedelta(hours=8))
WANG = Signatory(person="p003", name="王芳", post="售后主管")
MORNING = datetime(2026, 5, 1, 9, 30, tzinfo=BEIJING)


def form_binding(form: str = FORM, digest: Digest | None = None) -> FormBinding:
    """Return a binding to revision A/0 of `form`."""
    return FormBinding(
        number=DocumentNumber(form), revision=Revision("A/0"), digest=digest or Digest.of(b"compiled " + form.encode())
    )


def entry(
    serial: int = 1, *, form: str = FORM, year: int = 2026, binding: FormBinding | None = None, **changes: Any
) -> Entry:
    """Return an opening entry of record `serial`, with `changes` to its fields."""
    fields: dict[str, Any] = {
        "workspace": WORKSPACE,
        "site": "main",
        "record": RecordNumber.of(form, year, serial),
        "sequence": 1,
        "previous": None,
        "act": Act.OPENED,
        "form": binding or form_binding(form),
        "by": WANG,
        "certificate": Digest.of(b"certificate of p003"),
        "origin": Origin(computer="pc-01", account="office", sitting="s-0001"),
        "at": MORNING.isoformat(),
        "meaning": "记录",
        "stage": "registered",
        "values": {"channel": "电话", "product": "医用脱毛仪"},
    }
    return Entry(**(fields | changes))


def chain(*entries: Entry) -> list[tuple[Entry, Digest]]:
    """Return the entries numbered from 1 and bound to each other by digest."""
    from dataclasses import replace

    linked: list[tuple[Entry, Digest]] = []
    for sequence, item in enumerate(entries, 1):
        bound = replace(item, sequence=sequence, previous=linked[-1][1] if linked else None)
        linked.append((bound, Digest.of(encode_entry(bound))))
    return linked


def record_files(entries: Sequence[Entry]) -> dict[str, bytes]:
    """Return the archive files of one record: path → bytes of each entry, chained."""
    return {f"{item.record.folder}/{item.sequence:04d}.json": encode_entry(item) for item, _ in chain(*entries)}
