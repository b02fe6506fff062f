"""Everything done to every file and object, thousands of cases: `make tamper`, some minutes on two processors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tampering.cases import failures, shard
from tests.tampering.content_cases import archive_cases, commit_cases, library_cases
from tests.tampering.file_cases import file_cases
from tests.tampering.object_cases import object_cases, unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tampering.signed_company import SignedCompany

pytestmark = pytest.mark.tamper
PARTS = 8


@pytest.fixture(scope="session")
def loose_company(whole_company: SignedCompany, tmp_path_factory: pytest.TempPathFactory) -> SignedCompany:
    return unpacked(whole_company, tmp_path_factory.mktemp("loose") / "company")


@pytest.mark.parametrize("part", range(PARTS))
def test_files_of_the_workspace(whole_company: SignedCompany, tmp_path: Path, part: int) -> None:
    assert failures(shard(list(file_cases(whole_company)), part, PARTS), whole_company, tmp_path) == []


@pytest.mark.parametrize("part", range(PARTS))
def test_objects_of_the_repository(loose_company: SignedCompany, tmp_path: Path, part: int) -> None:
    assert failures(shard(list(object_cases(loose_company)), part, PARTS), loose_company, tmp_path) == []


@pytest.mark.parametrize("part", range(PARTS))
def test_content_of_the_archive(whole_company: SignedCompany, tmp_path: Path, part: int) -> None:
    assert failures(shard(list(archive_cases(whole_company)), part, PARTS), whole_company, tmp_path) == []


@pytest.mark.parametrize("part", range(PARTS))
def test_commits_of_the_archive(whole_company: SignedCompany, tmp_path: Path, part: int) -> None:
    assert failures(shard(list(commit_cases(whole_company)), part, PARTS), whole_company, tmp_path) == []


@pytest.mark.parametrize("part", range(PARTS))
def test_content_of_main(whole_company: SignedCompany, tmp_path: Path, part: int) -> None:
    assert failures(shard(list(library_cases(whole_company)), part, PARTS), whole_company, tmp_path) == []
