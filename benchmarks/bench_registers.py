"""Search and registers at 100,000 records; against a LIKE scan and against openpyxl in its normal mode.

Ours runs in this process, whose peak memory is reported; the plain ways run in a process of their own.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

from controller.adapters.register_csv import write_csv
from controller.adapters.register_workbook import write_workbook
from controller.adapters.sorted_spool import SqliteSpool
from controller.adapters.sqlite_index import SqliteIndex
from controller.adapters.working_files import WorkingFiles
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.record import FormBinding, RecordState, Signatory, Wire
from controller.domain.register import Period
from controller.domain.working_days import WorkingDays
from controller.file_formats.form_file import block_path, read_form
from controller.services.indexing import indexed
from controller.services.register_building import RegisterBuilding
from controller.services.register_library import RegisterLibrary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.domain.form import FormDefinition

ROOT = Path(__file__).resolve().parents[1]
FORM = "XX-YLQXJL-018"
NOW = datetime.fromisoformat("2026-11-01T09:00:00+08:00")
WORDS = (
    "投诉", "报警", "漏液", "江城市 输液泵", "屏幕不亮", "B2603", "SN00777", "XX-YLQXJL-018-2024-0012", "王芳 更换手柄",
    "刺痛", "质量", "温度偏高 校准", "发票", "赔偿", "三〇二科",
)  # fmt: skip
"""What people look for: common and rare words, several words, beginnings of numbers, and words that are nowhere."""
_PHRASES = (
    "开机后手柄不出光", "屏幕不亮", "报警音过小", "管路接头处漏液", "温度偏高", "皮肤刺痛", "流量误差超过百分之五",
    "包装破损", "说明书缺页", "随货资料不全", "电池充不满", "打印模糊", "需要上门", "已电话指导", "更换手柄后恢复正常",
    "返厂检修", "校准后合格", "客户要求换货", "已通知注册人", "已通知供货者", "同批产品停售", "质量问题待判定",
    "服务态度", "等待配件",
)  # fmt: skip
_PRODUCTS = (
    "输液泵",
    "病人监护仪",
    "半导体激光脱毛仪",
    "一次性使用无菌注射器",
    "糖化血红蛋白测定试剂盒",
    "金属锁定接骨板",
)
_CUSTOMERS = ("江城市第一人民医院", "江城市中医医院", "临江区中心医院", "柳林镇卫生院", "江城市惠民医疗器械有限公司")


class _Forms:
    """The one form the benchmark uses, as library and as archive of definitions."""

    def __init__(self) -> None:
        files = WorkingFiles(ROOT)
        blocks = {name: (files.read(block_path(name)) or b"").decode() for name in ("product", "customer")}
        text = (files.read(f"templates/forms/{FORM}/form.yml") or b"").decode()
        self.form = read_form(text, blocks, where="form.yml")

    def numbers(self) -> list[str]:
        return [FORM]

    def definition(self, wanted: object) -> FormDefinition:
        del wanted
        return self.form


class _Nothing:
    def documents(self) -> Sequence[Any]:
        return []


def states(form: FormDefinition, count: int) -> Iterator[RecordState]:
    """Yield complaints over seven years, about 1 KB each."""
    chance = random.Random(20261101)
    binding = FormBinding(form.number, form.revision, Digest.of(b"form"))
    by = Signatory("p003", "王芳", "售后主管")
    begin = datetime.fromisoformat("2020-01-01T08:00:00+08:00")
    serials: dict[int, int] = {}
    for place in range(count):
        opened = begin + timedelta(minutes=place * 3_500_000 // count, seconds=place % 60)
        serials[opened.year] = serials.get(opened.year, 0) + 1
        received = opened - timedelta(hours=chance.randint(0, 40))
        replied = received + timedelta(days=chance.randint(1, 25))
        closed = replied + timedelta(days=chance.randint(1, 40))
        day = "%Y-%m-%d"
        values: dict[str, Wire] = {
            "received_at": received.isoformat(timespec="minutes"),
            "channel": chance.choice(["电话", "来访", "邮件"]),
            "content_summary": ",".join(chance.sample(_PHRASES, 3)),
            "product_name": chance.choice(_PRODUCTS),
            "model": f"AZ-{chance.randint(1, 40):03d}",
            "lot_no": f"B{opened:%y%m}{chance.randint(1, 30):02d}",
            "serial_no": f"SN{chance.randint(1, 99999):05d}",
            "registrant": "某某医疗科技股份有限公司",
            "reg_no": "国械注准20243091234",
            "customer_name": chance.choice(_CUSTOMERS),
            "department": f"第{chance.randint(1, 30)}科",
            "category": chance.sample(
                ["产品质量", "性能故障", "包装标签说明书", "交付物流", "服务态度"], chance.randint(1, 2)
            ),
            "injury": chance.choice(["无", "无", "无", "可能导致"]),
            "severity": chance.choice(["一般", "一般", "重要", "重大"]),
            "is_quality": chance.random() < 0.3,
            "handler": {"person": "p003", "name": "王芳"},
            "ack_at": (received + timedelta(hours=2)).isoformat(timespec="minutes"),
            "measure_detail": "".join(chance.sample(_PHRASES, 5)),
            "reply_at": replied.isoformat(timespec="minutes"),
            "reply_content": "".join(chance.sample(_PHRASES, 3)),
            "followup_on": closed.strftime(day),
            "closed_on": closed.strftime(day),
        }
        number = RecordNumber.of(FORM, opened.year, serials[opened.year])
        yield RecordState(
            number=number, form=binding, stage=form.stages[-1].key, values=values, sealed={},
            opened_at=opened.isoformat(timespec="seconds"), opened_by=by,
            changed_at=closed.isoformat(timespec="seconds"), changed_by=by, entries=5,
            head=Digest.of(number.text.encode()),
        )  # fmt: skip


def run(*, quick: bool = False) -> list[dict[str, Any]]:
    count = 5_000 if quick else 100_000
    forms = _Forms()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.sqlite"
        index = SqliteIndex(path, workspace="bench")
        began = time.perf_counter()
        index.apply((indexed(state, forms.form) for state in states(forms.form, count)), commit="c0")
        filled = time.perf_counter() - began
        rows = [_row(f"index {count:,} records", filled * 1000, None, "≤ 60 s", reached=filled <= 60)]
        rows += _single(index, forms.form)
        rows.append(_search(index, path, count))
        rows += _registers(index, forms, Path(folder), path, count)
        index.close()
    return rows


def _single(index: SqliteIndex, form: FormDefinition) -> list[dict[str, Any]]:
    times = []
    for place, sample in enumerate(states(form, 200)):
        number = RecordNumber.of(FORM, NOW.year, 100_000 + place)
        state = replace(sample, number=number, opened_at=(NOW + timedelta(seconds=place)).isoformat())
        began = time.perf_counter()
        index.apply([indexed(state, form)], commit=f"c{place}")
        times.append(time.perf_counter() - began)
    own = quantiles(times, n=20)[18] * 1000
    return [_row("index one filed record, p95", own, None, "≤ 3 ms", reached=own <= 3)]


def _search(index: SqliteIndex, path: Path, count: int) -> dict[str, Any]:
    ours, plain = [], []
    db = sqlite3.connect(path)
    for round_ in range(4):
        for words in WORDS:
            began = time.perf_counter()
            hits = index.search(words)
            ours.append(time.perf_counter() - began)
            if round_:
                continue
            condition = " AND ".join("text LIKE ?" for _ in words.split())
            sql = f"SELECT number, title, subject, text FROM record WHERE {condition} ORDER BY opened_at DESC LIMIT 50"
            began = time.perf_counter()
            scanned = db.execute(sql, [f"%{word}%" for word in words.split()]).fetchall()
            plain.append(time.perf_counter() - began)
            # A scan also finds the inside of numbers; whatever we find it must find too.
            assert len(hits) <= len(scanned)
    db.close()
    own, other = (quantiles(times, n=20)[18] * 1000 for times in (ours, plain))
    return _row(f"search {count:,} records, newest first, p95", own, other, "≤ 30 ms", reached=own <= 30)


def _registers(index: SqliteIndex, forms: _Forms, folder: Path, path: Path, count: int) -> list[dict[str, Any]]:
    register = RegisterLibrary(WorkingFiles(ROOT), forms).definition("TZ-07")
    building = RegisterBuilding(
        index=index,
        archive=None,  # type: ignore[arg-type]
        forms=forms,
        definitions=forms,  # type: ignore[arg-type]
        documents=_Nothing(),
        calendar=WorkingDays(),
        spool=SqliteSpool,
    )
    plain = _plain(path, folder / "plain.xlsx")
    rows = []
    for name in ("xlsx", "csv"):
        began = time.perf_counter()
        table = building.build(register, Period(), NOW)
        if name == "xlsx":
            summary = write_workbook(table, folder / "ours.xlsx", company="某某医疗器械有限公司")
        else:
            summary = write_csv(table, folder / "ours.csv")
        own = (time.perf_counter() - began) * 1000
        assert summary.rows >= count
        title = f"register of {count:,} rows to {name}, with statistics"
        rows.append(_row(title, own, plain["ms"], "≤ 60 s, < 200 MB", reached=own <= 60_000))
    rows[-1]["note"] = f"plain: openpyxl, rows only, no statistics, {plain['mb']:.0f} MB"
    return rows


def _plain(path: Path, target: Path) -> dict[str, float]:
    """Run the plain way in a process of its own; return its time and peak memory."""
    done = subprocess.run(
        [sys.executable, "-c", _PLAIN, str(path), str(target)], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


_PLAIN = """
import json, sqlite3, sys, time
from openpyxl import Workbook
began = time.perf_counter()
keys = ["received_at", "channel", "customer_name", "product_name", "model", "lot_no", "category", "injury", "severity",
        "ack_at", "reply_at", "followup_on", "closed_on", "handler"]
book = Workbook()
sheet = book.active
sheet.append(["编号", *keys, "状态", "调查完成", "逾期", "版本", "状况"])
for (state,) in sqlite3.connect(sys.argv[1]).execute("SELECT state FROM record ORDER BY number"):
    data = json.loads(state)
    values = data["values"]
    cells = [values.get(key) for key in keys]
    cells = [", ".join(c) if isinstance(c, list) else c["name"] if isinstance(c, dict) else c for c in cells]
    sheet.append([data["number"], *cells, data["stage"], None, "否", "A/0", "有效"])
book.save(sys.argv[2])
took = (time.perf_counter() - began) * 1000
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
except ImportError:
    peak = 0.0
print(json.dumps({"ms": took, "mb": peak}))
"""


def _row(name: str, ours: float, plain: float | None, goal: str, *, reached: bool) -> dict[str, Any]:
    ratio = None if plain is None else plain / ours
    return {"name": name, "ours_ms": ours, "plain_ms": plain, "ratio": ratio, "goal": goal, "reached": reached}
