"""密钥备份. Copies the keys of people and of the authority, still encrypted, to another folder and back.

Nothing is ever unlocked here. Every file is checked to be a whole, encrypted key; the list of digests beside them is
one that `sha256sum -c` reads. A restored key never displaces a sound one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.adapters.key_file import CERTIFICATE, KEY, OLD, PENDING, KeyFile, old_name
from controller.adapters.personal_keys import AUTHORITY, Pkcs12Keys
from controller.adapters.pkcs12_file import UnreadablePkcs12Error, facts
from controller.adapters.private_file import (
    person_name,
    private_folder,
    read_private,
    unusable,
    write_private,
)
from controller.domain.errors import DamagedError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.personal_key import (
    AuthorityKeyDamagedError,
    KeyOwnerRefusedError,
    PassphraseWrongError,
    PersonalKeyDamagedError,
)
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from controller.domain.text import Text

KEYS = "keys"
"""Folder of the people's keys, below the private folder and in a backup."""
LIST = "SHA256SUMS"
_LINE = re.compile(r"(?P<digest>[0-9a-f]{64}) [ *](?P<name>[A-Za-z0-9./_-]{1,200})")


class KeyBackupRefusedError(RefusedError):
    """密钥备份没有进行. The folder does not fit."""

    code = "key-backup-refused"

    def __init__(self, *, folder: Path, problem: Text) -> None:
        super().__init__(
            T("“{folder}”不能用于密钥备份：{problem}。", folder=folder, problem=problem),
            hint=T("备份请选一个新的空文件夹（最好在移动硬盘或U盘上）；恢复请选原来备份的文件夹。没有改动任何内容。"),
            where=str(folder),
        )


class KeyBackupDamagedError(DamagedError):
    """密钥备份损坏. Files of the backup, or the keys to be backed up, are not what was written."""

    code = "key-backup-damaged"

    def __init__(self, *, names: list[str], folder: Path) -> None:
        super().__init__(
            T("以下密钥文件缺失或已损坏：{names}。", names=names),
            hint=T("其余密钥不受影响。请另找一份完好的备份；没有的，按“密钥丢失”重新办理证书。"),
            where=str(folder),
        )


