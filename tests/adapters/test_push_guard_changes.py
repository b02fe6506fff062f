"""The guard on a shared Git server and document control: whole changes are taken, what nobody stated is not."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.cli.main import main
from controller.domain.effect_schedule import EffectSchedule
from controller.domain.identifiers import Digest
from controller.domain.statement import Event
from controller.file_formats.certificate_file import read_certificate
from controller.file_formats.effect_file import EFFECT_FILE, write_effect
from controller.services.key_signing import KeySigner
from controller.services.statement_filing import StatementDraft
from tests.cli.test_change_request_commands import REASON, acted, approved, drafted, opened, today
from tests.real_tools import need
from tests.signers import company

if TYPE_CHECKING:
    from pathlib import Path

    from controller.domain.record import Wire
    from tests.conftest import Workspace

pytestmark = pytest.mark.slow


@dataclass
class Server:
    """A bare repository with the guard, and the workspace that pushes to it."""

    workspace: Workspace
    folder: Path

    def git(self, *words: str, stdin: bytes = b"", at: Path | None = None, index: str = "") -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        environment |= {"GIT_INDEX_FILE": index} if index else {}
        author = ("-c", "user.name=x", "-c", "user.email=x@x")
        place = ["git", "-C", str(at or self.workspace.folder), *author]
        done = subprocess.run([*place, *words], input=stdin, capture_output=True, env=environment, check=False)
        self.code = done.returncode
        return (done.stdout + done.stderr).decode()

    def push(self) -> str:
        return self.git("push", "-q", str(self.folder), "main", "archive/main")

    def taken(self) -> None:
        words = self.push()
        assert self.code == 0, words
        heads = ("rev-parse", "main", "archive/main")
        assert self.git(*heads) == self.git(*heads, at=self.folder)

    def refused(self) -> str:
        before = self.git("for-each-ref", at=self.folder)
        words = self.push()
        assert self.code != 0
        assert "push-refused" in words, words
        assert self.git("for-each-ref", at=self.folder) == before
        return words

    def commit(self, branch: str, path: str, data: bytes) -> None:
        """Commit a file with plain git, as somebody past the program would."""
        index = str(self.workspace.folder / ".qms" / "index-of-test")
        self.git("read-tree", branch, index=index)
        oid = self.git("hash-object", "-w", "--stdin", stdin=data).strip()
        self.git("update-index", "--add", "--cacheinfo", f"100644,{oid},{path}", index=index)
        tree, parent = self.git("write-tree", index=index).strip(), self.git("rev-parse", branch).strip()
        made = self.git("commit-tree", tree, "-p", parent, "-m", "x").strip()
        self.git("update-ref", f"refs/heads/{branch}", made)


@pytest.fixture
def server(workspace: Workspace, tmp_path: Path) -> Server:
    """The server already holds the founding of the workspace."""
    need("git")
    server = Server(workspace, tmp_path / "server.git")
    server.folder.mkdir()
    server.git("init", "-q", "--bare", "--initial-branch=main", at=server.folder)
    root = read_certificate((workspace.folder / "signatures" / "ca" / "ca.pem").read_bytes(), where="ca.pem").digest
    assert main(["guard", "install", str(server.folder), "--root-fingerprint", root.hex], "zh") == 0
    server.taken()
    return server


def test_changes_of_every_kind_are_taken_at_once(server: Server) -> None:
    workspace = server.workspace
    number = approved(workspace, "--effective", (today() + timedelta(days=3)).isoformat())
    acted(workspace, "change", "issue", number)
    later = (today() + timedelta(days=9)).isoformat()
    acted(workspace, "change", "postpone", number, "--to", later, *REASON, person="林静")
    gone = acted(workspace, "change", "open", "--document", "ZD-030", "--kind", "作废", *REASON)["number"]
    acted(workspace, "change", "submit", gone)
    acted(workspace, "change", "return", gone, "--reason", "等新制度发布以后再作废", person="林静")
    acted(workspace, "change", "open", "--new", "XX-YLQXCX-050", "--title", "样机管理程序", *REASON)
    server.taken()
    acted(workspace, "change", "submit", gone)
    acted(workspace, "change", "review", gone, person="林静")
    acted(workspace, "change", "approve", gone, person="周明")
    server.taken()


def test_a_draft_that_no_statement_names_is_refused(server: Server) -> None:
    number = opened(server.workspace)
    server.taken()
    before = server.git("rev-parse", "archive/main").strip()
    for name in ("0" * 64, "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"):
        server.commit("archive/main", f"changes/{number}/files/{name}", b"foo\n")
        assert f"changes/{number}/files/{name}" in server.refused()
        server.git("update-ref", "refs/heads/archive/main", before)


def test_a_draft_whose_content_is_missing_is_refused(server: Server) -> None:
    number = opened(server.workspace)
    server.taken()
    application = server.workspace.open()
    draft = application.changes.read(number).files
    stated = StatementDraft(
        f"changes/{number}", Event.DRAFT_SAVED, number, files={path: Digest.of(b"nowhere") for path in draft}
    )
    application.statements.file(stated, application.person("陈晓"))
    application.close()
    assert "不见了" in server.refused()


def test_a_schedule_of_effect_that_nobody_stated_is_refused(server: Server) -> None:
    approved(server.workspace)
    server.taken()
    schedule = server.workspace.folder / EFFECT_FILE
    said = json.loads(schedule.read_text(encoding="utf-8"))
    said["pending"][0]["from"] = today().isoformat()
    server.commit("main", EFFECT_FILE, json.dumps(said).encode())
    words = server.refused()
    assert "没有签名陈述" in words


def test_a_schedule_that_does_not_follow_from_its_approval_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sooner(schedule: EffectSchedule) -> bytes:
        return write_effect(EffectSchedule(tuple(replace(item, begins=today()) for item in schedule.pending)))

    with monkeypatch.context() as patch:
        patch.setattr("controller.services.change_approval.write_effect", sooner)
        approved(server.workspace)
    assert "生效日程" in server.refused()


def test_an_approval_by_a_key_that_nobody_enrolled_is_refused(server: Server) -> None:
    workspace = server.workspace
    number = opened(workspace)
    drafted(workspace)
    acted(workspace, "change", "submit", number)
    acted(workspace, "change", "review", number, person="林静")
    server.taken()
    application = workspace.open()
    manager = application.person("周明")
    forged = KeySigner(manager.signatory, manager.origin, company().new_key(manager.signatory.person, "周明"))
    request = application.changes.read(number)
    signed: dict[str, Wire] = {path: digest.text for path, digest in request.files.items()}
    stated = StatementDraft(
        f"changes/{number}", Event.CHANGE_APPROVED, number, "批准", new={"step": "approved", "signed": signed}
    )
    application.statements.file(stated, forged)
    application.close()
    assert "签名不被承认" in server.refused()
