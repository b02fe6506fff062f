"""何人何处. Who acted, and where from, as entries and statements both write it (docs/record-storage.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.record import Signatory
from controller.domain.signature import Origin

if TYPE_CHECKING:
    from controller.domain.record import Wire
    from controller.file_formats.object_reading import ObjectReader


def signatory_wire(by: Signatory) -> dict[str, Wire]:
    """Return a person as written under `by`."""
    return {"person": by.person, "name": by.name, "post": by.post}


def signatory_of(reader: ObjectReader) -> Signatory:
    """Return the person under `by`; what is wrong there is damage, told as `reader` tells it."""
    by = reader.part("by", "person name post")
    return Signatory(person=by.filled("person"), name=by.filled("name"), post=by.text("post"))


def origin_wire(origin: Origin) -> dict[str, Wire]:
    """Return computer, account and sitting as written under `origin`."""
    return {"computer": origin.computer, "account": origin.account, "sitting": origin.sitting}


def origin_of(reader: ObjectReader) -> Origin:
    """Return the origin under `origin`; what is wrong there is damage, told as `reader` tells it."""
    origin = reader.part("origin", "computer account sitting")
    return Origin(origin.text("computer"), origin.text("account"), origin.text("sitting"))
