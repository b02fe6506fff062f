"""21 CFR 11.100 to 11.300: persons, identification codes and passphrases, shown one by one."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.adapters.key_file import in_memory
from controller.adapters.pkcs12_file import unprotect
from controller.domain.identifiers import Digest
from controller.domain.passphrase import attempt_delay
from controller.file_formats.canonical_json import encode
from controller.file_formats.signature_file import detached_signature
from tests.compliance.evidence import (
    NEW,
    REASON,
    WRONG,
    ZONE,
    answers,
    archived,
    at_terminal,
    clock_moves,
    done,
    entries,
    file_call,
    findings,
    folder_of,
    intrude,
    nobody_signed_in,
    openssl_accepts,
    part11,
    passphrases,
    refused,
    trail,
)
from tests.conftest import PASSPHRASE
from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Answer, Workspace


_LABEL = "customer_name=江城市第二人民医院"


def test_p11_21_an_account_is_disabled_and_never_given_to_somebody_else(workspace: Workspace) -> None:
    """人员停用后，工号不能再给别人，也不能恢复；每个人的证书和密钥都不同。"""
    assert workspace.qms("person", "retire", "刘洋", "--reason", "离职", "--yes", person="周明").code == 0
    new = ("person", "add", "郑浩", "--post", "service_engineer", "--check", "身份证 尾号 1234")
    again = workspace.qms(*new, "--id", "p006", person="周明")
    assert again.code == 4, again.out
    assert done(workspace.qms("--json", *new, person="周明"))["id"] not in {f"p{item:03d}" for item in range(1, 9)}
    assert workspace.qms("person", "certify", "刘洋", "--acknowledged", person="周明").code != 0
    pems = [data for path, data in archived(workspace).items() if path.startswith("certificates/")]
    shown = [
        subprocess.run(
            [need("openssl"), "x509", "-noout", "-subject", "-pubkey"], input=pem, capture_output=True, check=True
        ).stdout.decode()
        for pem in pems
    ]
    assert len({item.partition("-----BEGIN")[2] for item in shown}) == len(shown) == 9


def test_p11_22_identity_is_checked_before_a_signature_is_given(workspace: Workspace) -> None:
    """登记人员必须写明核对了什么证件；证书要两个人当面见证后才能用，在那以前登录被拒绝。"""
    add = ("person", "add", "郑浩", "--post", "sales_clerk")
    assert "--check" in workspace.qms(*add, person="周明").err
    assert workspace.qms(*add, "--check", "身份证 尾号 1234", person="周明").code == 0
    statement = json.loads(archived(workspace)["people/p009/0001.json"])
    assert (statement["new"]["identity_check"], statement["by"]["name"]) == ("身份证 尾号 1234", "周明")
    passphrases(workspace, f"p009: {NEW}", PASSPHRASE)
    assert workspace.qms("person", "certify", "郑浩", "--acknowledged", person=None).code == 0
    for witness in ("周明", "林静"):
        refused_login = workspace.qms("login", "郑浩", person=None)
        assert (refused_login.code, "certificate-not-counting" in refused_login.err) == (4, True)
        assert workspace.qms("person", "confirm", "郑浩", "--yes", person=witness).code == 0
    assert workspace.qms("login", "郑浩", person=None).code == 0


def decide(workspace: Workspace, number: str, *, person: str = "林静") -> Answer:
    """Do what `gsp-cn` takes for a decision: a correction."""
    return workspace.qms("record", "correct", number, "--set", _LABEL, *REASON, person=person)


def test_p11_24_signing_takes_id_and_passphrase(workspace: Workspace) -> None:
    """登录要工号（或姓名）和口令两样：口令不对不行，用别人的口令不行，不说是谁也不行。"""
    nobody_signed_in(workspace)
    passphrases(workspace, "p002: " + PASSPHRASE, "p003: " + WRONG)
    assert "passphrase-wrong" in workspace.qms("login", "陈晓", person=None).err
    passphrases(workspace, WRONG)
    assert "passphrase-wrong" in workspace.qms("login", "林静", person=None).err
    passphrases(workspace, PASSPHRASE)
    assert workspace.qms("login", person=None).code == 2
    assert workspace.qms("login", "林静", person=None).code == 0


def test_p11_24_both_profiles_refuse_a_signature_without_them(workspace: Workspace) -> None:
    """默认方式：更正、批准等决定性签名须再输口令；part11 方式：每个签名都须输口令。没有口令就没有签名。"""
    number = file_call(workspace)
    words = ["record", "correct", number, "--set", _LABEL, *REASON]
    assert "passphrase-needed" in at_terminal(workspace, "--as", "林静", *words).err
    filling = ["--as", "陈晓", "record", "advance", number, "--set", "product_text=输液泵"]
    assert at_terminal(workspace, *filling).code == 0
    part11(workspace)
    filling[-1] = "urgent=否"
    more = [*filling[:-1], "reported_to=质量负责人林静"]
    assert "passphrase-needed" in at_terminal(workspace, *more).err
    assert [item["act"] for _, item in entries(workspace, number)] == ["opened", "filled"]
    passphrases(workspace, WRONG)
    assert "passphrase-wrong" in workspace.qms(*more[2:]).err
    passphrases(workspace, PASSPHRASE)
    assert workspace.qms(*more[2:]).code == 0


def test_p11_25_the_first_signature_asks_for_everything_later_ones_for_the_passphrase(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """part11 方式：登录后第一次签名问工号和口令，连续使用中以后每次问口令；工号或口令不对就不签。"""
    part11(workspace)
    assert workspace.qms("login", "陈晓", person=None).code == 0
    number = file_call_at_terminal(workspace, monkeypatch, "p003", PASSPHRASE)
    filling = ("--as", "陈晓", "record", "advance", number, "--set")
    asked = answers(monkeypatch, PASSPHRASE)
    assert at_terminal(workspace, *filling, "product_text=输液泵").code == 0
    assert [kind for kind, _ in asked] == ["hidden"]
    asked = answers(monkeypatch, WRONG)
    answer = at_terminal(workspace, *filling, "reported_to=质量负责人林静")
    assert (answer.code, len(asked), "passphrase-wrong" in answer.err) == (4, 1, True)
    assert len(entries(workspace, number)) == 2


def file_call_at_terminal(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, *given: str) -> str:
    """File a call as the first signature of a sitting; the id and the passphrase are asked for."""
    from tests.compliance.evidence import call

    before = {path for path in archived(workspace) if path.endswith("/0001.json")}
    asked = answers(monkeypatch, *given)
    values = workspace.values("call.yml", call())
    answer = at_terminal(workspace, "--as", "陈晓", "record", "new", "XX-YLQXJL-013", "--values", values)
    assert answer.code == 0, answer.err
    assert [kind for kind, _ in asked] == ["shown", "hidden"]
    (made,) = {path for path in archived(workspace) if path.endswith("/0001.json")} - before
    return made.split("/")[-2]


def test_p11_25_a_wrong_id_with_the_right_passphrase_does_not_sign(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """part11 方式：第一次签名时工号不对，即使口令对也不签，并记入审计追踪。"""
    number = file_call(workspace)
    part11(workspace)
    assert workspace.qms("login", "陈晓", person=None).code == 0
    answers(monkeypatch, "p002", PASSPHRASE)
    answer = at_terminal(workspace, "--as", "陈晓", "record", "advance", number, "--set", "product_text=输液泵")
    assert (answer.code, "passphrase-wrong" in answer.err) == (4, True)
    assert len(entries(workspace, number)) == 1
    assert trail(workspace, "--failures")[-1]["claimed"] == "p002"


@pytest.mark.parametrize("profile", ["gsp-cn", "part11"])
def test_p11_26_after_idling_everything_is_asked_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    """两种方式都一样：三十分钟不操作，登录失效，须重新用工号和口令登录；part11 方式下第一次签名又问全部。"""
    if profile == "part11":
        part11(workspace)
    assert workspace.qms("login", "陈晓", person=None).code == 0
    number = file_call(workspace)
    clock_moves(monkeypatch, timedelta(minutes=31))
    answer = workspace.qms("record", "advance", number, "--set", "product_text=输液泵")
    assert (answer.code, "sign-in-needed" in answer.err) == (4, True)
    assert workspace.qms("login", "陈晓", person=None).code == 0
    if profile == "part11":
        file_call_at_terminal(workspace, monkeypatch, "p003", PASSPHRASE)
    else:
        assert workspace.qms("record", "advance", number, "--set", "product_text=输液泵").code == 0


def test_p11_26_a_sitting_ends_after_its_hours_even_when_it_is_used(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """一直在操作的人，四小时后也须重新登录。"""
    assert workspace.qms("login", "陈晓", person=None).code == 0
    for minutes in range(20, 260, 20):
        clock_moves(monkeypatch, timedelta(minutes=minutes))
        answer = workspace.qms("record", "print", "XX-YLQXJL-013-2026-0001", "--out", "x.docx")
        expected = "record-unknown" if minutes < 240 else "sign-in-needed"
        assert expected in answer.err, (minutes, answer.err)


def test_p11_27_a_passphrase_is_kept_nowhere_and_alone_opens_the_key(workspace: Workspace, tmp_path: Path) -> None:
    """口令不存在任何文件里；密钥文件只有用本人的口令才打得开（用 openssl 核对：对的打开，错的打不开）。"""
    assert workspace.qms("login", "林静", person=None).code == 0
    file_call(workspace)
    for folder in (workspace.folder, tmp_path / "keys"):
        for path in folder.rglob("*"):
            assert not path.is_file() or PASSPHRASE.encode() not in path.read_bytes(), path
    assert PASSPHRASE.encode() not in b"".join(archived(workspace).values())
    key = next((tmp_path / "keys").rglob("p002.p12"))
    assert key.stat().st_mode & 0o077 == 0
    assert (opened(key, PASSPHRASE), opened(key, WRONG), opened(key, "")) == (True, False, False)


def test_p11_27_another_person_at_the_computer_cannot_sign_for_one(workspace: Workspace) -> None:
    """同一台电脑上登录的别人，不能以你的名义作决定性签名：要的是你的口令，不是他的。"""
    number = file_call(workspace)
    passphrases(workspace, f"p004: {PASSPHRASE}", f"p002: {WRONG}")
    answer = decide(workspace, number, person="林静")
    assert (answer.code, "passphrase-wrong" in answer.err) == (4, True)
    assert len(entries(workspace, number)) == 1
    assert trail(workspace, "--failures")[-1]["claimed"] == "林静"


@pytest.fixture
def issued_alone(workspace: Workspace) -> Workspace:
    """周明, who keeps the authority's key and its passphrase, makes a certificate in 林静's name for himself."""
    passphrases(workspace, f"p002: {NEW}", PASSPHRASE)
    answer = workspace.qms("person", "certify", "林静", "--acknowledged", person="周明")
    assert answer.code == 0, answer.err
    assert "还差 2 位见证人" in answer.out
    return workspace


def test_p11_28_the_keeper_of_the_authority_alone_cannot_sign_as_another(issued_alone: Workspace) -> None:
    """管证书的人自己给别人名下发一张证书：用它登录不了；他一个人见证不够，也不能见证两次；本人的证书照常有效。"""
    assert "passphrase-wrong" in issued_alone.qms("login", "林静", person=None).err
    assert "还差 1 位见证人" in issued_alone.qms("person", "confirm", "林静", "--yes", person="周明").out
    again = issued_alone.qms("person", "confirm", "林静", "--yes", person="周明")
    assert (again.code, "already-witnessed" in again.err) == (4, True)
    assert "passphrase-wrong" in issued_alone.qms("login", "林静", person=None).err
    passphrases(issued_alone, PASSPHRASE)
    assert issued_alone.qms("login", "林静", person=None).code == 0


def opened(path: Path, passphrase: str) -> bool:
    """Tell whether the passphrase opens a key file, as openssl tells it."""
    words = ["pkcs12", "-in", str(path), "-nodes", "-passin", f"pass:{passphrase}"]
    seen = subprocess.run([need("openssl"), *words], capture_output=True, check=False)
    return b"PRIVATE KEY-----" in seen.stdout


def test_p11_28_what_is_signed_with_such_a_certificate_is_named_by_verify(issued_alone: Workspace) -> None:
    """绕过软件，用这样的证书签一个条目放进档案：签名在数学上正确，检查仍报不符合，因为没有人见证过。"""
    number = file_call(issued_alone)
    assert findings(issued_alone) == (0, [])
    waiting = next(path for path in (issued_alone.folder.parent / "keys").rglob("p002*.p12") if opened(path, NEW))
    key = in_memory(*unprotect(waiting.read_bytes(), NEW))
    _, before = entries(issued_alone, number)[0]
    now = datetime.now(ZONE).replace(microsecond=0)
    forged = {
        **before, "sequence": "2", "act": "corrected", "at": now.isoformat(), "meaning": "更正",
        "reason": "冒名更正内容",
        "previous": Digest.of(archived(issued_alone)[f"{folder_of(number)}/0001.json"]).text,
        "by": {"person": "p002", "name": "林静", "post": "质量负责人"},
        "certificate": Digest.of(key.certificate).text, "values": {"mode": "来访"}, "sealed": {},
    }  # fmt: skip
    content = encode(forged)
    p7s = detached_signature(content, at=now, key=key)
    assert openssl_accepts(issued_alone, p7s, content)
    folder = folder_of(number)
    intrude(issued_alone, {f"{folder}/0002.json": content, f"{folder}/0002.p7s": p7s})
    code, found = findings(issued_alone)
    named = [item for item in found if number in json.dumps(item, ensure_ascii=False)]
    assert (code, any("见证" in json.dumps(item, ensure_ascii=False) for item in named)) == (1, True), found


def test_p11_30_id_and_passphrase_together_are_one_persons(workspace: Workspace) -> None:
    """工号不重复；即使两人碰巧设了同样的口令，各自打开的也是不同的密钥，签名互不相同。"""
    new = ("person", "add", "郑浩", "--post", "sales_clerk", "--check", "身份证 尾号 1234")
    assert workspace.qms(*new, "--id", "p002", person="周明").code == 4
    with closing(workspace.open()) as application:
        keys = [application.personal_keys.unlock(f"p{item:03d}", PASSPHRASE).certificate for item in range(1, 9)]
    assert len(set(keys)) == 8


def test_p11_31_a_passphrase_must_be_changed_in_time(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """口令满一年须更换，不换不能登录；太弱的、与现在相同的不收；期限和长度是受控的设置。"""
    nobody_signed_in(workspace)
    clock_moves(monkeypatch, timedelta(days=366))
    late = workspace.qms("login", "林静", person=None)
    assert (late.code, "passphrase-expired" in late.err) == (4, True)
    for weak in ("12345678901", PASSPHRASE):
        passphrases(workspace, f"p002: {PASSPHRASE}", f"p002.new: {weak}")
        assert "passphrase-too-weak" in workspace.qms("passphrase", "林静", person=None).err
    passphrases(workspace, f"p002: {PASSPHRASE}", f"p002.new: {NEW}")
    assert workspace.qms("passphrase", "林静", person=None).code == 0
    passphrases(workspace, NEW)
    assert workspace.qms("login", "林静", person=None).code == 0
    assert trail(workspace, "--action", "更换口令")[-1]["name"] == "林静"


def test_p11_31_a_certificate_ends_after_three_years(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """证书三年到期，到期不能登录、不能签名；到期以前的签名仍然有效。"""
    file_call(workspace)
    clock_moves(monkeypatch, timedelta(days=3 * 366))
    late = workspace.qms("login", "林静", person=None)
    assert (late.code, "certificate-not-counting" in late.err) == (4, True)
    assert findings(workspace) == (0, [])


def test_p11_32_a_lost_key_is_disabled_at_once_and_replaced_before_witnesses(workspace: Workspace) -> None:
    """吊销立即生效，连已登录的也不能再签；以前的签名仍有效；补发要重新由两人见证。"""
    number = file_call(workspace, person="王强")
    revoked = workspace.qms("person", "revoke", "王强", "--reason", "电脑被盗", "--yes", person="周明")
    assert revoked.code == 0, revoked.err
    words = ("record", "advance", number, "--set", "product_text=输液泵")
    assert workspace.qms(*words, person="王强").code == 4
    assert workspace.qms("login", "王强", person=None).code != 0
    assert findings(workspace) == (0, [])
    passphrases(workspace, f"p004: {NEW}", PASSPHRASE)
    assert "还差 2 位见证人" in workspace.qms("person", "certify", "王强", "--acknowledged", person=None).out
    for witness in ("周明", "林静"):
        assert workspace.qms("login", "王强", person=None).code == 4
        assert workspace.qms("person", "confirm", "王强", "--yes", person=witness).code == 0
    assert workspace.qms("login", "王强", person=None).code == 0
    assert workspace.qms(*words, person="王强").code == 0
    assert findings(workspace) == (0, [])


def test_p11_33_guessing_is_delayed_locked_written_down_and_told(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """口令猜错一次比一次等得久，五次锁定，锁定时连对的口令也不行；每次都在审计追踪里，质量负责人一登录就看到。"""
    waits: list[int] = []

    def noted(count: int) -> int:
        waits.append(attempt_delay(count))
        return 0

    monkeypatch.setattr("controller.services.signing_in.attempt_delay", noted)
    nobody_signed_in(workspace)
    passphrases(workspace, WRONG)
    for _ in range(5):
        assert "passphrase-wrong" in workspace.qms("login", "王强", person=None).err
    passphrases(workspace, PASSPHRASE)
    assert "sign-in-locked" in workspace.qms("login", "王强", person=None).err
    assert waits == [0, 1, 2, 4, 8]
    failures = trail(workspace, "--failures")
    assert [item["action"] for item in failures] == ["登录失败"] * 5 + ["登录被锁定"]
    assert {(item["claimed"], item["signed"], bool(item["computer"])) for item in failures} == {
        ("王强", "nobody", True)
    }
    told = workspace.qms("login", "林静", person=None).out
    assert "有人以“王强”登录失败 6 次" in told
    assert "登录失败" not in workspace.qms("login", "陈晓", person=None).out
    clock_moves(monkeypatch, timedelta(minutes=16))
    assert workspace.qms("login", "王强", person=None).code == 0


def test_p11_33_an_act_beyond_ones_posts_is_refused_and_told(workspace: Workspace) -> None:
    """登录的人做自己无权的事：被拒绝，以他的名义记入审计追踪，可单独列出。"""
    number = file_call(workspace)
    answer = workspace.qms("record", "void", number, *REASON, person="王强")
    event = refused(workspace, answer, "stage-refused")
    assert (event["name"], event["failure"]) == ("王强", True)
