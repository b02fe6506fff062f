"""Verification names every defect of records and what belongs to them, each by its place and kind."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.conformity import Gravity
from controller.domain.identifiers import Digest, RecordNumber, Revision
from controller.domain.record import Act, Attachment, Entry, SealedValue
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.compiled_form import CompiledForm, write_compiled
from controller.file_formats.entry_file import encode_entry
from controller.file_formats.sealed_file import salted, seal, seal_bytes
from controller.services import archive_verification
from tests.builders import FORM
from tests.examined_archive import (
    ALWAYS,
    AT,
    BINDING,
    COMPILED,
    DEFINITION,
    DOCX,
    FILE,
    FILLED,
    FIRST,
    P003,
    PACKAGE,
    PART,
    PHOTO,
    PHOTO_PATH,
    SECOND_FOLDER,
    SIGNATURE,
    ExaminedArchive,
    opened,
    plain,
    signed,
    signer_of,
    stored,
)
from tests.signers import company

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from controller.domain.record import Wire


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[ExaminedArchive]:
    with closing(ExaminedArchive(tmp_path)) as made:
        yield made


def test_an_untouched_archive_has_no_findings(archive: ExaminedArchive) -> None:
    archive.file(stored(opened(), FILLED))
    archive.file(stored(opened(2)))
    third = RecordNumber.of(FORM, 2025, 3).folder
    archive.file(
        {**stored(opened(3, attachments=(PHOTO,))), f"{third}/attachments/{Digest.of(b'photo').hex}": b"photo"}
    )
    assert archive.findings() == []


def test_sealed_values_are_checked_when_the_key_is_here(archive: ExaminedArchive) -> None:
    sealed = Attachment("知情同意书.pdf", Digest.of(b"scan"), 4, sealed=True)
    archive.file(
        {
            **stored(opened(sealed=PART.digests(), attachments=(sealed,))),
            f"{FIRST.folder}/0001.sealed": seal(PART, archive.key),
            f"{FIRST.folder}/attachments/{sealed.digest.hex}.sealed": seal_bytes(b"scan", archive.key),
        }
    )
    assert archive.findings() == []


def test_after_disposal_the_rest_still_verifies_and_a_note_says_so(archive: ExaminedArchive) -> None:
    archive.file({**stored(opened(sealed=PART.digests())), f"{FIRST.folder}/0001.sealed": seal(PART, archive.key)})
    archive.keys.destroy(FIRST)
    (finding,) = [item for item in archive.all_findings() if item.code not in ALWAYS]
    assert (finding.code, finding.gravity, finding.subject) == ("sealed-key-missing", Gravity.NOTE, FIRST.text)
    assert "已处置或缺失" in str(finding.message)


def one_entry_changed() -> dict[str, bytes]:
    files = plain(opened(), FILLED)
    return signed({**files, FILE: encode_entry(replace(opened(), values={"channel": "邮件"}))})


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (one_entry_changed(), [("entry-previous-wrong", FIRST.text)]),
        (signed({FILE: plain(opened())[FILE] + b"\n"}), [("entry-unreadable", FILE)]),
        (signed({FILE: b"\xff"}), [("entry-unreadable", FILE)]),
        (signed({**plain(opened(), FILLED), FILE: b"{}"}), [("entry-unreadable", FILE)]),
        (stored(opened(2)), [("serial-gap", FIRST.text)]),
        ({**stored(opened(1)), **stored(opened(4))}, [("serial-gap", f"{FORM}-2025-0002")]),
        (
            {path.replace("/00/00/", "/00/07/"): data for path, data in stored(opened()).items()},
            [("record-misplaced", FIRST.folder.replace("/00/00/", "/00/07/"))],
        ),
        (
            signed({**plain(opened()), f"{SECOND_FOLDER}/0001.json": plain(opened())[FILE]}),
            [("entry-misplaced", f"{SECOND_FOLDER}/0001.json")],
        ),
        (
            signed(plain(opened(), FILLED) | {f"{FIRST.folder}/0003.json": b"?"}),
            [("entry-unreadable", f"{FIRST.folder}/0003.json")],
        ),
        (stored(opened(workspace="other")), [("record-of-another-workspace", FIRST.folder)]),
        (stored(opened(site="shanghai")), [("record-of-another-workspace", FIRST.folder)]),
        (stored(opened(binding=replace(BINDING, digest=Digest.of(b"?")))), [("form-package-missing", FIRST.folder)]),
        (stored(opened(binding=replace(BINDING, revision=Revision("A/1")))), [("form-binding-differs", FIRST.folder)]),
        (stored(opened(stage="closed")), [("entry-stage-wrong", FIRST.text)]),
        (stored(opened(sealed=PART.digests())), [("sealed-missing", f"{FIRST.folder}/0001.sealed")]),
        (
            {**stored(opened()), f"{FIRST.folder}/0001.sealed": b"x"},
            [("sealed-unexpected", f"{FIRST.folder}/0001.sealed")],
        ),
        ({**stored(opened()), f"{FIRST.folder}/notes.txt": b"x"}, [("file-unknown", f"{FIRST.folder}/notes.txt")]),
        ({"notes.txt": b"x"}, [("file-unknown", "notes.txt")]),
        ({"notes/a/b/c/d/e": b"x"}, [("file-unknown", "notes/a/b/c/d")]),
        ({"trail/notes.txt": b"x"}, [("file-unknown", "trail/notes.txt")]),
        ({"people/p003/notes.txt": b"x"}, [("file-unknown", "people/p003/notes.txt")]),
        ({"people/p003/0002.tsr": b"x"}, [("file-unknown", "people/p003/0002.tsr")]),
        ({"certificates/notes.pem": b"x"}, [("certificate-unreadable", "certificates/notes.pem")]),
        (
            {f"certificates/{'0' * 64}.pem": to_pem(P003.key.certificate)},
            [("certificate-misnamed", f"certificates/{'0' * 64}.pem")],
        ),
        (
            {SIGNATURE: b"x"},
            [
                ("file-added-later", SIGNATURE),
                ("signature-unexpected", SIGNATURE),
                ("record-without-entries", FIRST.folder),
            ],
        ),
        ({"controlled-forms/abc/compiled.json": b"x"}, [("form-package-incomplete", "controlled-forms/abc")]),
        (
            {f"controlled-forms/{'0' * 64}/compiled.json": COMPILED, f"controlled-forms/{'0' * 64}/form.docx": DOCX},
            [("form-package-differs", f"controlled-forms/{'0' * 64}/compiled.json")],
        ),
        ({f"{PACKAGE}/extra.txt": b"x"}, [("file-unknown", f"{PACKAGE}/extra.txt")]),
        ({**stored(opened(attachments=(PHOTO,))), PHOTO_PATH: b"other"}, [("attachment-differs", PHOTO_PATH)]),
        (stored(opened(attachments=(PHOTO,))), [("attachment-missing", PHOTO_PATH)]),
        (
            {**stored(opened()), f"{FIRST.folder}/attachments/{'0' * 64}": b"x"},
            [("attachment-unexpected", f"{FIRST.folder}/attachments/{'0' * 64}")],
        ),
        # Signatures, each exchanged for something else.
        (plain(opened()), [("signature-missing", SIGNATURE)]),
        ({**plain(opened()), SIGNATURE: b"x"}, [("signature-unreadable", SIGNATURE)]),
        ({**plain(opened()), SIGNATURE: P003.sign(b"other", at=AT)}, [("signature-not-intact", SIGNATURE)]),
        (
            signed(plain(opened()), at=AT + timedelta(seconds=1)),
            [("signature-time-differs", SIGNATURE)],
        ),
        (
            stored(opened(), signer=signer_of(company(), "p002")),
            [
                ("signature-wrong-certificate", SIGNATURE),
                ("signature-of-another-person", SIGNATURE),
            ],
        ),
        (
            stored(opened(by=replace(P003.signatory, name="王方"))),
            [("name-differs", SIGNATURE)],
        ),
        (
            stored(opened(by=replace(P003.signatory, post="企业负责人"))),
            [("post-differs", SIGNATURE)],
        ),
        (
            signed(plain(opened(at="2025-05-02T09:30:01+08:00")), at=AT + timedelta(seconds=1)),
            [("time-differs-from-commit", FILE)],
        ),
    ],
)
def test_each_defect_is_found_and_named(
    archive: ExaminedArchive, files: dict[str, bytes], expected: list[tuple[str, str]]
) -> None:
    archive.file(files)
    assert archive.findings() == expected


def test_every_finding_about_a_record_says_since_when(archive: ExaminedArchive) -> None:
    archive.file(plain(opened()), at=AT)
    (finding,) = [item for item in archive.all_findings() if item.code not in ALWAYS]
    assert (finding.since, finding.subject) == (AT.isoformat(), FIRST.text)


def test_a_form_that_was_never_controlled_is_found(archive: ExaminedArchive) -> None:
    other = write_compiled(CompiledForm(replace(DEFINITION, title="另一张表"), Digest.of(DOCX), {}))
    folder = f"controlled-forms/{Digest.of(other).hex}"
    archive.file(
        {
            f"{folder}/compiled.json": other,
            f"{folder}/form.docx": DOCX,
            **stored(opened(binding=replace(BINDING, digest=Digest.of(other)))),
        }
    )
    assert archive.findings() == [("form-package-never-controlled", FIRST.folder)]


def test_several_processes_find_the_same_in_the_same_order(
    archive: ExaminedArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for serial in range(1, 13):
        files = stored(opened(serial), FILLED if serial == 1 else replace(opened(serial), act=Act.FILLED))
        if serial % 3 == 0:
            files = {path: data for path, data in files.items() if not path.endswith("0002.p7s")}
        archive.file(files)
    monkeypatch.setattr(archive_verification, "SPREAD_FROM", 5)
    alone = archive.all_findings()
    assert [item.code for item in alone].count("signature-missing") == 4
    assert archive.all_findings(spread=True) == alone


def test_sealed_bytes_of_another_content_or_key_are_found(archive: ExaminedArchive) -> None:
    other = salted({"content": "别的内容"})
    path = f"{FIRST.folder}/0001.sealed"
    archive.file({**stored(opened(sealed=PART.digests())), path: seal(other, archive.key)})
    second = RecordNumber.of(FORM, 2025, 2)
    archive.keys.create([second])
    archive.file({**stored(opened(2, sealed=PART.digests())), f"{second.folder}/0001.sealed": seal(PART, archive.key)})
    assert archive.findings() == [("sealed-differs", path), ("sealed-unreadable", f"{second.folder}/0001.sealed")]


def test_a_sealed_attachment_that_was_exchanged_is_found(archive: ExaminedArchive) -> None:
    scan = Attachment("知情同意书.pdf", Digest.of(b"scan"), 4, sealed=True)
    path = f"{FIRST.folder}/attachments/{scan.digest.hex}.sealed"
    archive.file({**stored(opened(attachments=(scan,))), path: seal_bytes(b"other", archive.key)})
    assert archive.findings() == [("attachment-differs", path)]


def test_prints_are_made_again_and_compared_on_request(archive: ExaminedArchive) -> None:
    masked, full = Digest.of(b"masked print"), Digest.of(b"full print")
    first = opened(sealed=PART.digests(), shown=masked)
    second = replace(FILLED, shown=Digest.of(b"second print"))
    archive.file({**stored(first, second), f"{FIRST.folder}/0001.sealed": seal(PART, archive.key)})
    asked: list[tuple[int, Wire]] = []

    def honest(entries: Sequence[tuple[Entry, Digest]], values: Mapping[str, Wire] | None) -> Digest:
        asked.append((len(entries), dict(values) if values is not None else None))
        if values is not None:
            return full
        return masked if len(entries) == 1 else Digest.of(b"second print")

    assert archive.findings(rerender=honest) == []
    assert asked == [(1, None), (1, {"content": "患者姓名"}), (2, None)]
    assert archive.findings(rerender=lambda _entries, _values: Digest.of(b"")) == [
        ("print-differs", FILE),
        ("print-differs", FILE),
        ("print-differs", f"{FIRST.folder}/0002.json"),
    ]
    assert {code for code, _ in archive.findings(rerender=lambda _entries, _values: None)} == {"print-impossible"}


def test_a_value_that_is_both_open_and_sealed_is_found(archive: ExaminedArchive) -> None:
    both = opened(values={"content": "明文"}, sealed={"content": SealedValue(PART.digests()["content"].digest)})
    archive.file({**stored(both), f"{FIRST.folder}/0001.sealed": seal(PART, archive.key)})
    assert archive.findings() == [("entry-value-twice", FIRST.text)]


def test_progress_is_told_how_many_records_were_examined(archive: ExaminedArchive) -> None:
    archive.file({path: data for serial in range(1, 6) for path, data in stored(opened(serial)).items()})
    told: list[tuple[int, int | None]] = []
    assert archive.findings(progress=lambda done, total: told.append((done, total))) == []
    assert told[-1] == (5, 5)
