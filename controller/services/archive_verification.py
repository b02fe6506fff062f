"""档案验证. Examines the whole archive and yields every finding; it never stops at the first (21 CFR 11.10 a, c).

One pass over the files, one over the history, with memory that does not grow with the number of records. It proves
that what is there is whole and only ever grew; who signed it is for the verification of signatures.
"""

from __future__ import annotations

import re
from array import array
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import DamagedError, QmsError
from controller.domain.identifiers import Digest, InvalidIdentifierError, RecordNumber
from controller.domain.text import T
from controller.file_formats import canonical_json
from controller.file_formats.compiled_form import read_compiled
from controller.services.record_verification import RecordFiles, RecordVerification

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from controller.domain.form import FormDefinition
    from controller.domain.text import Text
    from controller.services.archive_witness import ArchiveWitness
    from controller.services.ports import ExaminedArchive, Progress, RecordKeys
    from controller.services.record_verification import Rerender
    from controller.services.workspace_identity import WorkspaceIdentity

PACKAGES = "controlled-forms"
SITE_FILE = "site.json"
_DEPTH = 5
"""Parts of the path of a record's folder."""
_EVERY = 200
_HEX = re.compile(r"[0-9a-f]{64}")


def _error(code: str, message: Text, *, path: str | None = None, subject: str | None = None) -> Finding:
    return Finding(code=code, gravity=Gravity.ERROR, message=message, path=path, subject=subject)


def _number(text: str) -> RecordNumber | None:
    try:
        return RecordNumber(text)
    except InvalidIdentifierError:
        return None


