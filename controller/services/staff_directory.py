"""在册人员. Finds who acts: names come from the people file, never from what somebody types into a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.identifiers import nearest
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.person import Person, Staff
    from controller.domain.record import Signatory


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


class PersonRetiredError(RefusedError):
    """人员已停用. A retired person signs nothing and gets neither posts nor certificates any more."""

    code = "person-retired"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("{name}已停用，不能再办理。", name=name), hint=T("重新入职的人员用 qms person add 登记，使用新工号。")
        )


class PersonNeededError(RefusedError):
    """需要指明人员. Several people are signed in and none was named."""

    code = "person-needed"

    def __init__(self, *, names: list[str]) -> None:
        super().__init__(
            T("本机有多人登录，请指明以谁的身份操作。"),
            hint=T(
                "请加上 --as 姓名，例如 --as {example}；已登录：{names}。",
                example=names[0] if names else "",
                names=names,
            ),
        )


class PostNeededError(RefusedError):
    """岗位不符. The act belongs to other posts (21 CFR 11.10 g; GSP 2023 Art. 51)."""

    code = "post-needed"
    unauthorised = True

    def __init__(self, *, act: Text, name: str, posts: Sequence[str]) -> None:
        super().__init__(
            T("{act}应由以下岗位进行：{posts}；{name}不任这些岗位。", act=act, posts=list(posts), name=name),
            hint=T("请相应岗位的人员操作。"),
        )


def check_post(staff: Staff, by: Signatory, posts: Sequence[str], act: Text) -> None:
    """Make sure that the person holds one of `posts`.

    Raises:
        PostNeededError: none of them.
    """
    person = staff.people.get(by.person)
    if person is None or not set(person.posts) & set(posts):
        names = [staff.posts[key].name if key in staff.posts else key for key in posts]
        raise PostNeededError(act=act, name=by.name, posts=names)


def active_person(staff: Staff, wanted: str) -> Person:
    """Return the active person called `wanted` (id or full name).

    Raises:
        PersonRetiredError: somebody was, who has left.
        UnknownPersonError: nobody is called so.
    """
    active = [person for person in staff.people.values() if person.active]
    for person in active:
        if wanted in {person.id, person.name}:
            return person
    retired = [person for person in staff.people.values() if wanted in {person.id, person.name}]
    if retired:
        raise PersonRetiredError(name=retired[-1].name)
    names = [person.name for person in active] + [person.id for person in active]
    raise UnknownPersonError(wanted=wanted, close=nearest(wanted, names))
