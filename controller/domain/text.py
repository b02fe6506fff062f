"""给人看的文字. Messages as data: a Chinese template and its parameters, translated only at the edge.

The template is the message id of the catalogs (`controller/locales`). Nothing below `cli`/`web` chooses a language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


@dataclass(frozen=True)
class Text:
    """一句可翻译的话. A message template in Chinese with named parameters, which may themselves be `Text`."""

    template: str
    params: Mapping[str, object] = field(default_factory=dict)

    def show(self, translate: Callable[[str], str] | None = None) -> str:
        """Return the sentence; `translate` maps the Chinese template to another language's template."""
        template = translate(self.template) if translate else self.template
        shown = {key: _shown(value, translate) for key, value in self.params.items()}
        return template.format_map(shown) if shown else template

    def __str__(self) -> str:
        return self.show()


def _shown(value: object, translate: Callable[[str], str] | None) -> object:
    if isinstance(value, Text):
        return value.show(translate)
    if isinstance(value, (list, tuple)):
        separator = translate(_SEPARATOR.template) if translate else _SEPARATOR.template
        return separator.join(str(_shown(item, translate)) for item in value)
    return moment_text(value) if isinstance(value, str) else value


def moment_text(at: str) -> str:
    """Return a moment as it is stored (ISO 8601 with its offset) as people read it; any other text as it is."""
    return f"{at[:10]} {at[11:19]} {at[19:]}" if _MOMENT.fullmatch(at) else at


def T(template: str, /, **params: object) -> Text:  # noqa: N802 - the short name keeps messages readable; catalogs extract it
    """Make a `Text`; the literal first argument is what the message catalogs extract."""
    return Text(template, params)


_SEPARATOR = T("、")
"""Between the items of a list."""
