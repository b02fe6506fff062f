"""写入审计追踪. States prints, exports, unmasking and refusals in the site's trail before they happen (21 CFR 11.10 e).

Each function files one statement. When it raises, nothing was written and the act must not go on: whoever prints,
exports or shows calls it first and hands nothing over otherwise.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError, RefusedError
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, RecordNumber
from controller.domain.statement import TRAIL, Event
from controller.domain.text import T, Text
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.identifiers import Digest
    from controller.domain.person import Staff
    from controller.domain.record import Signatory, Wire
    from controller.services.signing_in import SigningIn
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import FiledStatement, StatementFiling

WHOLE_TRAIL = "审计追踪"
"""Subject of statements about the audit trail itself."""
WHOLE_TRAIL_POSTS = frozenset({"quality_officer", "quality_head", "general_manager"})
"""企业自定: of the posts that may see sensitive values (`unmask_posts`), those that may see everybody's at once."""
_CLAIM = 60
_MESSAGE = 300


class TrailUnmaskingError(RefusedError):
    """不能查看敏感信息. The person's posts do not allow to see everybody's sensitive values at once."""

    code = "trail-unmasking"
    unauthorised = True

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("{name}的岗位不能查看整个审计追踪中的敏感个人信息。", name=name),
            hint=T("由质管员、质量负责人或企业负责人操作；单份记录用 qms record show 编号 --unmask 查看。"),
        )


class UnmaskingRefusedError(RefusedError):
    """不能查看敏感信息. The person's posts do not allow to see the sensitive values of a record."""

    code = "unmasking-refused"
    unauthorised = True

    def __init__(self, *, name: str, number: str, posts: Sequence[str]) -> None:
        super().__init__(
            T("{name}的岗位不能查看记录 {number} 的敏感个人信息。", name=name, number=number),
            hint=T("由签名规则指定的岗位查看：{posts}。", posts=list(posts)),
            where=number,
        )


def check_may_unmask(staff: Staff, by: Signatory, posts: Sequence[str], *, record: str | None = None) -> None:
    """Make sure that `by` holds one of `posts` and may see sensitive values: of `record`, or of the whole trail.

    Raises:
        UnmaskingRefusedError: not of the record.
        TrailUnmaskingError: not of the whole trail.
    """
    person = staff.people.get(by.person)
    held = set(person.posts) & set(posts) if person is not None else set()
    if record is None and not held & WHOLE_TRAIL_POSTS:
        raise TrailUnmaskingError(name=by.name)
    if record is not None and not held:
        names = [staff.posts[key].name if key in staff.posts else key for key in posts]
        raise UnmaskingRefusedError(name=by.name, number=record, posts=names)


class Trail:
    """写入审计追踪. Writes to the trail of one site."""

    def __init__(self, filing: StatementFiling) -> None:
        self._filing = filing

    def printed(
        self,
        signer: Signer,
        subject: str,
        shown: Digest,
        *,
        facts: Mapping[str, Wire] | None = None,
        unmasked: bool = False,
    ) -> FiledStatement:
        """State that `subject` is printed or drawn for use; `shown` is the digest of the file that is handed over.

        With `unmasked` the showing of sensitive values is stated with it.
        """
        draft = StatementDraft(TRAIL, Event.PRINTED, subject=subject, new=dict(facts or {}), shown=shown)
        return self._state(signer, draft, unmasked=unmasked)

    def exported(
        self,
        signer: Signer,
        subject: str,
        *,
        files: Mapping[str, Digest] | None = None,
        facts: Mapping[str, Wire] | None = None,
        unmasked: bool = False,
    ) -> FiledStatement:
        """State that `subject` is exported, to `files` (name → digest) where they are made already."""
        draft = StatementDraft(TRAIL, Event.EXPORTED, subject=subject, new=dict(facts or {}), files=dict(files or {}))
        return self._state(signer, draft, unmasked=unmasked)

    def unmasked(self, signer: Signer, subject: str, *, facts: Mapping[str, Wire] | None = None) -> FiledStatement:
        """State that sensitive values of `subject` are shown to the signed-in person."""
        return self._state(signer, StatementDraft(TRAIL, Event.UNMASKED, subject=subject, new=dict(facts or {})))

    def _state(self, signer: Signer, draft: StatementDraft, *, unmasked: bool = False) -> FiledStatement:
        signer.ready("")
        also = [StatementDraft(TRAIL, Event.UNMASKED, subject=draft.subject)] if unmasked else []
        return self._filing.file_all([(one, signer) for one in (*also, draft)])[-1]

    def refused(
        self,
        signer: Signer | None,
        subject: str,
        code: str,
        *,
        claimed: str = "",
        message: str = "",
        command: str = "",
    ) -> FiledStatement:
        """State that an act was refused, with `code` of the error and the `command` that was tried.

        With nobody signed in it says who was `claimed` to act.
        Never asks for a passphrase: being refused is no act of the person.
        """
        new: dict[str, Wire] = {"code": code}
        if message:
            new["message"] = message[:_MESSAGE]
        if command:
            new["command"] = command[:_CLAIM]
        if claimed and signer is None:
            new["claimed"] = claimed[:_CLAIM]
        return self._filing.file(StatementDraft(TRAIL, Event.REFUSED, subject=subject, new=new), signer)


def refused(
    statements: StatementFiling, error: QmsError, *, claimed: str | None, present: SigningIn, command: str = ""
) -> FiledStatement:
    """State that `error` refused an act, by whoever is signed in as `claimed`, or by nobody; `command` names the act.

    Raises:
        QmsError: it could not be written; the act was refused all the same.
    """
    try:
        signer: Signer | None = present.signer(claimed)
    except QmsError:
        signer = None
    return Trail(statements).refused(
        signer,
        error.where or _number_in(error.message),
        error.code,
        claimed=present.known(claimed),
        message=str(error.message),
        command=command,
    )


def _number_in(message: Text) -> str:
    """Return the number of the record or document that a message names, empty when it names none."""
    for value in message.params.values():
        if isinstance(value, Text):
            if found := _number_in(value):
                return found
            continue
        for read in (RecordNumber, DocumentNumber):
            with suppress(InvalidIdentifierError):
                return read(str(value)).text
    return ""
