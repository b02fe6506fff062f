"""新建. Makes a new workspace with its first people (`qms init`)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.settings import (
    WORKSPACE_FORMAT,
    Settings,
    write_settings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from controller.domain.signing_rules import SigningRules
    from controller.services.ports import Clock

from controller.bootstrap.application import Application, open_workspace
from controller.bootstrap.foundations import PEOPLE_FILE, POSTS_FILE


@dataclass(frozen=True)
class NewCompany:
    """新企业. What `qms init` is told about the company and its first people."""

    company: str
    prefix: str
    people: str
    """Text of `signatures/people.yml`; everybody in it gets a key, the first one founds the company."""
    passphrases: Mapping[str, str] = field(repr=False)
    """Person id → passphrase of the new key."""
    authority_passphrase: str = field(repr=False)
    """That of the company's certificate authority."""
    identity_check: str = "建立工作区时当面核对身份证件"
    site: str = "main"
    key_folder: str = ""
    """Where keys are kept; empty: the user's data directory."""


def starting_rules() -> SigningRules:
    """Return the signing rules with which a new workspace begins."""
    from controller.adapters.starter_library import PackagedStarterLibrary
    from controller.file_formats.signing_rules_file import SIGNING_FILE, read_signing_rules

    data = next(data for path, data in PackagedStarterLibrary().files() if path == SIGNING_FILE)
    return read_signing_rules(data.decode("utf-8"), where=SIGNING_FILE)


def make_workspace(folder: Path, new: NewCompany, *, clock: Clock | None = None) -> Application:
    """Make a new workspace with the starter library and its first people, and open it (`qms init`).

    Raises:
        FolderNotEmptyError: something is in the folder already.
        InvalidCompanyNameError: the company's name is not acceptable.
        InvalidIdentifierError: the prefix is not.
        PassphraseTooWeakError: a passphrase breaks the rules.
        InactiveFounderError: somebody in the list of people is not active.
    """
    from controller.adapters.personal_keys import FileAuthorityKey, Pkcs12Keys
    from controller.adapters.starter_library import PackagedStarterLibrary
    from controller.adapters.system_clock import SystemClock
    from controller.adapters.this_computer import origin_here
    from controller.adapters.workspace_maker import FolderWorkspaceMaker, check_free
    from controller.domain.passphrase import check_authority_passphrase, check_passphrase
    from controller.file_formats.signing_rules_file import SIGNING_FILE, read_signing_rules
    from controller.file_formats.staff_file import read_staff
    from controller.services.document_import import renew_clause_ids
    from controller.services.founding import CompanyFounding, Founder, check_all_active
    from controller.services.workspace_identity import WorkspaceIdentity
    from controller.services.workspace_setup import IGNORED, check_company, check_prefix, library_files

    settings = Settings(
        format=WORKSPACE_FORMAT,
        workspace_id=str(uuid.uuid4()),
        company=check_company(new.company),
        prefix=check_prefix(new.prefix),
        site=new.site,
        key_folder=new.key_folder,
    )
    check_free(folder.resolve())
    files = library_files(PackagedStarterLibrary(), new.prefix, renew=renew_clause_ids)
    files[PEOPLE_FILE] = new.people.encode("utf-8")
    staff = read_staff(files[POSTS_FILE].decode("utf-8"), new.people, people_where=PEOPLE_FILE).require()
    files["qms.toml"] = write_settings(settings).encode("utf-8")
    files[".gitignore"] = IGNORED.encode("utf-8")
    rules = read_signing_rules(files[SIGNING_FILE].decode("utf-8"), where=SIGNING_FILE)
    check_all_active(staff)
    founders = [Founder(person, new.passphrases[person.id], new.identity_check) for person in staff.people.values()]
    for founder in founders:
        check_passphrase(founder.passphrase, rules=rules, person=founder.person.id, name=founder.person.name)
    check_authority_passphrase(new.authority_passphrase, rules=rules, company=settings.company)
    at = (clock or SystemClock(settings.time_zone)).now()
    private = Application(folder.resolve(), settings).private_folder
    founding = CompanyFounding(
        identity=WorkspaceIdentity(id=settings.workspace_id, site=new.site, company=settings.company),
        prefix=new.prefix,
        staff=staff,
        keys=Pkcs12Keys(private / "keys"),
        authority=FileAuthorityKey(private),
        rules=rules,
        origin=origin_here(),
    ).found(
        founders,
        authority_passphrase=new.authority_passphrase,
        at=at,
        kept_at=SystemClock(settings.time_zone).now(),
        library=files,
    )
    FolderWorkspaceMaker().make(
        folder.resolve(),
        founding.library,
        site=new.site,
        begin=founding.begin,
        by=staff.signatory(founders[0].person),
        at=at,
    )
    return open_workspace(folder, clock=clock)
