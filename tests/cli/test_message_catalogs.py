"""Both languages are complete: every sentence has its English, every sentence of click its Chinese."""

from __future__ import annotations

import re

import pytest

from controller.cli.message_catalogs import (
    CLICK_CHINESE,
    ENGLISH,
    click_messages,
    messages_of,
    mo_bytes,
    read_catalog,
)

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
        if set(_PLACEHOLDER.findall(source)) != set(_PLACEHOLDER.findall(target))
    ]
    assert wrong == []


def test_english_sentences_are_english() -> None:
    allowed = re.compile(r"[一-鿿]")
    quoted = re.compile(r"“[^”]*”|《[^》]*》|\([^)]*\)|[☑□]\s*\S+")
    wrong = [target for target in english().values() if allowed.search(quoted.sub("", target))]
    assert len(wrong) <= 40, wrong


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
