"""在册人员. Finds who acts: names come from the people file, never from what somebody types into a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.identifiers import nearest
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.domain.person import Person, Staff


class UnknownPersonError(NotFoundError):
    """查无此人. No active person of that name or id."""

    code = "person-unknown"

    def __init__(self, *, wanted: str, close: str | None) -> None:
        hint = (
            T("是否想写“{close}”？", close=close)
            if close
            else T("用 qms person list 查看；新人用 qms person add 登记。")
        )
        super().__init__(T("在册人员中没有“{wanted}”。", wanted=wanted[:60]), hint=hint)


class PersonNeededError(RefusedError):
    """需要指明人员. Several people are signed in and none was named."""

    code = "person-needed"

    def __init__(self, *, names: list[str]) -> None:
        super().__init__(
            T("本机有多人登录，请指明以谁的身份操作。"),
            hint=T(
                "加上 --as 姓名，例如 --as {example}；已登录：{names}。",
                example=names[0] if names else "",
                names=names,
            ),
        )


def active_person(staff: Staff, wanted: str) -> Person:
    """Return the active person called `wanted` (id or full name).

    Raises:
        UnknownPersonError: nobody active is called so.
    """
    active = [person for person in staff.people.values() if person.active]
    for person in active:
        if wanted in {person.id, person.name}:
            return person
    names = [person.name for person in active] + [person.id for person in active]
    raise UnknownPersonError(wanted=wanted, close=nearest(wanted, names))
