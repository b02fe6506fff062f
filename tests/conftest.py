"""Fixtures that many topics share: a workspace of the starter library, made once and copied for each test."""

from __future__ import annotations

import gc
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from controller.bootstrap import NewCompany, make_workspace, open_workspace
from controller.cli.main import main
from controller.services.personal_signer import PassphraseAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.bootstrap import Application
    from controller.services.ports import Clock

settings.register_profile("busy machine", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")
"""How fast a machine is that does other things too says nothing about the property that is tested."""
FOUNDED = datetime.fromisoformat("2026-01-05T09:00:00+08:00")
"""When the made workspace was made: before everything that tests do in it."""
PASSPHRASE = "窗台纸船17只海棠3株"  # noqa: S105 - of keys that tests make
"""Of everybody in the made workspace, and of its certificate authority."""
ROOT = Path(__file__).resolve().parents[1]
PEOPLE = ROOT / "records" / "samples" / "people.yml"


@dataclass(frozen=True)
class StandingClock:
    """A clock that stands."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


@dataclass
class Workspace:
    """A workspace in a temporary folder, driven through the command line as a person would."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    passphrases: Path
    """Passphrases at hand in a file, as automation would have them."""

    def qms(self, *words: str, person: str | None = "陈晓") -> Answer:
        self.capture.readouterr()
        arguments = ["--workspace", str(self.folder), "--passphrase-file", str(self.passphrases)]
        code = main([*arguments, *(["--as", person] if person else []), *words], "zh")
        shown = self.capture.readouterr()
        return Answer(code, shown.out, shown.err)

    def open(self, clock: Clock | None = None) -> Application:
        """Open the workspace as another program would, with everybody's passphrase at hand."""
        application = open_workspace(self.folder, clock=clock)
        application.ask = lambda _question: PassphraseAnswer(PASSPHRASE)
        application.wait = lambda _seconds: None
        return application

    def values(self, name: str, values: Mapping[str, object]) -> str:
        """Write a values file beside the workspace and return its path."""
        from controller.file_formats.yaml_text import dump_yaml

        path = self.folder.parent / name
        path.write_text(dump_yaml(dict(values)), encoding="utf-8")
        return str(path)

    def tree(self) -> dict[str, bytes]:
        """Every file of the workspace but the disposable ones; equal before and after means untouched."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and ".qms" not in path.parts
        }


def pytest_collection_finish() -> None:
    """Leave what the imports made, which lives as long as the run, out of every later collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def _leaks_are_blamed_on_their_own_file() -> Iterator[None]:
    """Collect what a file of tests left behind, so that a program or file it forgot fails there and nowhere else."""
    yield
    gc.collect()


@pytest.fixture(scope="session", autouse=True)
def fast_passphrases() -> Iterator[None]:
    """Passphrases are slow on purpose; only tests about that slowness want it."""
    patch = pytest.MonkeyPatch()
    patch.setattr("controller.adapters.personal_keys.ROUNDS", 1000)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def made_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of the sample company: everybody has a certificate and is signed in."""
    people = PEOPLE.read_text(encoding="utf-8")
    ids = ["p001", "p002", "p003", "p004", "p005", "p006", "p007", "p008"]
    folder = tmp_path_factory.mktemp("made") / "workspace"
    passphrases = dict.fromkeys(ids, PASSPHRASE)
    new = NewCompany("安泽医疗器械有限公司", "XX", people, passphrases, PASSPHRASE, key_folder="../keys")
    with closing(make_workspace(folder, new, clock=StandingClock(FOUNDED))) as application:
        for person in ids:
            # Without a word in the trail: what tests file may have happened long before today.
            application.sittings.open(
                person, application.personal_keys.unlock(person, PASSPHRASE), at=datetime.now(UTC)
            )
    return folder


@pytest.fixture
def workspace(made_workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workspace:
    """A copy of the made workspace, with passphrases at hand in a file, as automation would have them."""
    folder = tmp_path / "workspace"
    shutil.copytree(made_workspace, folder)
    shutil.copytree(made_workspace.parent / "keys", tmp_path / "keys")
    passphrases = tmp_path / "passphrases.txt"
    passphrases.write_text(PASSPHRASE, encoding="utf-8")
    return Workspace(folder, capsys, passphrases)
