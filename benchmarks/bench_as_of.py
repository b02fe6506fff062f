"""The state of the system by two dates: 200 documents with 2,000 revisions beside 50,000 records.

Against what one would write first: `git log -1` and `git show` for each document, which knows one date only.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.adapters.git_archive import GitArchive
from controller.adapters.git_controlled_files import GitControlledFiles
from controller.adapters.git_history import GitBranchHistory
from controller.adapters.workspace_lock import WorkspaceLock
from controller.domain.effect_schedule import EffectSchedule, PendingEffect
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.library_day import ItemKind
from controller.domain.record import Signatory, Wire
from controller.domain.signature import Origin
from controller.domain.statement import Event, Statement
from controller.file_formats.effect_file import EFFECT_FILE, write_effect
from controller.file_formats.statement_file import encode_statement
from controller.services.library_state import LibraryState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2024, 1, 2, 9, tzinfo=ZONE)
REVISIONS = 10
"""Of each document."""
AHEAD = 10
"""Days from approval to effect."""
_CLAUSE = "5.{place}.售后服务人员在接到客户反馈后当日登记，{place}个工作日内回复，重要问题当日上报质量负责人。\n"


class _Clock:
    def now(self) -> datetime:
        return BEGIN + timedelta(days=900)


class _Import:
    """Writes commits into a repository, many at a time."""

    def __init__(self, pipe: IO[bytes], branch: str) -> None:
        self._pipe = pipe
        self._branch = branch
        self.commits = 0

    def commit(self, at: datetime, files: Mapping[str, bytes], message: str) -> str:
        """Add a commit and return how the stream calls it."""
        self.commits += 1
        words = message.encode()
        write = self._pipe.write
        write(f"commit refs/heads/{self._branch}\nmark :{self.commits}\n".encode())
        write(f"committer bench <bench@example.com> {int(at.timestamp())} +0800\ndata {len(words)}\n".encode())
        write(words + b"\n")
        for path, data in files.items():
            write(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
        return f":{self.commits}"


def _imported(folder: Path) -> subprocess.Popen[bytes]:
    command = ["git", "-C", str(folder), "fast-import", "--quiet"]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def _number(place: int) -> str:
    return f"XX-YLQXCX-{place:03d}"


def _document(number: str, revision: int) -> dict[str, bytes]:
    control = f"format: wenkong/document/1\nnumber: {number}\ntitle: 程序{number}\nrevision: A/{revision}\n"
    control += "class: 程序\nowner: 质管部\n"
    clauses = "".join(_CLAUSE.format(place=place + revision) for place in range(20))
    return {f"procedures/{number}/document.yml": control.encode(), f"procedures/{number}/clauses.txt": clauses.encode()}


def _stated(change: str, sequence: int, event: Event, at: datetime, new: Mapping[str, Wire]) -> bytes:
    return encode_statement(
        Statement(
            workspace="0" * 32, site="main", chain=f"changes/{change}", sequence=sequence,
            previous=Digest.of(b"before") if sequence > 1 else None, event=event,
            by=Signatory("p001", "周明", "企业负责人"), certificate=Digest.of(b"certificate"),
            origin=Origin("pc-01", "office", "s-0001"), at=at.isoformat(), subject=change, meaning="批准",
            reason="内审发现职责不清", new=new,
        )
    )  # fmt: skip


def made(folder: Path, documents: int, records: int) -> None:
    """Make a repository with the library and the archive."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(folder)], check=True)
    changes = documents * (REVISIONS - 1)
    moments = [BEGIN + timedelta(days=1, hours=place * 24 * 880 // changes) for place in range(changes)]
    with _imported(folder) as process:
        assert process.stdin is not None
        main = _Import(process.stdin, "main")
        every: dict[str, bytes] = {}
        for place in range(documents):
            every |= _document(_number(place + 1), 0)
        main.commit(BEGIN, every, "setup")
        schedule = EffectSchedule()
        for place, at in enumerate(moments):
            number, revision = _number(place % documents + 1), place // documents + 1
            change = f"{2024 + place // 9000}-{place % 9000 + 1:04d}"
            begins = at.date() + timedelta(days=AHEAD)
            before = f"{main.commits:040x}"
            coming = PendingEffect(
                (f"procedures/{number}",), ItemKind.DOCUMENT, number, f"A/{revision}", begins, before, change
            )
            schedule = schedule.with_approved([coming], at.date())
            files = _document(number, revision) | {EFFECT_FILE: write_effect(schedule)}
            main.commit(at, files, f"change {number}\n\nQMS-Statement: changes/{change}/0007\n")
    with _imported(folder) as process:
        assert process.stdin is not None
        archive = _Import(process.stdin, "archive/main")
        for place, at in enumerate(moments):
            change = f"{2024 + place // 9000}-{place % 9000 + 1:04d}"
            opened = _stated(change, 1, Event.CHANGE_OPENED, at, {})
            approved = _stated(change, 7, Event.CHANGE_APPROVED, at, {"effective": None})
            files = {f"changes/{change}/0001.json": opened, f"changes/{change}/0007.json": approved}
            step = records // changes
            for serial in range(place * step + 1, (place + 1) * step + 1 if place + 1 < changes else records + 1):
                record = RecordNumber.of("XX-YLQXJL-018", 2024, serial)
                files[f"{record.folder}/0001.json"] = f'{{"record":"{record}"}}'.encode() + b" " * 600
                files[f"{record.folder}/0001.p7s"] = str(record).encode() * 20
            archive.commit(at, files, "filed")


def run(*, quick: bool = False) -> list[dict[str, Any]]:
    documents, records = (20, 1_000) if quick else (200, 50_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder, documents, records)
        lock = WorkspaceLock(folder / "locks")
        files = GitControlledFiles(folder, lock=lock)
        history, archive = GitBranchHistory(folder), GitArchive(folder, lock=lock, controlled=files)
        days = [BEGIN.date() + timedelta(days=days) for days in (5, 300, 600, 890, 905)]
        times = []
        with closing(history), closing(archive), closing(files):
            for on, known in [(day, None) for day in days] + list(zip(days, reversed(days[:4]), strict=False)):
                state = LibraryState(history, archive, _Clock(), ZONE)
                began = time.perf_counter()
                found = state.on(on, known=known)
                times.append(time.perf_counter() - began)
                assert len(found.items) == documents
        plain = _plain(folder, documents, days[2])
    own = max(times) * 1000
    return [
        {
            "name": f"as-of, {documents} documents, {documents * REVISIONS:,} revisions, slowest",
            "ours_ms": own,
            "plain_ms": plain,
            "ratio": plain / own,
            "goal": "≤ 1 s",
            "reached": own <= 1000,
            "note": f"beside {records:,} records; plain: git log and git show for each document, one date",
        }
    ]


def _plain(folder: Path, documents: int, day: date) -> float:
    """Return the milliseconds of the plain way, from a sample of the documents."""
    sample = min(documents, 20)
    began = time.perf_counter()
    for place in range(sample):
        path = f"procedures/{_number(place + 1)}/document.yml"
        log = ["git", "-C", str(folder), "log", "-1", f"--until={day}", "--format=%H", "main", "--", path]
        commit = subprocess.run(log, capture_output=True, text=True, check=True).stdout.strip()
        subprocess.run(["git", "-C", str(folder), "show", f"{commit}:{path}"], capture_output=True, check=True)
    return (time.perf_counter() - began) * 1000 * documents / sample
