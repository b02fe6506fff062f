"""`qms person`: what people type and what they are told."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from docx import Document

from controller.cli.main import main
from tests.conftest import PASSPHRASE
from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

NEW = "灯塔-92-银杏-雨"


def data(workspace: Workspace, *words: str, person: str | None = "周明") -> dict[str, object]:
    answer = workspace.qms("--json", *words, person=person)
    assert answer.code == 0, answer.err + answer.out
    found = json.loads(answer.out)
    assert isinstance(found, dict)
    return found


def add(workspace: Workspace) -> dict[str, object]:
    workspace.passphrases.write_text(f"p009: {NEW}\n{PASSPHRASE}\n", encoding="utf-8")
    return data(
        workspace,
        "person",
        "add",
        "郑浩",
        "--post",
        "购销员:2026-01-01",
        "--post",
        "team_leader",
        "--check",
        "身份证 1234",
    )


def test_the_list_says_who_can_sign(workspace: Workspace) -> None:
    answer = workspace.qms("person", "list")
    assert answer.code == 0
    rows = [line.split("\t") for line in answer.out.splitlines()]
    assert rows[0] == ["工号", "姓名", "岗位", "证书"]
    assert rows[2][:3] == ["p002", "林静", "质量负责人"]
    assert "有效至 2029-01-0" in rows[2][3]
    assert len(rows) == 9


def test_a_new_person_from_adding_to_the_first_login(workspace: Workspace) -> None:
    added = add(workspace)
    assert (added["id"], added["certificate"], added["active"]) == ("p009", None, True)
    assert added["posts"][0] == {"post": "sales_clerk", "since": "2026-01-01", "until": None}  # type: ignore[index]
    certified = data(workspace, "person", "certify", "郑浩", "--acknowledged", person=None)
    assert (certified["missing_witnesses"], certified["certificate"]) == (2, None)
    assert "还差 2 位见证人" in workspace.qms("person", "list").out
    assert "申请中，未生效（还差 2 位见证人）" in workspace.qms("person", "show", "郑浩").out
    assert workspace.qms("login", "郑浩", person=None).code == 4
    first = workspace.qms("person", "confirm", "郑浩", "--yes", person="周明")
    assert (first.code, "还差 1 位见证人" in first.out) == (0, True)
    second = data(workspace, "person", "confirm", "--yes", person="林静")
    assert second["missing_witnesses"] == 0
    assert second["certificate"]["digest"] == certified["new_certificate"]  # type: ignore[index]
    assert workspace.qms("login", "郑浩", person=None).code == 0
    shown = workspace.qms("person", "show", "郑浩")
    assert "见证人：周明、林静" in shown.out
    assert "购销员（2026-01-01 起）" in shown.out


def test_without_a_terminal_what_is_missing_is_named(workspace: Workspace) -> None:
    assert "请写明 姓名" in workspace.qms("person", "add").err
    assert "--post" in workspace.qms("person", "add", "郑浩", person="周明").err
    assert "--check" in workspace.qms("person", "add", "郑浩", "--post", "sales_clerk", person="周明").err
    add(workspace)
    refused = workspace.qms("person", "certify", "郑浩")
    assert (refused.code, "acknowledgement-needed" in refused.err) == (4, True)
    data(workspace, "person", "certify", "郑浩", "--acknowledged")
    assert "--yes" in workspace.qms("person", "confirm", "郑浩", person="周明").err
    assert "--yes" in workspace.qms("person", "retire", "郑浩", "--reason", "离职", person="周明").err


def test_posts_go_on_from_the_day_they_began(workspace: Workspace) -> None:
    add(workspace)
    changed = data(
        workspace,
        "person",
        "posts",
        "郑浩",
        "--post",
        "sales_clerk",
        "--post",
        "组长:2026-02-01..2026-12-31",
        "--reason",
        "任命",
    )
    assert changed["posts"] == [
        {"post": "sales_clerk", "since": "2026-01-01", "until": None},
        {"post": "team_leader", "since": "2026-02-01", "until": "2026-12-31"},
    ]
    wrong = workspace.qms("person", "posts", "郑浩", "--post", "sales_clerk:soon", "--reason", "任命", person="周明")
    assert wrong.code == 2
    assert "日期写法不对" in wrong.err


def test_an_act_of_somebody_without_the_post_is_refused(workspace: Workspace) -> None:
    refused = workspace.qms("person", "retire", "刘洋", "--reason", "离职", "--yes", person="王强")
    assert (refused.code, "post-needed" in refused.err) == (4, True)


def test_retiring_and_revoking_are_told(workspace: Workspace) -> None:
    retired = data(workspace, "person", "retire", "刘洋", "--reason", "离职", "--yes")
    assert (retired["id"], retired["active"]) == ("p006", False)
    assert "刘洋" not in workspace.qms("person", "list").out
    assert "已停用" in workspace.qms("person", "list", "--all").out
    revoked = data(workspace, "person", "revoke", "王强", "--reason", "电脑被盗", "--yes")
    assert revoked["certificate"] is None
    assert "证书已吊销" in workspace.qms("person", "list").out
    assert workspace.qms("person", "rotate", "王强", "--acknowledged").code == 3


def test_a_new_root_is_made_by_two(workspace: Workspace) -> None:
    alone = workspace.qms("person", "replace-authority", "--reason", "密钥丢失", "--yes", person="周明")
    assert (alone.code, "second-person-needed" in alone.err) == (4, True)
    done = data(workspace, "person", "replace-authority", "--with", "林静", "--reason", "密钥丢失", "--yes")
    assert done["in_force"] is True
    shown = workspace.qms("person", "show", "王强").out
    assert "应重新登记" in shown


def test_the_sheet_shows_what_openssl_shows(workspace: Workspace, tmp_path: Path) -> None:
    need("openssl")
    target = tmp_path / "指纹单.docx"
    data(workspace, "person", "sheet", "--out", str(target))
    document = Document(io.BytesIO(target.read_bytes()))
    lines = [paragraph.text for paragraph in document.paragraphs]
    cells = [cell.text for row in document.tables[0].rows for cell in row.cells]
    root = workspace.folder / "signatures" / "ca" / "ca.pem"
    shown = subprocess.run(
        ["openssl", "x509", "-in", str(root), "-noout", "-fingerprint", "-sha256"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    digits = shown.rpartition("=")[2].strip()
    assert digits.replace(":", "").lower() in "".join(lines).replace(" ", "")
    assert digits.replace(":", "") in "".join(lines).replace(":", "")
    assert "（公章）" in "".join(lines)
    assert cells.count("周明") == 1
    certificate = data(workspace, "person", "show", "周明")["certificate"]
    assert isinstance(certificate, dict)
    assert certificate["fingerprint"].replace(":", "").lower() in "".join("".join(cells).split())
    again = workspace.qms("person", "sheet", "--out", str(target), person="周明")
    assert (again.code, "--force" in again.err) == (4, True)
    assert workspace.qms("person", "sheet", "--out", "x.txt", person="周明").code == 2


@pytest.mark.slow
def test_the_sheet_prints_as_pdf(workspace: Workspace, tmp_path: Path) -> None:
    need("pdftotext")
    target = tmp_path / "sheet.pdf"
    data(workspace, "person", "sheet", "--out", str(target))
    text = subprocess.run(["pdftotext", "-layout", str(target), "-"], capture_output=True, check=True).stdout.decode(
        "utf-8"
    )
    assert "电子签名证书指纹单" in text
    assert "（公章）" in text


def test_keys_are_backed_up_and_restored_with_a_word_in_the_trail(workspace: Workspace, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    done = data(workspace, "person", "backup", str(backup))
    assert "keys/p001.p12" in done["keys"]  # type: ignore[operator]
    lost = next((tmp_path / "keys").rglob("p004.p12"))
    lost.unlink()
    restored = data(workspace, "person", "restore", str(backup))
    assert restored["keys"] == ["keys/p004.p12"]
    assert lost.is_file()
    with_trail = workspace.open()
    events = [item.statement.event.value for item in with_trail.statements.recent("trail", 5)]
    with_trail.close()
    assert {"keys-backed-up", "keys-restored"} <= set(events)


def test_after_losing_every_key_the_backup_brings_them_back_and_one_signs_in_with_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    data(workspace, "person", "backup", str(backup))
    keys = next((tmp_path / "keys").rglob("p001.p12")).parent
    shutil.rmtree(keys)
    shutil.rmtree(keys.parent / "sittings")
    assert workspace.qms("person", "list").code == 0
    assert workspace.qms("login", "周明", person=None).code == 3
    restored = data(workspace, "person", "restore", str(backup))
    assert "keys/p001.p12" in restored["keys"]  # type: ignore[operator]
    assert workspace.qms("who", person=None).out.count("周明") == 1


def test_no_key_is_taken_back_before_the_trail_says_so(workspace: Workspace, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    data(workspace, "person", "backup", str(backup))
    keys = next((tmp_path / "keys").rglob("p001.p12")).parent
    shutil.rmtree(keys)
    shutil.rmtree(keys.parent / "sittings")
    workspace.passphrases.write_text("不是这个口令\n", encoding="utf-8")
    refused = workspace.qms("person", "restore", str(backup), person="周明")
    assert refused.code == 4
    assert not keys.exists()
    with closing(workspace.open()) as application:
        newest = next(iter(application.statements.recent("trail", 1))).statement
    assert (newest.event.value, newest.subject) == ("sign-in-failed", "p001")


def test_at_a_terminal_everything_is_asked_for_and_nothing_secret_is_shown(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts: list[str] = []
    secrets = [PASSPHRASE, NEW, NEW, PASSPHRASE]

    def hidden(prompt: str) -> str:
        prompts.append(prompt)
        return secrets.pop(0)

    monkeypatch.setattr("click.termui.hidden_prompt_func", hidden)
    monkeypatch.setattr("sys.stdin", _Terminal("郑浩\nsales_clerk team_leader\n身份证 尾号 1234\ny\n"))
    words = ["--workspace", str(workspace.folder)]
    added = main([*words, "--as", "周明", "person", "add"], "zh")
    certified = main([*words, "person", "certify", "郑浩"], "zh")
    shown = capsys.readouterr()
    assert (added, certified) == (0, 0), shown.err
    assert "本人对其后果负责" in shown.out
    assert [prompt.partition("（")[0].rstrip(": ") for prompt in prompts] == [
        "以“授权”签名，周明的口令",
        "郑浩的签名口令",
        "再输入一次",
        "企业证书口令",
    ]
    assert NEW not in shown.out + shown.err
    assert PASSPHRASE not in shown.out + shown.err


def at_terminal(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, words: list[str], *, typed: str, secrets: list[str]
) -> tuple[int, list[str]]:
    """Run `words` as if typed at a terminal; return how it ended and what was asked without being shown."""
    prompts: list[str] = []

    def hidden(prompt: str) -> str:
        prompts.append(prompt.partition("（")[0].rstrip(": "))
        return secrets.pop(0)

    with monkeypatch.context() as terminal:
        terminal.setattr("click.termui.hidden_prompt_func", hidden)
        terminal.setattr("sys.stdin", _Terminal(typed))
        code = main(["--workspace", str(workspace.folder), *words], "zh")
    assert secrets == []
    return code, prompts


def test_without_consent_no_passphrase_is_asked_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["person", "certify", "王强"]
    code, prompts = at_terminal(workspace, monkeypatch, words, typed="也许\n否\n", secrets=[])
    shown = capsys.readouterr()
    assert (code, prompts) == (4, [])
    assert "请回答“是”或“否”" in shown.err
    assert "acknowledgement-needed" in shown.err


def test_a_slip_at_a_new_passphrase_is_told_at_once_and_asked_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = ["短", NEW, NEW + "?", NEW, NEW, "不是企业证书口令", PASSPHRASE]
    words = ["person", "certify", "王强"]
    code, prompts = at_terminal(workspace, monkeypatch, words, typed="是\n", secrets=secrets)
    shown = capsys.readouterr()
    assert code == 0, shown.err
    own, again, keeper = "王强的签名口令", "再输入一次", "企业证书口令"
    assert prompts == [own, own, again, own, again, keeper, keeper]
    assert "口令至少 10 个字" in shown.err
    assert "王强的口令不能用：只有 1 个字" in shown.err
    assert "两次输入的口令不同" in shown.err
    assert "企业证书口令不对" in shown.err
    assert "生效之前，原来的证书和口令照常使用。" in shown.out


def test_after_three_slips_the_command_ends(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["person", "certify", "王强"]
    code, _ = at_terminal(workspace, monkeypatch, words, typed="y\n", secrets=["短", "短", "短"])
    assert (code, "passphrase-too-weak" in capsys.readouterr().err) == (4, True)


def test_an_application_in_ones_name_is_told_at_login_and_withdrawn(workspace: Workspace) -> None:
    workspace.passphrases.write_text(f"p004: {PASSPHRASE}\np004.new: {NEW}\n{PASSPHRASE}\n", encoding="utf-8")
    certified = data(workspace, "person", "certify", "王强", "--acknowledged", person=None)
    assert certified["certificate"]["counts"] is True  # type: ignore[index]
    assert "新证书申请中，未生效" in workspace.qms("person", "show", "王强").out
    told = workspace.qms("login", "王强", person=None)
    assert (told.code, "qms person certify 王强 --cancel" in told.out) == (0, True)
    assert "--reason" in workspace.qms("person", "certify", "王强", "--cancel", person="王强").err
    done = workspace.qms("person", "certify", "王强", "--cancel", "--reason", "不是本人申请", person="王强")
    assert (done.code, "证书申请已撤回" in done.out) == (0, True)
    assert "申请中" not in workspace.qms("person", "show", "王强").out
    assert workspace.qms("login", "王强", person=None).code == 0
    again = workspace.qms("person", "certify", "王强", "--cancel", "--reason", "再来一次", person="王强")
    assert (again.code, "nothing-to-confirm" in again.err) == (3, True)


def test_a_revoked_person_is_told_so_at_login_and_not_shown_as_signed_in(workspace: Workspace) -> None:
    data(workspace, "person", "revoke", "王强", "--reason", "电脑被盗", "--yes")
    refused = workspace.qms("login", "王强", person=None)
    assert (refused.code, "certificate-not-counting" in refused.err, "吊销" in refused.err) == (4, True, True)
    line = next(line for line in workspace.qms("who", person=None).out.splitlines() if "王强" in line)
    assert "登录已失效" in line
    assert [item["name"] for item in json.loads(workspace.qms("--json", "who").out) if not item["counts"]] == ["王强"]


def test_a_retired_person_is_shown_as_retired_by_name(workspace: Workspace) -> None:
    data(workspace, "person", "retire", "刘洋", "--reason", "离职", "--yes")
    assert "刘洋（p006），已停用" in workspace.qms("person", "show", "刘洋").out
    refused = workspace.qms("person", "certify", "刘洋", "--acknowledged")
    assert (refused.code, "刘洋已停用" in refused.err) == (4, True)
    assert "刘洋已停用" in workspace.qms("login", "刘洋", person=None).err


def test_confirming_without_a_name_says_who_waits(workspace: Workspace) -> None:
    nobody = workspace.qms("person", "confirm", "--yes", person="周明")
    assert (nobody.code, "没有人在等见证" in nobody.out) == (0, True)
    workspace.passphrases.write_text(f"p004.new: {NEW}\np006.new: {NEW}\n{PASSPHRASE}\n", encoding="utf-8")
    data(workspace, "person", "certify", "王强", "--acknowledged")
    second = workspace.qms("person", "certify", "刘洋", "--acknowledged")
    assert "请先办完一位的见证" in second.out
    several = workspace.qms("person", "confirm", "--yes", person="周明")
    assert (several.code, "王强、刘洋" in several.err) == (2, True)


def test_a_wrong_passphrase_of_the_authority_gets_advice_that_fits(workspace: Workspace) -> None:
    workspace.passphrases.write_text(f"p004.new: {NEW}\nauthority: 记错了的口令\n", encoding="utf-8")
    refused = workspace.qms("person", "certify", "王强", "--acknowledged")
    assert (refused.code, "authority-passphrase-wrong" in refused.err) == (4, True)
    assert "企业证书口令不对" in refused.err
    assert "replace-authority" in refused.err


class _Terminal(io.StringIO):
    """Answers as if typed at a terminal."""

    def isatty(self) -> bool:
        return True


def test_everything_done_about_people_stands_before_verify(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace)
    data(workspace, "person", "certify", "郑浩", "--acknowledged")
    data(workspace, "person", "confirm", "郑浩", "--yes")
    data(workspace, "person", "confirm", "郑浩", "--yes", person="林静")
    data(workspace, "person", "posts", "郑浩", "--post", "team_leader", "--reason", "任命")
    data(workspace, "person", "revoke", "王强", "--reason", "电脑丢失", "--yes")
    data(workspace, "person", "retire", "刘洋", "--reason", "离职", "--yes")
    data(workspace, "person", "backup", str(tmp_path / "backup"))
    data(workspace, "person", "replace-authority", "--with", "林静", "--reason", "密钥丢失", "--yes")
    answer = workspace.qms("--json", "verify")
    findings = json.loads(answer.out)["findings"]
    assert [item for item in findings if item["gravity"] == "error"] == []
    assert answer.code == 0
    assert {"certificate-under-old-root", "enrolment-witness-missing"} <= {item["code"] for item in findings}
    people = workspace.folder / "signatures" / "people.yml"
    people.write_text(people.read_text("utf-8").replace("team_leader", "general_manager"), encoding="utf-8")
    answer = workspace.qms("change", "adopt", "--reason", "自己升职", person="林静")
    assert answer.code == 4
