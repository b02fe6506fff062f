"""证据. What the proofs share: acts at the command line, the archive as git holds it, and programs of strangers."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import zipfile
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
from lxml import etree

from controller.cli.main import main, qms
from tests.conftest import Answer
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pytest

    from tests.conftest import Workspace

ZONE = ZoneInfo("Asia/Shanghai")
ARCHIVE = "archive/main"
SECRET = "护士长反映患者皮肤发红后停用"  # noqa: S105 - a sensitive value, no passphrase
WRONG = "猜的口令-88-铁锚"
REASON = ("--reason", "以实物标签为准")
NEW = "灯塔-92-银杏-雨"


def call(**more: Any) -> dict[str, Any]:
    """What is told of a telephone call an hour ago."""
    hour_ago = datetime.now(ZONE) - timedelta(hours=1)
    return {
        "contact_at": hour_ago.strftime("%Y-%m-%d %H:%M"),
        "mode": "电话",
        "customer_name": "江城市第一人民医院",
        "contact_phone": "13800000001",
        "kind": ["咨询"],
        "detail": SECRET,
        "injury_flag": "否",
        **more,
    }


def complaint(**more: Any) -> dict[str, Any]:
    """What is told of a complaint an hour ago."""
    hour_ago = datetime.now(ZONE) - timedelta(hours=1)
    return {
        "received_at": hour_ago.strftime("%Y-%m-%d %H:%M"),
        "channel": "电话",
        "content": SECRET,
        "injury": "无",
        "customer_name": "江城市第一人民医院",
        "contact_phone": "13800000001",
        "product_name": "输液泵",
        "serial_no": "SP5-01",
        **more,
    }


def done(answer: Answer) -> Any:
    """Make sure that a command with `--json` succeeded; return its document."""
    assert answer.code == 0, answer.err + answer.out
    return json.loads(answer.out)


def file_call(workspace: Workspace, *, person: str = "陈晓", **more: Any) -> str:
    """File a telephone call; return its number."""
    values = workspace.values("call.yml", call(**more))
    number: str = done(workspace.qms("--json", "record", "new", "XX-YLQXJL-013", "--values", values, person=person))[
        "number"
    ]
    return number


def file_complaint(workspace: Workspace, *, person: str = "陈晓", **more: Any) -> str:
    """File a complaint; return its number."""
    values = workspace.values("complaint.yml", complaint(**more))
    number: str = done(workspace.qms("--json", "record", "new", "XX-YLQXJL-018", "--values", values, person=person))[
        "number"
    ]
    return number


def corrected(workspace: Workspace) -> str:
    """A call whose customer was corrected."""
    number = file_call(workspace)
    change = "customer_name=江城市第二人民医院"
    assert workspace.qms("record", "correct", number, "--set", change, *REASON, person="林静").code == 0
    return number


def is_said(path: str) -> bool:
    """Tell whether an archive file is an entry or a statement."""
    return re.fullmatch(r".+/(\d{4}|\d{8})\.json", path) is not None


def left_by(item: dict[str, Any]) -> tuple[str, str | None]:
    """What an entry or statement is about, and who made it."""
    return str(item.get("event") or item.get("act")), (item["by"] or {}).get("name")


def folder_of(number: str) -> str:
    """Where the archive keeps a record."""
    from controller.domain.identifiers import RecordNumber

    return RecordNumber(number).folder


def trail(workspace: Workspace, *words: str) -> list[dict[str, Any]]:
    """Events of the audit trail, oldest first."""
    events: list[dict[str, Any]] = done(
        workspace.qms("--json", "audit-trail", "--limit", "10000", *words, person=None)
    )["events"]
    return events[::-1]


def refused(workspace: Workspace, answer: Answer, code: str) -> dict[str, Any]:
    """Make sure that an act was refused with `code` and that this is in the trail; return that event."""
    assert answer.code == 4, answer.err + answer.out
    assert code in answer.err
    event = trail(workspace, "--failures")[-1]
    assert code in {item["new"] for item in event["changes"]}
    return event


def findings(workspace: Workspace) -> tuple[int, list[dict[str, Any]]]:
    """Exit code of `qms verify`, and the errors it finds."""
    answer = workspace.qms("--json", "verify", person=None)
    assert answer.code in {0, 1}, answer.err
    found = json.loads(answer.out)["findings"]
    return answer.code, [item for item in found if item["gravity"] == "error"]


def git(folder: Path, *words: str, **more: Any) -> bytes:
    """Run the real git."""
    program = need("git")
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    ended: subprocess.CompletedProcess[bytes] = subprocess.run(
        [program, "-C", str(folder), *identity, *words], check=True, capture_output=True, **more
    )
    return ended.stdout


def archived(workspace: Workspace) -> dict[str, bytes]:
    """Every file of the archive as git gives it to anybody."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(git(workspace.folder, "archive", "--format=tar", ARCHIVE))) as tar:
        for item in tar:
            opened = tar.extractfile(item) if item.isfile() else None
            if opened is not None:
                found[item.name] = opened.read()
    return found


