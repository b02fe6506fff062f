"""`qms login`, `logout`, `who`, `passphrase`, and where passphrases come from: asked, or taken from a file."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from controller.adapters.attempt_counter import FileAttemptCounter
from controller.cli.main import main
from controller.domain.personal_key import PassphraseWrongError
from controller.domain.statement import Event
from controller.services.personal_signer import PassphraseAnswer
from tests.conftest import PASSPHRASE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.conftest import Answer, Workspace

NEW, WRONG = "灯塔-92-银杏-雨", "猜的口令-88-铁锚"
REASON = ("--reason", "修改岗位说明")
POSTS = "signatures/posts.yml"


def given(workspace: Workspace, *lines: str, encoding: str = "utf-8") -> None:
    """Write the passphrase file."""
    workspace.passphrases.write_bytes("\r\n".join(lines).encode(encoding))


def at_terminal(workspace: Workspace, *words: str) -> Answer:
    """Run a command without a passphrase file."""
    from tests.conftest import Answer

    workspace.capture.readouterr()
    code = main(["--workspace", str(workspace.folder), *words], "zh")
    shown = workspace.capture.readouterr()
    return Answer(code, shown.out, shown.err)


def newest(workspace: Workspace) -> tuple[Event, str | None, dict[str, Any]]:
    with closing(workspace.open()) as application:
        stored = application.statements.newest("trail")
    assert stored is not None
    by = stored.statement.by
    return stored.statement.event, by.person if by else None, dict(stored.statement.new)


def data(answer: Answer) -> Any:
    return json.loads(answer.out)


def signed_in(workspace: Workspace) -> set[str]:
    return {item["name"] for item in data(workspace.qms("--json", "who", person=None))}


def edited(workspace: Workspace) -> None:
    path = workspace.folder / POSTS
    path.write_bytes(path.read_bytes() + "# 复核\n".encode())


@pytest.fixture
def empty(workspace: Workspace) -> Workspace:
    """The workspace with nobody signed in."""
    with closing(workspace.open()) as application:
        for sitting in application.sittings.all():
            application.sittings.close(sitting.person)
    return workspace


# -- in and out


def test_who_signs_in_is_told_until_when_and_acts_from_then_on(empty: Workspace) -> None:
    answer = empty.qms("login", "林静", person=None)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("林静（质量负责人）已登录，最迟到 ")
    assert newest(empty)[:2] == (Event.SIGNED_IN, "p002")
    edited(empty)
    assert empty.qms("change", "adopt", *REASON, person=None).code == 0
    assert newest(empty)[:2] == (Event.LIBRARY_CHANGED, "p002")


def test_a_login_as_json(empty: Workspace) -> None:
    found = data(empty.qms("--json", "login", "p002", person=None))
    until = datetime.fromisoformat(found.pop("until"))
    assert until.tzinfo is not None
    assert found == {"person": "p002", "name": "林静", "post": "质量负责人", "failures": []}


def test_without_a_name_the_only_key_of_this_computer_is_meant(empty: Workspace) -> None:
    several = empty.qms("login", person=None)
    assert (several.code, "qms login 张三" in several.err) == (2, True)
    for path in (empty.folder.parent / "keys").rglob("p*.p12"):
        if path.stem != "p003":
            path.unlink()
    answer = empty.qms("login", person=None)
    assert (answer.code, answer.out[:8]) == (0, "陈晓（质管员）已")


def test_who_is_here_says_names_and_until_when(empty: Workspace) -> None:
    assert empty.qms("who", person=None).out == "本机没有人登录。用 qms login 姓名 登录。\n"
    assert data(empty.qms("--json", "who", person=None)) == []
    assert empty.qms("login", "林静", person=None).code == 0
    assert empty.qms("who", person=None).out.startswith("林静（p002）：不再操作的话，")
    (item,) = data(empty.qms("--json", "who", person=None))
    assert (item["person"], item["name"]) == ("p002", "林静")


def test_signing_out_is_for_one_the_only_one_or_everybody(empty: Workspace) -> None:
    for name in ("林静", "陈晓", "王强"):
        assert empty.qms("login", name, person=None).code == 0
    several = empty.qms("logout", person=None)
    assert (several.code, "person-needed" in several.err) == (4, True)
    assert empty.qms("logout", "林静", person=None).out == "林静已退出。\n"
    assert newest(empty)[:2] == (Event.SIGNED_OUT, "p002")
    assert signed_in(empty) == {"陈晓", "王强"}
    assert data(empty.qms("--json", "logout", person="陈晓")) == [{"person": "p003", "name": "陈晓"}]
    assert empty.qms("logout", person=None).out == "王强已退出。\n"
    again = empty.qms("logout", person=None)
    assert (again.code, "sign-in-needed" in again.err, "qms login" in again.err) == (4, True, True)
    assert empty.qms("logout", "--all", person=None).out == "本机没有人登录。用 qms login 姓名 登录。\n"


def test_everybody_at_once_is_signed_out(workspace: Workspace) -> None:
    answer = workspace.qms("logout", "--all", person=None)
    assert answer.code == 0
    assert sorted(answer.out.splitlines()) == sorted(
        f"{name}已退出。" for name in ("周明", "林静", "陈晓", "王强", "赵敏", "刘洋", "孙丽", "吴涛")
    )
    assert signed_in(workspace) == set()


def test_signed_out_nobody_acts(empty: Workspace) -> None:
    edited(empty)
    answer = empty.qms("change", "adopt", *REASON, person=None)
    assert (answer.code, "sign-in-needed" in answer.err) == (4, True)
    named = empty.qms("change", "adopt", *REASON, person="林静")
    assert (named.code, "“林静”在本机没有登录" in named.err) == (4, True)


def test_the_environment_may_say_who_of_several_acts(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QMS_AS", "王强")
    assert workspace.qms("logout", person=None).out == "王强已退出。\n"
    assert workspace.qms("logout", person="林静").out == "林静已退出。\n"


# -- failures


def test_a_wrong_passphrase_opens_nothing_is_in_the_trail_and_shown_nowhere(empty: Workspace) -> None:
    given(empty, WRONG)
    answer = empty.qms("login", "林静", person=None)
    assert (answer.code, "passphrase-wrong" in answer.err) == (4, True)
    assert signed_in(empty) == set()
    assert newest(empty) == (Event.SIGN_IN_FAILED, None, {"claimed": "林静", "count": "1"})
    assert WRONG not in answer.out + answer.err
    with closing(empty.open()) as application:
        assert WRONG.encode() not in b"".join(content for _, content in application.archive.walk("trail"))


def test_an_unknown_name_is_told_with_the_nearest_and_is_in_the_trail(empty: Workspace) -> None:
    answer = empty.qms("login", "林晶", person=None)
    assert (answer.code, "林静" in answer.err) == (3, True)
    assert newest(empty) == (Event.SIGN_IN_FAILED, None, {"unknown": "2", "count": "0"})


def test_what_is_typed_as_a_name_and_is_nobodys_is_never_archived(
    empty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever types the passphrase where a name is asked would find it in the trail for ever."""
    Terminal(monkeypatch, PASSPHRASE, PASSPHRASE, PASSPHRASE)
    for words in (("login", WRONG), ("passphrase", WRONG), ("--as", WRONG, "timestamp", "clock", "--reason", "校准")):
        assert "person-unknown" in at_terminal(empty, *words).err
        with closing(empty.open()) as application:
            told = application.statements.newest("trail")
            assert told is not None
            assert (told.statement.event, told.statement.subject) == (Event.SIGN_IN_FAILED, "")
            assert WRONG.encode() not in b"".join(content for _, content in application.archive.walk("trail"))


