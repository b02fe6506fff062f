"""The root exchanged, and everything signed again with another: what shows it, and what shows only off the machine."""

from __future__ import annotations

import shutil
from contextlib import closing

import pytest

from controller.bootstrap import open_workspace
from controller.domain.identifiers import Digest
from controller.file_formats import canonical_json
from tests.signers import COMPANY, TestCompany
from tests.tampering.attacking import (
    ARCHIVE,
    archive,
    codes,
    rewrite,
    told,
)
from tests.tampering.signed_company import (
    SignedCompany,
    make_company,
)


@pytest.fixture(scope="module")
def made_anew(whole_company: SignedCompany, tmp_path_factory: pytest.TempPathFactory) -> SignedCompany:
    """Everything made and signed again with another root, under the same workspace id, people and numbers."""
    with closing(open_workspace(whole_company.workspace)) as application:
        ident = application.settings.workspace_id
    return make_company(tmp_path_factory.mktemp("anew"), workspace_id=ident)


def test_the_root_replaced_and_everything_signed_again(company: SignedCompany, made_anew: SignedCompany) -> None:
    shutil.rmtree(company.workspace)
    shutil.copytree(made_anew.workspace, company.workspace)
    found = told(company)
    assert ("root-replaced", "site.json") in found
    assert ("archive-rewritten", ARCHIVE) in found
    assert "witness-root-unknown" in {code for code, _ in found}


def test_the_root_replaced_together_with_the_private_folder(company: SignedCompany, made_anew: SignedCompany) -> None:
    """From inside all is well; the copies off the machine and the sealed sheet are of another root."""
    sealed_sheet = root_shown(company)
    for name in ("workspace", "keys"):
        shutil.rmtree(company.home / name)
        shutil.copytree(made_anew.home / name, company.home / name)
    assert codes(company) == {"witness-differs", "witness-root-unknown"}
    assert root_shown(company) != sealed_sheet
    shutil.rmtree(company.home / "stick")
    assert codes(company) == set()


def root_shown(company: SignedCompany) -> str:
    with closing(open_workspace(company.workspace)) as application:
        root = application.verify(spread=False).root
    assert root is not None
    return root.text


def test_the_root_in_site_json_exchanged(company: SignedCompany) -> None:
    site = canonical_json.decode(archive(company).files["site.json"], where="site.json")
    assert isinstance(site, dict)
    other = Digest.of(TestCompany(COMPANY).root).text
    rewrite(company, {"site.json": canonical_json.encode({**site, "root": other})})
    assert ("authority-root-differs", "authority/0001.json") in told(company)
