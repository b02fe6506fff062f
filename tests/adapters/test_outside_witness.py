"""A folder off the machine keeps what it is given, whole and for ever; while it is away, copies wait."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from controller.adapters.outside_witness import WitnessFolder
from controller.services.timestamp_ports import WitnessCopy, WitnessUnreachableError
from tests.signers import company

if TYPE_CHECKING:
    from pathlib import Path

ONE = WitnessCopy(1, {".json": b'{"n":1}', ".p7s": b"signature 1", ".tsr": b"stamp 1"})
TWO = WitnessCopy(2, {".json": b'{"n":2}', ".p7s": b"signature 2"})


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def witness(stick: Path) -> WitnessFolder:
    here = stick.parent / "workspace"
    return WitnessFolder(
        stick, workspace="6a1f", site="main", outbox=here / ".qms" / "outbox", apart_from=[here, stick.parent / "keys"]
    )


def waiting(stick: Path) -> list[str]:
    return sorted(path.name for path in (stick.parent / "workspace" / ".qms" / "outbox").glob("*"))


def test_what_was_brought_is_read_back(stick: Path) -> None:
    root = company().root
    assert witness(stick).deliver([ONE, TWO], [root]) == 2
    assert witness(stick).copies() == [ONE, TWO]
    assert witness(stick).roots() == [root]
    assert witness(stick).sequences() == {1, 2}
    assert waiting(stick) == []


def test_only_the_newest_are_read_where_that_is_enough(stick: Path) -> None:
    witness(stick).deliver([ONE, TWO], [])
    assert witness(stick).copies(newest=1) == [TWO]


def test_what_is_there_already_is_neither_brought_again_nor_replaced(stick: Path) -> None:
    witness(stick).deliver([ONE], [])
    before = {path: path.stat().st_mtime_ns for path in stick.rglob("*") if path.is_file()}
    assert witness(stick).deliver([ONE], []) == 0
    assert {path: path.stat().st_mtime_ns for path in stick.rglob("*") if path.is_file()} == before


def test_another_statement_under_the_same_number_lies_beside_the_first(stick: Path) -> None:
    again = WitnessCopy(1, {".json": b'{"n":"another"}', ".p7s": b"x"})
    witness(stick).deliver([ONE], [])
    witness(stick).deliver([again], [])
    assert sorted(copy.files[".json"] for copy in witness(stick).copies()) == [again.files[".json"], ONE.files[".json"]]


def test_copies_wait_while_the_stick_is_away_and_go_with_the_next(stick: Path) -> None:
    away = stick.with_name("away")
    stick.rename(away)
    with pytest.raises(WitnessUnreachableError, match="找不到"):
        witness(stick).deliver([ONE], [])
    assert len(waiting(stick)) == 3
    assert not stick.exists()
    assert witness(stick).sequences() == set()
    away.rename(stick)
    assert witness(stick).deliver([TWO], []) == 2
    assert witness(stick).copies() == [ONE, TWO]
    assert waiting(stick) == []


def test_a_missing_folder_cannot_be_read(stick: Path) -> None:
    shutil.rmtree(stick)
    with pytest.raises(WitnessUnreachableError):
        witness(stick).copies()
    with pytest.raises(WitnessUnreachableError):
        witness(stick).roots()


@pytest.mark.parametrize("place", ["workspace", "workspace/copies", "keys", "keys/deep/down", "."])
def test_the_same_tree_is_no_other_place(stick: Path, place: str) -> None:
    inside = stick.parent / place
    inside.mkdir(parents=True, exist_ok=True)
    here = stick.parent / "workspace"
    folder = WitnessFolder(
        inside, workspace="6a1f", site="main", outbox=here / ".qms" / "outbox", apart_from=[here, stick.parent / "keys"]
    )
    with pytest.raises(WitnessUnreachableError, match="同一个文件夹"):
        folder.deliver([ONE], [])


def test_a_link_into_the_workspace_is_no_other_place(stick: Path) -> None:
    here = stick.parent / "workspace" / "inside"
    here.mkdir(parents=True)
    link = stick.parent / "link"
    link.symlink_to(here, target_is_directory=True)
    with pytest.raises(WitnessUnreachableError, match="同一个文件夹"):
        witness(link).deliver([ONE], [])


def test_foreign_and_half_brought_files_are_passed_over(stick: Path) -> None:
    witness(stick).deliver([ONE], [])
    folder = stick / "wenkong-6a1f" / "main"
    (folder / "photo.jpg").write_bytes(b"x")
    (folder / "00000002-0123456789abcdef.p7s").write_bytes(b"only half of it arrived")
    (folder / ".00000002-0123456789abcdef.json.99.part").write_bytes(b"{")
    (folder / "00000003-0123456789abcdef.json").mkdir()
    assert witness(stick).copies() == [ONE]


def test_an_enormous_file_there_is_told_not_read(stick: Path) -> None:
    witness(stick).deliver([ONE], [])
    with (stick / "wenkong-6a1f" / "main" / "00000009-0123456789abcdef.json").open("wb") as file:
        file.truncate(10_000_000)
    with pytest.raises(WitnessUnreachableError):
        witness(stick).copies()


def test_a_root_that_is_no_certificate_is_given_as_it_lies_there(stick: Path) -> None:
    witness(stick).deliver([], [company().root])
    next((stick / "wenkong-6a1f").glob("root-*.pem")).write_bytes(b"scratched")
    assert witness(stick).roots() == [b"scratched"]


def test_a_site_of_its_own_has_a_folder_of_its_own(stick: Path) -> None:
    witness(stick).deliver([ONE], [])
    other = WitnessFolder(stick, workspace="6a1f", site="shanghai", outbox=stick.parent / "outbox", apart_from=[])
    assert other.copies() == []
