"""对照目录. Collects every Chinese message of the program, keeps the English catalog in step, compiles the catalogs.

A tool for those who build the program (`make catalogs`); needs Babel, which the program itself does not.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = Path(__file__).resolve().parents[1]
LOCALES = PACKAGE / "locales"
ENGLISH = LOCALES / "en" / "LC_MESSAGES" / "qms.po"
CLICK_CHINESE = LOCALES / "zh" / "LC_MESSAGES" / "click.po"
_KEYWORDS = {"T": None, "M": None}


def messages_of(folder: Path = PACKAGE) -> list[str]:
    """Return every message template in the code below `folder`, sorted."""
    found = extract_from_dir(folder, method_map=[("**.py", "python")], keywords=_KEYWORDS)
    return sorted({message if isinstance(message, str) else message[0] for _, _, message, _, _ in found})


def click_messages() -> list[str]:
    """Return every sentence that click itself can show, singular forms first."""
    import click

    found = extract_from_dir(Path(click.__file__).parent, method_map=[("**.py", "python")])
    result: set[str] = set()
    for _, _, message, _, _ in found:
        result.update([message] if isinstance(message, str) else [part for part in message if part])
    return sorted(result)


def read_catalog(path: Path) -> Catalog:
    """Return the catalog in `path`, empty when there is none."""
    if not path.exists():
        return Catalog(locale=path.parent.parent.name, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name, charset="utf-8")


def renewed(old: Catalog, wanted: Iterable[str]) -> Catalog:
    """Return a catalog of exactly `wanted`, with the translations that `old` has."""
    catalog = Catalog(locale=old.locale, charset="utf-8", project="wenkong", version="1", fuzzy=False)
    for message in wanted:
        known = old.get(message)
        catalog.add(message, string=known.string if known and known.string else "")
    return catalog


def po_text(catalog: Catalog) -> bytes:
    """Return the catalog as the text of a `.po` file, without dates that change at every run."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=120, no_location=True, omit_header=True, sort_output=True)
    header = (
        b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    return header + buffer.getvalue()


def mo_bytes(path: Path) -> bytes:
    """Return the compiled form of the `.po` file in `path`, the same bytes each time."""
    catalog = read_catalog(path)
    plain = Catalog(locale=catalog.locale, charset="utf-8", header_comment="")
    for message in catalog:
        if message.id:
            plain.add(message.id, string=message.string)
    plain.creation_date = plain.revision_date = datetime(1980, 1, 1, tzinfo=UTC)
    buffer = io.BytesIO()
    write_mo(buffer, plain)
    return buffer.getvalue()


def main() -> int:
    """Renew the English catalog, compile all, and tell what still lacks a translation."""
    ENGLISH.parent.mkdir(parents=True, exist_ok=True)
    catalog = renewed(read_catalog(ENGLISH), messages_of())
    ENGLISH.write_bytes(po_text(catalog))
    for path in (ENGLISH, CLICK_CHINESE):
        if path.exists():
            path.with_suffix(".mo").write_bytes(mo_bytes(path))
    missing = [str(message.id) for message in catalog if message.id and not message.string]
    for text in missing:
        sys.stdout.write(f"missing: {text}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
