"""Every way in which a daily statement, its stamp and the archive can disagree is a finding of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.domain.conformity import Gravity
from controller.domain.daily_heads import DailyHeads, daily_heads
from controller.domain.identifiers import Digest
from controller.domain.record import Signatory
from controller.domain.statement import TIMESTAMPS, Event, Statement, statement_path
from controller.file_formats.statement_file import encode_statement
from controller.file_formats.timestamp_file import certificate_or_none, make_request
from controller.services.examination_ports import AddedFiles, HeldStatement
from controller.services.timestamp_verification import StampVerification
from tests.signers import ORIGIN, WORKSPACE
from tests.timestamp_server import OpensslAuthority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.record import Wire

ZONE = ZoneInfo("Asia/Shanghai")
ARCHIVE, MAIN = "a" * 40, "b" * 40
ADDED = AddedFiles(Digest.of(b"lines"), 7)
SAID = DailyHeads({"archive/main": ARCHIVE, "main": MAIN, "draft/zhang": "c" * 40}, ADDED.digest, ADDED.files)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    return OpensslAuthority(tmp_path_factory.mktemp("tsa") / "one", rsa=True)


def held(
    authority: OpensslAuthority | None,
    sequence: int = 1,
    *,
    new: dict[str, Wire] | None = None,
    late: timedelta | None = None,
) -> HeldStatement:
    """A statement made `late` after (before) now, stamped now; without authority it has no stamp."""
    statement = Statement(
        workspace=WORKSPACE,
        site="main",
        chain=TIMESTAMPS,
        sequence=sequence,
        previous=None,
        event=Event.HEADS_STAMPED,
        by=Signatory("p002", "林静", "质量负责人"),
        certificate=Digest.of(b"certificate"),
        origin=ORIGIN,
        at=(datetime.now(ZONE) + (late or timedelta())).isoformat(timespec="seconds"),
        subject="archive/main",
        new=SAID.as_values() if new is None else new,
    )
    data = encode_statement(statement)
    return HeldStatement(
        path=statement_path(TIMESTAMPS, sequence) + ".json",
        statement=statement,
        digest=Digest.of(data),
        data=data,
        signature=None,
        stamp=authority.reply(make_request(data).data) if authority else None,
        order=sequence,
    )


def verification(*authorities: OpensslAuthority, days_later: int = 0) -> StampVerification:
    roots = [certificate_or_none(item.root_file.read_bytes()) for item in authorities]
    return StampVerification(
        [root for root in roots if root], zone=ZONE, now=datetime.now(UTC) + timedelta(days=days_later)
    )


def found(
    checking: StampVerification,
    items: Sequence[HeldStatement],
    added: Sequence[AddedFiles | None] | None = None,
    gone: frozenset[str] = frozenset(),
) -> list[str]:
    given = [ADDED for _ in items] if added is None else added
    return [item.code for item in checking.findings(items, given, lambda _branch, commit: commit not in gone)]


def test_a_sound_statement_has_no_finding(authority: OpensslAuthority) -> None:
    assert found(verification(authority), [held(authority)]) == []


def test_without_any_stamp_the_time_is_not_proven() -> None:
    checking = verification()
    assert found(checking, [held(None)]) == ["time-not-proven"]
    assert found(checking, []) == ["time-not-proven"]


def test_a_stamp_of_another_statement_proves_nothing(authority: OpensslAuthority) -> None:
    one, two = held(authority, 1), held(authority, 2)
    moved = replace(one, stamp=two.stamp)
    assert found(verification(authority), [moved]) == ["stamp-invalid", "time-not-proven"]


def test_an_unreadable_stamp_is_damaged_and_names_its_file(authority: OpensslAuthority) -> None:
    broken = replace(held(authority), stamp=b"broken")
    findings = list(verification(authority).findings([broken], [ADDED], lambda _branch, _commit: True))
    assert (findings[0].code, findings[0].path) == ("stamp-damaged", "timestamps/0000/00/00000001.tsr")
    assert findings[0].gravity is Gravity.ERROR


def test_an_authority_the_company_does_not_trust_proves_nothing(
    authority: OpensslAuthority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = OpensslAuthority(tmp_path_factory.mktemp("tsa") / "other")
    item = held(authority)
    for checking in (verification(other), verification()):
        assert found(checking, [item]) == ["stamp-untrusted", "time-not-proven"]


@pytest.mark.parametrize("minutes", [-6, 6, 60 * 24 * 300])
def test_a_stated_time_far_from_the_stamp_is_told(authority: OpensslAuthority, minutes: int) -> None:
    item = held(authority, late=timedelta(minutes=minutes))
    assert found(verification(authority), [item]) == ["stamp-time-differs"]


def test_stamps_whose_times_go_backwards_are_told(authority: OpensslAuthority) -> None:
    half_an_hour = timedelta(minutes=30)
    now, later = held(authority, 1), held(None, 2, late=half_an_hour)
    later = replace(later, stamp=authority.reply_at(make_request(later.data).data, datetime.now(UTC) + half_an_hour))
    assert found(verification(authority), [now, later]) == []
    assert found(verification(authority), [later, now]) == ["stamp-order-wrong"]


def test_a_stamp_from_before_the_certificate_was_valid_proves_nothing(authority: OpensslAuthority) -> None:
    item = held(None, late=timedelta(days=-400))
    stamp = authority.reply_at(make_request(item.data).data, datetime.now(UTC) - timedelta(days=400))
    assert found(verification(authority), [replace(item, stamp=stamp)]) == ["stamp-untrusted", "time-not-proven"]


def test_a_few_minutes_between_the_clocks_are_allowed(authority: OpensslAuthority) -> None:
    assert found(verification(authority), [held(authority, late=timedelta(minutes=3))]) == []


def test_a_head_that_is_not_in_the_archives_history_is_told(authority: OpensslAuthority) -> None:
    assert found(verification(authority), [held(authority)], [None]) == ["heads-not-in-history"]


def test_a_head_that_main_no_longer_has_is_told_once(authority: OpensslAuthority) -> None:
    items = [held(authority, 1), held(authority, 2)]
    assert found(verification(authority), items, gone=frozenset({MAIN})) == ["heads-not-in-history"]


def test_drafts_of_people_may_go(authority: OpensslAuthority) -> None:
    assert found(verification(authority), [held(authority)], gone=frozenset({"c" * 40})) == []


@pytest.mark.parametrize("now", [AddedFiles(Digest.of(b"other"), 7), AddedFiles(ADDED.digest, 8)])
def test_other_content_than_was_stated_is_told(authority: OpensslAuthority, now: AddedFiles) -> None:
    assert found(verification(authority), [held(authority)], [now]) == ["heads-added-differs"]


WRONG: list[dict[str, Wire]] = [
    {},
    {"heads": {"main": "x"}, "added": ADDED.digest.text, "files": "7"},
    {"heads": ["main"], "added": ADDED.digest.text, "files": "7"},
    {"heads": {"main": MAIN}, "added": ADDED.digest.text, "files": "7"},
    {"heads": {"archive/main": ARCHIVE}, "added": "sha256:nothing", "files": "7"},
    {"heads": {"archive/main": ARCHIVE}, "added": ADDED.digest.text, "files": "-1"},
    {"heads": {"archive/main": ARCHIVE}, "added": ADDED.digest.text, "files": "9" * 5000},
]


@pytest.mark.parametrize("new", WRONG)
def test_a_statement_that_does_not_say_what_it_must_is_told(authority: OpensslAuthority, new: dict[str, Wire]) -> None:
    assert found(verification(authority), [held(authority, new=new)]) == ["heads-malformed"]


def test_days_without_a_stamp_are_counted_up_to_today(authority: OpensslAuthority) -> None:
    findings = list(
        verification(authority, days_later=9).findings([held(authority)], [ADDED], lambda _branch, _commit: True)
    )
    assert [(item.code, item.gravity) for item in findings] == [("stamp-days-missing", Gravity.NOTE)]
    assert "8 天" in str(findings[0].message)
    assert found(verification(authority, days_later=1), [held(authority)]) == []


def test_what_is_written_is_what_is_read() -> None:
    assert daily_heads(SAID.as_values()) == SAID
