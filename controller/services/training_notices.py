"""更改通知服务. Makes the notice of what a new revision changes, for each post that has to read it, from the diff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.document_comparison import DocumentText, compare
from controller.domain.document_timeline import DRAFTED
from controller.domain.errors import QmsError
from controller.domain.text import T
from controller.domain.training_notice import (
    NoticeForm,
    NoticePost,
    TrainingNotice,
    changed_forms,
    sorted_changes,
)
from controller.services.document_history import NEWEST, NoEarlierRevisionError
from controller.services.document_prints import FilesAt
from controller.services.form_library import FormLibrary
from controller.services.person_control import UnknownPostError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from controller.domain.document_control_rules import DocumentControlRules
    from controller.domain.document_timeline import DocumentVersion
    from controller.domain.form import FormDefinition
    from controller.domain.person import Post, Staff
    from controller.domain.text import Text
    from controller.services.document_history import DocumentHistory
    from controller.services.document_library import DocumentLibrary
    from controller.services.files_in_force import DatedFiles, FilesInForce
    from controller.services.ports import Clock
    from controller.services.training import Training

_DUTY_ENDS = ("岗位职责", "职责")
_NAMED_FORMS, _NAMED_PEOPLE = 6, 2


class _ApprovedAt(FilesAt):
    """The library as one commit of `main` left it."""

    def revision(self) -> str:
        """Return the commit."""
        return self._commit


class TrainingNotices:
    """更改通知服务.

    Args:
        history: the revisions of documents and what changed between them.
        library: the documents in force, for what the duty documents call the posts.
        approved: the library at any of its commits, for the forms as they then were.
        in_force: knows what waits for its day.
        training: which posts have to read a revision, and from when it governs.
        staff: posts, and whom to ask.
        rules: who keeps the documents.
        clock: for the day that stands on the notice.
        company: as printed.
    """

    def __init__(
        self,
        *,
        history: DocumentHistory,
        library: DocumentLibrary,
        approved: DatedFiles,
        in_force: FilesInForce,
        training: Training,
        staff: Staff,
        rules: DocumentControlRules,
        clock: Clock,
        company: str,
    ) -> None:
        self._history = history
        self._library = library
        self._approved = approved
        self._in_force = in_force
        self._training = training
        self._staff = staff
        self._rules = rules
        self._clock = clock
        self._company = company

    def notices(
        self, wanted: str, *, revision: str | None = None, posts: Sequence[str] = ()
    ) -> tuple[TrainingNotice, ...]:
        """Return the notices of a revision (the newest one, if none is named), one for each post.

        Without `posts` these are the posts that have to read it, else those that the document concerns.

        Raises:
            UnknownDocumentError, UnknownRevisionError: there is and was none.
            UnknownPostError: a post is not on file.
        """
        timeline = self._history.timeline(wanted)
        new = self._history.version(timeline, revision or NEWEST)
        assert new.text is not None
        try:
            old: DocumentVersion | None = self._history.before(timeline, new, wanted=new.revision)
        except NoEarlierRevisionError:
            old = None
        standing = self._training.find(timeline.number, new.revision)
        keys = [self._post(item) for item in posts]
        keys = keys or (list(standing.posts) if standing is not None else [])
        keys = keys or self._concerned(new)
        planned = standing.effective if standing is not None else None
        effective = planned or self._waits_for(timeline.number, new.revision)
        return tuple(self._notice(old, new, self._staff.posts[key], effective) for key in keys)

    def posts_concerned(self, wanted: str, *, revision: str | None = None) -> list[str]:
        """Return the keys of the posts that a revision concerns: they sign its forms, or it names them.

        Raises:
            UnknownDocumentError, UnknownRevisionError: there is and was none.
        """
        timeline = self._history.timeline(wanted)
        return self._concerned(self._history.version(timeline, revision or NEWEST))

    def _concerned(self, version: DocumentVersion) -> list[str]:
        text = version.text
        assert text is not None
        forms = self._forms(version, text.document.forms)
        words = "\n".join(piece.source for piece in text.pieces)
        found = []
        for post in self._staff.posts.values():
            signs = any(post.key in stage.by for form in forms for stage in form.stages)
            named = post.name in words or (bool(post.department) and str(post.department) in words)
            if post.business and (signs or named):
                found.append(post.key)
        return found

    def _notice(
        self, old: DocumentVersion | None, new: DocumentVersion, post: Post, effective: str | None
    ) -> TrainingNotice:
        text = new.text
        assert text is not None
        before = old.text if old is not None and old.text is not None else DocumentText(text.document, (), {})
        comparison = compare(before, text)
        forms = {form.number.text: form for form in self._forms(new, self._linked(text))}
        asked = NoticePost(
            key=post.key,
            name=post.name,
            department=post.department or "",
            duty=self._duty(post),
            forms={number: form.title for number, form in forms.items() if _fills(post, form)},
        )
        changes = sorted_changes(comparison, asked)
        changed = self._changed_forms(old, new, asked)
        return TrainingNotice(
            company=self._company,
            number=text.document.number.text,
            title=text.document.title,
            before=old.revision if old is not None else None,
            after=new.revision,
            post=post.name,
            effective=effective,
            reason=new.why if isinstance(new.why, str) else "",
            own=changes.own,
            general=changes.general,
            more=changes.more,
            renumbered=changes.renumbered,
            forms=tuple(changed[:_NAMED_FORMS]),
            to_do=tuple(self._to_do(old, new, effective, changed)),
            ask=self._ask(new),
            made=self._today().isoformat(),
        )

    # -- forms -------------------------------------------------------------------------------------------------

    @staticmethod
    def _linked(text: DocumentText) -> list[str]:
        linked = [target for targets in text.document.links.values() for target in targets]
        return list(dict.fromkeys([*text.document.forms, *linked]))

    def _forms(self, version: DocumentVersion, numbers: Sequence[str]) -> list[FormDefinition]:
        library = FormLibrary(_ApprovedAt(self._approved, version.commit))
        known = set(library.numbers())
        found = []
        for number in numbers:
            if number in known:
                try:
                    found.append(library.definition(number))
                except QmsError:
                    continue  # what is wrong with a form is told by `qms form lint`
        return found

    def _changed_forms(self, old: DocumentVersion | None, new: DocumentVersion, post: NoticePost) -> list[NoticeForm]:
        text = new.text
        assert text is not None
        before = old.text.document if old is not None and old.text is not None else None
        added, removed, kept = changed_forms(before, text.document)
        now = {form.number.text: form for form in self._forms(new, [*added, *kept])}
        then = {form.number.text: form for form in self._forms(old, [*removed, *kept])} if old is not None else {}
        told: list[tuple[FormDefinition, Text]] = []
        if before is not None:
            told += [(now[number], T("开始使用")) for number in added if number in now]
        for number in kept:
            if number in now and number in then and now[number].revision != then[number].revision:
                facts = {"old": then[number].revision, "new": now[number].revision}
                told.append((now[number], T("换版：{old} → {new}", **facts)))
        told += [(then[number], T("不再由本文件管理")) for number in removed if number in then]
        found = [self._form(form, words, post) for form, words in told]
        return sorted(found, key=lambda item: not item.own)

    def _form(self, form: FormDefinition, told: Text, post: NoticePost) -> NoticeForm:
        own = _fills(self._staff.posts[post.key], form)
        return NoticeForm(form.number.text, form.title, told, own)

    # -- words -------------------------------------------------------------------------------------------------

    def _to_do(
        self, old: DocumentVersion | None, new: DocumentVersion, effective: str | None, forms: Sequence[NoticeForm]
    ) -> list[Text]:
        text = new.text
        assert text is not None
        number = text.document.number.text
        todo = []
        if effective and old is not None:
            facts = {"day": effective, "old": old.revision, "new": new.revision}
            todo.append(T("{day} 起按 {new} 执行；在那之前仍按 {old} 执行。", **facts))
        elif effective:
            todo.append(T("{day} 起按 {new} 执行。", day=effective, new=new.revision))
        standing = self._training.find(number, new.revision)
        asked = standing is not None and standing.questions is not None
        day = T("{day} 前", day=effective) if effective else T("生效前")
        if asked:
            words = {"day": day, "number": number, "mark": standing.pass_mark if standing is not None else 0}
            todo.append(T("{day}读完全文，答题达到 {mark} 分，电子签名“阅知”（qms training read {number}）。", **words))
        else:
            todo.append(T("{day}读完全文，电子签名“阅知”（qms training read {number}）。", day=day, number=number))
        if text.document.forms:
            named = text.document.forms[:_NAMED_FORMS]
            todo.append(T("生效后还没有阅知的，不能签署这些表单：{forms}。", forms=[_short(item) for item in named]))
        if any(item.own for item in forms):
            todo.append(T("本岗位填写的表单从生效之日起按上面所写使用，旧的空白表不再用。"))
        if old is not None:
            todo.append(T("手里有旧版纸质文件的，交回文件管理员，不自行留存。"))
        return todo

    def _ask(self, new: DocumentVersion) -> Text:
        text = new.text
        assert text is not None
        drafted = new.signed(DRAFTED)
        keepers = [
            person.name
            for person in self._staff.people.values()
            if person.active and set(person.posts) & set(self._rules.controller_posts[:1])
        ]
        keeper = self._staff.posts.get(self._rules.controller_posts[0]) if self._rules.controller_posts else None
        told: list[Text] = []
        if drafted is not None:
            told.append(T("起草人{name}（{post}）", name=drafted.by.name, post=drafted.by.post))
        told.append(T("归口部门{department}", department=text.document.owner))
        if keepers:
            post = keeper.name if keeper is not None else ""
            told.append(T("{post}{names}", post=post, names=keepers[:_NAMED_PEOPLE]))
        return T("不明白的地方请问：{who}。", who=told)

    def _duty(self, post: Post) -> str:
        """Return how the post's duty document calls it."""
        if not post.duty or post.duty not in self._library.numbers():
            return ""
        title = self._library.document(post.duty).title
        return next((title.removesuffix(end) for end in _DUTY_ENDS if title.endswith(end)), title)

    def _waits_for(self, number: str, revision: str) -> str | None:
        waiting = [item for item in self._in_force.schedule().of(number, self._today()) if item.revision == revision]
        return waiting[-1].begins.isoformat() if waiting else None

    def _today(self) -> date:
        return self._clock.now().date()

    def _post(self, wanted: str) -> str:
        for key, post in self._staff.posts.items():
            if wanted in {key, post.name}:
                return key
        raise UnknownPostError(wanted=wanted, known=[post.name for post in self._staff.posts.values()])


def _fills(post: Post, form: FormDefinition) -> bool:
    """Tell whether a post signs a stage of a form; a stage that is open to everybody singles nobody out."""
    return form.owner == post.name or any(post.key in stage.by for stage in form.stages)


def _short(number: str) -> str:
    """Return a form number as people say it: `JL-013`."""
    from controller.domain.identifiers import DocumentNumber

    try:
        return DocumentNumber(number).short
    except QmsError:
        return number
