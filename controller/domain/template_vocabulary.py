"""模板可用的名称. Which dotted names a form's template may use, and the nearest right one for each wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.form import FieldType
from controller.domain.identifiers import nearest
from controller.domain.record_view import FORM_NAMES, RECORD_NAMES, SIGNATURE_NAMES, has_boxes, options

if TYPE_CHECKING:
    from controller.domain.form import FormDefinition


class TemplateVocabulary:
    """一张表单的模板名称. Built once from a definition; see `docs/form-language.md` §1 for the meaning of each."""

    def __init__(self, definition: FormDefinition) -> None:
        names = {"company.name"}
        names.update(f"record.{name}" for name in RECORD_NAMES)
        names.update(f"form.{name}" for name in FORM_NAMES)
        names.update(f"sig.{slot.key}.{name}" for slot in definition.signatures for name in SIGNATURE_NAMES)
        for field in definition.fields:
            names.update((field.key, f"raw.{field.key}"))
            if field.type is FieldType.TABLE:
                names.add(f"{field.key}.no")
                for column in field.columns:
                    names.update((f"{field.key}.{column.key}", f"raw.{field.key}.{column.key}"))
            if has_boxes(field):
                names.add(f"boxes.{field.key}")
                names.update(f"box.{field.key}.{option}" for option in options(field))
        self.names = frozenset(names)
        """Every complete name."""
        split = [name.split(".") for name in names]
        self._prefixes = frozenset(".".join(parts[:length]) for parts in split for length in range(1, len(parts)))

    def knows(self, name: str) -> bool:
        """Tell whether a template may use `name`; a group such as `box.channel` counts, for loops over it."""
        return name in self.names or name in self._prefixes

    def nearest(self, name: str) -> str | None:
        """Return the declared name most like `name`, looking first where its beginning points."""
        group, dot, _ = name.rpartition(".")
        siblings = [known for known in sorted(self.names) if known.rpartition(".")[0] == group]
        return nearest(name, siblings) or (nearest(name, sorted(self.names)) if dot else None)
