"""Filing one record durably, as the archive grows; against `index.add` + `index.commit` of GitPython."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.adapters.git_archive import GitArchive
from controller.adapters.git_controlled_files import init_repository
from controller.adapters.workspace_lock import WorkspaceLock
from controller.domain.identifiers import Digest, DocumentNumber, RecordNumber, Revision
from controller.domain.record import Act, Entry, FormBinding, Signatory
from controller.domain.signature import Origin
from controller.file_formats.entry_file import encode_entry
from controller.file_formats.sealed_file import salted, seal
from controller.services.archive_ports import ArchiveChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.domain.record import Wire

FORMS = [f"XX-YLQXJL-{serial:03d}" for serial in range(1, 35)]
YEARS = range(2022, 2027)
BUSY = ("XX-YLQXJL-018", 2026)
BY = Signatory(person="p003", name="王芳", post="售后主管")
AT = datetime(2026, 5, 1, 9, 30, tzinfo=timezone(timedelta(hours=8)))
CERTIFICATE = Digest.of(b"certificate of p003")
ORIGIN = Origin(computer="bench", account="bench", sitting="s-0001")
BATCH = 500
SINGLES = 2000
PLAIN_UP_TO = 20_000

# A complaint as people write it: about 1.5 KB open, 1 KB sealed.
OPEN: dict[str, Wire] = {
    "received_at": "2026-05-01T09:12+08:00",
    "channel": "电话",
    "product_name": "半导体激光脱毛仪",
    "model": "AZ-808 Pro",
    "reg_no": "国械注准20243091234",
    "lot_no": "B20260312",
    "serial_no": "AZ808P-2603-0418",
    "udi_di": "06901234567892",
    "customer": "某某市第一人民医院皮肤科",
    "content_summary": "开机后手柄不出光,屏幕显示 E07,重启后仍不能使用;客户要求当天上门。",
    "handling": "电话指导检查水位与手柄接头,未恢复;已安排工程师次日上午到场,携带备用手柄一支。",
    "assignee": {"person": "p007", "name": "赵工"},
    "severity": "一般",
}
SECRET: dict[str, Wire] = {
    "contact_name": "李女士",
    "contact_phone": "13800001234",
    "content": "患者术中感到局部灼热,立即停止操作并冷敷,皮肤轻度发红,两小时后消退,未作进一步处理。" * 5,
}


def record_files(number: RecordNumber) -> dict[str, bytes]:
    part = salted(SECRET)
    entry = Entry(
        workspace="6a1f6a1e-7c52-4d0e-9b42-6a4f0f3f9f10",
        site="main",
        record=number,
        sequence=1,
        previous=None,
        act=Act.OPENED,
        form=FormBinding(DocumentNumber(number.form), Revision("A/0"), Digest.of(number.form.encode())),
        by=BY,
        certificate=CERTIFICATE,
        origin=ORIGIN,
        at=AT.isoformat(),
        meaning="记录",
        stage="registered",
        company="某某医疗器械有限公司",
        values=OPEN,
        sealed=part.digests(),
        shown=Digest.of(number.text.encode()),
    )
    folder = number.folder
    return {f"{folder}/0001.json": encode_entry(entry), f"{folder}/0001.sealed": seal(part, b"k" * 32)}


def change(*numbers: RecordNumber) -> ArchiveChange:
    files: dict[str, bytes] = {}
    for number in numbers:
        files.update(record_files(number))
    return ArchiveChange(files, BY, AT, f"{numbers[0]}", {"QMS-Action": "open", "QMS-Signer": BY.person})


def numbers(records: int, *, spread: bool) -> Iterator[RecordNumber]:
    """The busiest form and year hold half of all records, or all of them."""
    others = [(form, year) for form in FORMS for year in YEARS if (form, year) != BUSY] if spread else []
    busy = records // 2 if spread else records
    for form, year in others:
        for serial in range(1, (records - busy) // len(others) + 1):
            yield RecordNumber.of(form, year, serial)
    for serial in range(1, busy + 1):
        yield RecordNumber.of(*BUSY, serial)


def changes(records: int, *, spread: bool) -> Iterator[ArchiveChange]:
    batch: list[RecordNumber] = []
    for number in numbers(records, spread=spread):
        batch.append(number)
        if len(batch) == BATCH:
            yield change(*batch)
            batch = []
    if batch:
        yield change(*batch)


@contextmanager
def workspace(records: int, *, spread: bool = True) -> Iterator[tuple[Path, GitArchive, float]]:
    """Give a workspace whose archive holds `records`, and how many were filed in a second."""
    folder = Path(tempfile.mkdtemp(prefix="wenkong-bench-", dir=os.environ.get("BENCH_FOLDER")))
    try:
        init_repository(folder, site="main", begin=[{"site.json": b"{}"}], by=BY, at=AT)
        archive = GitArchive(folder, lock=WorkspaceLock(folder / ".qms"))
        started = time.perf_counter()
        with archive.writing() as writer:
            writer.append_many(changes(records, spread=spread))
        rate = records / (time.perf_counter() - started)
        yield folder, archive, rate
        archive.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_one(archive: GitArchive) -> float:
    started = time.perf_counter()
    with archive.writing() as writer:
        writer.append(change(RecordNumber.of(*BUSY, writer.last_serial(*BUSY) + 1)))
    return (time.perf_counter() - started) * 1000


def file_plainly(folder: Path, times: int) -> float:
    """The stack one would write first: files in a checked-out folder, GitPython's index."""
    import git

    subprocess.run(["git", "checkout", "--quiet", "archive/main"], cwd=folder, check=True)
    repository = git.Repo(folder)
    taken = []
    serial = 900_001
    for offset in range(times):
        files = record_files(RecordNumber.of(*BUSY, serial + offset))
        started = time.perf_counter()
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        repository.index.add(list(files))
        repository.index.commit(f"{serial + offset}")
        taken.append((time.perf_counter() - started) * 1000)
    repository.close()
    return statistics.median(taken)


