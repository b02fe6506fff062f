"""阅知的拒绝. Why reading, answering, assigning or waiving is not possible now, each with the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, NotFoundError, RefusedError
from controller.domain.text import T
from controller.domain.training_standing import TrainingState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.text import Text
    from controller.domain.training_standing import PersonTraining


class TrainingUnknownError(NotFoundError):
    """没有布置阅知. Nobody was ever asked to read the revision."""

    code = "training-unknown"

    def __init__(self, *, number: str, revision: str) -> None:
        super().__init__(
            T("{number} {revision} 没有布置过阅知。", number=number, revision=revision)
            if revision
            else T("{number} 没有布置过阅知。", number=number),
            hint=T("由文件管理员布置：qms training assign {number} --post 岗位", number=number),
        )


class NotAssignedError(RefusedError):
    """不在阅知名单. The person neither is named nor holds a post that has to read the revision."""

    code = "training-not-assigned"

    def __init__(self, *, number: str, revision: str, name: str) -> None:
        super().__init__(
            T("{name}不在 {number} {revision} 的阅知名单里。", name=name, number=number, revision=revision),
            hint=T(
                "确需阅知的，由文件管理员补充：qms training assign {number} --person {name}", number=number, name=name
            ),
        )


class TrainingSettledError(RefusedError):
    """阅知已完成. The person has understood the revision already, or it was waived."""

    code = "training-settled"

    def __init__(self, *, number: str, revision: str, who: PersonTraining) -> None:
        facts = {"name": who.name, "number": number, "revision": revision, "at": who.at}
        super().__init__(
            T("{name}已于 {at} 豁免阅知 {number} {revision}。", **facts)
            if who.state is TrainingState.WAIVED
            else T("{name}已于 {at} 阅知 {number} {revision}。", **facts),
            hint=T("不必再办；qms training list 列出还没有阅知的文件。"),
        )


class AttemptsUsedError(RefusedError):
    """答题次数已用完. Somebody has to decide before the person answers again."""

    code = "training-attempts-used"

    def __init__(self, *, number: str, name: str, attempts: int, posts: Sequence[str]) -> None:
        super().__init__(
            T("{name}对 {number} 已答题 {attempts} 次未通过，不能再答。", name=name, number=number, attempts=attempts),
            hint=T(
                "由{posts}决定：讲解后重新布置（qms training assign {number} --person {name}），或写明理由豁免。",
                posts=list(posts),
                number=number,
                name=name,
            ),
        )


class AnswersNeededError(RefusedError):
    """需要答题. The revision has questions and none were answered."""

    code = "training-answers-needed"

    def __init__(self, *, number: str, count: int) -> None:
        super().__init__(
            T("{number} 有 {count} 道考题，答题后才能签阅知。", number=number, count=count),
            hint=T("在终端运行 qms training read {number} 逐题作答，或用 --answers “1A 2BC 3对”。", number=number),
        )


class TrainingTextChangedError(RefusedError):
    """所读的不是现在的文本. What was read is not the revision as it stands (21 CFR 11.70)."""

    code = "training-text-changed"

    def __init__(self, *, number: str, revision: str) -> None:
        super().__init__(
            T("您读过的不是 {number} {revision} 现在的文本，没有签名。", number=number, revision=revision),
            hint=T("用 qms training read {number} --out 文件 重新取得文本，读后再签。", number=number),
        )


class TrainingTextGoneError(RefusedError):
    """这个版本不能再读. Another revision has taken its place, or it is withdrawn, or there is no text to it."""

    code = "training-text-gone"

    def __init__(self, *, number: str, revision: str) -> None:
        super().__init__(
            T("{number} {revision} 不是待生效或现行的版本，没有可阅知的文本。", number=number, revision=revision),
            hint=T("用 qms training list --number {number} 查看现在要读的版本。", number=number),
        )


class TrainingOvertakenError(RefusedError):
    """阅知情况刚刚变了. Something was filed for the same person in the meantime."""

    code = "training-overtaken"

    def __init__(self, *, number: str, name: str) -> None:
        super().__init__(
            T("{name}对 {number} 的阅知情况刚刚有变化，没有签名。", name=name, number=number),
            hint=T("用 qms training list --number {number} 查看后再操作。", number=number),
        )


class OwnWaiverError(RefusedError):
    """不能豁免自己. Whoever waives is never the person who need not read."""

    code = "training-own-waiver"
    unauthorised = True

    def __init__(self, *, name: str) -> None:
        super().__init__(T("{name}不能豁免自己的阅知。", name=name), hint=T("自己阅知，或请有权豁免的另一人决定。"))


class TrainingReasonError(RefusedError):
    """豁免要有理由. The reason is too short to be one."""

    code = "training-reason"

    def __init__(self, *, least: int) -> None:
        super().__init__(
            T("豁免阅知须写明理由（至少 {least} 个字）。", least=least),
            hint=T("例如 --reason “产假至年底，返岗后补读”。"),
        )


class NothingAssignedError(RefusedError):
    """没有布置任何人. Nobody new and no questions."""

    code = "training-nobody"

    def __init__(self) -> None:
        super().__init__(
            T("没有布置新的人员或考题，没有归档。"),
            hint=T("写明岗位或人员：--post 售后服务员、--person 姓名；已在名单中的不必重复布置。"),
        )


class QuestionsDamagedError(DamagedError):
    """考题文件损坏. The question file in the archive is missing or is not the one that was assigned."""

    code = "training-questions-damaged"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("档案中的考题文件 {path} 缺失或被改动。", path=path),
            hint=T("请运行 qms verify，并用备份恢复档案。"),
            where=path,
        )


class TrainingMissingError(RefusedError):
    """尚未阅知. Who has not read the revision in force of a procedure cannot sign what its forms record (GSP; 6.2)."""

    code = "training-missing"
    unauthorised = True

    def __init__(self, *, subject: str, problem: Text, number: str) -> None:
        super().__init__(
            T("{subject}：{problem}", subject=subject, problem=problem),
            hint=T("先阅读并签名：qms training read {number}", number=number),
            where=subject,
        )
