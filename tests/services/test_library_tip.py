"""Nobody acts by rules that nobody signed: the newest change of `main` is looked at before every act."""

from __future__ import annotations

import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from controller.services.library_tip import LibraryUnsignedError
from tests.real_tools import need

if TYPE_CHECKING:
    from tests.conftest import Workspace

SIGNING = "signatures/signing.yml"
POSTS = "signatures/posts.yml"
REASON = ("--reason", "修改岗位说明")


def git(workspace: Workspace, *words: str) -> str:
    by = ("-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        [need("git"), *by, *words], cwd=workspace.folder, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout.strip()


def committed(workspace: Workspace, *words: str) -> None:
    """Let quality officers register people, past the program."""
    path = workspace.folder / SIGNING
    path.write_bytes(path.read_bytes().replace(b"registrar_posts: [", b"registrar_posts: [quality_officer, "))
    git(workspace, "add", SIGNING)
    git(workspace, "commit", "-q", "-m", "x", *words)


def test_nobody_acts_by_rules_committed_past_the_program(workspace: Workspace) -> None:
    before = git(workspace, "rev-parse", "main")
    committed(workspace)
    words = ("person", "posts", "王强", "--post", "购销员", *REASON)
    answer = workspace.qms(*words)
    assert (answer.code, "library-unsigned-now" in answer.err, f"git reset {before[:12]}" in answer.err) == (
        5,
        True,
        True,
    )
    assert workspace.qms("record", "list").code == 0
    git(workspace, "reset", "-q", before[:12])
    assert SIGNING in workspace.qms("change", "status").out
    assert workspace.qms("change", "discard", SIGNING, "--yes", person="林静").code == 0
    assert "post-needed" in workspace.qms(*words).err
    assert workspace.qms(*words, person="林静").code == 0


def test_a_signed_statement_about_something_else_covers_nothing(workspace: Workspace) -> None:
    posts = workspace.folder / POSTS
    posts.write_bytes(posts.read_bytes() + "# 复核\n".encode())
    assert workspace.qms("change", "adopt", *REASON, person="林静").code == 0
    named = git(workspace, "log", "-1", "--format=%(trailers:key=QMS-Statement)", "main")
    committed(workspace, "-m", named)
    with closing(workspace.open()) as application, pytest.raises(LibraryUnsignedError):
        application.person("林静")


def test_acts_go_on_after_every_kind_of_signed_change(workspace: Workspace) -> None:
    with closing(workspace.open()) as application:
        application.person("林静")
    posts = workspace.folder / POSTS
    posts.write_bytes(posts.read_bytes() + "# 复核\n".encode())
    assert workspace.qms("change", "adopt", *REASON, person="林静").code == 0
    assert workspace.qms("person", "posts", "王强", "--post", "购销员", *REASON, person="周明").code == 0
    with closing(workspace.open()) as application:
        assert application.person("林静").signatory.person == "p002"
