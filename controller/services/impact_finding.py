"""更改影响分析. Finds what a change touches: who cites it, forms, registers, open records, posts, laws, copies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.change_impact import (
    AffectedItem,
    ChangeImpact,
    CitingItem,
    InvalidBasis,
    OpenRecord,
    PostToTrain,
)
from controller.domain.errors import QmsError
from controller.domain.library_day import ItemKind
from controller.domain.post_naming import EVERYBODY, PostNames
from controller.domain.references import STATE_LABELS, SourceKind, Via
from controller.domain.text import T
from controller.services.reference_keeping import clause_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from controller.domain.change_impact import CopyOut
    from controller.domain.form import FormDefinition
    from controller.domain.person import Staff
    from controller.domain.references import Reference
    from controller.domain.register import RegisterDefinition
    from controller.domain.text import Text
    from controller.services.archived_forms import ArchivedForms, KnownForms
    from controller.services.document_library import DocumentLibrary, LibraryDocument
    from controller.services.index_ports import RecordIndex
    from controller.services.reference_keeping import ReferenceKeeping

EXTERNAL_LIST = "WL"
"""Number of the list of external documents as an item of a change."""
_ANY = "any"


@dataclass
class ChangeImpactFinding:
    """更改影响分析服务."""

    keeping: ReferenceKeeping
    library: DocumentLibrary
    forms: KnownForms
    registers: Callable[[], Sequence[RegisterDefinition]]
    index: RecordIndex
    definitions: ArchivedForms
    staff: Staff
    copies: Callable[[str], Sequence[CopyOut]]
    """Number of a document → its copies that somebody holds."""
    catch_up: Callable[[], object]
    """Brings the index to the archive's tip."""

    def impact(self, items: Sequence[str], changed: Mapping[str, Collection[str]] | None = None) -> ChangeImpact:
        """Return what a change of `items` touches.

        Args:
            items: numbers of documents, forms, registers, external documents (`WL-R3`), `WL` for their list, or names
                of shared blocks; a number that is not in the library (a new item) touches nothing by itself.
            changed: number → clauses that change, `5.1`; posts are then looked for in these only.
        """
        self.catch_up()
        forms = self._forms(items)
        return ChangeImpact(
            items=tuple(items),
            citing=tuple(self._citing(items)),
            forms=tuple(AffectedItem(ItemKind.FORM, form.number.text, form.title, why) for form, why in forms.values()),
            registers=tuple(self._registers(forms, items)),
            records=tuple(self._records(forms)),
            posts=tuple(self._posts(items, forms, changed or {})),
            laws=tuple(self._laws(items)),
            copies=tuple(copy for item in items for copy in self.copies(item)),
        )

    # -- who refers

    def _citing(self, items: Sequence[str]) -> Iterator[CitingItem]:
        wanted = set(items)
        if EXTERNAL_LIST in wanted:
            every = self.keeping.references()
            wanted |= {item.target for item in every if item.kind is ItemKind.EXTERNAL and item.broken}
        found: dict[tuple[SourceKind, str, str, str], list[Reference]] = defaultdict(list)
        for item in self.keeping.references():
            if item.target in wanted and item.source.number not in items and not _owned(item):
                found[item.source.kind, item.source.number, item.source.title, item.target].append(item)
        for (kind, number, title, target), references in found.items():
            clauses = tuple(dict.fromkeys(item.clause for item in references if item.clause and item.clause != number))
            by_text = any(item.via is Via.TEXT for item in references)
            why = T("正文引用 {target}", target=target) if by_text else T("列有 {target}", target=target)
            yield CitingItem(kind, number, title, clauses, target, why)

    def _laws(self, items: Sequence[str]) -> Iterator[InvalidBasis]:
        found: dict[tuple[str, str], list[Reference]] = defaultdict(list)
        for item in self.keeping.references():
            mine = item.source.number in items or EXTERNAL_LIST in items or item.target in items
            if mine and item.kind is ItemKind.EXTERNAL and item.broken:
                found[item.source.number, item.target].append(item)
        for (number, law), references in found.items():
            first = references[0]
            clauses = tuple(dict.fromkeys(item.clause for item in references if item.clause))
            state = STATE_LABELS[first.state]
            why = T("{number} 引用它；{state}（{certainty}）", number=number, state=state, certainty=first.now)
            yield InvalidBasis(law, first.title, first.state, clauses, number, why)

    # -- forms, registers, records

    def _forms(self, items: Sequence[str]) -> dict[str, tuple[FormDefinition, Text]]:
        """Return the forms that are changed, embed a changed block, or belong to a changed document."""
        found: dict[str, tuple[FormDefinition, Text]] = {}
        owned = {
            item.target: item.source.number
            for item in self.keeping.references()
            if item.via is Via.FORMS and item.source.number in items
        }
        for number in self.forms.numbers():
            try:
                form = self.forms.definition(number)
            except QmsError:
                continue  # told by `qms form lint`
            blocks = {field.block for field in form.fields if field.block is not None} & set(items)
            owner = owned.get(number) or (form.procedure.text if form.procedure is not None else "")
            if number in items:
                found[number] = form, T("本次更改的表单")
            elif blocks:
                found[number] = form, T("用到字段块 {blocks}", blocks=sorted(blocks))
            elif owner in items:
                found[number] = form, T("{owner} 名下的表单", owner=owner)
        return found

    def _registers(
        self, forms: Mapping[str, tuple[FormDefinition, Text]], items: Sequence[str]
    ) -> Iterator[AffectedItem]:
        for register in self.registers():
            number = register.number.text
            used = {item.target for item in self.keeping.of(number) if item.via is Via.SOURCES} & set(forms)
            if number in items:
                yield AffectedItem(ItemKind.REGISTER, number, register.title, T("本次更改的台账"))
            elif used:
                why = T("取 {forms} 的数据", forms=sorted(used))
                yield AffectedItem(ItemKind.REGISTER, number, register.title, why)
            elif forms and register.all_forms:
                yield AffectedItem(ItemKind.REGISTER, number, register.title, T("取全部表单的数据"))
            elif register.procedure is not None and register.procedure.text in items:
                why = T("归口 {procedure}", procedure=register.procedure)
                yield AffectedItem(ItemKind.REGISTER, number, register.title, why)

    def _records(self, forms: Mapping[str, tuple[FormDefinition, Text]]) -> Iterator[OpenRecord]:
        if not forms:
            return
        for state in self.index.records(forms=sorted(forms)):
            definition = self.definitions.definition(state.form)
            stage = definition.stage(state.stage) if definition is not None else None
            if state.voided or (stage is not None and stage.final) or (definition and len(definition.stages) == 1):
                continue
            why = forms[state.number.form][1]
            label = stage.label if stage is not None else state.stage
            yield OpenRecord(state.number.text, state.number.form, state.form.revision.text, label, why)

    # -- whom it concerns

    def _posts(
        self,
        items: Sequence[str],
        forms: Mapping[str, tuple[FormDefinition, Text]],
        changed: Mapping[str, Collection[str]],
    ) -> Iterator[PostToTrain]:
        reasons: dict[str, tuple[bool, Text]] = {}
        names = PostNames(self.staff.posts.values())
        for number in items:
            shown = self._document(number)
            if shown is not None:
                for key, sure, why in self._named(number, shown, names, changed.get(number)):
                    if key not in reasons or (sure and not reasons[key][0]):
                        reasons[key] = sure, why
        for number, (form, _why) in forms.items():
            for stage in form.stages:
                for key in stage.by:
                    why = T("填写 {form} 的“{stage}”", form=number, stage=stage.label)
                    if key != _ANY and (key not in reasons or not reasons[key][0]):
                        reasons[key] = True, why
        for key, post in self.staff.posts.items():
            if post.duty in items:
                reasons.setdefault(key, (True, T("岗位职责文件 {number}", number=post.duty)))
        for key, post in self.staff.posts.items():
            if key in reasons:
                sure, why = reasons[key]
                yield PostToTrain(key, post.name, self._holders(key), sure, why)

    def _named(
        self, number: str, shown: LibraryDocument, names: PostNames, only: Collection[str] | None
    ) -> Iterator[tuple[str, bool, Text]]:
        for clause, words, _line in clause_texts(shown.segment):
            if only is not None and clause not in only:
                continue
            for item in names.named(words):
                one = len(item.posts) == 1 and self.staff.posts[item.posts[0]].name == item.name
                if item.acts and (one or item.name == EVERYBODY or words.lstrip().startswith("职责")):
                    why = T("{number} 条款 {clause} 提到{word}", number=number, clause=clause, word=item.word)
                    yield from ((key, one or item.name == EVERYBODY, why) for key in item.posts)

    def _document(self, number: str) -> LibraryDocument | None:
        try:
            return self.library.show(number)
        except QmsError:
            return None  # a new one, or one whose folder its own lint tells of

    def _holders(self, key: str) -> tuple[tuple[str, str], ...]:
        return tuple(
            (person.id, person.name) for person in self.staff.people.values() if person.active and key in person.posts
        )


def _owned(item: Reference) -> bool:
    """Tell whether a form names its own procedure or a register its own forms: told among forms and registers."""
    return item.source.kind in {SourceKind.FORM, SourceKind.REGISTER} and item.via in {Via.PROCEDURE, Via.SOURCES}
