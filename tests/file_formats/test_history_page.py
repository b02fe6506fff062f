"""The page of changes: whatever people typed stays text."""

from __future__ import annotations

from controller.domain.document_timeline import DocumentVersion
from controller.domain.identifiers import Digest
from controller.file_formats.history_page import HistoryPage, history_page
from tests.revised_documents import AT, compared

VERSION = DocumentVersion(1, AT, "0" * 40, "A/0<", None, Digest.of(b""), {}, None)


def test_what_was_typed_never_becomes_markup_and_cannot_turn_the_text() -> None:
    comparison = compared("1.<script>alert(1)</script>甲。\n", "1.<script>alert(2)</script>\u202e乙\x1b[31m。\n")
    page = HistoryPage(
        company='<b>"&', number="N", title="</title><i>", made=AT, comparisons=[(VERSION, VERSION, comparison)]
    )
    text = history_page(page, str).decode()
    assert "<script" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;" in text
    assert not {"\u202e", "\x1b"} & set(text)
    assert "default-src 'none'" in text
