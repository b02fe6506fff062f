"""改动用例. One tampered copy of the small company, and whether `qms verify` notices and names what was done."""

from __future__ import annotations

import random
import shutil
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.conformity import Gravity
from controller.domain.errors import QmsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.tampering.signed_company import SignedCompany

SEED = 20260105
SAMPLE_OF = 1
"""Cases for each file in the run that every change gets."""


@dataclass(frozen=True)
class Case:
    """One thing done to one file or object."""

    place: str
    operation: str
    apply: Callable[[SignedCompany, random.Random], None] = field(repr=False)
    names: Sequence[str] = ()
    """A finding must name one of these; the place itself by default."""
    notes: bool = False
    """A note is enough: the file is disposable, or edited by people every day."""
    but: frozenset[str] = frozenset()
    """Codes that do not count, because they say only that something is different somewhere."""
    unchanged: Callable[[SignedCompany], object] | None = field(default=None, repr=False)
    """What the tampered thing says; where it says the same as before, there is nothing to notice."""
    forgotten: bool = False
    """This computer remembers nothing of the archive: `seen.json` is gone."""


def outcome(case: Case, company: SignedCompany, folder: Path) -> str | None:
    """Return what `qms verify` failed to do about this case, None when it did all."""
    chance = random.Random(f"{SEED} {case.place} {case.operation}")  # noqa: S311 - to be repeated, not secret
    copy = company.copy(folder / "case")
    try:
        case.apply(copy, chance)
        if case.forgotten:
            (copy.private / "seen.json").unlink()
        failed = _judged(case, copy)
        if failed and case.unchanged and case.unchanged(copy) == case.unchanged(company):
            return None
        return failed
    finally:
        shutil.rmtree(copy.home, ignore_errors=True)


def _judged(case: Case, company: SignedCompany) -> str | None:
    told = f"{case.operation} {case.place}"
    try:
        findings = company.verify()
    except QmsError as exc:
        # The workspace cannot even be opened; the command says so and ends.
        said = f"{exc.where} {exc}"
        return None if exc.code and _named(case, said) else f"{told}: names nothing: {exc.code}: {said}"
    except Exception:  # noqa: BLE001 - the very thing that must never happen
        return f"{told}: crashed\n{traceback.format_exc()}"
    least = {Gravity.ERROR, Gravity.WARNING} | ({Gravity.NOTE} if case.notes else set())
    grave = [item for item in findings if item.gravity in least and item.code not in case.but]
    if any(_named(case, f"{item.path} {item.subject} {item.message}") for item in grave):
        return None
    said = "; ".join(f"{item.code} {item.gravity.value} {item.path} {item.message}" for item in grave)
    return f"{told}: {'named ' + said if said else 'not noticed'}"


def _named(case: Case, said: str) -> bool:
    return any(name in said for name in case.names or (case.place,))


def failures(cases: Sequence[Case], company: SignedCompany, folder: Path) -> list[str]:
    """Return everything that went wrong in these cases."""
    return [said for case in cases if (said := outcome(case, company, folder)) is not None]


def sampled(cases: Sequence[Case], most: int) -> list[Case]:
    """Return one case for each place, at most `most`, the same in every run."""
    chance = random.Random(SEED)  # noqa: S311 - to be repeated, not secret
    by_place: dict[str, list[Case]] = {}
    for case in cases:
        by_place.setdefault(case.place, []).append(case)
    chosen = [chance.choice(of) for of in by_place.values()]
    return chosen if len(chosen) <= most else chance.sample(chosen, most)


def shard(cases: Sequence[Case], number: int, of: int) -> list[Case]:
    """Return one of `of` parts of the cases."""
    return list(cases[number::of])