def test_a_passphrase_typed_where_the_id_is_asked_is_never_archived(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing = workspace.folder / "signatures/signing.yml"
    signing.write_bytes(signing.read_bytes().replace(b"profile: gsp-cn", b"profile: part11"))
    assert workspace.qms("change", "adopt", *REASON, person="林静").code == 0
    assert workspace.qms("login", "林静", person=None).code == 0
    edited(workspace)
    Terminal(monkeypatch, NEW, PASSPHRASE)
    answer = at_terminal(workspace, "--as", "林静", "change", "adopt", *REASON)
    assert (answer.code, "passphrase-wrong" in answer.err) == (4, True)
    assert newest(workspace) == (Event.SIGNING_FAILED, None, {"unknown": str(len(NEW)), "count": "1"})
    with closing(workspace.open()) as application:
        assert NEW.encode() not in b"".join(content for _, content in application.archive.walk("trail"))


def test_a_refused_act_under_a_name_that_is_nobodys_does_not_archive_it(workspace: Workspace) -> None:
    with closing(workspace.open()) as application:
        assert [application.signing_in.known(item) for item in ("p002", "林静", "林", WRONG, "", None)] == [
            "p002", "林静", "", "", "", "",
        ]  # fmt: skip


def test_after_many_failures_the_right_passphrase_does_not_help_for_a_while(empty: Workspace) -> None:
    with closing(empty.open()) as application:
        counter = FileAttemptCounter(application.private_folder)
        for _ in range(5):
            counter.note("p002", at=application.clock.now())
    answer = empty.qms("login", "林静", person=None)
    assert (answer.code, "sign-in-locked" in answer.err, "锁定到" in answer.err) == (4, True, True)
    assert newest(empty) == (Event.SIGN_IN_LOCKED, None, {"claimed": "林静", "count": "5"})
    assert signed_in(empty) == set()


def test_those_in_charge_are_told_of_failures_when_they_sign_in(empty: Workspace) -> None:
    given(empty, WRONG)
    assert empty.qms("login", "王强", person=None).code == 4
    given(empty, PASSPHRASE)
    assert "注意" not in empty.qms("login", "陈晓", person=None).out
    told = empty.qms("login", "林静", person=None).out.splitlines()
    assert len(told) == 2
    assert told[1].startswith("注意：")
    assert told[1].endswith("有人以“王强”登录失败 1 次。")
    assert "注意" not in empty.qms("login", "林静", person=None).out
    failures = data(empty.qms("--json", "login", "周明", person=None))["failures"]
    assert [(item["claimed"], item["event"]) for item in failures] == [("王强", "sign-in-failed")]


def test_failures_of_a_kind_are_told_in_one_line_and_those_at_signing_by_their_name(empty: Workspace) -> None:
    assert empty.qms("login", "王强", person=None).code == 0
    given(empty, WRONG)
    for wanted in ("陈晓", "陈晓", "没有这人"):
        assert empty.qms("login", wanted, person=None).code in {3, 4}
    with closing(empty.open()) as application:
        application.ask = lambda _question: PassphraseAnswer(WRONG)
        for _ in range(2):
            with pytest.raises(PassphraseWrongError):
                application.person("王强").ready("批准")
    given(empty, PASSPHRASE)
    told = [
        line[line.index(" 在 ") :].split(" ", 3)[3]
        for line in empty.qms("login", "林静", person=None).out.splitlines()[1:]
    ]
    assert told == [
        "“王强”签名时口令或工号错误 2 次。",
        "有人以不在册的姓名登录失败 1 次。",
        "有人以“陈晓”登录失败 2 次。",
    ]


# -- asked again


def test_what_decides_is_signed_only_with_the_passphrase_given_again(workspace: Workspace) -> None:
    edited(workspace)
    answer = at_terminal(workspace, "--as", "林静", "change", "adopt", *REASON)
    assert (answer.code, "passphrase-needed" in answer.err) == (4, True)
    given(workspace, WRONG)
    refused = workspace.qms("change", "adopt", *REASON, person="林静")
    assert (refused.code, "passphrase-wrong" in refused.err) == (4, True)
    assert [item["path"] for item in data(workspace.qms("--json", "change", "status"))] == [POSTS]


class Terminal:
    """A person at a terminal who answers what is asked, hidden or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self.hidden: list[str] = []
        self.shown: list[str] = []
        self._answers = list(answers)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr("click.termui.hidden_prompt_func", self._hidden)
        monkeypatch.setattr("click.termui.visible_prompt_func", self._shown)

    def _hidden(self, prompt: str = "") -> str:
        self.hidden.append(prompt.strip())
        return self._answers.pop(0)

    def _shown(self, prompt: str = "") -> str:
        self.shown.append(prompt.strip())
        return self._answers.pop(0)


def asked(answer: Answer, terminal: Terminal) -> Sequence[str]:
    """Return what was asked without being shown, wherever click writes its prompts."""
    lines = [line for line in answer.err.replace(": ", ":\n").splitlines() if line.endswith(":")]
    return [line.rstrip(": ") for line in (*lines, *terminal.hidden) if line.strip(" :")]


def test_at_a_terminal_passphrases_are_asked_hidden(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, PASSPHRASE)
    answer = at_terminal(empty, "login", "林静")
    assert answer.code == 0, answer.err
    assert asked(answer, terminal) == ["林静的签名口令"]
    assert (terminal.shown, len(terminal.hidden)) == ([], 1)
    assert "签名口令" not in answer.out


def test_without_terminal_or_file_nothing_is_asked(empty: Workspace) -> None:
    answer = at_terminal(empty, "login", "林静")
    assert (answer.code, "passphrase-needed" in answer.err, "--passphrase-file" in answer.err) == (4, True, True)


def test_with_json_nothing_is_asked_even_at_a_terminal(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, PASSPHRASE)
    answer = at_terminal(empty, "--json", "login", "林静")
    assert (answer.code, data(answer)["error"]["code"]) == (4, "passphrase-needed")
    assert terminal.hidden == []


def test_the_meaning_is_said_when_the_passphrase_is_asked_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited(workspace)
    terminal = Terminal(monkeypatch, PASSPHRASE)
    answer = at_terminal(workspace, "--as", "林静", "change", "adopt", *REASON)
    assert answer.code == 0, answer.err
    assert asked(answer, terminal) == ["以“批准”签名，林静的口令"]


def test_part11_asks_for_the_id_at_the_first_signature_and_then_for_the_passphrase(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing = workspace.folder / "signatures/signing.yml"
    signing.write_bytes(signing.read_bytes().replace(b"profile: gsp-cn", b"profile: part11"))
    assert workspace.qms("change", "adopt", *REASON, person="林静").code == 0
    assert workspace.qms("login", "林静").code == 0
    terminal = Terminal(monkeypatch, "p002", PASSPHRASE, PASSPHRASE)
    for place in range(2):
        edited(workspace)
        answer = at_terminal(workspace, "--as", "林静", "change", "adopt", *REASON)
        assert answer.code == 0, answer.err
        assert (len(terminal.shown), len(terminal.hidden)) == (1, place + 1)


# -- changing a passphrase


def test_a_passphrase_is_changed_and_the_old_one_opens_nothing_more(empty: Workspace) -> None:
    given(empty, f"p002: {PASSPHRASE}", f"p002.new: {NEW}")
    answer = empty.qms("passphrase", "林静", person=None)
    assert (answer.code, answer.out) == (0, "林静的签名口令已更换。\n")
    assert newest(empty)[:2] == (Event.PASSPHRASE_CHANGED, "p002")
    assert NEW not in answer.out + answer.err
    given(empty, NEW)
    assert empty.qms("login", "林静", person=None).code == 0
    given(empty, PASSPHRASE)
    assert empty.qms("login", "林静", person=None).code == 4


@pytest.mark.parametrize(("new", "says"), [("12345678901", "只有数字"), (PASSPHRASE, "与现在的口令相同")])
def test_a_passphrase_that_is_weak_or_the_old_one_is_refused(empty: Workspace, new: str, says: str) -> None:
    given(empty, f"p002: {PASSPHRASE}", f"p002.new: {new}")
    answer = empty.qms("passphrase", "p002", person=None)
    assert (answer.code, "passphrase-too-weak" in answer.err, says in answer.err) == (4, True, True)
    assert empty.qms("login", "林静", person=None).code == 0


def test_at_a_terminal_a_new_passphrase_is_typed_twice(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    Terminal(monkeypatch, PASSPHRASE, *(NEW, WRONG) * 3)
    answer = at_terminal(empty, "passphrase", "林静")
    assert (answer.code, "passphrases-differ" in answer.err) == (4, True)
    terminal = Terminal(monkeypatch, PASSPHRASE, NEW, NEW)
    answer = at_terminal(empty, "passphrase", "林静")
    assert answer.code == 0, answer.err
    assert asked(answer, terminal) == ["林静现在的口令", "新口令", "再输入一次新口令"]
    given(empty, NEW)
    assert data(empty.qms("--json", "login", "林静", person=None))["person"] == "p002"


# -- the passphrase file


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((PASSPHRASE,), id="for everybody"),
        pytest.param((f"p003: {WRONG}", f"p002: {PASSPHRASE}"), id="by id"),
        pytest.param((f"陈晓: {WRONG}", f"林静: {PASSPHRASE}"), id="by name"),
        pytest.param((f"\ufeffp002: {PASSPHRASE}", ""), id="as Windows editors write it"),
        pytest.param((f"p002: {PASSPHRASE}", WRONG), id="by id before everybody's"),
        pytest.param((f"p003：{WRONG}", f"p002：{PASSPHRASE}"), id="with the colon of a Chinese keyboard"),
        pytest.param((f"陈晓： {WRONG}", f"林静： {PASSPHRASE}"), id="with that colon and a space"),
    ],
)
def test_a_file_gives_the_passphrase_of_the_person(empty: Workspace, lines: tuple[str, ...]) -> None:
    given(empty, *lines)
    assert empty.qms("login", "林静", person=None).code == 0


@pytest.mark.parametrize(
    "lines", [pytest.param((), id="empty"), pytest.param((f"p003: {PASSPHRASE}",), id="of somebody else")]
)
def test_a_file_without_the_persons_passphrase_is_named_and_nothing_counted(
    empty: Workspace, lines: tuple[str, ...]
) -> None:
    given(empty, *lines)
    answer = empty.qms("login", "林静", person=None)
    assert (answer.code, "passphrase-file-unusable" in answer.err, "林静" in answer.err) == (6, True, True)
    assert PASSPHRASE not in answer.err
    assert newest(empty)[0] is not Event.SIGN_IN_FAILED


def test_a_file_that_cannot_be_read_is_named(empty: Workspace, tmp_path: Path) -> None:
    given(empty, PASSPHRASE, encoding="gb18030")
    answer = empty.qms("login", "林静", person=None)
    assert (answer.code, "passphrase-file-unusable" in answer.err) == (6, True)
    empty.passphrases.unlink()
    answer = empty.qms("login", "林静", person=None)
    assert (answer.code, str(tmp_path / "passphrases.txt") in answer.err) == (6, True)
