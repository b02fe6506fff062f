"""The daily statement: made, stamped by a real authority, kept elsewhere, verified; nothing is ever half done."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.cli.timestamp_commands import stamp_if_due
from controller.domain.daily_heads import daily_heads
from controller.domain.statement import TIMESTAMPS, TRAIL, Event
from controller.services.statement_filing import StatementDraft
from controller.services.timestamping import StampOvertakenError
from tests import signers
from tests.real_tools import need
from tests.timestamp_server import OpensslAuthority, Sent, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from controller.bootstrap import Application
    from controller.domain.conformity import Finding
    from tests.conftest import Workspace

FIRST = "timestamps/0000/00/00000001"


@dataclass
class MovingClock:
    """A clock that a test moves."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    return OpensslAuthority(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture
def site(workspace: Workspace, authority: OpensslAuthority) -> Workspace:
    """A workspace that trusts the authority; where it is asked is set by each test."""
    roots = workspace.folder / "signatures" / "timestamp-roots"
    roots.mkdir()
    shutil.copy(authority.root_file, roots / "tsa.pem")
    answer = workspace.qms("change", "adopt", "--reason", "登记时间戳机构的根证书", person="林静")
    assert answer.code == 0, answer.err
    return workspace


def use(site: Workspace, *, authority: str = "", witness: Path | None = None) -> None:
    path = site.folder / "qms.toml"
    kept = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.startswith(("timestamp_authority", "witness_folder"))
    ]
    kept += [f'timestamp_authority = "{authority}"', f'witness_folder = "{witness or ""}"', ""]
    path.write_text("\n".join(kept), encoding="utf-8")


def stick_of(site: Workspace) -> Path:
    stick = site.folder.parent / "stick"
    stick.mkdir(exist_ok=True)
    return stick


def stamp(site: Workspace, answer: Callable[[bytes], Sent | bytes | None]) -> None:
    """Stamp once with an authority that answers so; it must succeed."""
    with serving(answer) as running:
        use(site, authority=running.address, witness=stick_of(site))
        with closing(site.open()) as application:
            outcome = application.timestamping.stamp(application.person("林静"))
    assert outcome.problem is None
    assert outcome.stamp is not None


def codes(findings: Iterator[Finding] | list[Finding]) -> set[str]:
    return {item.code for item in findings}


def verified(site: Workspace) -> set[str]:
    with closing(site.open()) as application:
        return codes(list(application.verify(spread=False).findings))


def comparison(site: Workspace) -> set[str]:
    with closing(site.open()) as application:
        found = application.witness_comparison(stick_of(site))
        assert found is not None
        return codes(found.findings())


def git(site: Workspace, *words: str) -> str:
    command = [need("git"), "-C", str(site.folder), *words]
    return subprocess.run(command, capture_output=True, check=True, text=True, encoding="utf-8").stdout


def trail(application: Application, event: Event) -> list[str]:
    return [
        item.statement.subject for item in application.statements.recent(TRAIL, 50) if item.statement.event is event
    ]


def test_a_stranger_checks_statement_stamp_and_digest_with_stock_tools(
    site: Workspace, authority: OpensslAuthority
) -> None:
    stamp(site, authority.reply)
    with closing(site.open()) as application:
        archive = application.archive
        data, answer = archive.read(f"{FIRST}.json"), archive.read(f"{FIRST}.tsr")
        signature = archive.read(f"{FIRST}.p7s")
        stored = application.statements.newest(TIMESTAMPS)
    assert data is not None
    assert answer is not None
    assert signature is not None
    assert authority.accepts(data, answer)
    assert stored is not None
    said = daily_heads(stored.statement.new)
    assert said is not None
    head = said.heads["archive/main"]
    assert git(site, "rev-parse", "archive/main^").strip() == head
    assert git(site, "rev-parse", "main").strip() == said.heads["main"]
    paths = git(site, "-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", head).splitlines()
    lines = []
    for path in sorted(paths, key=str.encode):
        content = subprocess.run(
            ["git", "-C", str(site.folder), "cat-file", "blob", f"{head}:{path}"], capture_output=True, check=True
        ).stdout
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {path}\n")
    assert said.files == len(lines)
    assert said.added.hex == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_next_statement_covers_what_came_since_the_one_before(site: Workspace, authority: OpensslAuthority) -> None:
    stamp(site, authority.reply)
    stamp(site, authority.reply)
    with closing(site.open()) as application:
        newest = application.statements.newest(TIMESTAMPS)
    assert newest is not None
    assert newest.statement.sequence == 2
    assert newest.statement.new["files"] == "3"  # the statement before, its signature, its stamp


