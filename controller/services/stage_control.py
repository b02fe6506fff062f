"""阶段控制. Which stage a record may go to next, and whose posts allow it (21 CFR 11.10 f, g)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.form_stages import stages_passed
from controller.domain.identifiers import nearest
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller.domain.form import FormDefinition, Stage
    from controller.domain.person import Staff
    from controller.domain.record import Signatory


class UnknownStageError(RefusedError):
    """没有这个阶段. The form has no stage of that name."""

    code = "stage-unknown"

    def __init__(self, *, definition: FormDefinition, stage: str) -> None:
        labels = {item.key: item.label for item in definition.stages}
        close = nearest(stage, [*labels, *labels.values()])
        super().__init__(
            T("表单《{title}》没有阶段“{stage}”。", title=definition.title, stage=stage[:40]),
            hint=T("是否想写“{close}”？", close=close)
            if close
            else T("可用的阶段：{stages}。", stages=[f"{key}({label})" for key, label in labels.items()]),
        )


class StageRefusedError(RefusedError):
    """阶段不能这样进行. Wrong order, wrong post, a guard that is not met, or a record that is void (21 CFR 11.10 f)."""

    code = "stage-refused"
    unauthorised = True

    def __init__(self, *, subject: str, problem: Text, hint: Text) -> None:
        super().__init__(T("{subject}：{problem}", subject=subject, problem=problem), hint=hint)


def find_stage(definition: FormDefinition, wanted: str | None) -> str:
    """Return the key of the stage called `wanted` by key or label; the first stage when None.

    Raises:
        UnknownStageError: the form has none of that name.
    """
    if wanted is None:
        return definition.first_stage.key
    for stage in definition.stages:
        if wanted in {stage.key, stage.label}:
            return stage.key
    raise UnknownStageError(definition=definition, stage=wanted)


def check_opening(definition: FormDefinition, target: str, by: Signatory, staff: Staff) -> None:
    """Make sure that `by` may open a record straight at `target`.

    Whoever opens at a later stage performs every stage on the way to it, so each must be open to that person;
    otherwise an approval could be stepped over.

    Raises:
        StageRefusedError: a stage belongs to other posts.
    """
    passed = stages_passed(definition, target) - {definition.first_stage.key}
    stages = [stage for stage in definition.stages if stage.key in passed]
    _check_posts(definition.title, stages, by, staff)


def check_move(definition: FormDefinition, number: str, here: str, target: str, by: Signatory, staff: Staff) -> None:
    """Make sure that record `number` may go from stage `here` to `target` (or be filled in there) and `by` may do it.

    Raises:
        StageRefusedError: the stage does not follow, or belongs to other posts.
    """
    stages = {stage.key: stage for stage in definition.stages}
    stage = stages[target]
    if target != here and here not in stage.after:
        following = [item.label for item in definition.stages if here in item.after]
        raise StageRefusedError(
            subject=number,
            problem=T("不能从“{here}”直接到“{there}”", here=stages[here].label, there=stage.label),
            hint=T("可以进行的下一阶段：{stages}。", stages=following) if following else T("这份记录已经办结。"),
        )
    _check_posts(number, [stage], by, staff)


def _check_posts(subject: str, stages: Iterable[Stage], by: Signatory, staff: Staff) -> None:
    person = staff.people.get(by.person)
    held = set(person.posts) if person else set()
    for stage in stages:
        if "any" not in stage.by and not held & set(stage.by):
            names = [staff.posts[key].name if key in staff.posts else key for key in stage.by]
            raise StageRefusedError(
                subject=subject,
                problem=T("“{stage}”应由以下岗位进行：{posts}", stage=stage.label, posts=names),
                hint=T("请相应岗位的人员操作。"),
            )
