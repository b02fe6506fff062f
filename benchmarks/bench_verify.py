"""Verifying an archive of signed entries, in two processes and in one; history, signatures, every object included."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.record import Act, Entry, Signatory
from controller.file_formats.entry_file import encode_entry
from controller.file_formats.signature_file import detached_signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.bootstrap import Application
    from controller.domain.record import FormBinding, Wire
    from controller.domain.signature import SigningKey

ROOT = Path(__file__).resolve().parents[1]
FORM = "XX-YLQXJL-018"
PASSPHRASE = "测速-窗台纸船17只"
ENTRIES = 3
"""Entries of one record."""
VALUES: dict[str, Wire] = {
    "received_at": "2026-05-01T09:12+08:00",
    "channel": "电话",
    "product_name": "半导体激光脱毛仪",
    "model": "AZ-808 Pro",
    "reg_no": "国械注准20243091234",
    "lot_no": "B20260312",
    "customer": "某某市第一人民医院皮肤科",
    "content_summary": "开机后手柄不出光,屏幕显示 E07,重启后仍不能使用;客户要求当天上门。",
    "handling": "电话指导检查水位与手柄接头,未恢复;已安排工程师次日上午到场,携带备用手柄一支。",
}


class _Clock:
    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment


def made(folder: Path, entries: int) -> Application:
    """Make a workspace whose archive holds about `entries` signed entries, one commit each."""
    from controller.adapters import personal_keys
    from controller.bootstrap import NewCompany, make_workspace
    from controller.services.archive_ports import ArchiveChange

    personal_keys.ROUNDS = 1000
    founded = datetime.fromisoformat("2026-01-05T09:00:00+08:00")
    people = (ROOT / "records" / "samples" / "people.yml").read_text(encoding="utf-8")
    passphrases = dict.fromkeys((f"p{number:03d}" for number in range(1, 20)), PASSPHRASE)
    new = NewCompany("测速", "XX", people, passphrases, PASSPHRASE, key_folder="../keys")
    application = make_workspace(folder / "workspace", new, clock=_Clock(founded))
    key = application.personal_keys.unlock("p003", PASSPHRASE)
    person = application.staff.people["p003"]
    by = application.staff.signatory(person)
    package = application.forms.package(FORM)
    binding = application.making.binding(package) if hasattr(application.making, "binding") else None
    if binding is None:
        from controller.domain.record import FormBinding

        binding = FormBinding(package.definition.number, package.definition.revision, package.digest)
    forms = {
        f"controlled-forms/{package.digest.hex}/compiled.json": package.compiled,
        f"controlled-forms/{package.digest.hex}/form.docx": package.docx,
    }
    stage = package.definition.stages[0].key

    def changes() -> Iterator[ArchiveChange]:
        yield ArchiveChange(forms, by, founded, "forms", {})
        at = founded
        for serial in range(1, entries // ENTRIES + 1):
            number = RecordNumber.of(FORM, 2026, serial)
            previous: Digest | None = None
            for sequence in range(1, ENTRIES + 1):
                at += timedelta(seconds=7)
                data = encode_entry(_entry(application, number, sequence, previous, binding, by, key, at, stage))
                previous = Digest.of(data)
                path = f"{number.folder}/{sequence:04d}"
                files = {f"{path}.json": data, f"{path}.p7s": detached_signature(data, at=at, key=key)}
                yield ArchiveChange(files, by, at, str(number), {"QMS-Action": "open", "QMS-Signer": by.person})

    with application.archive.writing() as writer:
        writer.append_many(changes())
    return application


def _entry(
    application: Application,
    number: RecordNumber,
    sequence: int,
    previous: Digest | None,
    binding: FormBinding,
    by: Signatory,
    key: SigningKey,
    at: datetime,
    stage: str,
) -> Entry:
    from controller.domain.signature import Origin

    return Entry(
        workspace=application.settings.workspace_id,
        site="main",
        record=number,
        sequence=sequence,
        previous=previous,
        act=Act.OPENED if sequence == 1 else Act.FILLED,
        form=binding,
        by=by,
        certificate=Digest.of(key.certificate),
        origin=Origin("pc-01", "office", "s-0001"),
        at=at.isoformat(),
        meaning="记录",
        stage=stage,
        company="测速",
        values=VALUES,
        shown=Digest.of(number.text.encode()),
    )


class _Peak:
    """Watches the memory of this process and its children; `children` is that of the largest one."""

    def __init__(self) -> None:
        self.own = 0.0
        self.children = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        import psutil

        me = psutil.Process()
        while not self._stop.wait(0.2):
            self.own = max(self.own, me.memory_info().rss / 2**20)
            for child in me.children(recursive=True):
                try:
                    if "python" in child.name():
                        self.children = max(self.children, child.memory_info().rss / 2**20)
                except psutil.Error:
                    continue


def run(*, quick: bool) -> list[dict[str, Any]]:
    entries = 6_000 if quick else 100_000
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        application = made(folder, entries)
        with closing(application):
            for spread in (True, False) if quick else (True,):
                with _Peak() as peak:
                    began = time.perf_counter()
                    report = application.verify(spread=spread)
                    took = (time.perf_counter() - began) * 1000
                errors = [item for item in report.findings if item.gravity.value == "error"]
                assert not errors, errors[:3]
                assert report.entries == entries // ENTRIES * ENTRIES
                where = "two processes" if spread else "one process"
                rows.append(
                    {
                        "name": f"verify {report.entries:,} signed entries, {where}",
                        "ours_ms": took,
                        "plain_ms": None,
                        "ratio": None,
                        "goal": "≤ 60 s, < 200 MB each" if not quick else "",
                        "reached": took <= 60_000 and max(peak.own, peak.children) < 200 if not quick else None,
                        "note": f"memory {peak.own:.0f} MB, each other process {peak.children:.0f} MB",
                    }
                )
            rows.append(_plain(application, report.entries, quick=quick))
    return rows


def _plain(application: Application, entries: int, *, quick: bool) -> dict[str, Any]:
    """What one would write first: `git show` and `openssl cms -verify` for each entry."""
    count = 20 if quick else 100
    folder = application.folder
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root.pem"
        root.write_bytes(application.controlled_files.read("signatures/ca/ca.pem") or b"")
        began = time.perf_counter()
        for serial in range(1, count + 1):
            path = f"{RecordNumber.of(FORM, 2026, serial).folder}/0001"
            for suffix in ("json", "p7s"):
                done = subprocess.run(
                    ["git", "show", f"archive/main:{path}.{suffix}"], cwd=folder, capture_output=True, check=True
                )
                (Path(name) / f"entry.{suffix}").write_bytes(done.stdout)
            subprocess.run(
                ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{name}/entry.p7s", "-content",
                 f"{name}/entry.json", "-CAfile", str(root), "-purpose", "any", "-attime", "1767600000"],
                capture_output=True, check=False,
            )  # fmt: skip
        each = (time.perf_counter() - began) * 1000 / count
    return {
        "name": "the same with git show and openssl, signatures only",
        "ours_ms": None,
        "plain_ms": each * entries,
        "ratio": None,
        "goal": "",
        "reached": None,
    }


if __name__ == "__main__":
    for row in run(quick="--quick" in sys.argv):
        print(row)
