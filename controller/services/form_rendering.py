"""表单渲染. A form package and a record become a docx; without a record, the blank form.

The same package, company name and record give the same bytes on every machine; `verify --rerender` rests on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.record_view import template_context

if TYPE_CHECKING:
    from controller.domain.record_view import RecordView
    from controller.services.form_library import FormPackage
    from controller.services.print_ports import DocxRenderer


class FormRenderer:
    """表单渲染器. Prints records in the name of one company."""

    def __init__(self, renderer: DocxRenderer, company: str) -> None:
        self._renderer = renderer
        self._company = company

    def for_company(self, company: str) -> FormRenderer:
        """Return a renderer that prints another company name (records keep the one they were made under)."""
        return self if company == self._company else FormRenderer(self._renderer, company)

    def render(self, package: FormPackage, view: RecordView | None) -> bytes:
        """Return the docx of `view`, or of the blank form when it is None.

        Raises:
            QmsError: the template uses a name the form does not declare, reaches beyond its values or a value
                cannot be printed; nothing is printed then.
        """
        return self._renderer.render(
            docx=package.docx,
            parts=package.parts,
            key=package.digest,
            context=template_context(package.definition, view, company=self._company),
            # Templates name only some signatures and only their day; none may be missing from a print (21 CFR 11.50 b).
            closing=() if view is None else view.closing,
        )
