"""Bulk import of filled forms, checked, rendered, sealed and durable, against the plain stack one by one."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

FORM = "XX-YLQXJL-013"
PASSPHRASE = "窗台纸船17只海棠3株"
ROOT = Path(__file__).resolve().parents[1]


def _values(position: int) -> dict[str, Any]:
    return {
        "contact_at": "2026-11-20 09:30",
        "mode": "电话",
        "customer_name": f"第{position}人民医院",
        "department": "设备科",
        "contact_name": "张伟",
        "contact_phone": "13800000001",
        "product_text": f"输液泵 SP-500 批号 {position:06d}",
        "kind": ["咨询", "报修"],
        "detail": f"来电反映第 {position} 台设备在连续使用四小时后流量显示波动,要求上门检查并说明校准周期。",
        "injury_flag": "否",
        "late_entry_reason": "批量补录",
    }


def run(*, quick: bool) -> list[dict[str, Any]]:
    from controller.bootstrap import NewCompany, make_workspace
    from controller.services.record_filing import ImportRow, OpeningAct

    count = 500 if quick else 10_000
    people = (ROOT / "records" / "samples" / "people.yml").read_text(encoding="utf-8")
    passphrases = dict.fromkeys((f"p{number:03d}" for number in range(1, 9)), PASSPHRASE)
    new = NewCompany("测速", "XX", people, passphrases, PASSPHRASE, key_folder="../keys")
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(make_workspace(Path(folder) / "workspace", new)) as application,
    ):
        by = application.signing_in.sign_in("p003", PASSPHRASE).signer

        def rows() -> Iterator[ImportRow]:
            for position in range(1, count + 1):
                yield ImportRow(position, _values(position))

        started = time.perf_counter()
        report = application.filing.import_rows(FORM, rows, OpeningAct(by=by))
        ours = (time.perf_counter() - started) * 1000 / count
        assert len(report.filed) == count
        plain = _plain(application.forms.package(FORM).docx, 5 if quick else 30)
    return [
        {
            "name": f"bulk import, {count} sensitive signed records, each",
            "ours_ms": ours,
            "plain_ms": plain,
            "ratio": plain / ours,
            "goal": "≥ 500 records/s (≤ 2 ms)",
            "reached": ours <= 2,
        }
    ]


def _plain(template: bytes, runs: int) -> float:
    """docxtpl per document, one GitPython index commit each, in an empty repository (its best case)."""
    import io

    import git
    from docxtpl import DocxTemplate

    with tempfile.TemporaryDirectory() as folder:
        repository = git.Repo.init(folder)
        started = time.perf_counter()
        for position in range(runs):
            document = DocxTemplate(io.BytesIO(template))
            document.render(_plain_context(), autoescape=True)
            path = Path(folder) / f"{position:04d}"
            path.mkdir()
            document.save(str(path / "record.docx"))
            (path / "values.json").write_text(json.dumps(_values(position), ensure_ascii=False), encoding="utf-8")
            repository.index.add([f"{position:04d}/record.docx", f"{position:04d}/values.json"])
            repository.index.commit(f"record {position}")
        elapsed = (time.perf_counter() - started) * 1000 / runs
        repository.close()
    return elapsed


class _Anything(dict):  # type: ignore[type-arg]
    def __missing__(self, key: str) -> Any:
        return _Anything()

    def __getattr__(self, key: str) -> Any:
        return _Anything()

    def __call__(self, *_arguments: Any) -> Any:
        return self

    def __str__(self) -> str:
        return "内容"


def _plain_context() -> dict[str, Any]:
    values = {key: value for key, value in _values(1).items() if isinstance(value, str)}
    names = ("record", "company", "form", "sig", "box", "boxes", "raw")
    return {**values, **{name: _Anything() for name in names}}