def tip(workspace: Workspace) -> str:
    """The newest commit of the archive."""
    return git(workspace.folder, "rev-parse", ARCHIVE).decode().strip()


def entries(workspace: Workspace, number: str) -> list[tuple[str, dict[str, Any]]]:
    """Path and content of every entry of a record, as they lie in the archive."""
    found = archived(workspace)
    folder = f"{folder_of(number)}/"
    paths = sorted(path for path in found if path.startswith(folder) and path.count("/") == folder.count("/"))
    return [(path, json.loads(found[path])) for path in paths if path.endswith(".json")]


def intrude(workspace: Workspace, changes: Mapping[str, bytes | None]) -> None:
    """Put a commit with these files on top of the archive, with git alone, as somebody with the disk could."""
    environment = os.environ | {"GIT_INDEX_FILE": str(workspace.folder.parent / "intruder.index")}
    git(workspace.folder, "read-tree", ARCHIVE, env=environment)
    for path, data in changes.items():
        if data is None:
            git(workspace.folder, "update-index", "--force-remove", path, env=environment)
            continue
        blob = git(workspace.folder, "hash-object", "-w", "--stdin", input=data).decode().strip()
        git(workspace.folder, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=environment)
    tree = git(workspace.folder, "write-tree", env=environment).decode().strip()
    made = git(workspace.folder, "commit-tree", tree, "-p", ARCHIVE, "-m", "x").decode().strip()
    git(workspace.folder, "update-ref", f"refs/heads/{ARCHIVE}", made)


def openssl_accepts(workspace: Workspace, p7s: bytes, content: bytes) -> bool:
    """Tell whether stock openssl verifies a detached signature under the company's root, at the time it states."""
    program = need("openssl")
    place = workspace.folder.parent
    (place / "x.p7s").write_bytes(p7s)
    (place / "x.json").write_bytes(content)
    root = workspace.folder / "signatures" / "ca" / "ca.pem"
    at = int(datetime.fromisoformat(json.loads(content)["at"]).timestamp())
    words = [
        program, "cms", "-verify", "-binary", "-inform", "DER", "-in", "x.p7s", "-content", "x.json",
        "-CAfile", str(root), "-purpose", "any", "-attime", str(at), "-out", os.devnull,
    ]  # fmt: skip
    return subprocess.run(words, cwd=place, capture_output=True, check=False).returncode == 0


def stock_check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script that comes with an export: `sh`, `openssl`, `awk`, nothing of ours."""
    for program in ("sh", "openssl", "awk"):
        need(program)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder.parent)}
    return subprocess.run(
        ["sh", str(folder / "verify.sh")], capture_output=True, encoding="utf-8", env=environment, check=False
    )


def pdf_text(path: Path) -> str:
    """The text of a PDF as `pdftotext` reads it, without spaces and line ends."""
    text = subprocess.run([need("pdftotext"), str(path), "-"], capture_output=True, check=True).stdout.decode("utf-8")
    return "".join(text.split())


def docx_text(data: bytes) -> str:
    """The text of a docx's body, tables too, without spaces."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        main = etree.fromstring(file.read("word/document.xml"))
    return "".join("".join(item.text or "" for item in main.iter("{*}t")).split())


