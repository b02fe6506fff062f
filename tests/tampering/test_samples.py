"""One thing done to every file of a workspace is noticed and named; the whole matrix is `make tamper`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tampering.cases import failures, sampled
from tests.tampering.content_cases import archive_cases, library_cases
from tests.tampering.file_cases import file_cases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tampering.signed_company import SignedCompany

pytestmark = pytest.mark.slow


def test_what_is_done_to_a_file_of_the_workspace_is_noticed(whole_company: SignedCompany, tmp_path: Path) -> None:
    assert failures(sampled(list(file_cases(whole_company)), 130), whole_company, tmp_path) == []


def test_what_is_done_to_a_file_of_the_archive_is_noticed_though_git_is_content(
    whole_company: SignedCompany, tmp_path: Path
) -> None:
    assert failures(sampled(list(archive_cases(whole_company)), 60), whole_company, tmp_path) == []


def test_what_is_done_to_a_file_of_main_is_noticed_though_git_is_content(
    whole_company: SignedCompany, tmp_path: Path
) -> None:
    assert failures(sampled(list(library_cases(whole_company)), 15), whole_company, tmp_path) == []
