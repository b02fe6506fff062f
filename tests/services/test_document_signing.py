"""Signing documents: what voids a signature, what stops one in the last moment, what is filed."""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader

from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.pdf_text import read_pdf
from controller.services.document_signing import ShownChangedError, SignedPdfMissingError
from controller.services.print_ports import PdfDocument
from controller.services.signed_statement import flaw_of
from tests.adapters.test_pdf_signing import print_out
from tests.signers import TestSigner, company

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.bootstrap import Application
    from controller.services.document_signing import DocumentSigning
    from tests.conftest import Workspace

NUMBER = "XX-YLQXCX-014"
TEXT = f"procedures/{NUMBER}/clauses.txt"


@pytest.fixture
def application(workspace: Workspace) -> Iterator[Application]:
    with closing(workspace.open()) as opened:
        yield opened


@pytest.fixture
def signing(application: Application) -> DocumentSigning:
    """With a print that is quick to make and shows nothing."""
    service = application.document_signing
    service.to_pdf = lambda _docx: PdfDocument(print_out(), "blank", "1", (), 1)
    return service


def chen() -> TestSigner:
    return company().signer("p003", "陈晓", "质管员")


def lin() -> TestSigner:
    return company().signer("p002", "林静", "质量负责人")


def zhou() -> TestSigner:
    return company().signer("p001", "周明", "法定代表人")


def edit(service: DocumentSigning, path: str, data: bytes) -> None:
    """Let the approved library hold other bytes, as after an adopted change."""
    approved = service.files

    class Edited:
        def read(self, wanted: str) -> bytes | None:
            return data if wanted == path else approved.read(wanted)

        def folders(self, wanted: str) -> list[str]:
            return approved.folders(wanted)

        def files(self, wanted: str) -> list[str]:
            return sorted({*approved.files(wanted), path})

    service.files = Edited()


def test_a_signature_covers_every_source_file_and_names_what_was_shown(signing: DocumentSigning) -> None:
    shown = signing.shown("CX-014")
    by = chen()
    done = signing.sign("CX-014", "起草", by, reason=" 首次编制 ")
    statement = done.filed.statement
    assert done.filed.path == f"documents/{NUMBER}/A-0/0001"
    assert (statement.event, statement.meaning, statement.reason) == (Event.DOCUMENT_SIGNED, "起草", "首次编制")
    assert statement.shown == Digest.of(shown)
    assert sorted(path.rsplit("/", 1)[1] for path in statement.files) == ["clauses.txt", "clauses.yml", "document.yml"]
    for path, digest in statement.files.items():
        assert Digest.of(signing.files.read(path) or b"") == digest
    assert by.asked == ["起草"]
    pdf = signing.shown("CX-014")
    assert pdf.startswith(shown)
    assert signing.archive.read("documents/XX-YLQXCX-014/A-0/0001.pdf") == pdf
    assert done.filed.digest.hex[:16] in pdf_text(pdf)


