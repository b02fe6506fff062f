"""Approving the set: one signed statement for every document, by the right post, of what was shown; verified later."""

from __future__ import annotations

import subprocess
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.statement import Event
from controller.file_formats.docx_package import open_docx
from controller.services import set_approval
from controller.services.document_signing import ShownChangedError
from controller.services.print_ports import PdfDocument
from controller.services.route_permission import SamePersonError
from controller.services.set_approval import SetEditionTakenError, SetUnsignedError
from controller.services.set_printing import ORDER_FILE, contents_of
from controller.services.staff_directory import PostNeededError
from controller.services.statement_filing import StatementDraft
from tests.adapters.test_pdf_signing import print_out
from tests.changed_documents import drafted
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller.bootstrap import Application
    from controller.domain.record import Wire
    from controller.services.set_approval import SetApproving
    from tests.conftest import Workspace

NUMBER = "XX-YLQXHB"
TEXT = "procedures/XX-YLQXCX-014/clauses.txt"


def blank(_docx: bytes) -> PdfDocument:
    return PdfDocument(print_out(), "blank", "1", (), 1)


@pytest.fixture
def application(workspace: Workspace) -> Iterator[Application]:
    """With prints that are quick to make and show nothing."""
    with closing(workspace.open()) as opened:
        opened.document_sets.to_pdf = blank
        yield opened


@pytest.fixture
def approving(application: Application) -> SetApproving:
    return application.set_approving


def revise(workspace: Workspace) -> None:
    """Take another text of procedure 014 into force, as A/1."""
    path = workspace.folder / TEXT
    path.write_text(path.read_text(encoding="utf-8") + "本程序每年评审一次。\n", encoding="utf-8", newline="")
    control = path.with_name("document.yml")
    control.write_bytes(control.read_bytes().replace(b"revision: A/0", b"revision: A/1"))
    assert workspace.qms("change", "adopt", "--reason", "补充评审周期", person="林静").code == 0


@pytest.mark.slow
def test_one_statement_names_and_covers_every_document_and_the_signed_set_lies_beside_it(
    application: Application, approving: SetApproving, workspace: Workspace, tmp_path: Path
) -> None:
    before, to_sign, whole = approving.shown("A/0")
    assert (before.approval, whole) == (None, True)
    done = approving.approve("A/0", application.person("周明"), reason="首次汇编", seen=Digest.of(to_sign))
    stated = done.filed.statement
    numbers = application.documents.numbers()
    assert (stated.chain, stated.event, stated.subject) == (f"documents/{NUMBER}/A-0", Event.DOCUMENT_SIGNED, NUMBER)
    assert stated.by is not None
    assert (stated.by.name, stated.by.post, stated.meaning) == ("周明", "企业负责人", "批准")
    listed = stated.new["documents"]
    assert isinstance(listed, list)
    assert sorted(str(item["number"]) for item in listed if isinstance(item, dict)) == numbers
    named = {str(item["number"]): str(item["contents"]) for item in listed if isinstance(item, dict)}
    for number in numbers:
        files = {path: digest for path, digest in stated.files.items() if path.startswith(f"procedures/{number}/")}
        assert named[number] == contents_of(files).text
        assert files == application.document_signing.source_files(number)
    signed = application.archive.read(f"{done.filed.path}.pdf")
    assert signed is not None
    assert signed.startswith(to_sign)
    path = tmp_path / "set.pdf"
    path.write_bytes(signed)
    run = subprocess.run([need("pdfsig"), "-nocert", str(path)], capture_output=True, text=True, check=True)
    assert run.stdout.count("Signature is Valid") == 1
    assert done.standing.counts
    assert approving.shown()[1] == signed

    report = application.verify(spread=False)
    assert [item for item in report.findings if item.gravity.value == "error"] == []

    with pytest.raises(SetEditionTakenError):
        approving.approve("A/0", application.person("周明"))
    told = workspace.qms("doc", "signatures", "CX-014")
    assert f"随汇编 {NUMBER} A/0 由周明于" in told.out
    assert "其后没有变动" in told.out


@pytest.mark.slow
def test_a_document_that_changes_afterwards_is_told_on_the_cover_and_with_its_signatures(
    application: Application, approving: SetApproving, workspace: Workspace
) -> None:
    from controller.file_formats.pdf_text import read_pdf

    approving.approve("A/0", application.person("周明"))
    revise(workspace)
    with closing(workspace.open()) as later:
        later.document_sets.to_pdf = blank
        standing = later.document_sets.standing()
        assert standing.changed == ["XX-YLQXCX-014 A/0 → A/1"]
        cover = read_pdf(later.document_sets.pdf(standing).data).pages[0]
        assert "其后有变动：XX-YLQXCX-014A/0→A/1" in "".join(cover.split())
        with pytest.raises(SetEditionTakenError) as taken:
            later.set_approving.approve("A/0", later.person("周明"))
        assert "--edition A/1" in str(taken.value.hint)
        done = later.set_approving.approve("A/1", later.person("周明"))
        assert done.standing.counts
        assert later.document_sets.standing().edition == "A/1"
        errors = [item.code for item in later.verify(spread=False).findings if item.gravity.value == "error"]
        assert errors == []


def test_only_the_approving_post_approves_and_nobody_what_he_drafted(
    application: Application, approving: SetApproving
) -> None:
    with pytest.raises(PostNeededError):
        approving.approve("A/0", application.person("林静"))
    application.document_signing.to_pdf = blank
    application.document_signing.sign("CX-014", "起草", application.person("周明"))
    with pytest.raises(SamePersonError):
        approving.approve("A/0", application.person("周明"))
    assert application.statements.chain(f"documents/{NUMBER}/A-0") == []