def test_verify_is_satisfied_with_stamped_days(site: Workspace, authority: OpensslAuthority) -> None:
    use(site, authority="http://127.0.0.1:1/", witness=stick_of(site))
    before = verified(site)
    stamp(site, authority.reply)
    stamp(site, authority.reply)
    after = verified(site)
    assert "time-not-proven" in before
    assert after == before - {"time-not-proven"}


def test_once_a_day_is_enough(site: Workspace, authority: OpensslAuthority) -> None:
    with serving(authority.reply) as running:
        use(site, authority=running.address)
        with closing(site.open()) as application:
            signer = application.person("林静")
            assert application.timestamping.due()
            assert stamp_if_due(application, signer) is None
            assert not application.timestamping.due()
            assert stamp_if_due(application, signer) is None
            assert len(list(application.timestamping.recent())) == 1
        assert len(running.questions) == 1
        later = MovingClock(datetime.now().astimezone() + timedelta(days=1))
        with closing(site.open(later)) as application:
            assert application.timestamping.due()


def test_without_any_setting_nothing_is_due(site: Workspace) -> None:
    with closing(site.open()) as application:
        assert not application.timestamping.due()
    assert site.qms("timestamp", "now", person="林静").code == 6


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Sent(b"down", status=503), "timestamp-unreachable"),
        (Sent(b"garbage"), "timestamp-refused"),
        (Sent(b"", status=302, headers={"Location": "file:///etc/passwd"}), "timestamp-refused"),
    ],
)
def test_a_failure_leaves_a_line_in_the_trail_and_nothing_else(site: Workspace, answer: Sent, code: str) -> None:
    with serving(lambda _question: answer) as running:
        use(site, authority=running.address)
        with closing(site.open()) as application:
            told = stamp_if_due(application, application.person("林静"))
            assert told is not None
            assert "今天的时间戳没有取到" in str(told)
            assert application.statements.newest(TIMESTAMPS) is None
            assert application.timestamping.due()
            failure = next(application.statements.recent(TRAIL, 1)).statement
    assert (failure.event, failure.new["code"], failure.by) == (Event.STAMP_FAILED, code, None)
    assert failure.subject == running.address
    assert "statement-unsigned" not in verified(site)


def test_the_stamp_is_fetched_at_the_next_login_after_a_failure(site: Workspace, authority: OpensslAuthority) -> None:
    answers: list[Sent | bytes] = [Sent(b"", status=500)]
    with serving(lambda question: answers.pop() if answers else authority.reply(question)) as running:
        use(site, authority=running.address)
        with closing(site.open()) as application:
            signer = application.person("林静")
            assert stamp_if_due(application, signer) is not None
            assert stamp_if_due(application, signer) is None
            assert [item.stamp is not None for item in application.timestamping.recent()] == [True]


def test_an_authority_nobody_trusts_is_refused_with_the_way_to_trust_it(workspace: Workspace, tmp_path: Path) -> None:
    stranger = OpensslAuthority(tmp_path / "stranger", name="陌生机构")
    with serving(stranger.reply) as running:
        use(workspace, authority=running.address)
        answer = workspace.qms("timestamp", "now", person="林静")
    assert answer.code == 1
    assert "陌生机构" in answer.out
    assert "signatures/timestamp-roots" in answer.out


