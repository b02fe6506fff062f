"""语言. Chinese is the language of the source; other languages come from the catalogs in `controller/locales`."""

from __future__ import annotations

import gettext as gettext_module
import os
import sys
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.text import Text

LANGUAGES = ("zh", "en")


def language_of(arguments: Sequence[str] | None = None) -> str:
    """Return the language asked for: `--lang` on the command line, else `QMS_LANG`, else Chinese.

    Needed before click parses anything, because help texts are shown while parsing.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for position, word in enumerate(words):
        if word == "--lang" and position + 1 < len(words) and words[position + 1] in LANGUAGES:
            return words[position + 1]
        if word.startswith("--lang=") and word[7:] in LANGUAGES:
            return word[7:]
    asked = os.environ.get("QMS_LANG", "zh")
    return asked if asked in LANGUAGES else "zh"


_current = "zh"


def use_language(language: str) -> None:
    """Make `language` the one in which help texts are shown in this process."""
    global _current  # noqa: PLW0603 - click offers no way to hand a language to its help formatter
    _current = language


def current_language() -> str:
    """Return the language in which help texts are shown."""
    return _current


@lru_cache(maxsize=4)
def translator(language: str) -> Callable[[str], str]:
    """Return the function that maps a Chinese template to `language`; identity for Chinese."""
    if language == "zh":
        return _same
    folder = str(files("controller") / "locales")
    try:
        return gettext_module.translation("qms", folder, [language]).gettext
    except FileNotFoundError:
        return _same


def _same(template: str) -> str:
    return template


def translate_click(language: str) -> None:
    """Make click's own sentences (`Usage`, `Missing option` …) come from our catalogs in `language`."""
    gettext_module.bindtextdomain("click", str(files("controller") / "locales"))
    gettext_module.textdomain("click")
    os.environ["LANGUAGE"] = "zh" if language == "zh" else "en"


def say(text: Text, language: str) -> str:
    """Return `text` in `language`."""
    return text.show(translator(language))
