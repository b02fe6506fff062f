"""表单的阶段. Which stages a record has surely passed when it stands in one; decides what is required by then."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.form import FormDefinition, Stage


def stages_passed(definition: FormDefinition, stage: str) -> frozenset[str]:
    """Return the stages that lie on every way to `stage`, itself included.

    A stage on a branch (免调查 instead of 调查中) is not among them: what it asks for was asked of the records that
    took that branch.
    """
    return _passed(definition.stages, stage)


def reachable(stages: Sequence[Stage], *, without: str | None = None) -> frozenset[str]:
    """Return the stages that can be reached from the first, `without` one of them."""
    if not stages or stages[0].key == without:
        return frozenset()
    found = {stages[0].key}
    changed = True
    while changed:
        more = {stage.key for stage in stages if stage.key != without and found & set(stage.after)}
        changed = not more <= found
        found |= more
    return frozenset(found)


@lru_cache(maxsize=512)
def _passed(stages: tuple[Stage, ...], stage: str) -> frozenset[str]:
    if stage not in reachable(stages):
        return frozenset({stage})
    return frozenset(
        item.key for item in stages if item.key == stage or stage not in reachable(stages, without=item.key)
    )
