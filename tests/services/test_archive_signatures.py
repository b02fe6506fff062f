"""Verification says which signatures of records and statements count, and why others do not."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.statement import Event, Statement, statement_path
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.statement_file import encode_statement
from tests.examined_archive import (
    AT,
    FILE,
    P003,
    SECOND_FOLDER,
    SIGNATURE,
    ExaminedArchive,
    opened,
    plain,
    signed,
    stored,
)
from tests.signed_archive import NAMES, SignedArchive
from tests.signers import ORIGIN, WORKSPACE, TestCompany, TestSigner, company

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller.domain.identifiers import Digest


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[ExaminedArchive]:
    with closing(ExaminedArchive(tmp_path)) as made:
        yield made


def test_a_signature_moved_to_another_record_is_found(archive: ExaminedArchive) -> None:
    archive.file(stored(opened()))
    files = plain(opened(2))
    archive.file({**files, f"{SECOND_FOLDER}/0001.p7s": P003.sign(plain(opened())[FILE], at=AT)})
    assert archive.findings() == [("signature-not-intact", f"{SECOND_FOLDER}/0001.p7s")]


def foreign() -> TestSigner:
    return TestCompany("别的公司").signer("p003", NAMES["p003"], "售后服务员")


def freshly_issued() -> TestSigner:
    """The keeper of the authority issues a certificate in somebody else's name."""
    return TestSigner(P003.signatory, company().new_key("p003", NAMES["p003"]))


def expired() -> TestSigner:
    key = company().new_key("p003", NAMES["p003"], until=AT - timedelta(days=1))
    return TestSigner(P003.signatory, key)


@pytest.mark.parametrize(
    ("who", "along", "code"),
    [
        (foreign, False, "certificate-missing"),
        (foreign, True, "certificate-not-enrolled"),
        (freshly_issued, True, "certificate-not-enrolled"),
        (expired, True, "certificate-not-enrolled"),
    ],
)
def test_a_certificate_that_nobody_witnessed_signs_nothing(
    archive: ExaminedArchive, who: Any, along: bool, code: str
) -> None:
    signer = who()
    files = stored(opened(certificate=signer.certificate), signer=signer)
    if along:
        files[f"certificates/{signer.certificate.hex}.pem"] = to_pem(signer.key.certificate)
    archive.file(files)
    assert archive.findings() == [(code, SIGNATURE)]


def test_after_revocation_old_signatures_count_and_new_ones_do_not(archive: ExaminedArchive) -> None:
    archive.file(stored(opened()))
    archive.made.clock.moment = AT + timedelta(days=1)
    archive.made.revoke("p003")
    assert archive.findings() == []
    later = AT + timedelta(days=2)
    entry_ = opened(2, at=later.isoformat())
    archive.file(signed(plain(entry_), at=later), at=later)
    assert archive.findings() == [("certificate-revoked", f"{SECOND_FOLDER}/0001.p7s")]


def test_an_entry_backdated_before_the_revocation_is_found(archive: ExaminedArchive) -> None:
    archive.made.clock.moment = AT
    archive.made.revoke("p003")
    archive.file(stored(opened()), at=AT + timedelta(days=2))
    assert archive.findings() == [("time-differs-from-commit", FILE), ("certificate-revoked", SIGNATURE)]


def statement(of: SignedArchive, event: Event, sequence: int, **changes: Any) -> tuple[str, bytes, bytes]:
    signer = of.signer("p002")
    made = Statement(
        workspace=WORKSPACE,
        site="main",
        chain="trail",
        sequence=sequence,
        previous=None,
        event=event,
        by=signer.signatory,
        certificate=signer.certificate,
        origin=ORIGIN,
        at=AT.isoformat(),
        subject="x",
    )
    data = encode_statement(replace(made, **changes))
    return statement_path(made.chain, sequence), data, signer.sign(data, at=AT)


def last_of_trail(of: SignedArchive) -> tuple[int, Digest]:
    newest = of.statements.newest("trail")
    assert newest is not None
    return newest.statement.sequence, newest.digest


@pytest.mark.parametrize(
    ("changes", "ahead", "code"),
    [
        ({}, 1, "statement-previous-wrong"),
        ({}, 2, "statement-gap"),
        ({"workspace": "other", "right": True}, 1, "statement-of-another-workspace"),
        ({"site": "other", "right": True}, 1, "statement-of-another-workspace"),
        ({"chain": "timestamps", "right": True}, 1, "statement-misplaced"),
        ({"event": Event.PERSON_RETIRED, "right": True}, 1, "statement-event-misplaced"),
        ({"event": Event.SITE_OPENED, "right": True}, 1, "statement-event-misplaced"),
    ],
)
def test_a_statement_out_of_its_chain_is_found(
    archive: ExaminedArchive, changes: dict[str, Any], ahead: int, code: str
) -> None:
    last, digest = last_of_trail(archive.made)
    given = {key: value for key, value in changes.items() if key != "right"}
    if changes.get("right"):
        given["previous"] = digest
    path, data, signature = statement(archive.made, given.pop("event", Event.PRINTED), last + ahead, **given)
    archive.file({f"{path}.json": data, f"{path}.p7s": signature})
    assert archive.findings() == [(code, f"{path}.json")]


def test_a_statement_without_signature_counts_only_where_nobody_could_sign(archive: ExaminedArchive) -> None:
    last, digest = last_of_trail(archive.made)
    path, data, _ = statement(archive.made, Event.PRINTED, last + 1, previous=digest)
    archive.file({f"{path}.json": data})
    assert archive.findings() == [("signature-missing", f"{path}.p7s")]
