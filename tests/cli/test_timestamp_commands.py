"""`qms timestamp` as people use it: now, list, compare, and the way out after a clock that ran ahead."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.adapters.git_archive import ClockBackwardsError
from controller.domain.statement import TRAIL, Event
from controller.services.clock_correction import ClockNotBehindError, ClockReasonError
from controller.services.staff_directory import PostNeededError
from controller.services.statement_filing import StatementDraft
from tests.timestamp_server import OpensslAuthority, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

REASON = "换主板后日期错设为后天，现已校准"


@dataclass(frozen=True)
class OtherClock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def settings(workspace: Workspace, *lines: str) -> None:
    path = workspace.folder / "qms.toml"
    kept = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.startswith(("timestamp_authority", "witness_folder"))
    ]
    path.write_text("\n".join([*kept, *lines, ""]), encoding="utf-8")


def test_now_list_and_compare_tell_the_same_day(workspace: Workspace, tmp_path: Path) -> None:
    authority = OpensslAuthority(tmp_path / "tsa")
    stick = tmp_path / "stick"
    stick.mkdir()
    roots = workspace.folder / "signatures" / "timestamp-roots"
    roots.mkdir()
    shutil.copy(authority.root_file, roots / "tsa.pem")
    assert workspace.qms("change", "adopt", "--reason", "登记时间戳机构的根证书", person="林静").code == 0
    with serving(authority.reply) as running:
        settings(workspace, f'timestamp_authority = "{running.address}"', f'witness_folder = "{stick}"')
        now = workspace.qms("--json", "timestamp", "now", person="林静")
    assert now.code == 0, now.err
    made = json.loads(now.out)
    assert (made["statement"], made["delivered"], made["problem"]) == ("timestamps/0000/00/00000001", 1, None)
    assert made["authority"] == "测试时间戳机构"
    listed = json.loads(workspace.qms("--json", "timestamp", "list").out)
    assert [(item["sequence"], item["by"], item["authority"]) for item in listed] == [(1, "p002", "测试时间戳机构")]
    assert "测试时间戳机构" in workspace.qms("timestamp", "list").out
    compared = workspace.qms("timestamp", "compare")
    assert (compared.code, compared.out) == (0, "1 份机器外的摘要都在档案中，没有不符。\n")


def test_an_unreachable_authority_is_told_and_exits_with_one(workspace: Workspace) -> None:
    settings(workspace, 'timestamp_authority = "http://127.0.0.1:1/tsa"')
    answer = workspace.qms("timestamp", "now", person="林静")
    assert answer.code == 1
    assert "今天的时间戳没有取到" in answer.out
    assert "下次登录时会再试" in answer.out


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "ftp://a.example/x", "tsa.example", "http://", "http://a b/"]
)
def test_what_is_no_web_address_is_refused_when_read(workspace: Workspace, address: str) -> None:
    settings(workspace, f'timestamp_authority = "{address}"')
    answer = workspace.qms("timestamp", "list")
    assert answer.code == 6
    assert "timestamp_authority" in answer.err


def test_comparing_without_a_folder_says_how_to_set_one(workspace: Workspace) -> None:
    answer = workspace.qms("timestamp", "compare")
    assert answer.code == 6
    assert "witness_folder" in answer.err


def test_a_stick_that_is_not_there_is_told(workspace: Workspace, tmp_path: Path) -> None:
    answer = workspace.qms("timestamp", "compare", str(tmp_path / "no-stick"))
    assert answer.code == 1
    assert "找不到这个文件夹" in answer.out


def run_ahead(workspace: Workspace, by: timedelta = timedelta(days=2)) -> datetime:
    """File something while the clock is ahead; return the right time."""
    right = datetime.now().astimezone()
    with closing(workspace.open(OtherClock(right + by))) as application:
        application.statements.file(StatementDraft(TRAIL, Event.REFUSED, subject="while the clock was ahead"), None)
    return right


def test_after_a_clock_that_ran_ahead_filing_goes_on_once_somebody_says_why(workspace: Workspace) -> None:
    run_ahead(workspace)
    refused = workspace.qms("login", "林静")
    assert (refused.code, "clock-backwards" in refused.err) == (4, True)
    assert "qms timestamp clock" in refused.err
    corrected = workspace.qms("--json", "timestamp", "clock", "--reason", REASON, person="林静")
    assert corrected.code == 0, corrected.err
    path = json.loads(corrected.out)["statement"]
    with closing(workspace.open()) as application:
        stored = application.statements.newest(TRAIL)
        assert stored is not None
        assert (stored.path, stored.statement.event, stored.statement.reason) == (path, Event.CLOCK_CORRECTED, REASON)
        assert stored.statement.by is not None
        assert stored.signatures[""]
        assert stored.statement.old["at"] > stored.statement.new["at"]  # type: ignore[operator]
    assert workspace.qms("login", "林静").code == 0
    verified = workspace.qms("verify")
    assert "早于前一次的" not in verified.out


def test_nobody_needs_to_be_signed_in_to_correct_the_clock(workspace: Workspace) -> None:
    assert workspace.qms("logout", "林静", person=None).code == 0
    run_ahead(workspace)
    corrected = workspace.qms("timestamp", "clock", "--reason", REASON, person="林静")
    assert corrected.code == 0, corrected.err
    assert workspace.qms("login", "林静").code == 0


def test_only_the_posts_that_are_told_of_failures_may_correct_the_clock(workspace: Workspace) -> None:
    right = run_ahead(workspace)
    with closing(workspace.open(OtherClock(right))) as application:
        held = application.signing_rules.informed_posts
        person = next(item for item in application.staff.people.values() if not set(item.posts) & set(held))
        signer = application.person(person.id)
        with pytest.raises(PostNeededError, match=person.name):
            application.clock_correction.correct(signer, reason=REASON)
        with pytest.raises(ClockBackwardsError):
            application.statements.file(StatementDraft(TRAIL, Event.REFUSED, subject="still"), None)


def test_a_clock_that_is_not_behind_and_a_reason_that_says_nothing_are_refused(workspace: Workspace) -> None:
    with closing(workspace.open()) as application:
        signer = application.person("林静")
        with pytest.raises(ClockNotBehindError):
            application.clock_correction.correct(signer, reason=REASON)
        with pytest.raises(ClockReasonError):
            application.clock_correction.correct(signer, reason="  错  ")