def test_a_clock_far_from_the_authoritys_is_refused_before_anything_is_filed(
    site: Workspace, authority: OpensslAuthority
) -> None:
    with serving(authority.reply) as running:
        use(site, authority=running.address)
        fast = MovingClock(datetime.now().astimezone() + timedelta(minutes=20))
        with closing(site.open(fast)) as application:
            told = stamp_if_due(application, application.person("林静"))
            assert application.statements.newest(TIMESTAMPS) is None
    assert "相差过大" in str(told)


def test_filing_meanwhile_means_beginning_again_not_a_stale_statement(
    site: Workspace, authority: OpensslAuthority
) -> None:
    with closing(site.open()) as other:
        busy = iter([True, False])

        def answer(question: bytes) -> bytes:
            if next(busy, False):
                other.statements.file(StatementDraft(TRAIL, Event.REFUSED, subject="meanwhile"), None)
            return authority.reply(question)

        stamp(site, answer)
    assert "heads-added-differs" not in verified(site)
    assert git(site, "rev-parse", "archive/main^") != git(site, "rev-parse", "archive/main~2")


def test_a_site_that_never_rests_is_told_so(site: Workspace, authority: OpensslAuthority) -> None:
    with closing(site.open()) as other:

        def answer(question: bytes) -> bytes:
            other.statements.file(StatementDraft(TRAIL, Event.REFUSED, subject="meanwhile"), None)
            return authority.reply(question)

        with serving(answer) as running:
            use(site, authority=running.address)
            with closing(site.open()) as application, pytest.raises(StampOvertakenError):
                application.timestamping.stamp(application.person("林静"))
        assert other.statements.newest(TIMESTAMPS) is None


def test_without_an_authority_the_statement_still_goes_off_the_machine(site: Workspace) -> None:
    stick = stick_of(site)
    use(site, witness=stick)
    with closing(site.open()) as application:
        assert stamp_if_due(application, application.person("林静")) is None
        assert not application.timestamping.due()
    names = sorted(path.suffix for path in stick.rglob("00000001-*"))
    assert names == [".json", ".p7s"]
    assert len(list(stick.rglob("root-*.pem"))) == 1
    assert comparison(site) == set()
    assert "time-not-proven" in verified(site)


def test_a_day_without_a_stamp_still_leaves_a_copy_off_the_machine(site: Workspace) -> None:
    stick = stick_of(site)
    with serving(lambda _question: Sent(b"", status=500)) as running:
        use(site, authority=running.address, witness=stick)
        with closing(site.open()) as application:
            signer = application.person("林静")
            stamp_if_due(application, signer)
            stamp_if_due(application, signer)
            assert application.timestamping.due()
            assert len(list(application.timestamping.recent())) == 1
    assert len(list(stick.rglob("00000001-*.json"))) == 1


def test_a_missing_stick_is_told_and_the_copy_delivered_later(site: Workspace, authority: OpensslAuthority) -> None:
    stick = stick_of(site)
    stick.rmdir()
    with serving(authority.reply) as running:
        use(site, authority=running.address, witness=stick)
        with closing(site.open()) as application:
            told = stamp_if_due(application, application.person("林静"))
        assert "机器外的摘要文件夹" in str(told)
        assert "witness-unreachable" in verified(site)
        stick.mkdir()
        answer = site.qms("timestamp", "now", person="林静")
    assert "已把 2 份摘要送到机器外" in answer.out
    assert comparison(site) == set()


def copied(site: Workspace, name: str) -> dict[Path, Path]:
    """Set workspace and private folder aside as they are now: what a whole backup holds."""
    kept = {}
    for folder in (site.folder, site.folder.parent / "keys"):
        kept[folder] = folder.with_name(f"{folder.name}-{name}")
        shutil.copytree(folder, kept[folder])
    return kept