def row(name: str, ours: float, **more: Any) -> dict[str, Any]:
    plain = more.get("plain_ms")
    return {"name": name, "ours_ms": ours, "plain_ms": plain, "ratio": plain / ours if plain else None, **more}


def apart(folder: Path, times: int) -> float:
    """The plain stack in a process of its own: its memory is not ours."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(file_plainly, folder, times).result()


def single_filings(large: GitArchive, small: GitArchive, times: int) -> tuple[list[float], list[float]]:
    """File in `large`, and after every fifth filing once in `small`: whatever else the machine does hits both."""
    many, reference = [], []
    for turn in range(times):
        many.append(file_one(large))
        if turn % 5 == 0:
            reference.append(file_one(small))
    return many, reference


def run(*, quick: bool, sizes: tuple[int, ...] | None = None) -> list[dict[str, Any]]:
    sizes = sizes or ((1000, 5000) if quick else (1000, 20_000, 200_000))
    singles = 200 if quick else SINGLES
    rows: list[dict[str, Any]] = []
    with workspace(min(sizes)) as (_, small, _):
        for size in sizes:
            with workspace(size) as (folder, archive, rate):
                rows.append(row(f"file in bulk, {size:,} records (per record)", 1000 / rate, records_per_s=rate))
                single_filings(archive, small, 5)
                fresh, reference = single_filings(archive, small, 100)
                rows.append(filing_row(f"file one record at {size:,} records", fresh, reference, size, sizes))
                if size == max(sizes):
                    many, reference = single_filings(archive, small, singles)
                    name = f"the same, the last 200 of {singles:,} single filings"
                    rows.append(filing_row(name, many[-200:], reference[-40:], size, sizes))
                if size <= PLAIN_UP_TO:
                    plain = apart(folder, 5 if size <= 1000 else 2)
                    name = f"file one record at {size:,}, against index.commit"
                    rows.append(row(name, statistics.median(fresh), plain_ms=plain))
    return rows


def filing_row(
    name: str, taken: list[float], reference: list[float], size: int, sizes: tuple[int, ...]
) -> dict[str, Any]:
    median, ratio = statistics.median(taken), statistics.median(taken) / statistics.median(reference)
    more: dict[str, Any] = {}
    if size == max(sizes):
        more = {"goal": f"≤ 35 ms; ≤ 1.5 × at {min(sizes):,}", "reached": median <= 35 and ratio <= 1.5}
    return row(
        name,
        median,
        p95_ms=statistics.quantiles(taken, n=20)[18],
        worst_ms=max(taken),
        cost_ratio=ratio,
        note=f"{ratio:.2f} × the cost at {min(sizes):,}, measured in turn",
        **more,
    )
