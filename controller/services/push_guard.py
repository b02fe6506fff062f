"""推送把关. What a shared Git server refuses: rewritten archives, unsigned changes of `main`, altered entries.

Runs in the server's `pre-receive` hook on what is still in quarantine. It reads; nothing that was pushed is executed.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import DamagedError, QmsError, RefusedError
from controller.domain.text import T
from controller.file_formats.certificate_file import read_certificate
from controller.services.commit_order import CommitOrder
from controller.services.examination_ports import HistoryUnreadable
from controller.services.library_verification import LibraryVerification
from controller.services.people_verification import PEOPLE_FILE, POSTS_FILE, ROOT_FILE, PeopleVerification
from controller.services.pushed_archive import PushedArchive
from controller.services.pushed_branch import ArchivePush, BranchAt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from controller.domain.text import Text
    from controller.services.archive_ports import Archive
    from controller.services.people_verification import SignerHistory
    from controller.services.pushed_branch import GuardRules, PushedRepository

MAIN = "refs/heads/main"
_ARCHIVE = re.compile(r"refs/heads/archive/([a-z0-9][a-z0-9-]{0,31})")
_DRAFT = re.compile(r"refs/heads/draft/.+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NONE = "0" * 40


class PushUnreadableError(DamagedError):
    """推送内容读不懂. What git told the hook is not what git tells hooks."""

    code = "push-unreadable"

    def __init__(self) -> None:
        super().__init__(T("读不懂送来的内容，没有接收。"), hint=T("这个命令由服务器的 Git 自动运行，不需要手工运行。"))


class PushRefusedError(RefusedError):
    """推送被拒收. The server keeps what it had; `findings` says why."""

    code = "push-refused"

    def __init__(self, *, findings: Sequence[Finding], more: int) -> None:
        super().__init__(
            T("共享服务器没有接收送来的内容：{count} 处不符合。", count=len(findings) + more),
            hint=T("服务器上的内容没有改变。先在本机运行 qms verify，查明后再推送。"),
        )
        self.findings = tuple(findings)


@dataclass(frozen=True)
class RefUpdate:
    """一个分支的更新. What a push wants of one ref."""

    old: str | None
    new: str | None
    """None: to delete it."""
    ref: str


def read_updates(lines: Iterable[str]) -> list[RefUpdate]:
    """Return what git tells a `pre-receive` hook: a line `old new ref` for each ref.

    Raises:
        PushUnreadableError: a line is something else.
    """
    found = []
    for line in lines:
        words = line.rstrip("\n").split(" ", 2)
        if len(words) != 3 or not all(_COMMIT.fullmatch(word) for word in words[:2]):  # noqa: PLR2004 - old, new, ref
            raise PushUnreadableError
        old, new = (None if word == _NONE else word for word in words[:2])
        found.append(RefUpdate(old, new, words[2]))
    return found


class PushGuard:
    """推送把关. Judges one push against the branches that the server has."""

    def __init__(
        self,
        repository: PushedRepository,
        branches: Mapping[str, str],
        rules: GuardRules,
        *,
        site: str = "main",
    ) -> None:
        """`branches` are the server's present refs; `site` is the archive whose statements cover `main`."""
        self._repository = repository
        self._before = dict(branches)
        self._rules = rules
        self._site = site
        self._signers: SignerHistory | None = None

    def check(self, updates: Sequence[RefUpdate], *, most: int = 20) -> None:
        """Return when the push may be taken.

        Raises:
            PushRefusedError: it may not; at most `most` findings are named.
        """
        shown: list[Finding] = []
        more = 0
        for finding in self.findings(updates):
            if len(shown) < most:
                shown.append(finding)
            else:
                more += 1
        if shown:
            raise PushRefusedError(findings=shown, more=more)

    def findings(self, updates: Sequence[RefUpdate]) -> Iterator[Finding]:
        """Yield every reason to refuse, each with the branch as its subject."""
        after = self._before | {item.ref: item.new for item in updates if item.new is not None}
        # The archive first: what covers `main` may come in the same push.
        for update in sorted(updates, key=lambda item: item.ref == MAIN):
            judge = self._judge(update, after)
            try:
                for finding in judge():
                    yield Finding(
                        finding.code, finding.gravity, finding.message, finding.path, subject=_short(update.ref),
                        hint=finding.hint, since=finding.since,
                    )  # fmt: skip
            except HistoryUnreadable as exc:
                message = T("{ref} 的历史从 {commit} 起读不出来。", ref=_short(update.ref), commit=exc.commit[:12])
                yield _refusal("push-history-unreadable", message, update.ref)
            except QmsError as exc:
                yield Finding(exc.code, Gravity.ERROR, exc.message, path=exc.where, subject=_short(update.ref))

    def _judge(self, update: RefUpdate, after: Mapping[str, str]) -> Callable[[], Iterator[Finding]]:
        ref, new = update.ref, update.new
        if _DRAFT.fullmatch(ref):
            return lambda: iter(())
        match = _ARCHIVE.fullmatch(ref)
        if match is None and ref != MAIN:
            message = T("不接收 {ref}：只接收受控文件（main）、档案（archive/…）和草稿（draft/…）。", ref=_short(ref))
            return lambda: iter([_refusal("push-ref-unknown", message, ref)])
        if new is None:
            message = T("不能删除 {ref}。", ref=_short(ref))
            return lambda: iter([_refusal("push-deletes", message, ref)])
        old = self._before.get(ref)
        if match is None:
            return lambda: self._main(old, new, after)
        push = ArchivePush(match[1], old, new, after.get(MAIN))
        return lambda: self._archive(push)

    def _archive(self, push: ArchivePush) -> Iterator[Finding]:
        pushed = PushedArchive(self._repository, push, self._rules)
        yield from pushed.findings()
        if push.site == self._site:
            self._signers = pushed.signers

    def _main(self, old: str | None, new: str, after: Mapping[str, str]) -> Iterator[Finding]:
        if old is not None and not self._repository.contains(new, old):
            yield _refusal("push-rewrites", T("受控文件的历史不能改写：送来的内容不是接在现有内容之后。"), MAIN)
            return
        archive = after.get(f"refs/heads/archive/{self._site}")
        if archive is None:
            message = T("服务器上没有站点 {site} 的档案，受控文件的更改没有签名陈述可以核对。", site=self._site)
            yield _refusal("push-without-archive", message, MAIN)
            return
        order = CommitOrder(secrets.token_bytes(16), self._rules.zone)
        order.close()
        library = LibraryVerification(
            BranchAt(self._repository, new),
            cast("Archive", BranchAt(self._repository, archive)),
            order,
            zone=self._rules.zone,
        )
        yield from (finding for finding in library.findings() if finding.gravity is Gravity.ERROR)
        for commit in self._repository.log(new, without=old):
            yield from self._rules.ahead(commit)
        yield from self._root(library.kept.get(ROOT_FILE))
        people = library.kept.get(PEOPLE_FILE)
        if self._signers is not None and people is not None:
            posts = library.kept.get(POSTS_FILE, b"")
            yield from PeopleVerification.list_findings(self._signers, posts, people)

    def _root(self, data: bytes | None) -> Iterator[Finding]:
        found = read_certificate(data, where=ROOT_FILE).digest if data is not None else None
        if found != self._rules.root:
            message = T(
                "受控文件中的根证书 {found} 不是服务器认可的 {pinned}。",
                found=found.hex if found else T("（没有）"),
                pinned=self._rules.root.hex,
            )
            yield Finding("root-replaced", Gravity.ERROR, message, path=ROOT_FILE)


def _refusal(code: str, message: Text, ref: str) -> Finding:
    return Finding(code, Gravity.ERROR, message, subject=_short(ref))


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
