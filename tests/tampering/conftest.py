"""Fixtures for tampering: the small company, made once for all of a worker's tests, and copies of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tampering.signed_company import make_company

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tampering.signed_company import SignedCompany


@pytest.fixture(scope="session")
def whole_company(tmp_path_factory: pytest.TempPathFactory) -> SignedCompany:
    """The company as it was finished; no test changes it."""
    return make_company(tmp_path_factory.mktemp("tampering"))


@pytest.fixture
def company(whole_company: SignedCompany, tmp_path: Path) -> SignedCompany:
    """A copy that a test may tamper with."""
    return whole_company.copy(tmp_path / "company")
