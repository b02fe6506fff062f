"""文件控制规则文件. `signatures/document_control.yml` → `DocumentControlRules`, with every problem and its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.document_control_rules import DocumentControlRules
from controller.domain.errors import MisconfiguredError
from controller.domain.text import T
from controller.file_formats.definition_reading import DefinitionFileError, Part, Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


DOCUMENT_CONTROL_FILE = "signatures/document_control.yml"
DOCUMENT_CONTROL_FORMAT = "wenkong/document-control/1"

_LIMITS: Mapping[str, tuple[int, int]] = {
    "lead_days": (0, 180),
    "review_months": (1, 36),
    "review_warning_days": (0, 365),
    "law_change_days": (1, 365),
    "uncontrolled_days": (1, 365),
    "pass_mark": (50, 100),
    "attempts": (1, 10),
}
"""Least and most of each number: outside of it the rule would no longer ask for anything."""
_POSTS = ("controller_posts", "deciding_posts")


class DocumentControlRulesError(DefinitionFileError, MisconfiguredError):
    """文件控制规则有误. The file cannot be used; `findings` has every problem with its line."""

    code = "document-control-rules-invalid"
    says = T("文件控制规则有 {count} 处错误，第一处：{problem}")


def read_document_control(
    text: str, *, where: str = DOCUMENT_CONTROL_FILE, posts: Collection[str] | None = None
) -> DocumentControlRules:
    """Return the rules in `text`; with `posts`, the posts named must be among them.

    Raises:
        DocumentControlRulesError: the file has errors; carries all of them.
    """
    reading = Reading()
    top = reading.file(text, where=where, title=T("文件控制规则"), expected=DOCUMENT_CONTROL_FORMAT)
    if top is None:
        raise DocumentControlRulesError(findings=reading.findings)
    top.check_keys(("format", "note", *_LIMITS, *_POSTS))
    usual = DocumentControlRules()
    numbers = {key: top.whole_or(key, getattr(usual, key), limits) for key, limits in _LIMITS.items()}
    controllers, deciders = (_named(top, key, getattr(usual, key), posts) for key in _POSTS)
    if reading.broken:
        raise DocumentControlRulesError(findings=reading.findings)
    return DocumentControlRules(**numbers, controller_posts=controllers, deciding_posts=deciders)


def _named(top: Part, key: str, usual: tuple[str, ...], known: Collection[str] | None) -> tuple[str, ...]:
    if key not in top.data:
        return usual
    found = top.posts(key, known)
    if not found:
        top.wrong(key, "definition-key-missing", T("{key} 至少写一个岗位键", key=key))
    return found
