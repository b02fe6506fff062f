"""条目的形成. From checked values to the entry and the files that an act adds to the archive (docs/record-storage.md).

Shared by every way of filing: one record, an import of thousands, a correction. Nothing here reaches the archive;
`record_filing`, `record_control` and `act_filing` decide where and when.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from controller.domain.closing_lines import closing_lines
from controller.domain.errors import RefusedError
from controller.domain.form import Personal
from controller.domain.identifiers import Digest
from controller.domain.record import Act, Attachment, Entry, FormBinding
from controller.domain.record_chain import fold
from controller.domain.record_view import RecordView
from controller.domain.signature import SENSITIVE_MEANINGS
from controller.domain.text import T
from controller.file_formats.entry_file import encode_entry
from controller.file_formats.sealed_file import salted, seal, seal_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from controller.domain.form import Field, FormDefinition
    from controller.domain.form_check import Problem
    from controller.domain.identifiers import RecordNumber
    from controller.domain.record import RecordState, Wire
    from controller.services.form_library import FormPackage
    from controller.services.form_rendering import FormRenderer
    from controller.services.signing_ports import Signer
    from controller.services.workspace_identity import WorkspaceIdentity

_ENDING = "办结"
_DECIDING_POSTS = frozenset({"quality_officer", "quality_head", "general_manager", "legal_representative"})
"""企业自定: where nobody else may take a record on, doing so is a decision."""


class ValuesRefusedError(RefusedError):
    """内容不符合表单要求. Carries every problem at once; nothing was filed."""

    code = "values-refused"

    def __init__(self, *, form: str, title: str, problems: Sequence[Problem], where: str | None = None) -> None:
        super().__init__(
            T("《{title}》（{form}）有 {count} 处不符合要求，没有归档。", title=title, form=form, count=len(problems)),
            hint=T("请按下面逐项改正后重新填写。"),
            where=where,
        )
        self.form, self.title, self.problems = form, title, tuple(problems)

    @classmethod
    def of_all(cls, refused: Sequence[ValuesRefusedError]) -> ValuesRefusedError:
        """Return the one error that tells the problems of several forms that one act was to fill."""
        forms = "、".join(dict.fromkeys(item.form for item in refused))
        titles = "》《".join(dict.fromkeys(item.title for item in refused))
        return cls(form=forms, title=titles, problems=[problem for item in refused for problem in item.problems])


class AttachmentUnknownError(RefusedError):
    """附件没有随附. A value names an attachment by digest that neither came along nor is filed with the record."""

    code = "attachment-unknown"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("附件“{name}”没有随附文件。", name=name[:120]), hint=T("写文件的相对路径，系统会计算摘要并归档。")
        )


def is_sensitive(item: Field) -> bool:
    """Tell whether a field, or any column of it, holds sensitive personal information (PIPL Art. 28)."""
    return item.personal is Personal.SENSITIVE or any(column.personal is Personal.SENSITIVE for column in item.columns)


def sensitive_keys(definition: FormDefinition) -> frozenset[str]:
    """Return the keys of the form's sensitive fields."""
    return frozenset(item.key for item in definition.fields if is_sensitive(item))


def meaning_of(definition: FormDefinition, stage: str) -> str:
    """Return what a signature at `stage` means: that of the form's signature slot (21 CFR 11.50 a 3).

    A stage without a slot: 办结 where it ends the record, 判定 where only those answerable for quality may take the
    record further (免调查, 放行, 重开), else 记录.
    """
    slot = next((slot.meaning for slot in definition.signatures if slot.stage == stage), None)
    step = definition.stage(stage)
    if slot is not None or step is None or not step.after:
        return slot or "记录"
    if step.final:
        return _ENDING
    return "判定" if set(step.by) <= _DECIDING_POSTS else "记录"


def asked_meaning(definition: FormDefinition, stage: str) -> str:
    """Return what the person is asked to sign `stage` as: whatever its slot says, ending a record is a decision.

    The entry keeps the meaning of the slot.
    """
    meaning = meaning_of(definition, stage)
    step = definition.stage(stage)
    ends = step is not None and step.final and bool(step.after)
    return _ENDING if ends and meaning not in SENSITIVE_MEANINGS else meaning


def binding(package: FormPackage) -> FormBinding:
    """Return what an entry says about the form it was made on."""
    definition = package.definition
    return FormBinding(number=definition.number, revision=definition.revision, digest=package.digest)


def package_files(package: FormPackage) -> dict[str, bytes]:
    """Return the archive files that keep the form readable for as long as its records."""
    folder = f"controlled-forms/{package.digest.hex}"
    return {f"{folder}/compiled.json": package.compiled, f"{folder}/form.docx": package.docx}


@dataclass(frozen=True)
class ActDraft:
    """待归档的动作. Everything an entry says that the machine does not work out itself."""

    act: Act
    by: Signer
    at: datetime
    meaning: str
    stage: str
    values: Mapping[str, Wire]
    """Values this act sets, open and sensitive together, checked."""
    reason: str | None = None
    entered_for: str | None = None
    source: Mapping[str, Wire] | None = None
    warnings: Sequence[str] = ()
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    """Digest hex → bytes of the files that the values and `source` name."""
    secret_files: Collection[str] = frozenset()
    """Digests (hex) of files that show sensitive information, whatever field names them."""


@dataclass(frozen=True)
class MadeEntry:
    """做好的条目. The entry, its digest, the state it leads to, and the files to add."""

    entry: Entry
    digest: Digest
    state: RecordState
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Chain:
    """已有的链. The entries so far with their digests, and the sensitive values that could be opened."""

    entries: Sequence[tuple[Entry, Digest]] = ()
    opened: Mapping[str, Wire] = field(default_factory=dict)


