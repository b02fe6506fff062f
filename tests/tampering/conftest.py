"""Fixtures for tampering: the small company, made once for all of a worker's tests, and copies of it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from controller.adapters.pdf_signature_check import PadesCheck
from tests.tampering.signed_company import make_company

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tampering.signed_company import SignedCompany

_checked_pdf = lru_cache(maxsize=32)(PadesCheck().signatures)
"""What is found depends on the bytes alone: PDFs that a case left as they were need not be checked again."""


@pytest.fixture(scope="module", autouse=True)
def _untouched_pdfs_are_checked_once() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(PadesCheck, "signatures", lambda _self, pdf: _checked_pdf(pdf))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def whole_company(tmp_path_factory: pytest.TempPathFactory) -> SignedCompany:
    """The company as it was finished; no test changes it."""
    return make_company(tmp_path_factory.mktemp("tampering"))


@pytest.fixture
def company(whole_company: SignedCompany, tmp_path: Path) -> SignedCompany:
    """A copy that a test may tamper with."""
    return whole_company.copy(tmp_path / "company")
