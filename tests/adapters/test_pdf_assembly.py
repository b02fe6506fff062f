"""The bound set: front matter, every document whole, pages of the set, links and bookmarks that lead there."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

import pytest
from pypdf import PdfReader

from controller.adapters.pdf_assembly import SetBinding
from controller.adapters.pdf_stamping import PdfStampError, stamped
from controller.adapters.set_page_drawing import ReleaseOrderLongError
from controller.domain.document_set import SetDocument, SetPrint
from controller.domain.identifiers import Digest
from tests.adapters.test_pdf_stamping import ACROSS, UPRIGHT, pages, stamp

ORDER_FILE = "templates/house/release_order.txt"


def document(class_word: str, code: str, serial: int, title: str = "") -> SetDocument:
    number = f"XX-YLQX{code}-{serial:03d}"
    title = title or f"第{serial}号{class_word}"
    return SetDocument(
        number, title, "A/1", class_word, "质管部", Digest.of(number.encode()), "周明", date(2026, 1, 5), "2026-02-01"
    )


def shown(documents: list[SetDocument], **more: object) -> SetPrint:
    facts: dict[str, object] = {
        "company": "安泽医疗器械有限公司", "number": "XX-YLQXHB", "edition": "B/2", "documents": documents,
        "order": ["现予批准发布，自即日起施行。"], "releaser": "企业负责人", "released_by": "周明",
        "released_on": "2026-11-22",
    }  # fmt: skip
    return SetPrint(**(facts | more))  # type: ignore[arg-type]


def bound(documents: list[SetDocument], bodies: list[bytes], **more: object) -> PdfReader:
    counts = [len(PdfReader(io.BytesIO(body)).pages) for body in bodies]
    data = SetBinding().bind(shown(documents, **more), bodies, counts, order_file=ORDER_FILE)
    return PdfReader(io.BytesIO(data))


DOCUMENTS = [
    document("制度", "ZD", 1),
    document("程序", "CX", 14, "售后服务质量控制管理程序"),
    document("程序", "CX", 15),
]
BODIES = [pages((UPRIGHT, 0), (UPRIGHT, 0)), pages((ACROSS, 90)), pages((UPRIGHT, 0), (ACROSS, 0), (UPRIGHT, 180))]


def test_every_page_says_which_page_of_the_set_it_is_and_keeps_its_own_text() -> None:
    texts = [page.extract_text() for page in bound(DOCUMENTS, BODIES).pages]
    assert len(texts) == 4 + 6
    assert [text.count(f"第{number}页 共10页") for number, text in enumerate(texts, 1)] == [1] * 10
    assert ["Line" in text for text in texts] == [False] * 4 + [True] * 6
    assert "Line 3 of text" in texts[9]


def test_cover_order_and_revision_page_say_what_was_released_by_whom() -> None:
    cover, order, contents, revisions = (page.extract_text() for page in bound(DOCUMENTS, BODIES).pages[:4])
    for part in ("质量管理体系文件汇编", "安泽医疗器械有限公司", "XX-YLQXHB", "B/2", "周明", "2026-11-22", "（公章）"):
        assert part in cover
    for part in ("发 布 令", "现予批准发布", "企业负责人：周明", "（公章）"):
        assert part in order
    assert "目　录" in contents
    for part in ("XX-YLQXCX-014", "售后服务质量控制管理程序", "A/1", "2026-01-05", "2026-02-01"):
        assert part in revisions
    assert DOCUMENTS[1].contents.grouped in revisions


def test_the_contents_name_and_lead_to_the_page_where_each_document_begins() -> None:
    reader = bound(DOCUMENTS, BODIES)
    contents = reader.pages[2]
    rows = re.findall(r"(XX-YLQX\w+-\d+)\D.*?A/1\s*(\d+)", contents.extract_text(), re.DOTALL)
    assert rows == [("XX-YLQXZD-001", "5"), ("XX-YLQXCX-014", "7"), ("XX-YLQXCX-015", "8")]
    notes: Any = contents["/Annots"]
    targets = [reader.get_page_number(note.get_object()["/Dest"][0].get_object()) for note in notes]
    led = [target + 1 for target in targets if target is not None]
    assert led == [5, 7, 8]


def test_bookmarks_hold_the_parts_and_the_documents_below_their_classes() -> None:
    reader = bound(DOCUMENTS, BODIES)

    def told(entries: Any) -> list[object]:
        return [
            told(item) if isinstance(item, list) else (item.title, reader.get_destination_page_number(item))
            for item in entries
        ]

    assert told(reader.outline) == [
        ("封面", 0), ("发布令", 1), ("目录", 2), ("修订页", 3),
        ("管理制度", 4), [("XX-YLQXZD-001 第1号制度", 4)],
        ("程序文件", 6), [("XX-YLQXCX-014 售后服务质量控制管理程序", 6), ("XX-YLQXCX-015 第15号程序", 7)],
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 31, 32, 33, 58, 120])
def test_however_many_documents_all_are_listed_and_the_pages_fit(count: int) -> None:
    documents = [document("程序", "CX", place, "很长的名称" * (place % 14)) for place in range(1, count + 1)]
    body = pages((UPRIGHT, 0))
    reader = bound(documents, [body] * count)
    texts = [page.extract_text() for page in reader.pages]
    before = len(texts) - count
    front = "".join(texts[2:before])
    assert [item.number for item in documents if front.count(item.number) != 2] == []
    assert f"A/1\n{before + count}" in front.replace(" ", "") or f"A/1{before + count}" in re.sub(r"\s", "", front)
    assert f"第{before + 1}页" in texts[before]
    assert "Line 1" in texts[before]


def test_front_matter_alone_is_numbered_as_in_the_whole_and_leads_nowhere() -> None:
    counts = [2, 1, 3]
    data = SetBinding().bind(shown(DOCUMENTS), [], counts, order_file=ORDER_FILE, front_only=True)
    reader = PdfReader(io.BytesIO(data))
    assert [f"第{number}页 共10页" in page.extract_text() for number, page in enumerate(reader.pages, 1)] == [True] * 4
    assert [page for page in reader.pages if "/Annots" in page] == []


def test_an_order_of_release_of_more_than_a_page_is_refused() -> None:
    with pytest.raises(ReleaseOrderLongError):
        bound(DOCUMENTS, BODIES, order=["各部门应当严格执行本汇编的各项规定。" * 12] * 8)


def test_the_same_set_has_the_same_bytes_and_can_be_marked() -> None:
    bind = SetBinding().bind
    one = bind(shown(DOCUMENTS), BODIES, [2, 1, 3], order_file=ORDER_FILE)
    assert one == bind(shown(DOCUMENTS), BODIES, [2, 1, 3], order_file=ORDER_FILE)
    marked = PdfReader(io.BytesIO(stamped(one, stamp())))
    assert [page for page in marked.pages if "非受控" not in page.extract_text()] == []
    assert len(marked.outline) == 8


def test_a_document_that_is_no_pdf_is_refused() -> None:
    with pytest.raises(PdfStampError):
        SetBinding().bind(shown(DOCUMENTS), [b"no pdf", *BODIES[1:]], [2, 1, 3], order_file=ORDER_FILE)