class EntryMaking:
    """条目制作. Makes entries for one workspace: seals, renders, binds, digests and has them signed."""

    def __init__(self, identity: WorkspaceIdentity, renderer: FormRenderer) -> None:
        self._identity = identity
        self._renderer = renderer

    def make(
        self, package: FormPackage, number: RecordNumber, draft: ActDraft, *, chain: Chain, key: bytes | None
    ) -> MadeEntry:
        """Return the next entry of `chain` (the first when it is empty).

        `key` is the record's key; needed when the form has sensitive fields that carry a value.
        """
        secret = sensitive_keys(package.definition)
        filed = {item.digest.hex for earlier, _ in chain.entries for item in earlier.attachments}
        _check_attached(draft, filed)
        part = salted({name: value for name, value in draft.values.items() if name in secret})
        entry = Entry(
            workspace=self._identity.id,
            site=self._identity.site,
            record=number,
            sequence=len(chain.entries) + 1,
            previous=chain.entries[-1][1] if chain.entries else None,
            act=draft.act,
            form=chain.entries[0][0].form if chain.entries else binding(package),
            by=draft.by.signatory,
            certificate=draft.by.certificate,
            origin=draft.by.origin,
            at=draft.at.isoformat(timespec="seconds"),
            meaning=draft.meaning,
            stage=draft.stage,
            company=self._identity.company,
            values={name: value for name, value in draft.values.items() if name not in secret},
            sealed=part.digests(),
            attachments=_attachments(draft, secret, filed),
            reason=draft.reason,
            entered_for=draft.entered_for,
            source=draft.source,
            warnings=tuple(draft.warnings),
        )
        unfinished = (entry, Digest.of(b""))
        entry = replace(entry, shown=Digest.of(self.render(package, [*chain.entries, unfinished])))
        data = encode_entry(entry)
        digest = Digest.of(data)
        folder = number.folder
        name = f"{folder}/{entry.sequence:04d}"
        files = {f"{name}.json": data, f"{name}.p7s": draft.by.sign(data, at=draft.at)}
        if part.values:
            assert key is not None
            opened = {**chain.opened, **part.values}
            full = self.render(package, [*chain.entries, unfinished], opened=opened)
            files[f"{name}.sealed"] = seal(replace(part, docx=Digest.of(full)), key)
        for item in entry.attachments:
            path = f"{folder}/attachments/{item.digest.hex}"
            content = draft.attachments[item.digest.hex]
            if item.sealed:
                assert key is not None
                files[path + ".sealed"] = seal_bytes(content, key)
            else:
                files[path] = content
        return MadeEntry(entry, digest, fold([*chain.entries, (entry, digest)]), files)

    def render(
        self,
        package: FormPackage,
        entries: Sequence[tuple[Entry, Digest]],
        *,
        opened: Mapping[str, Wire] | None = None,
    ) -> bytes:
        """Return the docx of the record as it stood after `entries`; masked unless `opened` gives sensitive values."""
        closing = closing_lines(package.definition, entries)
        view = view_of(package.definition, fold(entries), opened=opened, closing=closing)
        return self._renderer.for_company(entries[-1][0].company).render(package, view)


def view_of(
    definition: FormDefinition,
    state: RecordState,
    *,
    opened: Mapping[str, Wire] | None = None,
    closing: Sequence[str] = (),
) -> RecordView:
    """Return what a print or a screen shows of `state`; sensitive values without an entry in `opened` are masked.

    `closing` tells of the signatures, a line each.
    """
    shown = dict(opened or {})
    stage = definition.stage(state.stage)
    values: dict[str, Wire] = {**state.values, **{key: shown[key] for key in state.sealed if key in shown}}
    late = values.get("late_entry_reason")
    return RecordView(
        number=state.number.text,
        stage_label=stage.label if stage else state.stage,
        opened_at=state.opened_at,
        opened_by=state.opened_by.name,
        values=values,
        masked=frozenset(key for key in state.sealed if key not in shown),
        signed=dict(state.signed),
        voided=state.voided,
        late_entry_reason=late if isinstance(late, str) else "",
        closing=tuple(closing),
    )


def _check_attached(draft: ActDraft, filed: Collection[str]) -> None:
    for value in (*draft.values.values(), dict(draft.source or {})):
        for name, digest in named_attachments(value):
            if digest.hex not in draft.attachments and digest.hex not in filed:
                raise AttachmentUnknownError(name=name)


def named_attachments(value: Wire) -> Iterator[tuple[str, Digest]]:
    """Yield name and digest of every attachment that a stored value names, however deep."""
    if isinstance(value, list):
        for item in value:
            yield from named_attachments(item)
    elif isinstance(value, dict):
        name, digest = value.get("name"), value.get("digest")
        if isinstance(name, str) and isinstance(digest, str):
            yield name, Digest(digest)
        else:
            for item in value.values():
                yield from named_attachments(item)


def _attachments(draft: ActDraft, secret: frozenset[str], filed: Collection[str]) -> list[Attachment]:
    """Return the files that come with the entry; what the record already holds is named and not filed again."""
    found: dict[str, Attachment] = {}
    for field_key, value in (*draft.values.items(), ("", dict(draft.source or {}))):
        for name, digest in named_attachments(value):
            data = draft.attachments.get(digest.hex)
            if data is not None and digest.hex not in filed:
                sealed = field_key in secret or digest.hex in draft.secret_files
                sealed = sealed or (digest.hex in found and found[digest.hex].sealed)
                found[digest.hex] = Attachment(name, digest, len(data), sealed)
    return [found[key] for key in sorted(found)]