@pytest.mark.slow
def test_a_document_that_is_half_signed_keeps_the_set_from_being_approved_and_says_so_in_print(
    application: Application, approving: SetApproving
) -> None:
    application.document_signing.to_pdf = blank
    application.document_signing.sign("CX-015", "起草", application.person("陈晓"))
    with pytest.raises(SetUnsignedError) as refused:
        approving.approve("A/0", application.person("周明"))
    assert "XX-YLQXCX-015" in str(refused.value.message)
    drawn: list[bytes] = []

    def draw(docx: bytes) -> PdfDocument:
        drawn.append(open_docx(docx).contents["word/document.xml"])
        return blank(docx)

    sets = application.document_sets
    sets.to_pdf = draw
    standing = sets.standing()
    sets.pdf(standing, documents=[item for item in standing.documents if item.number.endswith(("CX-014", "CX-015"))])
    assert ["待签 审核、批准" in body.decode() for body in drawn] == [False, True]


@pytest.mark.slow
def test_what_changes_between_look_and_signature_stops_the_signature(
    application: Application, approving: SetApproving, workspace: Workspace
) -> None:
    with pytest.raises(ShownChangedError):
        approving.approve("A/0", application.person("周明"), seen=Digest.of(b"something else"))
    with pytest.raises(RefusedError):
        approving.approve("A/0", application.person("周明"), show=lambda _standing, _pdf: revise(workspace))
    assert application.statements.chain(f"documents/{NUMBER}/A-0") == []


@pytest.mark.slow
def test_of_a_very_large_set_the_front_and_the_digests_are_signed(
    application: Application, approving: SetApproving, monkeypatch: pytest.MonkeyPatch
) -> None:
    from controller.file_formats.pdf_text import read_pdf

    monkeypatch.setattr(set_approval, "FILED_WHOLE", 1000)
    done = approving.approve("A/0", application.person("周明"))
    assert not done.whole
    assert done.filed.statement.new["filed"] == "首部和文件摘要清单"
    signed = application.archive.read(f"{done.filed.path}.pdf")
    assert signed is not None
    text = "".join(read_pdf(signed).pages)
    assert [item.number for item in done.standing.documents if item.contents.grouped not in text] == []
    assert "本件为汇编的首部和文件摘要清单" in text
    assert [item for item in application.verify(spread=False).findings if item.gravity.value == "error"] == []


def test_an_approval_that_lists_what_it_does_not_cover_is_a_finding(application: Application) -> None:
    number = "XX-YLQXCX-014"
    files = application.document_signing.source_files(number)
    listed: dict[str, Wire] = {"number": number, "revision": "A/0", "title": "", "contents": Digest.of(b"another").text}
    draft = StatementDraft(
        chain=f"documents/{NUMBER}/A-0",
        event=Event.DOCUMENT_SIGNED,
        subject=NUMBER,
        meaning="批准",
        new={"step": "approved", "documents": [listed]},
        files=files,
    )
    application.statements.file(draft, application.person("周明"))
    found = [item.code for item in application.verify(spread=False).findings if item.gravity.value == "error"]
    assert found == ["document-set-differs"]


def test_the_companys_own_order_of_release_is_printed(workspace: Workspace) -> None:
    from controller.file_formats.pdf_text import read_pdf

    path = workspace.folder / ORDER_FILE
    path.write_text("{company}发布{title}{edition}版，{count}份。\n第二段。\n", encoding="utf-8")
    assert workspace.qms("change", "adopt", "--reason", "本公司的发布令", person="林静").code == 0
    with closing(workspace.open()) as application:
        sets = application.document_sets
        sets.to_pdf = blank
        standing = sets.standing()
        data = sets.pdf(standing, documents=standing.documents[:2], selection="指定文件").data
    order = read_pdf(data).pages[1]
    count = len(standing.documents)
    assert f"安泽医疗器械有限公司发布质量管理体系文件汇编A/0版，{count}份。" in order.replace("\n", "")
    assert "选编：指定文件" in read_pdf(data).pages[0]


@pytest.mark.slow
def test_a_change_given_up_half_signed_is_no_begun_signature_and_never_signed_documents_are_counted(
    application: Application, approving: SetApproving, workspace: Workspace
) -> None:
    application.document_signing.to_pdf = blank
    change = drafted(application, "稳定和扩大", "稳定并扩大")
    today = application.clock.now().date()
    application.change_approval.sign(
        change, Event.CHANGE_SUBMITTED, application.person("陈晓"), effective=today + timedelta(days=7)
    )
    assert application.statements.chain("documents/XX-YLQXCX-014/A-1"), "the draft is half signed"
    answer = workspace.qms("change", "return", change, "--reason", "情况有变，不再修改", person="林静")
    assert answer.code == 0, answer.err
    answer = workspace.qms("change", "cancel", change, "--reason", "情况有变，不再修改", person="陈晓")
    assert answer.code == 0, answer.err
    with closing(workspace.open()) as later:
        later.document_sets.to_pdf = blank
        assert later.document_signing.lacking("CX-014") is None
        standing = later.document_sets.standing()
        never = later.set_approving.never_signed(standing)
        assert never == [item.number for item in standing.documents]
        assert later.set_approving.approve("A/0", later.person("周明")).standing.counts