def reseal(folder: Path) -> None:
    """Make the list of digests of an export fit whatever its files are now, as a forger would."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def csv_rows(path: Path) -> list[list[str]]:
    """The rows of an exported CSV."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def commands(group: click.Command = qms, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command of the program."""
    if not isinstance(group, click.Group):
        yield path, group
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from commands(found, (*path, name))


def options(command: click.Command) -> set[str]:
    """Names of a command's options."""
    return {name for item in command.params if isinstance(item, click.Option) for name in item.opts}


def passphrases(workspace: Workspace, *lines: str) -> None:
    """Write what automation gives as passphrases."""
    workspace.passphrases.write_text("\n".join(lines), encoding="utf-8")


def at_terminal(workspace: Workspace, *words: str) -> Answer:
    """Run a command as at a terminal, without a file of passphrases."""
    workspace.capture.readouterr()
    code = main(["--workspace", str(workspace.folder), *words], "zh")
    shown = workspace.capture.readouterr()
    return Answer(code, shown.out, shown.err)


def answers(monkeypatch: pytest.MonkeyPatch, *given: str) -> list[tuple[str, str]]:
    """Answer what a terminal asks, in order; return what was asked: (`shown` or `hidden`, prompt)."""
    left = list(given)
    asked: list[tuple[str, str]] = []

    def answer(kind: str) -> Any:
        def give(prompt: str = "") -> str:
            asked.append((kind, prompt.strip()))
            return left.pop(0)

        return give

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.hidden_prompt_func", answer("hidden"))
    monkeypatch.setattr("click.termui.visible_prompt_func", answer("shown"))
    return asked


def clock_moves(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Let the computer's clock go on by `by`."""
    monkeypatch.setattr(
        "controller.adapters.system_clock.SystemClock.now",
        lambda self: (datetime.now(self._zone) + by).replace(microsecond=0),
    )


def nobody_signed_in(workspace: Workspace) -> None:
    """Close every sitting."""
    assert workspace.qms("logout", "--all", person=None).code == 0


def adopt(workspace: Workspace, path: str, old: str, new: str, *, person: str = "林静") -> Answer:
    """Edit a library file and take it into force."""
    file = workspace.folder / path
    text = file.read_bytes().decode("utf-8")
    assert old in text
    file.write_bytes(text.replace(old, new, 1).encode())
    return workspace.qms("change", "adopt", "--reason", "按评审意见修改", person=person)


def part11(workspace: Workspace) -> None:
    """Take profile `part11` into force, as a company does: by a signed change of its signing rules."""
    answer = adopt(workspace, "signatures/signing.yml", "profile: gsp-cn", "profile: part11")
    assert answer.code == 0, answer.err


def outside_certificate(place: Path, name: str) -> None:
    """Let openssl make `outside.p12`: a key with a certificate for `name` of an authority that is not the company's."""
    program = need("openssl")

    def openssl(*words: str) -> None:
        subprocess.run([program, *words], cwd=place, check=True, capture_output=True)

    (place / "use.cnf").write_text("keyUsage=critical,digitalSignature,nonRepudiation\n", encoding="utf-8")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "900", "-subj", "/CN=Outside CA")
    openssl("req", *curve, "-utf8", "-keyout", "own.key", "-out", "own.csr", "-subj", f"/CN={name}")
    openssl(
        "x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "300", "-out", "own.pem",
        "-extfile", "use.cnf",
    )  # fmt: skip
    openssl(
        "pkcs12", "-export", "-in", "own.pem", "-inkey", "own.key", "-certfile", "ca.pem", "-out", "outside.p12",
        "-passout", f"pass:{NEW}",
    )  # fmt: skip
