"""Tests of the guard on a shared Git server: real bare repositories, real pushes; a refused push changes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.adapters.pushed_repository import (
    FingerprintInvalidError,
    ForeignHookError,
    install_guard,
    read_fingerprint,
)
from controller.cli.main import EXIT_REFUSED, main
from controller.domain.identifiers import Digest
from controller.domain.record import Act
from controller.domain.statement import TRAIL, Event
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.statement_file import encode_statement
from controller.services.archive_ports import ControlledChange
from controller.services.library_adoption import library_statement
from controller.services.push_guard import PushUnreadableError, read_updates
from controller.services.statement_filing import StatementDraft
from tests.real_tools import need
from tests.signed_archive import SignedArchive, TickingClock, entry_files, found, number, signed_entry
from tests.signers import TestCompany, company, other_company, pem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.signers import TestKey

CLAUSES = "procedures/XX-YLQXCX-014/clauses.txt"
AUTHOR = ("-c", "user.name=x", "-c", "user.email=x@x")


@dataclass
class Pushed:
    """How a push ended and what the server said."""

    code: int
    words: str


@dataclass
class Shared:
    """A workspace and the server it pushes to."""

    workspace: SignedArchive
    server: Path

    def git(self, *words: str, at: Path | None = None, check: bool = True, stdin: str | None = None) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", "-C", str(at or self.workspace.folder), *words],
            capture_output=True,
            encoding="utf-8",
            env=environment,
            input=stdin,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stderr
        self.code = done.returncode
        return done.stdout + done.stderr

    def push(self, *refs: str) -> Pushed:
        words = self.git("push", "-q", str(self.server), *(refs or ("main", "archive/main")), check=False)
        return Pushed(self.code, words)

    def refs(self) -> str:
        return self.git("for-each-ref", at=self.server)

    def refused(self, *refs: str) -> str:
        """Push, and return why it was refused; the server is as it was."""
        before = self.refs()
        done = self.push(*refs)
        assert done.code != 0
        assert "push-refused" in done.words, done.words
        assert self.refs() == before
        return done.words

    def commit(self, branch: str, path: str, data: bytes | None, *, message: str = "x", at: str = "") -> str:
        """Commit a change of one file with plain git, as somebody past the program would."""
        index = self.workspace.folder / ".qms" / "index-of-test"
        index.parent.mkdir(exist_ok=True)
        tree = ["-c", f"core.worktree={self.workspace.folder}"]
        environment = os.environ | {"GIT_INDEX_FILE": str(index)}
        if at:
            environment |= {"GIT_COMMITTER_DATE": at, "GIT_AUTHOR_DATE": at}

        def run(*words: str, stdin: bytes = b"") -> str:
            done = subprocess.run(
                ["git", "-C", str(self.workspace.folder), *AUTHOR, *tree, *words],
                input=stdin,
                capture_output=True,
                env=environment,
                check=True,
            )
            return done.stdout.decode().strip()

        run("read-tree", branch)
        oid = run("hash-object", "-w", "--stdin", stdin=data) if data is not None else "0" * 40
        run(
            "update-index",
            "--add",
            "--index-info",
            stdin=f"{'100644' if data is not None else '0'} {oid}\t{path}\n".encode(),
        )
        parent = run("rev-parse", branch)
        made = run("commit-tree", run("write-tree"), "-p", parent, "-m", message)
        run("update-ref", f"refs/heads/{branch}", made)
        return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """A workspace with one record, and a server that holds all of it; copied for every test."""
    need("git")
    folder = tmp_path_factory.mktemp("guard")
    workspace = found(folder / "workspace")
    workspace.open_record(1)
    workspace.close()
    server = folder / "server.git"
    server.mkdir()
    made = Shared(workspace, server)
    made.git("init", "-q", "--bare", "--initial-branch=main", at=server)
    assert main(["guard", "install", str(server), "--root-fingerprint", Digest.of(company().root).hex], "zh") == 0
    first = made.push()
    assert first.code == 0, first.words
    return made


@pytest.fixture
def shared(made: Shared, tmp_path: Path) -> Iterator[Shared]:
    """The server already holds the founding and one record."""
    for folder in (made.workspace.folder, made.server):
        shutil.copytree(folder, tmp_path / folder.name)
    workspace = SignedArchive(tmp_path / "workspace", clock=TickingClock(made.workspace.clock.moment))
    yield Shared(workspace, tmp_path / made.server.name)
    workspace.close()


def test_what_the_program_filed_is_taken(shared: Shared) -> None:
    entry = shared.workspace.open_record(2)
    shared.workspace.continue_record(entry)
    shared.workspace.change_library({CLAUSES: "一、目的与范围\n".encode()})
    shared.workspace.enrol("p004", ["p001", "p002"])
    shared.workspace.open_record(3, person="p004")
    shared.workspace.revoke("p003")
    done = shared.push()
    assert done.code == 0, done.words
    assert shared.git("rev-parse", "main", "archive/main") == shared.git(
        "rev-parse", "main", "archive/main", at=shared.server
    )


def test_the_archive_may_come_before_main_and_only_as_far_as_it_covers_it(shared: Shared) -> None:
    shared.workspace.change_library({CLAUSES: "一、目的与范围\n".encode()})
    assert "档案中没有它" in shared.refused("main")
    assert shared.push("archive/main").code == 0
    assert shared.push("main").code == 0


def test_drafts_are_free(shared: Shared) -> None:
    assert shared.push("main:draft/林静").code == 0
    shared.commit("main", CLAUSES, b"draft\n")
    assert shared.push("main:draft/lin").code == 0
    assert shared.push("+main~1:draft/lin").code == 0
    assert shared.push(":draft/lin").code == 0


@pytest.mark.parametrize("ref", ["refs/tags/v1", "refs/heads/other", "refs/replace/x", "refs/heads/archive/UP"])
def test_other_refs_are_refused(shared: Shared, ref: str) -> None:
    assert "只接收受控文件" in shared.refused(f"main:{ref}")


@pytest.mark.parametrize("branch", ["main", "archive/main"])
def test_branches_cannot_be_deleted(shared: Shared, branch: str) -> None:
    shared.git("config", "receive.denyDeleteCurrent", "ignore", at=shared.server)
    assert f"不能删除 {branch}" in shared.refused(f":{branch}")


@pytest.mark.parametrize("branch", ["main", "archive/main"])
def test_taking_a_branch_back_is_refused(shared: Shared, branch: str) -> None:
    shared.workspace.change_library({CLAUSES: "一、目的与范围\n".encode()})
    assert shared.push().code == 0
    assert "现有" in shared.refused(f"+{branch}~1:{branch}")


def test_a_rewritten_archive_is_refused(shared: Shared) -> None:
    shared.git("checkout", "-q", "archive/main")
    shared.git(*AUTHOR, "commit", "-q", "--amend", "-m", "better")
    assert "档案只能追加" in shared.refused("+archive/main")


RECORD = f"{number(1).folder}/0001"


@pytest.mark.parametrize(("path", "data"), [(f"{RECORD}.json", b"{}"), (f"{RECORD}.p7s", None), ("site.json", None)])
def test_commits_that_change_or_delete_what_was_filed_are_refused(
    shared: Shared, path: str, data: bytes | None
) -> None:
    shared.commit("archive/main", path, data)
    assert f"改动或删除了已归档的“{path}”" in shared.refused("archive/main")


def test_changing_and_changing_back_is_refused_too(shared: Shared) -> None:
    before = shared.git("show", f"archive/main:{RECORD}.json").encode()
    shared.commit("archive/main", f"{RECORD}.json", b"{}")
    shared.commit("archive/main", f"{RECORD}.json", before)
    assert "改动或删除了已归档的" in shared.refused("archive/main")


def test_a_merge_is_refused(shared: Shared) -> None:
    other = shared.git("commit-tree", "archive/main^{tree}", "-m", "x", "-p", "archive/main~1").strip()
    merged = shared.git("commit-tree", "archive/main^{tree}", "-m", "x", "-p", "archive/main", "-p", other).strip()
    assert "没有接在唯一的前一次归档之后" in shared.refused(f"{merged}:archive/main")


def test_a_file_from_nowhere_is_refused(shared: Shared) -> None:
    for path in ("notes.txt", f"{number(1).folder}/readme.txt", "trail/0000/00/00000001.exe"):
        shared.commit("archive/main", path, b"?")
        assert "来历不明" in shared.refused("archive/main")
        shared.git("update-ref", "refs/heads/archive/main", "archive/main~1")


def forge(shared: Shared, key: TestKey, *, serial: int = 2) -> None:
    """File a record in the name of p003 with another key."""
    signer = replace(shared.workspace.signer("p003"), key=key)
    at = shared.workspace.clock.now()
    made = signed_entry(serial, signer, at)
    certificate = {f"certificates/{key.digest.hex}.pem": pem(key.certificate)}
    shared.workspace.file(entry_files(made, signer, at) | certificate, signer.signatory, at=at)


def test_an_entry_signed_with_a_certificate_that_nobody_enrolled_is_refused(shared: Shared) -> None:
    forge(shared, company().new_key("p003", "王芳"))
    assert "没有登记" in shared.refused("archive/main")


def test_an_entry_signed_with_a_foreign_certificate_is_refused(shared: Shared) -> None:
    forge(shared, other_company().key("p003", "王芳"))
    assert "没有登记" in shared.refused("archive/main")


def test_a_second_enrolment_without_witnesses_is_taken_and_what_it_signs_is_not(shared: Shared) -> None:
    shared.workspace.enrol("p004", [])
    assert shared.push("archive/main").code == 0
    shared.workspace.open_record(2, person="p004")
    assert "还没有完成见证" in shared.refused("archive/main")


def test_an_entry_signed_after_the_revocation_is_refused(shared: Shared) -> None:
    shared.workspace.revoke("p003")
    assert shared.push("archive/main").code == 0
    shared.workspace.open_record(2)
    assert "吊销" in shared.refused("archive/main")


def test_an_entry_whose_signature_belongs_to_another_is_refused(shared: Shared) -> None:
    signer, at = shared.workspace.signer("p003"), shared.workspace.clock.now()
    files = entry_files(signed_entry(2, signer, at), signer, at)
    other = entry_files(signed_entry(3, signer, at), signer, at)
    moved = {
        path: other[path.replace("0002/", "0003/")] if path.endswith("p7s") else data for path, data in files.items()
    }
    shared.workspace.file(moved, signer.signatory, at=at)
    assert "签名与内容不符" in shared.refused("archive/main")


def test_an_entry_without_signature_is_refused(shared: Shared) -> None:
    signer, at = shared.workspace.signer("p003"), shared.workspace.clock.now()
    files = entry_files(signed_entry(2, signer, at), signer, at)
    shared.workspace.file({p: d for p, d in files.items() if p.endswith("json")}, signer.signatory, at=at)
    assert "没有签名" in shared.refused("archive/main")


def test_an_entry_that_follows_nothing_is_refused(shared: Shared) -> None:
    signer, at = shared.workspace.signer("p003"), shared.workspace.clock.now()
    made = signed_entry(1, signer, at, sequence=2, previous=Digest.of(b"other"), act=Act.FILLED)
    shared.workspace.file(entry_files(made, signer, at), signer.signatory, at=at)
    assert "没有接在前一条目之后" in shared.refused("archive/main")


def test_a_number_that_is_left_out_is_refused(shared: Shared) -> None:
    shared.workspace.open_record(3)
    assert f"缺少记录 {number(2)}" in shared.refused("archive/main")


def test_an_entry_whose_stated_time_is_not_that_of_the_commit_is_refused(shared: Shared) -> None:
    signer, at = shared.workspace.signer("p003"), shared.workspace.clock.now()
    earlier = at - timedelta(seconds=30)
    shared.workspace.file(entry_files(signed_entry(2, signer, earlier), signer, earlier), signer.signatory, at=at)
    assert "与归档时间" in shared.refused("archive/main")


def test_a_time_that_has_not_come_yet_is_refused(shared: Shared) -> None:
    shared.workspace.clock.moment += timedelta(days=3650)
    shared.workspace.open_record(2)
    assert "晚于服务器的时间" in shared.refused("archive/main")


def test_a_time_before_that_of_the_commit_before_is_refused(shared: Shared) -> None:
    signer, at = shared.workspace.signer("p003"), shared.workspace.clock.now() - timedelta(days=1)
    files = entry_files(signed_entry(2, signer, at), signer, at)
    for path, data in files.items():
        shared.commit("archive/main", path, data, at=f"{int(at.timestamp())} +0800")
    assert "早于前一次的" in shared.refused("archive/main")


def test_a_statement_that_skips_a_number_is_refused(shared: Shared) -> None:
    filed = shared.workspace.statements.file(
        StatementDraft(TRAIL, Event.SIGNED_IN, subject="p002"), shared.workspace.signer("p002")
    )
    shared.git("update-ref", "refs/heads/archive/main", "archive/main~1")
    signer, at = shared.workspace.signer("p002"), shared.workspace.clock.now()
    data = encode_statement(replace(filed.statement, sequence=5, at=at.isoformat()))
    path = "trail/0000/00/00000005"
    shared.workspace.file({f"{path}.json": data, f"{path}.p7s": signer.sign(data, at=at)}, signer.signatory, at=at)
    assert "陈述链 trail 缺少第" in shared.refused("archive/main")


def test_a_change_of_main_that_nobody_signed_is_refused(shared: Shared) -> None:
    shared.commit("main", CLAUSES, "一、别的\n".encode())
    assert "没有签名陈述" in shared.refused("main")


def test_a_change_of_main_that_borrows_a_statement_is_refused(shared: Shared) -> None:
    shared.workspace.change_library({CLAUSES: "一、目的与范围\n".encode()})
    assert shared.push().code == 0
    borrowed = "x\n\nQMS-Statement: trail/0000/00/00000002\n"
    at = shared.git("log", "-1", "--format=%ct +0800", "main").strip()
    shared.commit("main", "procedures/XX-YLQXCX-014/more.txt", "多\n".encode(), message=borrowed, at=at)
    words = shared.refused("main")
    assert "已用于另一次受控文件更改" in words
    assert "与签名陈述不符" in words


def test_a_change_of_main_beyond_what_was_signed_is_refused(shared: Shared) -> None:
    changes = {CLAUSES: "一、目的与范围\n".encode()}
    draft = library_statement(shared.workspace.library, changes, subject="x", reason="改", meaning="批准")
    more = changes | {"procedures/XX-YLQXCX-014/more.txt": b"more"}
    shared.workspace.statements.file(
        draft, shared.workspace.signer("p002"), controlled=ControlledChange(dict(more), "adopt", "x", "")
    )
    assert "与签名陈述不符" in shared.refused()


def test_a_root_of_somebody_else_is_refused_on_main(shared: Shared) -> None:
    shared.workspace.change_library({"signatures/ca/ca.pem": to_pem(other_company().root)})
    assert "受控文件中的根证书" in shared.refused()


def test_everything_made_anew_with_another_root_is_refused_by_an_empty_server(shared: Shared, tmp_path: Path) -> None:
    made_anew = found(tmp_path / "anew", of=TestCompany())
    made_anew.open_record(1)
    empty = tmp_path / "empty.git"
    empty.mkdir()
    shared.git("init", "-q", "--bare", "--initial-branch=main", at=empty)
    install_guard(empty, root=Digest.of(company().root), site="main", command=hook_command())
    words = Shared(made_anew, empty).refused()
    made_anew.close()
    assert "不是服务器认可的" in words


def test_one_bad_branch_keeps_the_good_ones_out(shared: Shared) -> None:
    shared.workspace.open_record(2)
    shared.commit("main", CLAUSES, "一、别的\n".encode())
    shared.refused()


def test_nothing_is_taken_before_a_root_is_set(shared: Shared) -> None:
    shared.git("config", "--unset", "wenkong.root", at=shared.server)
    shared.workspace.open_record(2)
    done = shared.push()
    assert done.code != 0
    assert "guard-not-set" in done.words


def test_a_server_that_already_has_a_hook_keeps_it(shared: Shared) -> None:
    hook = shared.server / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    with pytest.raises(ForeignHookError):
        install_guard(shared.server, root=Digest.of(b""), site="main", command="false")
    assert hook.read_text(encoding="utf-8") == "#!/bin/sh\nexit 0\n"


def test_the_root_can_be_set_again(shared: Shared) -> None:
    install_guard(shared.server, root=Digest.of(b"new"), site="main", command=hook_command())
    shared.workspace.open_record(2)
    assert "不是服务器认可的" in shared.refused("archive/main")
    install_guard(shared.server, root=Digest.of(company().root), site="main", command=hook_command())
    assert shared.push("archive/main").code == 0


def test_fingerprints_are_taken_as_they_stand_on_the_sheet() -> None:
    digest = Digest.of(b"root")
    sheet = ":".join(digest.hex[at : at + 2] for at in range(0, 64, 2)).upper()
    assert read_fingerprint(sheet) == read_fingerprint(f" {digest.hex[:32]} {digest.hex[32:]}\n") == digest
    with pytest.raises(FingerprintInvalidError):
        read_fingerprint("1234")


def test_a_fingerprint_that_is_none_is_refused_on_the_command_line(tmp_path: Path) -> None:
    assert main(["guard", "install", str(tmp_path), "--root-fingerprint", "abc"], "zh") == EXIT_REFUSED


@pytest.mark.parametrize("line", ["", "x y z", f"{'0' * 40} refs/heads/main"])
def test_words_that_git_does_not_say_are_refused(line: str) -> None:
    with pytest.raises(PushUnreadableError):
        read_updates([line])


def hook_command() -> str:
    return f"'{sys.executable}' -P -m controller guard pre-receive"
