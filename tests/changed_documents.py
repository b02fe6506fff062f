"""测试用更改. Takes a document through a change without Word: the draft is saved as it is, everybody signs at once."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from controller.domain.change_request import ChangeKind
from controller.domain.statement import Event
from controller.services.change_drafting import ChangeOrder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from controller.bootstrap import Application
    from controller.services.ports import Clock
    from tests.conftest import Workspace

NUMBER = "XX-YLQXCX-014"
CLAUSES = f"procedures/{NUMBER}/clauses.txt"
REASON = "内审发现用语不准确"


@contextmanager
def opened(workspace: Workspace, clock: Clock | None = None) -> Iterator[Application]:
    """The workspace as a program has it."""
    with closing(workspace.open(clock)) as application:
        yield application


def drafted(application: Application, old: str, new: str, *, item: str = NUMBER) -> str:
    """Open a change of a document and put `new` in place of `old`; return the number of the change."""
    by = application.person("陈晓")
    request = application.change_drafting.open(ChangeOrder(ChangeKind.REVISE, REASON, items=(item,)), by)
    path = f"procedures/{item}/clauses.txt"
    text = (application.approved_files.read(path) or b"").decode()
    assert text.count(old) == 1
    application.draft_saving.save(request, {path: text.replace(old, new).encode()}, by)
    return request.number


def signed(application: Application, change: str, effective: date) -> None:
    """Submit, review and approve a change."""
    for event, person in (
        (Event.CHANGE_SUBMITTED, "陈晓"),
        (Event.CHANGE_REVIEWED, "林静"),
        (Event.CHANGE_APPROVED, "周明"),
    ):
        application.change_approval.sign(change, event, application.person(person), effective=effective)


def withdrawn(application: Application, item: str, effective: date) -> str:
    """Withdraw a document; return the number of the change."""
    order = ChangeOrder(ChangeKind.WITHDRAW, REASON, items=(item,))
    request = application.change_drafting.open(order, application.person("陈晓"))
    signed(application, request.number, effective)
    return request.number
