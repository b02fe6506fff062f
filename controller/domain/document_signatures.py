"""文件签署情况. Who has signed a document as it stands, whose signatures were voided by a change, who is still missing.

A signature covers exact bytes; any change of a file of the document voids it (ISO 13485 4.2.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from controller.domain.identifiers import Digest
    from controller.domain.paper_signature import PaperSignature
    from controller.domain.record import Signatory
    from controller.domain.route import Route, RouteStep
    from controller.domain.text import Text

_NAMED = 6
"""Source files that are named one by one."""


@dataclass(frozen=True)
class DocumentSignature:
    """文件签名. One filed signature on a document revision, and whether it counts for the present bytes."""

    sequence: int
    step: str
    """Key of the route's step."""
    meaning: str
    by: Signatory
    at: str
    reason: str | None
    statement: Digest
    certificate: Digest
    path: str
    """Archive path of the statement, without suffix."""
    exempted: bool = False
    """Made under the exemption for companies with too few people."""
    void_because: Text | None = None
    """Why it does not count for the document as it stands; None: nothing speaks against it."""
    paper: PaperSignature | None = None
    """Given on paper: `by` signed there, and `taken_in_by` filed the scan. None: an electronic signature."""
    taken_in_by: Signatory | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts for the document as it stands."""
        return self.void_because is None and not self.declined

    @property
    def declined(self) -> bool:
        """Whether the signature was asked for on paper and refused, or could not be had."""
        return self.paper is not None and not self.paper.signed

    @property
    def told_on_paper(self) -> str:
        """The signature on paper in one line; empty for an electronic one."""
        if self.paper is None or self.taken_in_by is None:
            return ""
        return self.paper.told(self.taken_in_by)


@dataclass(frozen=True)
class ElsewhereApproval:
    """系统外批准. What was approved before this system, as whoever imported the document attests; no signature here."""

    steps: Sequence[tuple[str, str, str]]
    """Meaning, name and day as written."""
    effective: str
    """Empty: not known."""
    by: Signatory
    """Who attests to it."""
    at: str
    path: str
    """Archive path of the statement, without suffix."""
    scan: tuple[str, str] | None = None
    """Name and archive path of the scan of the old approval."""
    scan_digest: Digest | None = None
    flaw: Text | None = None
    """What is wrong with the statement; None: nothing that can be seen here."""

    @property
    def told(self) -> str:
        """The approval in one line."""
        parts = [f"{meaning} {name} {day}".strip() for meaning, name, day in self.steps]
        parts += [f"生效 {self.effective}"] if self.effective else []
        scan = f"，原件扫描件“{self.scan[0]}”" if self.scan is not None else ""
        return f"系统外批准：{'、'.join(parts) or '见修订记录'}{scan}（{self.by.name}登记）"


@dataclass(frozen=True)
class StepStanding:
    """步骤的签署情况. A step of the route with the signature that counts for it, if there is one."""

    step: RouteStep
    posts: str
    """Who may take it, by name of post."""
    signature: DocumentSignature | None


@dataclass(frozen=True)
class DocumentSignatures:
    """文件签署情况. Explains itself: what is signed, what was voided and why, what is missing."""

    number: str
    title: str
    revision: str
    route: Route
    files: Mapping[str, Digest]
    """Source files as they stand on `main`, each with its digest."""
    contents: Digest
    """Digest over all of them."""
    steps: Sequence[StepStanding]
    signatures: Sequence[DocumentSignature]
    """Every signature ever filed on this revision, in order."""
    elsewhere: Sequence[ElsewhereApproval] = ()
    """Approvals from before this system; they count for no step."""

    @property
    def contents_label(self) -> str:
        """What `contents` is the digest of, as printed beside it."""
        folder = next(iter(self.files), "").rpartition("/")[0]
        names = [path.removeprefix(f"{folder}/") for path in self.files]
        listed = "、".join(names[:_NAMED]) + (f" 等 {len(names)} 个文件" if len(names) > _NAMED else "")
        return f"{folder} 中的源文件 {listed} 合在一起的摘要"

    @property
    def complete(self) -> bool:
        """Whether every step of the route is signed for the document as it stands."""
        return all(item.signature is not None for item in self.steps)

    @property
    def missing(self) -> tuple[RouteStep, ...]:
        """The steps that nobody has signed yet, in order."""
        return tuple(item.step for item in self.steps if item.signature is None)

    @property
    def voided(self) -> tuple[DocumentSignature, ...]:
        """Signatures that no longer count."""
        return tuple(item for item in self.signatures if not item.counts and not item.declined)

    @property
    def declined(self) -> tuple[DocumentSignature, ...]:
        """What was asked for on paper in vain."""
        return tuple(item for item in self.signatures if item.declined)

    def explain(self) -> Text:
        """Return the standing in one sentence."""
        if self.complete:
            return T("{number} {revision} 已按路线“{route}”全部签署", **self._names())
        waiting = [
            T("{step}（{posts}）", step=item.step.label, posts=item.posts) for item in self.steps if not item.signature
        ]
        if self.voided and len(waiting) == len(self.steps):
            return T("{number} {revision} 签署后文件有改动，原签名作废；待签：{steps}", steps=waiting, **self._names())
        return T("{number} {revision} 待签：{steps}", steps=waiting, **self._names())

    def _names(self) -> dict[str, str]:
        return {"number": self.number, "revision": self.revision, "route": self.route.label}


@dataclass(frozen=True)
class ExemptionInForce:
    """有效的豁免. A signed exemption for companies with too few people, with its last day."""

    statement: Digest
    by: Signatory
    reason: str
    since: date
    until: date