def test_the_digest_on_the_signature_page_can_be_made_again_from_the_named_files(signing: DocumentSigning) -> None:
    standing = signing.standing(NUMBER)
    shown = "".join(read_pdf(signing.shown(NUMBER)).pages[-1].split())
    digests = {
        path: f"sha256:{hashlib.sha256(signing.files.read(path) or b'').hexdigest()}"
        for path in signing.files.files(f"procedures/{NUMBER}")
        if not path.endswith("/notes.yml")
    }
    line = json.dumps(digests, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(line.encode()).hexdigest() == standing.contents.hex
    assert standing.contents.hex in shown
    assert all(path.rpartition("/")[2] in shown for path in digests)
    assert "正文共" in shown


def pdf_text(pdf: bytes) -> str:
    """What the signatures in a PDF show."""
    (field,) = [item for item in PdfReader(io.BytesIO(pdf)).get_fields().values() if "/V" in item]  # type: ignore[union-attr]
    return str(field["/V"]["/Reason"])


def test_the_post_is_the_one_that_the_route_asks_for(signing: DocumentSigning) -> None:
    signing.sign("CX-014", "起草", chen())
    signing.sign("CX-014", "审核", lin())
    done = signing.sign("CX-014", "批准", zhou())
    assert done.filed.statement.by is not None
    assert done.filed.statement.by.post == "企业负责人"
    assert done.standing.complete


@pytest.mark.parametrize("path", [TEXT, f"procedures/{NUMBER}/attachments/图.png", f"procedures/{NUMBER}/document.yml"])
def test_any_change_of_a_source_file_voids_every_signature(signing: DocumentSigning, path: str) -> None:
    signing.sign("CX-014", "起草", chen())
    signing.sign("CX-014", "审核", lin())
    edit(signing, path, (signing.files.read(path) or b"") + b"\n# x\n")
    standing = signing.standing("CX-014")
    assert [item.by.name for item in standing.voided] == ["陈晓", "林静"]
    assert all(path.rsplit("/", 1)[1] in str(item.void_because) for item in standing.voided)
    assert [step.meaning for step in standing.missing] == ["起草", "审核", "批准"]
    again = signing.sign("CX-014", "起草", chen())
    assert again.standing.steps[0].signature is not None
    assert again.standing.steps[0].signature.sequence == 3


def test_a_screen_note_is_no_part_of_the_document(signing: DocumentSigning) -> None:
    signing.sign("CX-014", "起草", chen())
    edit(signing, f"procedures/{NUMBER}/notes.yml", b"notes: []\n")
    assert not signing.standing("CX-014").voided


def test_what_was_changed_and_changed_back_is_signed_again(signing: DocumentSigning) -> None:
    signing.sign("CX-014", "起草", chen())
    before = signing.files
    edit(signing, TEXT, b"other\n")
    signing.sign("CX-014", "起草", lin())
    signing.files = before
    standing = signing.standing("CX-014")
    assert [str(item.void_because) for item in standing.signatures] == [
        "签署之后文件改过又改回，须重新签署",
        "签署之后有改动：clauses.txt",
    ]


def test_a_change_while_the_passphrase_is_typed_stops_the_signature(signing: DocumentSigning) -> None:
    class Slow(TestSigner):
        def ready(self, meaning: str) -> None:
            super().ready(meaning)
            edit(signing, TEXT, b"changed meanwhile\n")

    by = chen()
    with pytest.raises(ShownChangedError):
        signing.sign("CX-014", "起草", Slow(by.signatory, by.key))
    assert signing.statements.chain(f"documents/{NUMBER}/A-0") == []


def test_somebody_elses_signature_meanwhile_stops_the_signature(signing: DocumentSigning) -> None:
    class Slow(TestSigner):
        def ready(self, meaning: str) -> None:
            super().ready(meaning)
            signing.sign("CX-014", "起草", lin())

    by = chen()
    with pytest.raises(ShownChangedError):
        signing.sign("CX-014", "起草", Slow(by.signatory, by.key))
    assert [item.by.name for item in signing.standing("CX-014").signatures] == ["林静"]


def test_who_does_not_confirm_signs_nothing(signing: DocumentSigning) -> None:
    by = chen()
    by.refusal = RefusedError(T("口令不对。"))
    with pytest.raises(RefusedError, match="口令不对"):
        signing.sign("CX-014", "起草", by)
    assert signing.statements.chain(f"documents/{NUMBER}/A-0") == []


def test_a_pdf_that_is_not_the_one_to_be_signed_is_refused(signing: DocumentSigning) -> None:
    with pytest.raises(ShownChangedError):
        signing.sign("CX-014", "起草", chen(), seen=Digest.of(b"another print"))


def test_a_missing_pdf_of_the_newest_signature_is_told(signing: DocumentSigning) -> None:
    signing.sign("CX-014", "起草", chen())
    real = signing.archive

    class Lossy:
        def read(self, path: str, *, at: str | None = None) -> bytes | None:
            return None if path.endswith(".pdf") else real.read(path, at=at)

    signing.archive = Lossy()  # type: ignore[assignment]  # only `read` is used
    with pytest.raises(SignedPdfMissingError):
        signing.sign("CX-014", "审核", lin())


def test_a_signature_that_does_not_fit_its_statement_does_not_count(signing: DocumentSigning) -> None:
    signing.sign("CX-014", "起草", chen())
    (stored,) = signing.statements.chain(f"documents/{NUMBER}/A-0")
    at = datetime.fromisoformat(stored.statement.at)
    assert flaw_of(stored) is None
    wrong = {
        "陈述旁边没有签名": replace(stored, signatures={}),
        "签名文件无法读取": replace(stored, signatures={"": b"0"}),
        "签名与陈述不符": replace(stored, data=stored.data + b" "),
        "签名用的不是陈述所写的证书": replace(stored, signatures={"": lin().sign(stored.data, at=at)}),
        "签名时间与陈述不符": replace(stored, signatures={"": chen().sign(stored.data, at=at.replace(year=2020))}),
    }
    assert {told: str(flaw_of(item)) for told, item in wrong.items()} == {told: told for told in wrong}
