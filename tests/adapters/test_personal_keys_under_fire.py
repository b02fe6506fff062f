"""Power cuts, two programs at once, full disks and read-only folders: a key is never lost."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller.adapters.personal_keys import FileAuthorityKey, Pkcs12Keys
from controller.adapters.private_file import PrivateFolderUnusableError
from controller.domain.errors import QmsError
from controller.domain.personal_key import (
    PassphraseWrongError,
    PersonalKeyMissingError,
)
from tests.filing_process import processes
from tests.key_folders import (
    AT,
    LATER,
    NEW_WORDS,
    WORDS,
    issuing,
    made_authority,
    names,
    public_key,
)
from tests.key_process import KILLED, change, change_and_die, change_on_a_full_disk

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def authority(tmp_path: Path) -> FileAuthorityKey:
    return made_authority(tmp_path / "private")


@pytest.fixture
def keys(tmp_path: Path) -> Pkcs12Keys:
    return Pkcs12Keys(tmp_path / "private" / "keys")


def test_killed_at_any_moment_a_change_leaves_the_old_or_the_new_key(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    folder = tmp_path / "private" / "keys"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    outcomes = []
    for step in range(1, 60):
        for path in folder.iterdir():
            path.unlink()
        for name, data in before.items():
            (folder / name).write_bytes(data)
        child = processes().Process(target=change_and_die, args=(str(folder), step, WORDS, NEW_WORDS))
        child.start()
        child.join()
        assert child.exitcode in {0, KILLED}
        opened, refused = [], []
        for words in (WORDS, NEW_WORDS):
            try:
                assert keys.unlock("p002", words).certificate == made.certificate
                opened.append(words)
            except PassphraseWrongError:
                refused.append(words)
        assert len(opened) == len(refused) == 1
        assert [key.certificate for key in keys.held()] == [made.certificate]
        outcomes.append((child.exitcode, opened[0]))
        if child.exitcode == 0:
            break
        keys.change_passphrase("p002", old=opened[0], new="again 柳树绿了三次", at=LATER)
        assert names(folder) == ["p002.p12", "p002.pem"]
    assert outcomes[0] == (KILLED, WORDS)
    assert (KILLED, NEW_WORDS) in outcomes
    assert outcomes[-1] == (0, NEW_WORDS)


def test_of_two_changes_at_once_one_is_done_and_the_other_refused(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    folder = str(tmp_path / "private" / "keys")
    context = processes()
    running = []
    for new in ("first 柳树绿了", "second 柳树绿了"):
        mine, theirs = context.Pipe(duplex=False)
        child = context.Process(target=change, args=(folder, WORDS, new, theirs))
        child.start()
        running.append((new, child, mine))
    done = {new: mine.recv() for new, _, mine in running}
    for _, child, _ in running:
        child.join()
    (winner,) = [new for new, changed in done.items() if changed]
    keys.unlock("p002", winner)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_full_disk_is_told_and_leaves_the_old_key(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    folder = tmp_path / "private" / "keys"
    mine, theirs = processes().Pipe(duplex=False)
    child = processes().Process(target=change_on_a_full_disk, args=(str(folder), WORDS, NEW_WORDS, theirs))
    child.start()
    assert mine.recv() == "no-space-left"
    child.join()
    assert keys.unlock("p002", WORDS).certificate == made.certificate
    assert names(folder) == ["p002.p12", "p002.pem"]


@contextmanager
def as_ordinary_user(folder: Path) -> Iterator[None]:
    """Do the block as somebody whom file permissions hold back; the folder becomes theirs."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_read_only_folder_is_told_and_its_keys_still_sign(authority: FileAuthorityKey) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "keys"
        keys = Pkcs12Keys(folder)
        made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
        certificates = issuing(authority)(public_key())
        (folder / "keys.lock").unlink()
        with as_ordinary_user(Path(place)):
            folder.chmod(0o500)
            assert keys.unlock("p002", WORDS).certificate == made.certificate
            with pytest.raises(QmsError, match="没有权限"):
                keys.change_passphrase("p002", old=WORDS, new=NEW_WORDS, at=AT)
            with pytest.raises(QmsError, match="没有权限"):
                keys.make("p003", passphrase=WORDS, issue=lambda _: certificates, at=AT)
            (folder / "p002.p12").chmod(0)
            with pytest.raises(PrivateFolderUnusableError, match="没有权限"):
                keys.unlock("p002", WORDS)
            folder.chmod(0o700)
        assert names(folder) == ["p002.p12", "p002.pem"]


def test_a_folder_that_is_a_file_is_told(authority: FileAuthorityKey, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PrivateFolderUnusableError):
        Pkcs12Keys(tmp_path / "file").make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    with pytest.raises(PersonalKeyMissingError):
        Pkcs12Keys(tmp_path / "file").unlock("p002", WORDS)
