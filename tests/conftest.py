"""Fixtures that many topics share: a workspace of the starter library, made once and copied for each test."""

from __future__ import annotations

import gc
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
PEOPLE = ROOT / "records" / "samples" / "people.yml"


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

    def qms(self, *words: str, person: str | None = "陈晓") -> Answer:
        self.capture.readouterr()
        arguments = ["--workspace", str(self.folder), *(["--as", person] if person else []), *words]
        code = main(arguments, "zh")
        shown = self.capture.readouterr()
        return Answer(code, shown.out, shown.err)

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


@pytest.fixture(scope="module", autouse=True)
def _leaks_are_blamed_on_their_own_file() -> Iterator[None]:
    """Collect what a file of tests left behind, so that a program or file it forgot fails there and nowhere else."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def made_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from controller.bootstrap import make_workspace
    from controller.domain.record import Signatory

    folder = tmp_path_factory.mktemp("made") / "workspace"
    application = make_workspace(
        folder,
        company="安泽医疗器械有限公司",
        prefix="XX",
        people=PEOPLE.read_text(encoding="utf-8"),
        by=Signatory(person="p002", name="林静", post="质量负责人"),
        key_folder="../keys",
    )
    application.close()
    return folder


@pytest.fixture
def workspace(made_workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workspace:
    folder = tmp_path / "workspace"
    shutil.copytree(made_workspace, folder)
    return Workspace(folder, capsys)
