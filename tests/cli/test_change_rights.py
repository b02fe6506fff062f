"""`qms change`: whose edits are in a draft neither reviews nor approves it, whoever submits it (ISO 13485 4.2.4 a)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.checked_out import deleted, inserted
from tests.cli.test_change_request_commands import acted, drafted, opened, refused, sound

if TYPE_CHECKING:
    from tests.conftest import Workspace

pytestmark = pytest.mark.slow


def test_a_reviewer_who_checked_in_an_edit_does_not_review_it_though_another_submits(workspace: Workspace) -> None:
    number = opened(workspace)
    drafted(workspace)
    acted(workspace, "change", "submit", number)
    drafted(workspace, "稳定并扩大", new="稳定并" + deleted("扩大") + inserted("增加"), person="林静")
    acted(workspace, "change", "submit", number)
    said = refused(workspace, "signing-same-person", "change", "review", number, person="林静")
    assert "林静改过草稿" in said
    assert "质管员" in acted(workspace, "change", "show", number)["next"]["posts"]
    refused(workspace, "signing-same-person", "change", "review", number, person="陈晓")
    acted(workspace, "change", "review", number, person="吴涛")
    assert acted(workspace, "change", "approve", number, person="周明")["status"] == "approved"
    sound(workspace)


def test_who_edited_does_not_approve_even_under_the_exemption(workspace: Workspace) -> None:
    number = opened(workspace)
    drafted(workspace, person="周明")
    acted(workspace, "change", "submit", number)
    acted(workspace, "doc", "exempt", "--reason", "质管部只有一人", "--months", "6", person="周明")
    acted(workspace, "change", "review", number, person="林静")
    said = refused(workspace, "signing-same-person", "change", "approve", number, person="周明")
    assert "周明改过草稿" in said
    assert "qms change cancel" in said


def test_who_opens_a_change_or_only_comments_in_word_has_not_drafted(workspace: Workspace) -> None:
    number = opened(workspace, person="林静")
    drafted(workspace)
    acted(workspace, "change", "submit", number)
    acted(workspace, "change", "review", number, person="林静")
    assert acted(workspace, "change", "approve", number, person="周明")["status"] == "approved"
