"""A folder of old files is walked without leaving it; what is no document is told, what the office left is not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from controller.adapters import legacy_folder
from controller.adapters.legacy_folder import FolderOfFiles, LegacyFileMissingError, LegacyFolderTooLargeError
from controller.adapters.stored_path import PathRefusedError
from controller.services.text_reading import FileTooLargeError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "旧文件"
    (made / "采购").mkdir(parents=True)
    (made / "采购" / "采购控制程序.docx").write_bytes(b"docx")
    for name in ("~$采购.docx", ".~lock.a.docx#", "Thumbs.db", "desktop.ini", "~WRL0001.tmp", ".DS_Store"):
        (made / name).write_bytes(b"x")
    (made / "总则.txt").write_text("1.目的", encoding="utf-8")
    return made


def test_files_are_listed_in_order_without_what_the_office_left(folder: Path) -> None:
    found = FolderOfFiles(folder)
    assert [(item.path, item.problem) for item in found.files()] == [
        ("总则.txt", None),
        ("采购/采购控制程序.docx", None),
    ]
    assert found.read("采购/采购控制程序.docx", limit=10) == b"docx"
    assert found.name == "旧文件"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    (folder / "链接.txt").symlink_to(secret)
    (folder / "环").symlink_to(folder)
    told = {item.path: str(item.problem) for item in FolderOfFiles(folder).files() if item.problem is not None}
    assert told == {"链接.txt": "是链接，没有跟随", "环": "是链接，没有跟随"}
    with pytest.raises(LegacyFileMissingError):
        FolderOfFiles(folder).read("链接.txt", limit=100)


def test_nothing_outside_and_nothing_too_large_is_read(folder: Path) -> None:
    found = FolderOfFiles(folder)
    for path in ("../secret.txt", "/etc/passwd", "采购/../../x", ""):
        with pytest.raises(PathRefusedError):
            found.read(path, limit=100)
    with pytest.raises(LegacyFileMissingError):
        found.read("没有.txt", limit=100)
    with pytest.raises(FileTooLargeError):
        found.read("总则.txt", limit=3)


def test_a_folder_of_too_many_files_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_folder, "MOST_FILES", 1)
    with pytest.raises(LegacyFolderTooLargeError):
        FolderOfFiles(folder).files()