class ArchiveVerification:
    """档案验证. Verifies the archive of one site."""

    def __init__(
        self,
        archive: ExaminedArchive,
        keys: RecordKeys,
        identity: WorkspaceIdentity,
        *,
        rerender: Rerender | None = None,
        progress: Progress | None = None,
        witness: ArchiveWitness | None = None,
    ) -> None:
        self._archive = archive
        self._keys = keys
        self._witness = witness
        self._identity = identity
        self._progress = progress
        self._forms: dict[Digest, FormDefinition] = {}
        self._damaged: list[str] = []
        self._damaged_numbers: set[RecordNumber] = set()
        self._serials: dict[tuple[str, int], array[int]] = {}
        self.records_seen = 0
        """Records examined so far."""
        self.entries_seen = 0
        """Entries examined so far."""
        self.rewritten = False
        """True when the archive is not what this computer has seen before."""
        self._records = RecordVerification(keys, identity, self._forms, rerender)

    @property
    def unopened_seen(self) -> int:
        """Records examined so far whose sealed content could not be opened for want of a key."""
        return self._records.unopened

    def findings(self) -> Iterator[Finding]:
        """Yield everything that is wrong or worth knowing, in the order it is met."""
        if self._archive.tip() is None:
            yield _error("archive-missing", T("找不到站点 {site} 的档案。", site=self._identity.site))
            return
        steps = (
            self._memory, self._history, self._site, self._packages, self._all_records, self._numbers,
            self._missing_keys, self._store,
        )  # fmt: skip
        for step in steps:
            try:
                yield from step()
            except DamagedError as exc:
                # So broken that this step ends here: what the others find still helps whoever restores the rest.
                yield Finding(exc.code, Gravity.ERROR, exc.message, path=exc.where, hint=exc.hint)

    def _memory(self) -> Iterator[Finding]:
        # History that cannot be read is told by the examination of history.
        with suppress(QmsError):
            finding = self._witness.finding() if self._witness else None
            if finding is not None:
                self.rewritten = True
                yield finding

    def _missing_keys(self) -> Iterator[Finding]:
        if self._records.unopened and not self._keys.present():
            yield Finding(
                code="record-keys-missing",
                gravity=Gravity.WARNING,
                message=T("本机没有记录密钥，{count} 份记录的敏感内容打不开，未能核对。", count=self._records.unopened),
                hint=T("从密钥备份恢复密钥目录后再验证。"),
            )

    def _store(self) -> Iterator[Finding]:
        for words in self._archive.damage():
            yield Finding(
                code="store-damaged",
                gravity=Gravity.ERROR,
                message=T("存储的内容有损坏或缺失（Git：{words}）。", words=words[:300]),
                hint=T("从备份恢复工作区后再验证。"),
            )

    def _history(self) -> Iterator[Finding]:
        for item in self._archive.irregular_commits():
            name = item.commit[:12]
            if item.unreadable:
                yield _error("history-unreadable", T("档案历史自提交 {commit} 起读不出来。", commit=name))
            elif item.merge:
                yield _error("history-not-one-line", T("档案提交 {commit} 不是接在唯一的前一提交之后。", commit=name))
            for path in item.paths:
                message = T("提交 {commit} 改动或删除了已归档的“{path}”。", commit=name, path=path)
                yield _error("history-rewritten", message, path=path)

    def _site(self) -> Iterator[Finding]:
        try:
            data = self._archive.read(SITE_FILE)
            content = canonical_json.decode(data, where=SITE_FILE) if data is not None else None
        except QmsError as exc:
            yield _error("site-file-wrong", exc.message, path=SITE_FILE)
            return
        found = content if isinstance(content, dict) else {}
        for key, expected in (("workspace", self._identity.id), ("site", self._identity.site)):
            if found.get(key) != expected:
                message = T(
                    "档案不属于这个工作区：{key} 是 {found}，应为 {expected}。",
                    key=key,
                    found=found.get(key),
                    expected=expected,
                )
                yield _error("site-file-wrong", message, path=SITE_FILE)

    def _packages(self) -> Iterator[Finding]:
        walked = self._archive.walk(PACKAGES, damaged=self._damaged.append)
        for folder, files in groupby(walked, key=lambda item: "/".join(item[0].split("/")[:2])):
            content = {path[len(folder) + 1 :]: data for path, data in files}
            yield from self._damage()
            yield from self._package(folder, content)
        yield from self._damage()

    def _package(self, folder: str, content: dict[str, bytes]) -> Iterator[Finding]:
        name = folder.rpartition("/")[2]
        for extra in sorted(content.keys() - {"compiled.json", "form.docx"}):
            yield _error("file-unknown", T("档案中有来历不明的文件。"), path=f"{folder}/{extra}")
        compiled, docx = content.get("compiled.json"), content.get("form.docx")
        if compiled is None or docx is None or not _HEX.fullmatch(name):
            yield _error("form-package-incomplete", T("归档的表单不完整。"), path=folder)
            return
        if Digest.of(compiled).hex != name:
            yield _error("form-package-differs", T("归档的表单被改动过（摘要不符）。"), path=f"{folder}/compiled.json")
            return
        try:
            form = read_compiled(compiled)
        except QmsError as exc:
            yield _error("form-package-unreadable", exc.message, path=f"{folder}/compiled.json")
            return
        if form.docx != Digest.of(docx):
            yield _error("form-package-differs", T("归档的表单模板被改动过（摘要不符）。"), path=f"{folder}/form.docx")
        self._forms[Digest.of(compiled)] = form.definition

    def _all_records(self) -> Iterator[Finding]:
        done = 0
        for top in self._archive.listing(""):
            if top in {PACKAGES, SITE_FILE}:
                continue
            walked = self._archive.walk(top, damaged=self._damaged.append)
            met = False
            for folder, files in groupby(walked, key=lambda item: "/".join(item[0].split("/")[:_DEPTH])):
                met = True
                yield from self._record(folder, files)
                done += 1
                if self._progress is not None and not done % _EVERY:
                    self._progress(done, None)
            yield from self._damage()
            if not met and self._archive.read(top) is not None:
                yield _error("file-unknown", T("档案中有来历不明的文件。"), path=top)
        if self._progress is not None:
            self._progress(done, done)

    def _record(self, folder: str, files: Iterable[tuple[str, bytes]]) -> Iterator[Finding]:
        record = RecordFiles(folder)
        for path, data in files:
            record.add(path[len(folder) + 1 :], data)
        record.damaged.update(path[len(folder) + 1 :] for path in self._damaged if path.startswith(f"{folder}/"))
        yield from self._damage()
        number = _number(folder.rpartition("/")[2])
        if number is None:
            yield _error("file-unknown", T("档案中有来历不明的文件。"), path=folder)
            return
        self.records_seen += 1
        self.entries_seen += len(record.entries)
        self._serials.setdefault((number.form, number.year), array("I")).append(number.serial)
        if number.folder != folder:
            message = T("记录 {number} 不在它应在的位置 {place}。", number=number, place=number.folder)
            yield _error("record-misplaced", message, path=folder, subject=number.text)
        yield from self._records.findings(number, record)

    def _damage(self) -> Iterator[Finding]:
        damaged, self._damaged[:] = list(self._damaged), []
        for path in damaged:
            message = T("内容丢失或损坏，读不出来。")
            yield Finding(
                code="object-damaged",
                gravity=Gravity.ERROR,
                message=message,
                path=path or None,
                hint=T("从备份恢复工作区后再验证。"),
            )
            parts = path.split("/")
            if len(parts) > _DEPTH or (len(parts) == _DEPTH and parts[0] != PACKAGES):
                # The number is accounted for: its damage is told, it is no gap.
                number = _number(parts[_DEPTH - 1])
                if number is not None:
                    self._damaged_numbers.add(number)

    def _numbers(self) -> Iterator[Finding]:
        for number in self._damaged_numbers:
            serials = self._serials.setdefault((number.form, number.year), array("I"))
            if number.serial not in serials:
                serials.append(number.serial)
        for (form, year), found in sorted(self._serials.items()):
            expected = 1
            for serial in sorted(found):
                if serial < expected:
                    number = RecordNumber.of(form, year, serial)
                    yield _error(
                        "serial-duplicate", T("记录编号 {number} 出现了两次。", number=number), subject=number.text
                    )
                    continue
                if serial > expected:
                    first, last = RecordNumber.of(form, year, expected), RecordNumber.of(form, year, serial - 1)
                    message = (
                        T("缺少记录 {first}。", first=first)
                        if first == last
                        else T("缺少记录 {first} 至 {last}。", first=first, last=last)
                    )
                    yield _error("serial-gap", message, subject=first.text)
                expected = serial + 1


def verify(
    archive: ExaminedArchive,
    keys: RecordKeys,
    identity: WorkspaceIdentity,
    *,
    rerender: Rerender | None = None,
    progress: Progress | None = None,
    witness: ArchiveWitness | None = None,
) -> Iterator[Finding]:
    """Yield every finding about the archive; with `rerender`, also make every print again and compare."""
    return ArchiveVerification(
        archive, keys, identity, rerender=rerender, progress=progress, witness=witness
    ).findings()
