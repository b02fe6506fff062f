"""签署路线文件. `signatures/routes.yml` → `Routes`, with every problem at once and its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.errors import MisconfiguredError
from controller.domain.route import ANYBODY, DEFAULT_ROUTE, OWNER, Exemption, Route, Routes, RouteStep
from controller.domain.signature_page import MOST_SLOTS
from controller.domain.text import T
from controller.file_formats.definition_reading import DefinitionFileError, Part, Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


ROUTES_FILE = "signatures/routes.yml"
ROUTES_FORMAT = "wenkong/routes/1"

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_WITHIN = re.compile(r"[1-9]\d{0,2} (?:workdays?|days?|hours?)")
_ROUTE_KEYS = ("label", "applies_to", "basis", "steps", "different_people", "within", "within_basis", "note")
_EXEMPTION_KEYS = ("label", "allows", "never", "signed_by", "text", "valid_months", "basis", "note")
_LONGEST_EXEMPTION = 12
"""Months; a company that needs it for longer signs again (企业自定)."""


class RouteFileError(DefinitionFileError, MisconfiguredError):
    """签署路线有误. `signatures/routes.yml` cannot be used; `findings` has every problem with its line."""

    code = "routes-invalid"
    says = T("签署路线有 {count} 处错误，第一处：{problem}")


def read_routes(text: str, *, where: str = ROUTES_FILE, posts: Collection[str] | None = None) -> Routes:
    """Return the routes in `text`; with `posts`, the posts named must be among them.

    Raises:
        RouteFileError: the file has errors; carries all of them.
    """
    reading = Reading()
    top = reading.file(text, where=where, title=T("签署路线"), expected=ROUTES_FORMAT)
    if top is None:
        raise RouteFileError(findings=reading.findings)
    top.check_keys(("format", "documents", "forms", "exemption", "note"))
    documents = {key: _route(key, part, posts) for key, part in top.parts("documents")}
    forms = {key: _route(key, part, posts) for key, part in top.parts("forms")}
    if DEFAULT_ROUTE not in documents:
        top.wrong("documents", "definition-key-missing", T("documents 缺少 default 路线"))
    exemption = top.part("exemption", T("豁免"))
    routes = Routes(documents, forms, _exemption(exemption, posts) if exemption is not None else None)
    if reading.broken:
        raise RouteFileError(findings=reading.findings)
    return routes


def _route(key: str, part: Part, posts: Collection[str] | None) -> Route:
    part.check_keys(_ROUTE_KEYS)
    steps = tuple(_step(item, posts) for item in part.listed("steps"))
    keys = [step.key for step in steps]
    if not steps:
        part.wrong("steps", "definition-key-missing", T("没有任何步骤（steps）"))
    if len(steps) > MOST_SLOTS:
        part.wrong("steps", "definition-value", T("步骤超过 {most} 个，签署页放不下", most=MOST_SLOTS))
    for name in ("step", "meaning"):
        found = keys if name == "step" else [step.meaning for step in steps]
        twice = sorted({item for item in found if found.count(item) > 1})
        if twice and (name == "step" or "applies_to" in part.data):
            part.wrong("steps", "definition-value", T("步骤的 {key} 重复：{items}", key=name, items=twice))
    return Route(
        key=key,
        label=part.text("label", needed=True, limit=40) or key,
        steps=steps,
        applies_to=part.texts("applies_to"),
        basis=part.texts("basis", single=True),
        different_people=_apart(part, keys),
        within=_within(part, keys),
        within_basis=part.text("within_basis", limit=40) or "",
    )


def _step(part: Part, posts: Collection[str] | None) -> RouteStep:
    part.check_keys(("step", "label", "meaning", "by", "stand_in", "note"))
    key = part.text("step", needed=True) or ""
    if key and not _KEY.fullmatch(key):
        hint = T("用小写英文字母、数字和下划线，例如 reviewed。")
        part.wrong("step", "definition-value", T("step 的值“{value}”不可用", value=key[:40]), hint=hint)
    label = part.text("label", needed=True, limit=12) or key
    meaning = part.text("meaning", needed=True, limit=12) or label
    stand_in = _posts(part, "stand_in", posts, also=OWNER) if "stand_in" in part.data else ()
    return RouteStep(key, label, meaning, _posts(part, "by", posts, also=ANYBODY), stand_in)


def _posts(part: Part, key: str, known: Collection[str] | None, *, also: str = "") -> tuple[str, ...]:
    found = part.posts(key, known, also=also)
    if not found:
        part.wrong(key, "definition-key-missing", T("{key} 至少写一个岗位键", key=key))
    return found


def _apart(part: Part, steps: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    groups = part.data.get("different_people")
    if groups is None:
        return ()
    found = []
    for group in groups if isinstance(groups, list) else [groups]:
        names = tuple(name for name in group if isinstance(name, str)) if isinstance(group, list) else ()
        if len(names) < 2 or len(set(names)) != len(names) or not set(names) <= set(steps):  # noqa: PLR2004 - a pair
            hint = T("写成 [[drafted, approved]]，每组至少两个本路线的步骤。")
            problem = T("different_people 里有一组不可用")
            part.wrong("different_people", "definition-value", problem, hint=hint)
            continue
        found.append(names)
    return tuple(found)


def _within(part: Part, steps: Sequence[str]) -> dict[str, str]:
    inner = part.part("within", T("{title} within", title=part.title))
    if inner is None:
        return {}
    inner.check_keys(steps)
    found = {}
    for key in inner.data:
        text = inner.text(key) or ""
        if not _WITHIN.fullmatch(text):
            hint = T("写成 5 workdays、3 days 或 24 hours。")
            inner.wrong(key, "definition-value", T("{key} 的时限不可用", key=key), hint=hint)
            continue
        found[key] = text
    return found


def _exemption(part: Part, posts: Collection[str] | None) -> Exemption:
    part.check_keys(_EXEMPTION_KEYS)
    return Exemption(
        label=part.text("label", needed=True, limit=40) or "",
        allows=part.text("allows", limit=200) or "",
        never=part.text("never", limit=200) or "",
        text=part.text("text", needed=True) or "",
        signed_by=_posts(part, "signed_by", posts),
        valid_months=part.whole_or("valid_months", _LONGEST_EXEMPTION, (1, _LONGEST_EXEMPTION)),
        basis=part.text("basis", limit=40) or "",
    )
