"""`make bench`: runs every benchmark in a process of its own, prints one table, writes `build/bench.json`.

Each benchmark module has `run(quick: bool) -> list[dict]`; a row is {"name", "ours_ms", "plain_ms",
"ratio", "goal", "reached", "note"}.
Own processes, so that the peak memory of one is not the peak of another.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

MODULES = (
    "bench_help",
    "bench_render",
    "bench_filing",
    "bench_sign",
    "bench_pdf_signing",
    "bench_import",
    "bench_registers",
    "bench_as_of",
    "bench_verify",
)


def run_one(module: str, *, quick: bool) -> int:
    rows = import_module(f"benchmarks.{module}").run(quick=quick)
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // unit
    sys.stdout.write("\n" + json.dumps({"rows": rows, "peak_mb": own, "peak_child_mb": children}, ensure_ascii=False))
    return 0


def table(results: dict[str, Any]) -> str:
    lines = [f"{'':52} {'ours':>10} {'plain':>10} {'ratio':>8}  goal"]
    for module, result in results.items():
        if "error" in result:
            lines.append(f"{module}: {result['error']}")
            continue
        for row in result["rows"]:
            ours, plain, ratio = (row.get(key) for key in ("ours_ms", "plain_ms", "ratio"))
            mark = {True: "✓", False: "✗", None: " "}[row.get("reached")]
            figures = f"{_number(ours):>10} {_number(plain):>10} {_number(ratio):>8}"
            lines.append(f"{row['name'][:52]:52} {figures}  {mark} {row.get('goal', '')}")
        lines.append(f"{'    peak memory of ' + module:52} {result['peak_mb']:>7} MB")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="small sizes, about a minute")
    parser.add_argument("--only", choices=MODULES, action="append", help="run only this benchmark")
    parser.add_argument("--one", choices=MODULES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return run_one(options.one, quick=options.quick)
    results: dict[str, Any] = {}
    for module in options.only or MODULES:
        sys.stderr.write(f"{module} …\n")
        command = [sys.executable, "-m", "benchmarks", "--one", module, *(["--quick"] if options.quick else [])]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
        if done.returncode:
            results[module] = {"error": done.stderr.strip().splitlines()[-1:] or done.returncode}
        else:
            results[module] = json.loads(done.stdout.splitlines()[-1])
    print(table(results))
    target = Path("build") / "bench.json"
    target.parent.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "system": platform.platform()}
    target.write_text(
        json.dumps({"machine": machine, "results": results}, ensure_ascii=False, indent=2), encoding="utf-8"
    )
    print(f"\n{target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