class KeyBackup:
    """密钥备份. Of the keys in a workspace's private folder."""

    def __init__(self, private: Path) -> None:
        self._private = private

    def back_up(self, folder: Path, *, before: Callable[[list[str]], object] | None = None) -> list[str]:
        """Copy every key to `folder`, which is made and must be empty; return the names of what was copied.

        `before` is told the names before the first is written; when it raises, nothing is.

        Raises:
            KeyBackupRefusedError: something is in the folder, or there is no key at all.
            KeyBackupDamagedError: some keys here are damaged; all others were copied.
            PrivateFolderUnusableError, NoSpaceError: the folder cannot be written.
        """
        files = self._files(self._private)
        if not files:
            raise KeyBackupRefusedError(folder=folder, problem=T("这台电脑上没有可备份的密钥"))
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise KeyBackupRefusedError(folder=folder, problem=T("里面已有文件"))
        except OSError as exc:
            raise unusable(folder, exc) from exc
        damaged = [name for name, data in files.items() if name.endswith(KEY) and not _sound(name, data)]
        copied = {name: data for name, data in files.items() if name not in damaged}
        if before is not None:
            before(list(copied))
        for name, data in copied.items():
            private_folder((folder / name).parent)
            write_private(folder / name, data)
        lines = "".join(f"{Digest.of(data).hex}  {name}\n" for name, data in copied.items())
        write_private(private_folder(folder) / LIST, lines.encode("ascii"))
        if self._files(folder) != copied:
            raise KeyBackupDamagedError(names=sorted(copied), folder=folder)
        if damaged:
            raise KeyBackupDamagedError(names=damaged, folder=self._private)
        return list(copied)

    def restore(self, folder: Path, *, before: Callable[[list[str]], object] | None = None) -> list[str]:
        """Take the keys of a backup back; return the names of the keys that were not here before.

        `before` is told these names before the first is written; when it raises, nothing is.

        A key that is missing or damaged here is replaced. Beside a sound one of the same certificate nothing changes
        (its passphrase may be newer); beside one of another certificate the backup's is kept as an old key.

        Raises:
            KeyBackupRefusedError: the folder is no backup.
            KeyBackupDamagedError: the backup is damaged or not complete; nothing was changed.
            PrivateFolderUnusableError, NoSpaceError: a key could not be written; run it again.
        """
        listed = _listed(folder)
        if not listed:
            raise KeyBackupRefusedError(folder=folder, problem=T("里面没有密钥备份的清单 {name}", name=LIST))
        files = {name: data for name, data in self._files(folder).items() if name in listed}
        wrong = [name for name, digest in listed.items() if name not in files or Digest.of(files[name]) != digest]
        wrong += [name for name, data in files.items() if name.endswith(KEY) and not _sound(name, data)]
        if wrong:
            raise KeyBackupDamagedError(names=sorted(set(wrong)), folder=folder)
        keys = {name: data for name, data in files.items() if name.endswith(KEY)}
        if before is not None:
            before([kept for name, data in keys.items() if (kept := self._kept_as(name, data)) is not None])
        return [kept for name, data in keys.items() if (kept := self._take_back(name, data)) is not None]

    @staticmethod
    def keys_in(folder: Path) -> Pkcs12Keys:
        """Return the people's keys of a backup, to sign in with before they are taken back."""
        return Pkcs12Keys(folder / KEYS)

    def _kept_as(self, name: str, data: bytes) -> str | None:
        """Return the name under which a key of a backup is to be kept here, None when it is here."""
        path = self._private / name
        if name.endswith((OLD, PENDING)):
            return name if read_private(path) is None else None
        file = _key_file(path)
        present, note = file.read(), file.note()
        if present is None or not _sound(name, present):
            return name
        intact = note is None or Digest.of(present).text.encode() in note.digests
        if present == data or (intact and facts(present).certificate == facts(data).certificate):
            return None
        if not intact:
            return name
        aside = path.with_name(old_name(path.name.removesuffix(KEY), data))
        return aside.relative_to(self._private).as_posix() if read_private(aside) != data else None

    def _take_back(self, name: str, data: bytes) -> str | None:
        """Put one key in its place; return the name under which it is kept, None when it was here."""
        file = _key_file(self._private / name)
        with file.writing():
            kept = self._kept_as(name, data)
            if kept is None:
                return None
            if kept != name or name.endswith((OLD, PENDING)):
                write_private(self._private / kept, data)
            else:
                file.set_aside()
                file.put(data, changed_on=facts(data).label.partition(" ")[2])
        return kept

    @staticmethod
    def _files(folder: Path) -> dict[str, bytes]:
        """Return the key and certificate files below a private folder or a backup, by name."""
        found: dict[str, bytes] = {}
        for part, pattern in ((folder, f"{AUTHORITY}*"), (folder / KEYS, "*")):
            try:
                paths = sorted(
                    path for path in part.glob(pattern) if path.suffix in {KEY, CERTIFICATE} and path.name[0] != "."
                )
            except OSError as exc:
                raise unusable(part, exc) from exc
            for path in paths:
                data = read_private(path)
                if data is not None:
                    found[path.relative_to(folder).as_posix()] = data
        return found


def _sound(name: str, data: bytes) -> bool:
    """Tell whether `data` is a whole, encrypted key of the holder that the name says."""
    base = name.rpartition("/")[2]
    try:
        holder = facts(data).label.partition(" ")[0]
        person_name(holder)
    except (UnreadablePkcs12Error, KeyOwnerRefusedError):
        return False
    return base in {f"{holder}{KEY}", f"{holder}{PENDING}", old_name(holder, data)}


def _listed(folder: Path) -> Mapping[str, Digest] | None:
    data = read_private(folder / LIST) if folder.is_dir() else None
    if data is None:
        return None
    matches = [_LINE.fullmatch(line) for line in data.decode("utf-8", "replace").splitlines()]
    return {match["name"]: Digest(f"sha256:{match['digest']}") for match in matches if match is not None}


def _key_file(path: Path) -> KeyFile:
    owner = path.name.removesuffix(KEY)
    return KeyFile(path.parent, owner, damaged=_damage(owner), wrong=lambda: PassphraseWrongError(name=owner))


def _damage(owner: str) -> Callable[[Text, Path], DamagedError]:
    def error(problem: Text, path: Path) -> DamagedError:
        if owner == AUTHORITY:
            return AuthorityKeyDamagedError(problem=problem, place=str(path))
        return PersonalKeyDamagedError(person=owner, problem=problem, place=str(path))

    return error
