"""机器外核对. Compares the archive with the daily statements and roots that are kept off the machine (21 CFR 11.10 c).

Whoever takes the workspace and the private folder back together, or makes both anew, leaves an archive that is sound in
itself; only what lies elsewhere can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.statement import AUTHORITY, TIMESTAMPS, statement_path
from controller.domain.text import T
from controller.file_formats.statement_file import decode_statement
from controller.services.timestamp_ports import WitnessUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.services.archive_ports import Archive
    from controller.services.timestamp_ports import OutsideWitness, WitnessCopy


class WitnessComparison:
    """机器外核对. For one site's archive."""

    def __init__(self, archive: Archive, witness: OutsideWitness) -> None:
        self._archive = archive
        self._witness = witness
        self.compared = 0
        """Statements off the machine that were compared."""

    def findings(self, *, newest: int | None = None) -> Iterator[Finding]:
        """Yield what the two do not agree about, looking at the `newest` copies only or at all.

        A folder that is not there is a finding too.
        """
        try:
            copies, roots = self._witness.copies(newest=newest), self._witness.roots()
        except WitnessUnreachableError as exc:
            yield Finding(exc.code, Gravity.WARNING, exc.message, path=exc.where, hint=exc.hint)
            return
        yield from self._statements(copies)
        known = self.known_roots()
        for root in roots:
            if Digest.of(root) not in known:
                message = T(
                    "机器外保存的企业根证书 {digest} 与档案的证书机构无关：档案可能是换了根证书重做的。",
                    digest=Digest.of(root).text,
                )
                hint = T("与封存的指纹表核对，从备份恢复工作区，并查明经过。")
                yield Finding("witness-root-unknown", Gravity.ERROR, message, path=self._witness.place, hint=hint)

    def known_roots(self) -> set[Digest]:
        """Return the root certificates that the chain of the authority names."""
        found = set()
        for path, data in self._archive.walk(AUTHORITY):
            if path.endswith(".json"):
                try:
                    root = decode_statement(data, where=path).new.get("root")
                    found.add(Digest(root if isinstance(root, str) else ""))
                except QmsError:
                    # Told where the chains themselves are verified.
                    continue
        return found

    def _statements(self, copies: Sequence[WitnessCopy]) -> Iterator[Finding]:
        self.compared = len(copies)
        differing = [copy for copy in copies if not self._holds(copy)]
        if differing:
            first, last = differing[0], differing[-1]
            message = T(
                "机器外保存的 {count} 份每日摘要（第 {first} 至 {last} 号，最早 {at}）不在现在的档案中："
                "档案被退回或改写。",
                count=len(differing),
                first=first.sequence,
                last=last.sequence,
                at=_moment(first),
            )
            hint = T("从备份恢复工作区，并查明是谁改动的；机器外的副本请妥善保管。")
            yield Finding(
                "witness-differs",
                Gravity.ERROR,
                message,
                path=self._witness.place,
                hint=hint,
                since=_moment(first) or None,
            )

    def _holds(self, copy: WitnessCopy) -> bool:
        path = statement_path(TIMESTAMPS, copy.sequence)
        return all(self._archive.read(path + suffix) == data for suffix, data in copy.files.items())


def _moment(copy: WitnessCopy) -> str:
    try:
        return decode_statement(copy.files.get(".json", b"")).at
    except QmsError:
        return ""