def put_back(kept: dict[Path, Path]) -> None:
    for folder, copy in kept.items():
        shutil.rmtree(folder)
        copy.rename(folder)


def test_taking_back_workspace_and_private_folder_together_is_seen_only_off_the_machine(
    site: Workspace, authority: OpensslAuthority
) -> None:
    stamp(site, authority.reply)
    sound = verified(site)
    kept = copied(site, "yesterday")
    stamp(site, authority.reply)
    assert "witness-differs" not in verified(site)
    put_back(kept)
    assert verified(site) == sound | {"witness-differs"}
    use(site)
    assert "witness-differs" not in verified(site)  # from inside there is nothing to see
    assert comparison(site) == {"witness-differs"}
    answer = site.qms("timestamp", "compare", str(stick_of(site)))
    assert answer.code == 1
    assert "档案被退回或改写" in answer.out


def test_going_on_after_taking_everything_back_is_still_seen(site: Workspace, authority: OpensslAuthority) -> None:
    stamp(site, authority.reply)
    kept = copied(site, "yesterday")
    stamp(site, authority.reply)
    put_back(kept)
    with closing(site.open()) as application:
        application.statements.file(StatementDraft(TRAIL, Event.REFUSED, subject="as if nothing had happened"), None)
    with serving(authority.reply) as running:
        use(site, authority=running.address, witness=stick_of(site))
        with closing(site.open()) as application:
            outcome = application.timestamping.stamp(application.person("林静"))
    assert codes(list(outcome.findings)) == {"witness-differs"}
    assert comparison(site) == {"witness-differs"}
    assert len(list(stick_of(site).rglob("00000002-*.json"))) == 2


def test_a_workspace_made_anew_with_another_root_is_seen(site: Workspace, authority: OpensslAuthority) -> None:
    stamp(site, authority.reply)
    another = signers.TestCompany()
    folder = next(stick_of(site).glob("wenkong-*"))
    ours = next(folder.glob("root-*.pem"))
    # Seen from the archive it comes to the same: the root that lies off the machine is not the archive's.
    ours.write_bytes(signers.pem(another.root))
    assert comparison(site) == {"witness-root-unknown"}


def test_a_changed_copy_off_the_machine_is_seen(site: Workspace, authority: OpensslAuthority) -> None:
    stamp(site, authority.reply)
    path = next(stick_of(site).rglob("00000001-*.tsr"))
    path.write_bytes(path.read_bytes()[:-1])
    assert comparison(site) == {"witness-differs"}


def test_history_made_anew_no_longer_has_the_stated_heads(site: Workspace, authority: OpensslAuthority) -> None:
    stamp(site, authority.reply)
    assert "heads-not-in-history" not in verified(site)
    anew = git(
        site, "-c", "user.name=x", "-c", "user.email=x", "commit-tree", "archive/main^{tree}", "-m", "all at once"
    )
    git(site, "update-ref", "refs/heads/archive/main", anew.strip())
    assert "heads-not-in-history" in verified(site)


def test_what_came_after_the_last_copy_can_be_taken_back_unseen(site: Workspace, authority: OpensslAuthority) -> None:
    stamp(site, authority.reply)
    kept = copied(site, "yesterday")
    with closing(site.open()) as application:
        application.statements.file(StatementDraft(TRAIL, Event.REFUSED, subject="will be gone"), None)
    put_back(kept)
    assert comparison(site) == set()


def test_whoever_rewrites_the_copies_as_well_stays_unseen(site: Workspace, authority: OpensslAuthority) -> None:
    stamp(site, authority.reply)
    kept = copied(site, "yesterday")
    stamp(site, authority.reply)
    put_back(kept)
    for path in stick_of(site).rglob("00000002-*"):
        path.unlink()
    assert comparison(site) == set()
