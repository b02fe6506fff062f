"""What is printed for people cannot command their terminal."""

from __future__ import annotations

import pytest

from controller.cli.output import Output
from controller.domain.conformity import Finding, Gravity
from controller.domain.text import Text

HOSTILE = "江城\x1b[2J\x9b31m\x07\u202e医院\r"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what reaches the terminal; click itself strips escapes only where there is none."""
    lines: list[str] = []
    monkeypatch.setattr("click.echo", lambda text="", **_: lines.append(text))
    return lines


def test_sentences_lines_and_tables_show_control_characters_and_do_not_send_them(shown: list[str]) -> None:
    out = Output("zh", as_json=False)
    finding = Finding("x", Gravity.ERROR, Text("{value}", {"value": HOSTILE}), path=f"{HOSTILE}.json")
    out.line(Text("{value}", {"value": HOSTILE}))
    out.line(HOSTILE)
    out.note(Text("{value}", {"value": HOSTILE}))
    out.table([Text("{value}", {"value": HOSTILE})], [[HOSTILE], [Text("{value}", {"value": [HOSTILE]})]])
    out.findings([finding])
    printed = "".join(shown)
    assert len(shown) == 7
    assert printed.count("江城") == printed.count("医院") == 8
    assert not {"\x1b", "\x9b", "\x07", "\u202e", "\r"} & set(printed)


def test_lines_and_tabs_stay(shown: list[str]) -> None:
    Output("zh", as_json=False).line("一\n二\t三")
    assert shown == ["一\n二\t三"]


def test_a_place_that_the_sentence_names_is_not_said_twice(shown: list[str]) -> None:
    naming = Finding("x", Gravity.NOTE, Text("{path} 没有签名", {"path": "a/1.json"}), path="a/1.json")
    silent = Finding("x", Gravity.NOTE, Text("没有签名"), path="a/1.json")
    Output("zh", as_json=False).findings([naming, silent])
    assert shown == ["[提示] a/1.json 没有签名", "[提示] a/1.json 没有签名"]
