"""浏览副本. A masked, read-only copy of the archive as ordinary folders and Word files, made on request.

It is for looking only: nothing reads it back, and it can be deleted at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.services.index_ports import RecordIndex
    from controller.services.ports import Progress
    from controller.services.record_reading import RecordReading

_NOT_IN_NAMES = str.maketrans(dict.fromkeys('\\/:*?"<>|', "、"))


def browsing_files(
    index: RecordIndex, records: RecordReading, *, progress: Progress | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of every record as docx, sensitive values masked: `<form title>/<year>/<number>.docx`."""
    for done, state in enumerate(index.records(), start=1):
        title = records.read(state.number).package.definition.title.translate(_NOT_IN_NAMES)
        yield f"{state.number.form} {title}/{state.number.year}/{state.number}.docx", records.print(state.number)
        if progress is not None:
            progress(done, None)
