"""One thing done to objects of the repository is noticed and named; all of them are `make tamper`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tampering.cases import failures, sampled
from tests.tampering.object_cases import object_cases, unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tampering.signed_company import SignedCompany

pytestmark = pytest.mark.slow


def test_what_is_done_to_an_object_is_noticed(whole_company: SignedCompany, tmp_path: Path) -> None:
    loose = unpacked(whole_company, tmp_path / "loose")
    assert failures(sampled(list(object_cases(loose)), 60), loose, tmp_path) == []
