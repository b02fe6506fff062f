"""`qms verify --stock DIR`: what an inspector gets, and that it checks out with stock tools."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from controller.cli.main import EXIT_REFUSED
from controller.domain.identifiers import RecordNumber
from controller.domain.statement import TRAIL, Event
from tests.conftest import PASSPHRASE
from tests.loose_objects import lose
from tests.real_tools import need
from tests.telephone_call import CALL
from tests.timestamp_server import OpensslAuthority, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace


@pytest.fixture
def filed(workspace: Workspace) -> Workspace:
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    assert answer.code == 0, answer.err
    return workspace


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    for program in ("sh", "openssl", "awk"):
        need(program)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder.parent)}
    return subprocess.run(
        ["sh", str(folder / "verify.sh")], capture_output=True, encoding="utf-8", env=environment, check=False
    )


def test_a_stranger_checks_the_export_and_sees_no_sensitive_value(filed: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "给检查员"
    answer = filed.qms("verify", "--stock", str(folder))
    assert answer.code == 0, answer.err
    assert "怎样核对.txt" in answer.out
    done = check(folder)
    assert done.returncode == 0, done.stdout
    assert "条目 1 份" in done.stdout
    for path in folder.rglob("*"):
        assert path.is_dir() or "滴速校准".encode() not in path.read_bytes(), path
    assert list(folder.rglob("0001.sealed"))


def test_a_mistyped_signing_passphrase_is_no_false_alarm_and_a_name_taken_away_is(
    filed: Workspace, tmp_path: Path
) -> None:
    filed.passphrases.write_text("打错的签名口令", encoding="utf-8")
    (record,) = json.loads(filed.qms("--json", "record", "list").out)
    words = ("record", "correct", record["number"], "--set", "product_text=输液泵", "--reason", "电话核实后更正")
    assert "passphrase-wrong" in filed.qms(*words, person="林静").err
    filed.passphrases.write_text(PASSPHRASE, encoding="utf-8")
    assert filed.qms("verify").code == 0
    folder = tmp_path / "out"
    assert filed.qms("verify", "--stock", str(folder)).code == 0
    said = {path: json.loads(path.read_bytes()) for path in (folder / "archive" / "trail").rglob("*.json")}
    assert [item["by"] for item in said.values() if item["event"] == "signing-failed"] == [None]
    done = check(folder)
    assert done.returncode == 0, done.stdout

    path = next(path for path, item in said.items() if item["by"] is not None)
    forged = said[path] | {"by": None, "certificate": None}
    path.write_text(json.dumps(forged, ensure_ascii=False, separators=(",", ":"), sort_keys=True), encoding="utf-8")
    path.with_suffix(".p7s").unlink()
    reseal(folder)
    attacked = check(folder)
    assert attacked.returncode == 1
    assert f"不符  {path.relative_to(folder).as_posix()}：没有写明签名人" in attacked.stdout


def test_the_export_is_in_the_trail_with_the_digest_of_its_list(filed: Workspace, tmp_path: Path) -> None:
    answer = filed.qms("--json", "verify", "--stock", str(tmp_path / "out"))
    told = json.loads(answer.out)
    sums = "sha256:" + hashlib.sha256((tmp_path / "out" / "SHA256SUMS").read_bytes()).hexdigest()
    assert told["sums"] == sums
    assert told["files"] == len([path for path in (tmp_path / "out").rglob("*") if path.is_file()]) - 2
    with closing(filed.open()) as application:
        newest = application.statements.newest(TRAIL)
    assert newest is not None
    assert newest.statement.event == Event.EXPORTED
    assert newest.statement.by is not None
    assert newest.statement.by.name == "陈晓"
    assert newest.statement.files["SHA256SUMS"].text == sums


def test_a_damaged_archive_is_exported_with_a_loud_note(filed: Workspace, tmp_path: Path) -> None:
    (record,) = json.loads(filed.qms("--json", "record", "list").out)
    lost = lose(filed.folder, f"archive/main:{RecordNumber(record['number']).folder}/0001.json")
    folder = tmp_path / "给检查员"
    answer = filed.qms("verify", "--stock", str(folder))
    assert answer.code == 1, answer.err
    assert "处不符，照现状导出，逐条见其中的 damage.txt。" in answer.out
    assert lost in (folder / "damage.txt").read_text(encoding="utf-8")
    assert check(folder).returncode == 1
    assert "档案已有的不符" in filed.qms("audit-trail", "--action", "导出").out


def test_a_folder_with_something_in_it_is_refused_and_nothing_is_stated(filed: Workspace, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    before = filed.tree()
    answer = filed.qms("verify", "--stock", str(tmp_path / "out"))
    assert answer.code == EXIT_REFUSED
    assert "export-folder-not-empty" in answer.err
    assert filed.tree() == before


def test_nobody_signed_in_means_no_export(filed: Workspace, tmp_path: Path) -> None:
    filed.passphrases.unlink()
    shutil.rmtree(tmp_path / "keys")
    answer = filed.qms("verify", "--stock", str(tmp_path / "out"))
    assert answer.code != 0
    assert not (tmp_path / "out").exists()


@pytest.fixture
def stamped(filed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An export with two stamps of a real authority."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    authority = OpensslAuthority(tmp_path / "tsa")
    roots = filed.folder / "signatures" / "timestamp-roots"
    roots.mkdir()
    shutil.copy(authority.root_file, roots / "tsa.pem")
    assert filed.qms("change", "adopt", "--reason", "登记时间戳机构", person="林静").code == 0
    with serving(authority.reply) as running:
        settings = filed.folder / "qms.toml"
        lines = settings.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("timestamp_authority")]
        settings.write_text("\n".join([*kept, f'timestamp_authority = "{running.address}"', ""]), encoding="utf-8")
        for _ in range(2):
            with closing(filed.open()) as application:
                assert application.timestamping.stamp(application.person("林静")).stamp is not None
            filed.qms("record", "new", "XX-YLQXJL-013", "--values", filed.values("call.yml", CALL))
    assert filed.qms("verify", "--stock", str(tmp_path / "out")).code == 0
    return tmp_path / "out"


def reseal(folder: Path) -> None:
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in files
        if name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def test_stamps_are_checked_and_hold_everything_filed_before_them(stamped: Path, tmp_path: Path) -> None:
    done = check(stamped)
    assert done.returncode == 0, done.stdout
    assert "时间戳 2 个" in done.stdout
    stamps = sorted((stamped / "archive" / "timestamps").rglob("*.tsr"))
    shutil.copytree(stamped, tmp_path / "swapped")
    swapped = tmp_path / "swapped" / stamps[0].relative_to(stamped)
    swapped.write_bytes(stamps[1].read_bytes())
    reseal(tmp_path / "swapped")
    words = check(tmp_path / "swapped")
    assert words.returncode == 1
    assert "00000001.tsr：时间戳与陈述不符" in words.stdout
    (document,) = (path for path in (stamped / "archive" / "controlled-forms").rglob("form.docx"))
    document.write_bytes(document.read_bytes() + b"\0")
    reseal(stamped)
    words = check(stamped)
    assert words.returncode == 1
    assert "00000001.json：总摘要与其间归档的文件不符" in words.stdout
