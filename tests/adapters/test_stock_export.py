"""Tests of the export for strangers: the shell script that goes with it is run for real (sh, openssl)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from controller.adapters.git_history import GitBranchHistory
from controller.adapters.stock_folder import ExportFolderNotEmptyError, new_stock_folder, stock_tools
from controller.domain.statement import UNSIGNED_EVENTS
from controller.services.stock_export import RootMissingError, StockExporting
from tests.loose_objects import lose
from tests.real_tools import need
from tests.signed_archive import PEOPLE, SignedArchive, entry_files, found, number, signed_entry
from tests.signers import company, other_company, pem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.signers import TestKey


def export(workspace: SignedArchive, folder: Path) -> None:
    history = GitBranchHistory(workspace.folder)
    try:
        exporting = StockExporting(history, "archive/main", workspace.statements, workspace.library, tools=stock_tools)
        with new_stock_folder(folder) as writer:
            exporting.write(writer)
    finally:
        history.close()


def check(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    for program in ("sh", "openssl", "awk"):
        need(program)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder.parent)}
    return subprocess.run(
        ["sh", str(folder / "verify.sh"), *words], capture_output=True, encoding="utf-8", env=environment, check=False
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("stock")
    workspace = found(base / "workspace")
    first = workspace.open_record(1)
    workspace.continue_record(first)
    workspace.open_record(2)
    workspace.change_library({"procedures/XX-YLQXCX-014/clauses.txt": "一、目的与范围\n".encode()})
    workspace.enrol("p004", ["p001", "p002"])
    export(workspace, base / "export")
    workspace.close()
    return base / "export"


def test_a_whole_export_checks_out(exported: Path) -> None:
    done = check(exported)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "结论：全部相符。" in done.stdout
    assert "条目 3 份，陈述 11 份" in done.stdout
    assert "p004 赵敏" in done.stdout
    assert "时间未经独立证明" in done.stdout


def test_the_root_fingerprint_of_the_sealed_sheet_is_compared(exported: Path) -> None:
    root = company_root()
    assert check(exported, "--root", ":".join(root[at : at + 2] for at in range(0, 64, 2)).upper()).returncode == 0
    other = check(exported, "--root", "0" * 64)
    assert other.returncode == 1
    assert "不符  ca.pem" in other.stdout


def test_every_file_of_the_archive_is_in_the_export_and_nothing_else(exported: Path) -> None:
    git = subprocess.run(
        ["git", "-C", str(exported.parent / "workspace"), "ls-tree", "-r", "--name-only", "archive/main"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    found_there = {f"archive/{path}" for path in git.stdout.splitlines()}
    beside = {
        "SHA256SUMS", "ca.pem", "chain.txt", "verify.sh", "verify.ps1", "怎样核对.txt",
        *(f"library/signatures/{name}.yml" for name in ("people", "posts", "signing")),
    }  # fmt: skip
    assert set(tree(exported)) == found_there | beside


def test_the_list_of_digests_is_one_that_sha256sum_takes(exported: Path) -> None:
    need("sha256sum")
    done = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=exported, capture_output=True, check=False)
    assert done.returncode == 0


def company_root() -> str:
    return hashlib.sha256(company().root).hexdigest()


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def reseal(folder: Path) -> None:
    """Make the list of digests fit whatever the files are now, as a forger would."""
    lines = [
        f"{hashlib.sha256(data).hexdigest()}  {path}\n"
        for path, data in sorted(tree(folder).items())
        if path != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


RECORD = f"archive/{number(1).folder}"


def change_a_letter(folder: Path) -> str:
    path = folder / RECORD / "0001.json"
    path.write_bytes(path.read_bytes().replace("医用脱毛仪".encode(), "医用脱毛机".encode()))
    return f"{RECORD}/0001"


def change_the_date(folder: Path) -> str:
    path = folder / RECORD / "0002.json"
    path.write_bytes(path.read_bytes().replace(b'"at":"2025-05-01', b'"at":"2025-05-02'))
    return f"{RECORD}/0002"


def change_a_signature(folder: Path) -> str:
    path = folder / RECORD / "0002.p7s"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    return f"{RECORD}/0002.p7s"


def swap_two_signatures(folder: Path) -> str:
    one, two = folder / RECORD / "0001.p7s", folder / RECORD / "0002.p7s"
    first = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(first)
    return f"{RECORD}/0001.p7s"


def take_a_signature_away(folder: Path) -> str:
    (folder / RECORD / "0002.p7s").unlink()
    return f"{RECORD}/0002.p7s"


def take_an_entry_away(folder: Path) -> str:
    for suffix in ("json", "p7s"):
        (folder / RECORD / f"0001.{suffix}").unlink()
    return f"{RECORD}/0002.json"


def take_a_record_away(folder: Path) -> str:
    shutil.rmtree(folder / RECORD)
    return "XX-YLQXJL-018-2025"


def empty_an_entry(folder: Path) -> str:
    (folder / RECORD / "0002.json").write_bytes(b"")
    return f"{RECORD}/0002.json"


def cut_an_entry_short(folder: Path) -> str:
    path = folder / RECORD / "0002.json"
    path.write_bytes(path.read_bytes()[:-40])
    return f"{RECORD}/0002.json"


def move_an_entry_to_another_record(folder: Path) -> str:
    there = f"archive/{number(3).folder}"
    (folder / there).mkdir(parents=True)
    for suffix in ("json", "p7s"):
        shutil.copy(folder / RECORD / f"0001.{suffix}", folder / there / f"0001.{suffix}")
    return f"{there}/0001.json"


def exchange_a_certificate(folder: Path) -> str:
    one, two = sorted((folder / "archive/certificates").iterdir())[:2]
    one.write_bytes(two.read_bytes())
    return f"archive/certificates/{one.name}"


def exchange_the_root(folder: Path) -> str:
    (folder / "ca.pem").write_bytes(other_company().root_pem)
    return "ca.pem"


def weaken_the_rules(folder: Path) -> str:
    path = folder / "library/signatures/signing.yml"
    path.write_bytes(
        path.read_bytes().replace(b"witness_posts: [general_manager, quality_head]", b"witness_posts: [nobody]")
    )
    return "library/signatures/signing.yml"


def take_a_witness_away(folder: Path) -> str:
    (folder / "archive/people/p003/0002.p002.p7s").unlink()
    return "archive/people/p003/0002.json"


def move_the_time_of_filing(folder: Path) -> str:
    path = folder / "chain.txt"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if line.startswith("commit\t6\t"))
    words = lines[at].split("\t")
    lines[at] = "\t".join([*words[:3], str(int(words[3]) + 60), *words[4:]])
    path.write_text("".join(lines), encoding="utf-8")
    return f"{RECORD}/"


def add_an_unsigned_statement(folder: Path) -> str:
    path = folder / "archive/trail/0000/00/00000002"
    before = path.with_suffix(".json").read_bytes()
    following = json.loads(before) | {"sequence": "3", "previous": f"sha256:{hashlib.sha256(before).hexdigest()}"}
    following |= {"by": None, "certificate": None}
    made = json.dumps(following, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    path.with_name("00000003.json").write_text(made, encoding="utf-8")
    return "archive/trail/0000/00/00000003.json"


def add_a_refusal_with_a_certificate_of_nobody(folder: Path) -> str:
    named = add_an_unsigned_statement(folder)
    stated = json.loads((folder / named).read_bytes())
    stated |= {"event": "refused", "certificate": f"sha256:{'0' * 64}"}
    made = json.dumps(stated, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    (folder / named).write_text(made, encoding="utf-8")
    return f"{named}：没有写明签名人"


TAMPERING = [
    change_a_letter, change_the_date, change_a_signature, swap_two_signatures, take_a_signature_away,
    take_an_entry_away, take_a_record_away, empty_an_entry, cut_an_entry_short, move_an_entry_to_another_record,
    exchange_a_certificate, exchange_the_root, weaken_the_rules, take_a_witness_away, move_the_time_of_filing,
    add_an_unsigned_statement, add_a_refusal_with_a_certificate_of_nobody,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
def test_tampering_is_named_even_when_the_list_of_digests_was_made_to_fit(
    exported: Path, tmp_path: Path, tamper: Callable[[Path], str]
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    named = tamper(folder)
    reseal(folder)
    done = check(folder)
    assert done.returncode == 1
    assert any(line.startswith("  不符  ") and named in line for line in done.stdout.splitlines()), done.stdout


@pytest.mark.parametrize("tamper", TAMPERING[:9], ids=lambda tamper: tamper.__name__)
def test_whatever_changes_after_the_export_is_seen_by_the_list_of_digests(
    exported: Path, tmp_path: Path, tamper: Callable[[Path], str]
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    tamper(folder)
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 1


def test_a_file_that_is_in_no_list_is_named(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    (folder / "archive" / "more.txt").write_text("?", encoding="utf-8")
    assert "不符  archive/more.txt：文件在，清单中没有" in check(folder).stdout


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[SignedArchive]:
    made = found(tmp_path / "workspace")
    yield made
    made.close()


def wrong_in(workspace: SignedArchive, tmp_path: Path) -> list[str]:
    """What the script finds wrong in an export of the workspace as it is now."""
    export(workspace, tmp_path / "export")
    done = check(tmp_path / "export")
    found_wrong = [line.strip() for line in done.stdout.splitlines() if line.startswith("  不符")]
    assert done.returncode == (1 if found_wrong else 0), done.stdout
    return found_wrong


def forged(workspace: SignedArchive, key: TestKey, serial: int = 1) -> str:
    """File a record in the name of p003 with another key; return where."""
    signer = replace(workspace.signer("p003"), key=key)
    at = workspace.clock.now()
    made = signed_entry(serial, signer, at)
    certificate = {f"certificates/{key.digest.hex}.pem": pem(key.certificate)}
    workspace.file(entry_files(made, signer, at) | certificate, signer.signatory, at=at)
    return f"archive/{number(serial).folder}/0001"


def test_a_certificate_that_nobody_enrolled_counts_for_nothing_even_from_the_right_root(
    workspace: SignedArchive, tmp_path: Path
) -> None:
    path = forged(workspace, company().new_key("p003", "王芳"))
    (wrong,) = wrong_in(workspace, tmp_path)
    assert f"{path}.json" in wrong
    assert "当时没有完成登记和见证" in wrong


def test_an_enrolment_without_its_witnesses_counts_for_nothing(workspace: SignedArchive, tmp_path: Path) -> None:
    workspace.enrol("p004", ["p001"])
    workspace.open_record(1, person="p004")
    wrong = wrong_in(workspace, tmp_path)
    assert any("people/p004/0002.json：登记还差 1 位见证人" in line for line in wrong)
    assert any(f"{number(1).folder}/0001.json" in line for line in wrong)


def test_who_was_registered_while_only_one_person_counted_needs_two_witnesses_as_soon_as_there_are_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.signed_archive.PEOPLE", PEOPLE[:1])
    made = found(tmp_path / "young")
    for person, post in (("p002", "quality_head"), ("p003", "after_sales_officer"), ("p004", "after_sales_officer")):
        made.enrol(person, [], post=post, by="p001")
    for person in ("p002", "p003", "p004"):
        made.statements.countersign(f"people/{person}", 2, made.signer("p001"))
    made.statements.countersign("people/p003", 2, made.signer("p002"))
    made.open_record(1, person="p003")
    (wrong,) = wrong_in(made, tmp_path)
    made.close()
    assert "people/p004/0002.json：登记还差 1 位见证人" in wrong


def test_a_witness_without_a_witness_post_does_not_count(workspace: SignedArchive, tmp_path: Path) -> None:
    workspace.enrol("p004", ["p001", "p003"])
    wrong = wrong_in(workspace, tmp_path)
    assert any("0002.p003.p7s：见证人当时没有见证岗位" in line for line in wrong)


def test_signatures_before_a_revocation_stand_and_later_ones_fall(workspace: SignedArchive, tmp_path: Path) -> None:
    workspace.open_record(1)
    workspace.revoke("p003")
    assert wrong_in(workspace, tmp_path) == []
    shutil.rmtree(tmp_path / "export")
    workspace.open_record(2)
    (wrong,) = wrong_in(workspace, tmp_path)
    assert f"{number(2).folder}/0001.json" in wrong
    assert "已吊销" in wrong


def test_a_foreign_certificate_is_named(workspace: SignedArchive, tmp_path: Path) -> None:
    path = forged(workspace, other_company().key("p003", "王芳"))
    assert any(path in line for line in wrong_in(workspace, tmp_path))


def test_an_expired_certificate_is_named(workspace: SignedArchive, tmp_path: Path) -> None:
    since, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    path = forged(workspace, company().new_key("p003", "王芳", since=since, until=until))
    assert any(f"{path}.p7s：签名与内容、证书或时间不符" in line for line in wrong_in(workspace, tmp_path))


def test_another_name_than_the_registered_one_is_named(workspace: SignedArchive, tmp_path: Path) -> None:
    signer = workspace.signer("p003")
    signer.signatory = replace(signer.signatory, name="王芬")
    at = workspace.clock.now()
    made = signed_entry(1, signer, at)
    workspace.file(entry_files(made, signer, at), signer.signatory, at=at)
    (wrong,) = wrong_in(workspace, tmp_path)
    assert "写明的姓名 王芬 不是 p003 登记的姓名 王芳" in wrong


def test_texts_full_of_quotes_and_braces_do_not_mislead_the_script(workspace: SignedArchive, tmp_path: Path) -> None:
    tricky = '","previous":null,"sequence":"7"}{[\\"\\\\'
    signer = workspace.signer("p003")
    at = workspace.clock.now()
    values = {"content": tricky, "previous": "sha256:0", "inner": [{"sequence": "9"}, True, None]}
    made = signed_entry(1, signer, at, values=values)
    workspace.file(entry_files(made, signer, at), signer.signatory, at=at)
    assert wrong_in(workspace, tmp_path) == []


def test_a_damaged_archive_is_exported_as_filed_with_what_was_put_in_its_place_and_said(
    workspace: SignedArchive, tmp_path: Path
) -> None:
    workspace.open_record(1)
    workspace.open_record(2)
    git = ["git", "-C", str(workspace.folder)]
    subprocess.run([*git, "checkout", "-q", "archive/main"], check=True)
    filed = (workspace.folder / "site.json").read_bytes()
    (workspace.folder / "site.json").write_text("{}", encoding="utf-8")
    (workspace.folder / number(2).folder / "0001.json").unlink()
    subprocess.run([*git, "commit", "-qam", "x"], check=True)
    lose(workspace.folder, f"archive/main:{number(1).folder}/0001.json")
    export(workspace, tmp_path / "export")
    files = tree(tmp_path / "export")
    assert files["archive/site.json"] == filed
    assert [data for path, data in files.items() if re.fullmatch(r"changed/\d+/site.json", path)] == [b"{}"]
    assert f"archive/{number(2).folder}/0001.json" in files
    told = files["damage.txt"].decode()
    assert "改动了已归档的“site.json”" in told
    assert f"删除了“{number(2).folder}/0001.json”" in told
    assert f"“{number(1).folder}/0001.json”丢失或损坏" in told
    assert files["怎样核对.txt"].decode("utf-8-sig").startswith("！！！　注意：导出时档案已有 3 处不符")
    done = check(tmp_path / "export")
    assert done.returncode == 1
    assert "不符  damage.txt" in done.stdout
    assert f"不符  archive/{number(1).folder}/0001.json" in done.stdout


def test_names_that_collide_or_fit_no_disk_do_not_stop_the_export(workspace: SignedArchive, tmp_path: Path) -> None:
    git = ["git", "-C", str(workspace.folder)]
    subprocess.run([*git, "checkout", "-q", "archive/main"], check=True)
    (workspace.folder / "records").write_text("x", encoding="utf-8")
    subprocess.run([*git, "add", "records"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    blob = subprocess.check_output([*git, "rev-parse", "HEAD:records"], text=True).strip()
    subprocess.run([*git, "rm", "-q", "records"], check=True)
    for path in ("records/x", "档" * 90, "con"):
        subprocess.run([*git, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    export(workspace, tmp_path / "export")
    files = tree(tmp_path / "export")
    assert files["archive/records"] == b"x"
    assert [path for path in files if re.fullmatch(r"changed/\d+/records/x", path)] != []
    told = files["damage.txt"].decode()
    assert "名称超过 255 个字节" in told
    assert "名称“con”在有些系统上不能使用" in told


def test_where_the_root_cannot_be_known_nothing_is_exported(workspace: SignedArchive, tmp_path: Path) -> None:
    git = ["git", "-C", str(workspace.folder)]
    subprocess.run([*git, "checkout", "-q", "archive/main"], check=True)
    shutil.rmtree(workspace.folder / "authority")
    subprocess.run([*git, "commit", "-qam", "x"], check=True)
    with pytest.raises(RootMissingError):
        export(workspace, tmp_path / "export")
    assert not (tmp_path / "export").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".wenkong")] == []


def test_a_folder_with_something_in_it_is_refused_and_left_alone(workspace: SignedArchive, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ExportFolderNotEmptyError):
        export(workspace, folder)
    assert tree(folder) == {"mine.txt": b"mine"}


def test_an_empty_folder_is_taken(workspace: SignedArchive, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    assert wrong_in(workspace, tmp_path) == []


def test_the_scripts_for_windows_come_as_windows_expects_them() -> None:
    tools = stock_tools()
    for name in ("verify.ps1", "怎样核对.txt"):
        assert tools[name].startswith(b"\xef\xbb\xbf")
        assert tools[name].count(b"\r\n") == tools[name].count(b"\n")
    assert b"\r" not in tools["verify.sh"]


def test_the_scripts_let_nobody_sign_exactly_what_the_program_does() -> None:
    tools = stock_tools()
    shell = re.findall(r'split\("([a-z -]+)", list, " "\); [^\n]*nobody\[', tools["verify.sh"].decode("utf-8"))
    assert [set(words.split(" ")) for words in shell] == [UNSIGNED_EVENTS]
    windows = re.findall(r"\$unsigned = @\(([^)]*)\)", tools["verify.ps1"].decode("utf-8-sig"))
    assert [set(re.findall(r"'([^']*)'", words)) for words in windows] == [UNSIGNED_EVENTS]


DOTNET = {
    "[Array]::Sort", "[BitConverter]::ToString", "[DateTime]::SpecifyKind", "[DateTimeKind]::Utc",
    "[DateTimeOffset]::FromUnixTimeSeconds", "[DateTimeOffset]::Parse", "[Globalization.CultureInfo]::InvariantCulture",
    "[IO.File]::OpenRead", "[IO.File]::ReadAllBytes", "[IO.File]::ReadAllLines", "[IO.Path]::Combine", "[Math]::Floor",
    "[Math]::Max", "[Math]::Min", "[Security.Cryptography.SHA256]::Create",
    "[Security.Cryptography.X509Certificates.X509RevocationMode]::NoCheck",
    "[Security.Cryptography.X509Certificates.X509VerificationFlags]::AllowUnknownCertificateAuthority",
    "[StringComparer]::Ordinal", "[Text.Encoding]::UTF8", "[int]::MaxValue", "[long]::MaxValue", "[regex]::Matches",
    "[string]::CompareOrdinal",
}  # fmt: skip
"""Every static member that the script for Windows uses, each looked up in the reference of .NET Framework 4.8."""


def test_the_script_for_windows_calls_nothing_that_was_not_looked_up() -> None:
    script = stock_tools()["verify.ps1"].decode("utf-8-sig")
    assert set(re.findall(r"\[[A-Za-z0-9.]+\]::[A-Za-z0-9]+", script)) == DOTNET


def test_the_script_for_windows_closes_what_it_opens() -> None:
    script = stock_tools()["verify.ps1"].decode("utf-8-sig")
    bare = re.sub(r"'[^'\n]*'|(?m:^#.*$)", "", script)
    for opened, closed in ("{}", "()"):
        assert bare.count(opened) == bare.count(closed)
    assert not set("\u2018\u2019") & set(script)  # PowerShell takes them for quotation marks
