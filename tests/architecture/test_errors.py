"""Every error has a code of its own, a family, and a line in docs/errors.md."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

import controller
from controller.domain.errors import DamagedError, MisconfiguredError, NotFoundError, QmsError, RefusedError

FAMILIES = {NotFoundError: 3, RefusedError: 4, DamagedError: 5, MisconfiguredError: 6}
LIST = Path(__file__).resolve().parents[2] / "docs" / "errors.md"


def error_classes() -> list[type[QmsError]]:
    for module in pkgutil.walk_packages(controller.__path__, "controller."):
        if module.name != "controller.__main__":
            import_module(module.name)
    found: list[type[QmsError]] = []
    waiting: list[type[QmsError]] = list(FAMILIES)
    while waiting:
        parent = waiting.pop()
        for child in parent.__subclasses__():
            waiting.append(child)
            if child.__module__.startswith("controller."):
                found.append(child)
    return sorted(set(found), key=lambda item: item.code)


def line_of(error: type[QmsError]) -> str:
    family = next(code for kind, code in FAMILIES.items() if kind in error.__mro__)
    says = (inspect.getdoc(error) or "").split("\n", maxsplit=1)[0]
    return f"| `{error.code}` | {family} | {says} |"


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in error_classes()]
    assert sorted(codes) == sorted(set(codes))
    assert not {"qms", "not-found", "refused", "damaged", "misconfigured"} & set(codes)


def test_every_error_is_listed_with_its_exit_code() -> None:
    listed = LIST.read_text(encoding="utf-8")
    assert [line_of(error) for error in error_classes() if line_of(error) not in listed] == []


def test_the_list_names_no_error_that_is_gone() -> None:
    codes = {error.code for error in error_classes()}
    listed = {row.split("`")[1] for row in LIST.read_text(encoding="utf-8").splitlines() if row.startswith("| `")}
    assert listed - codes == set()
