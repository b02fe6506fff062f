"""文中的岗位. Which posts and departments a sentence names, and whether they are who acts or only who is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from controller.domain.person import Post

EVERYBODY = "全体人员"
"""Who acts where a text speaks of everybody."""
_ALL = ("任何员工", "全体员工", "全体人员", "所有人员", "全部岗位", "各岗位", "各部门", "全员", "员工")
_TAIL = 3
_TOO_COMMON = frozenset({"管理员", "服务员", "工作员", "技术员", "售后员"})
"""Ends of names that other posts have too."""
_TOLD = re.compile(
    r"(?:告知|通知|汇报|报告|上报|报|提交|移交|转|交|向|给|对|与|和|及|听取|任命|报经|经|须经|征得)(?:[^，。；;、]{0,2})?$"
)
"""Words before somebody who is told or asked, not who acts."""
_BY = re.compile(r"由$")
_TITLE = re.compile(r"《[^《》\n]*》")
_JOINED = re.compile(r"[、和与及或]")
_LOOK_BACK = 12
_VERB = 2
"""Characters of a verb."""


@dataclass(frozen=True)
class NamedPost:
    """一处岗位. A post, a department or everybody, as a text names them."""

    word: str
    start: int
    end: int
    posts: tuple[str, ...]
    """Keys of the posts meant: one; those of a department; all."""
    acts: bool
    """False: named as somebody who is told or asked."""
    name: str
    """The name of post or department."""


class PostNames:
    """岗位名称. Finds posts in texts.

    Args:
        posts: all posts.
    """

    def __init__(self, posts: Iterable[Post]) -> None:
        self._posts = list(posts)
        self._last: tuple[str, list[NamedPost]] = ("", [])
        self._words: dict[str, tuple[str, tuple[str, ...]]] = {}
        departments: dict[str, list[str]] = {}
        for post in self._posts:
            if post.department:
                departments.setdefault(post.department, []).append(post.key)
        for name, keys in departments.items():
            self._words[name] = (name, tuple(keys))
        for name in departments:
            for at in range(1, len(name) - _TAIL + 1):
                self._words.setdefault(name[at:], self._words[name])
        for post in self._posts:
            tail = post.name[-_TAIL:]
            if tail != post.name and tail.endswith("员") and tail not in _TOO_COMMON:
                self._words.setdefault(tail, (post.name, (post.key,)))
        for post in self._posts:
            self._words[post.name] = (post.name, (post.key,))
        for word in _ALL:
            self._words.setdefault(word, (EVERYBODY, tuple(post.key for post in self._posts)))
        ordered = sorted(self._words, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def named(self, text: str) -> list[NamedPost]:
        """Return every post, department and word for everybody in `text`, in order of place."""
        if self._pattern is None:
            return []
        found: list[NamedPost] = []
        text = _TITLE.sub(lambda title: "·" * len(title[0]), text)
        for match in self._pattern.finditer(text):
            before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
            told = _TOLD.search(before) is not None and _BY.search(before) is None
            if told and found and _JOINED.fullmatch(text[found[-1].end : match.start()]):
                told = not found[-1].acts
            name, posts = self._words[match[0]]
            found.append(NamedPost(match[0], match.start(), match.end(), posts, not told, name))
        return found

    def actor(self, sentence: str, at: int) -> NamedPost | None:
        """Return who acts at place `at` of a sentence: whom 由 names, else who acts before; a list of posts as one."""
        if self._last[0] != sentence:
            self._last = sentence, _together([item for item in self.named(sentence) if item.acts], sentence)
        acting = self._last[1]
        by = [item for item in acting if sentence[: item.start].endswith("由")]
        before = [item for item in acting if item.end <= at]
        same = [item for item in by if "，" not in sentence[min(at, item.start) : max(at, item.start)]]
        chosen = same or before[-1:] or by
        return chosen[0] if chosen else None

    def duties(self, text: str) -> list[tuple[NamedPost, str]]:
        """Return who does what by a clause on duties (`质管部调查；质量负责人裁决`), in order."""
        found = []
        for part in re.split(r"[；;。，,]", text):
            named = [item for item in self.named(part) if item.acts and item.name != EVERYBODY]
            if named:
                found.append((named[0], part[named[-1].end :]))
        return found


def duty_holder(duties: Sequence[tuple[NamedPost, str]], sentence: str) -> NamedPost | None:
    """Return who by the clause on duties has to do what a sentence asks: whose verb it uses, else the first."""
    for who, what in duties:
        verbs = [part[:_VERB] for part in re.split(r"[、和并]", what) if len(part) >= _VERB]
        if any(verb in sentence for verb in verbs):
            return who
    return duties[0][0] if duties else None


def _together(named: Sequence[NamedPost], sentence: str) -> list[NamedPost]:
    """Return the posts with those of one list (甲、乙和丙) made one."""
    found: list[NamedPost] = []
    for item in named:
        last = found[-1] if found else None
        if last is not None and _JOINED.fullmatch(sentence[last.end : item.start]):
            posts = tuple(dict.fromkeys([*last.posts, *item.posts]))
            found[-1] = replace(
                last, word=f"{last.word}、{item.word}", end=item.end, posts=posts, name=f"{last.name}、{item.name}"
            )
        else:
            found.append(item)
    return found
