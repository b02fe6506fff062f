"""`qms init`: what the first person is shown and asked before anything is made."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from controller.cli.main import main
from tests.conftest import PASSPHRASE

if TYPE_CHECKING:
    from pathlib import Path

KEEPER = "码头-41-桑葚-钟声"


class Terminal(io.StringIO):
    """Answers as if typed at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _own_private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))


def init(monkeypatch: pytest.MonkeyPatch, target: Path, *, typed: str, secrets: list[str]) -> tuple[int, list[str]]:
    """Run `qms init` at a terminal; return how it ended and what was asked without being shown."""
    prompts: list[str] = []

    def hidden(prompt: str) -> str:
        prompts.append(prompt.partition("（")[0].rstrip(": "))
        return secrets.pop(0)

    monkeypatch.setattr("click.termui.hidden_prompt_func", hidden)
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    code = main(["init", str(target), "--company", "某公司", "--person", "张三"], "zh")
    assert secrets == []
    return code, prompts


def test_who_does_not_agree_is_asked_for_no_passphrase_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, prompts = init(monkeypatch, tmp_path / "新", typed="否\n", secrets=[])
    shown = capsys.readouterr()
    assert (code, prompts, (tmp_path / "新").exists()) == (4, [], False)
    assert "本人对其后果负责" in shown.out
    assert "张三本人同意？ [是/否]" in shown.err + shown.out


def test_without_a_terminal_the_agreement_must_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    given = tmp_path / "口令.txt"
    given.write_text(f"p001: {PASSPHRASE}\nauthority: {KEEPER}\n", encoding="utf-8")
    words = ["--passphrase-file", str(given), "init", str(tmp_path / "新"), "--company", "某公司", "--person", "张三"]
    assert main(words, "zh") == 4
    assert "acknowledgement-needed" in capsys.readouterr().err
    assert not (tmp_path / "新").exists()
    given.write_text(f"p001: {PASSPHRASE}\nauthority: 12345678901\n", encoding="utf-8")
    assert main([*words, "--acknowledged"], "zh") == 4
    assert "企业证书的口令不能用：只有数字" in capsys.readouterr().err
    assert not (tmp_path / "新").exists()


def test_each_passphrase_is_checked_at_once_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = ["短", PASSPHRASE, PASSPHRASE, PASSPHRASE, KEEPER, KEEPER]
    code, prompts = init(monkeypatch, tmp_path / "新", typed="是\n", secrets=secrets)
    shown = capsys.readouterr()
    assert code == 0, shown.err
    own, keeper, again = "张三的签名口令", "企业证书口令", "再输入一次"
    assert prompts == [own, own, again, keeper, keeper, again]
    assert "口令至少 10 个字" in shown.err
    assert "张三的口令不能用" in shown.err
    assert "企业证书口令与本人的签名口令相同" in shown.err
    assert "一位一位来" in shown.out
