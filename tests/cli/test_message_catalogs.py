"""Both languages are complete: every sentence has its English, every sentence of click its Chinese."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from controller.cli import translation
from controller.cli.main import main, qms
from controller.cli.message_catalogs import (
    CLICK_CHINESE,
    ENGLISH,
    click_messages,
    messages_of,
    mo_bytes,
    read_catalog,
)
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACEHOLDER = re.compile(r"\{(\w+)")


def english() -> dict[str, str]:
    return {str(message.id): str(message.string) for message in read_catalog(ENGLISH) if message.id}


def test_every_message_has_an_english_translation() -> None:
    catalog = english()
    assert [message for message in messages_of() if not catalog.get(message)] == []


def test_the_english_catalog_holds_nothing_the_program_no_longer_says() -> None:
    assert sorted(set(english()) - set(messages_of())) == []


def test_every_translation_names_the_same_parameters() -> None:
    wrong = [
        (source, target)
        for source, target in english().items()
        if sorted(_PLACEHOLDER.findall(source)) != sorted(_PLACEHOLDER.findall(target))
    ]
    assert wrong == []


_DATA = re.compile(r"“[^“”]*”|《[^《》]*》|'[^']*'|\"[^\"]*\"")
"""Quoted text: what users type or read in their own documents stays as it is in every language."""
_CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]")
"""Chinese characters and Chinese punctuation."""


def test_english_sentences_are_english() -> None:
    assert [target for target in english().values() if _CHINESE.search(_DATA.sub("", target))] == []


def test_what_english_quotes_in_chinese_stands_in_the_chinese_sentence_too() -> None:
    wrong = [
        (quoted, target)
        for source, target in english().items()
        for quoted in _DATA.findall(target)
        if _CHINESE.search(quoted[1:-1]) and quoted[1:-1] not in source
    ]
    assert wrong == []


def test_an_english_sentence_ends_where_the_chinese_one_does() -> None:
    wrong = [
        (source, target)
        for source, target in english().items()
        if source.endswith("。") != (target.endswith(".") and not target.endswith(("...", "No.")))
    ]
    assert wrong == []


def commands(group: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command and group below `group`, itself included."""
    yield words
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield from commands(command, (*words, name))


def test_the_help_of_every_command_is_english_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translation, "_current", "zh")
    told = {}
    for words in commands(qms):
        main([*words, "--help"], "en")
        told[words] = " ".join(capsys.readouterr().out.split())
    assert ("record", "new") in told
    assert [(words, text) for words, text in told.items() if _CHINESE.search(_DATA.sub("", text))] == []


def test_lists_inside_a_sentence_are_separated_as_the_language_does() -> None:
    sentence = T("可选:{choices}", choices=["甲", "乙"])
    assert translation.say(sentence, "zh").endswith("甲、乙")
    assert translation.say(sentence, "en").endswith("甲, 乙")


def test_click_itself_speaks_chinese() -> None:
    known: set[str] = set()
    for message in read_catalog(CLICK_CHINESE):
        known.update([message.id] if isinstance(message.id, str) else message.id)
    assert [sentence for sentence in click_messages() if sentence not in known and len(sentence) > 1] == []


@pytest.mark.parametrize("path", [ENGLISH, CLICK_CHINESE], ids=lambda path: path.stem)
def test_the_compiled_catalog_is_the_one_in_the_source(path: object) -> None:
    from pathlib import Path

    assert isinstance(path, Path)
    assert path.with_suffix(".mo").read_bytes() == mo_bytes(path)
