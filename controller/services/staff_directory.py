"""在册人员. Finds who acts: names come from the people file, never from what somebody types into a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.identifiers import nearest
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.domain.person import Staff
    from controller.domain.record import Signatory


class UnknownPersonError(NotFoundError):
    """查无此人. No active person of that name or id."""

    code = "person-unknown"

    def __init__(self, *, wanted: str, close: str | None) -> None:
        hint = T("是否想写“{close}”？", close=close) if close else T("在 signatures/people.yml 中登记人员后再试。")
        super().__init__(T("在册人员中没有“{wanted}”。", wanted=wanted[:60]), hint=hint)


class PersonNeededError(RefusedError):
    """需要指明人员. More than one person could act and none was named."""

    code = "person-needed"

    def __init__(self, *, names: list[str]) -> None:
        super().__init__(
            T("请指明以谁的身份操作。"),
            hint=T(
                "加上 --as 姓名，例如 --as {example}；在册人员：{names}。",
                example=names[0] if names else "",
                names=names,
            ),
        )


def acting_person(staff: Staff, wanted: str | None) -> Signatory:
    """Return the signatory for `wanted` (id or full name), or the only active person.

    Raises:
        UnknownPersonError: nobody active is called so.
        PersonNeededError: nobody was named and several people could act.
    """
    active = [person for person in staff.people.values() if person.active]
    if wanted is None:
        if len(active) == 1:
            return staff.signatory(active[0])
        raise PersonNeededError(names=[person.name for person in active])
    for person in active:
        if wanted in {person.id, person.name}:
            return staff.signatory(person)
    names = [person.name for person in active] + [person.id for person in active]
    raise UnknownPersonError(wanted=wanted, close=nearest(wanted, names))
