"""全部操作. Every command with which somebody acts, once each, and what it leaves in the archive.

A command that is missing here makes a proof fail: nobody can add one that leaves no trace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from controller.services.set_printing import DocumentSetPrinting
from tests.compliance.evidence import NEW, ZONE, call, done, file_call, file_complaint, outside_certificate
from tests.conftest import PASSPHRASE

if TYPE_CHECKING:
    import pytest

    from tests.conftest import Workspace

READING = frozenset(
    {
        "who", "doc signatures", "doc checklist", "doc blame", "doc as-of",
        "doc external", "doc lint", "doc list", "doc parse", "doc show",
        "doc links", "doc workload", "change status", "change list", "change show", "copy list", "review due",
        "review list", "training list", "form lint", "form list", "form show", "record list", "record search",
        "person list", "person show", "register lint", "register list", "index status", "timestamp compare",
        "timestamp list",
    }
)  # fmt: skip
"""Commands that show what is open to everybody who may use the computer, and change nothing."""
WORKSHOP = frozenset({"change discard", "form scaffold", "form compile", "index rebuild", "guard install"})
"""Commands that touch working files or what can be made again at any time; nothing of it counts until it is adopted."""
ELSEWHERE = frozenset({"init", "demo", "guard pre-receive"})
"""Commands that make another workspace, or are run by git on a server."""


@dataclass(frozen=True)
class Act:
    """One command, by whom it is done, and the event or act that it leaves."""

    words: tuple[str, ...]
    person: str | None
    leaves: str
    by: str = ""
    """Who the archive names, where that is not `person`."""
    out: bool = False
    """It hands something over in the folder `out`."""
    hours: int = 0
    """How far the computer's clock has gone wrong when it is done."""

    @property
    def command(self) -> str:
        """The command without its arguments."""
        return " ".join(self.words[: 1 if self.words[0] in SINGLE else 2])


COUNTERSIGNED = "countersigned"
"""A witness adds a signature to a statement of somebody else."""
SINGLE = frozenset({"login", "logout", "passphrase", "audit-trail", "verify"})
_REASON = ("--reason", "按实际情况更改")
ACTS = (
    Act(("record", "new", "XX-YLQXJL-013", "--values", "{call.yml}"), "陈晓", "opened"),
    Act(("record", "advance", "{call}", "--set", "product_text=输液泵"), "陈晓", "filled"),
    Act(("form", "blank", "XX-YLQXJL-013", "--out", "{out}/blank.docx"), "陈晓", "printed", out=True),
    Act(("record", "correct", "{call}", "--set", "customer_name=江城市第二人民医院", *_REASON), "林静", "corrected"),
    Act(("record", "import", "XX-YLQXJL-013", "{calls.jsonl}"), "赵敏", "opened"),
    Act(("record", "show", "{call}", "--unmask"), "林静", "unmasked"),
    Act(("record", "print", "{call}", "--out", "{out}/记录.docx"), "王强", "printed", out=True),
    Act(("record", "attachments", "{complaint}", "--out", "{out}/附件"), "林静", "exported", out=True),
    Act(("record", "browse", "--out", "{out}/浏览"), "吴涛", "exported", out=True),
    Act(
        ("record", "sheet", "{call}", "--meaning", "客户确认", "--out", "{out}/单.docx"), "刘洋", "printed", out=True
    ),
    Act(
        ("record", "paper", "{call}", "--meaning", "客户确认", "--signer", "何志远", "--outcome", "拒签",
         "--reason", "对处理结果有异议"),
        "赵敏", "signed-on-paper",
    ),
    Act(("record", "void", "{call}", *_REASON), "林静", "voided"),
    Act(("doc", "approve-set", "--edition", "A/0"), "周明", "document-signed"),
    Act(("doc", "sign", "CX-014", "--meaning", "起草"), "陈晓", "document-signed"),
    Act(("doc", "exempt", "--reason", "质管部只有一人", "--months", "6"), "周明", "document-signed"),
    Act(("doc", "sheet", "CX-015", "--meaning", "批准", "--out", "{out}/文件签署单.docx"), "刘洋", "printed", out=True),
    Act(("doc", "paper", "CX-015", "--meaning", "起草", "--signer", "王强", "--scan", "{scan.png}", "--unread"), "陈晓",
        "document-signed-on-paper"),
    Act(("doc", "scans", "CX-016", "--out", "{out}/扫描件"), "林静", "exported", out=True),
    Act(("doc", "checkout", "CX-017", "--out", "{out}/草稿.docx"), "王强", "checked-out", out=True),
    Act(("doc", "checkin", "{draft.docx}"), "王强", "checked-in"),
    Act(("doc", "history", "CX-014", "--html", "{out}/历史.html"), "吴涛", "printed", out=True),
    Act(("doc", "diff", "CX-014", "--working", "--html", "{out}/对比.html"), "吴涛", "printed", out=True),
    Act(("doc", "print", "CX-014", "--out", "{out}/程序.docx"), "孙丽", "printed", out=True),
    Act(("change", "open", "--document", "TZ-09", *_REASON), "陈晓", "change-opened"),
    Act(("change", "take", "{opened}"), "陈晓", "draft-saved"),
    Act(("change", "comment", "{opened}", "名称要与表单一致"), "林静", "change-commented"),
    Act(("change", "resolve", "{opened}", "1", "--answer", "已与表单核对"), "陈晓", "change-comment-resolved"),
    Act(("change", "cancel", "{opened}", *_REASON), "陈晓", "change-cancelled"),
    Act(("change", "submit", "{withdrawn}"), "陈晓", "change-submitted"),
    Act(("change", "return", "{withdrawn}", *_REASON), "林静", "change-returned"),
    Act(("change", "review", "{submitted}"), "林静", "change-reviewed"),
    Act(("change", "approve", "{submitted}", "--effective", "2099-01-01"), "周明", "change-approved"),
    Act(("change", "postpone", "{submitted}", "--to", "2099-02-01", *_REASON), "林静", "effect-postponed"),
    Act(("change", "issue", "{submitted}"), "陈晓", "change-issued"),
    Act(("change", "close", "{effective}", *_REASON), "陈晓", "change-closed"),
    Act(("copy", "issue", "CX-015", "--to", "售后服务部", "--out", "{out}/副本.pdf"), "陈晓", "copy-issued", out=True),
    Act(("copy", "receive", "CX-015", "--copy", "02"), "刘洋", "copy-received"),
    Act(("copy", "recall", "CX-015", "--copy", "02", *_REASON), "陈晓", "copy-recalled"),
    Act(("copy", "return", "CX-015", "--copy", "02", "--why", "破损"), "陈晓", "copy-returned"),
    Act(("copy", "lost", "CX-015", "--copy", "03", "--reason", "搬迁时丢失，已查找三天"), "陈晓", "copy-lost"),
    Act(("copy", "request-destruction", "CX-015", "--copy", "02", *_REASON, "--no-hold"), "陈晓", "opened"),
    Act(("copy", "destroy", "{destruction}"), "孙丽", "copy-destroyed"),
    Act(("copy", "confirm-destroyed", "{destruction}"), "吴涛", COUNTERSIGNED),
    Act(("review", "record", "CX-017", "--outcome", "继续有效", "--suitability", "适宜", "--adequacy", "充分",
         "--effectiveness", "有效"), "林静", "document-reviewed"),
    Act(("training", "assign", "CX-019", "--person", "王强"), "陈晓", "training-assigned"),
    Act(("training", "questions", "CX-018", "{questions.yml}"), "陈晓", "training-assigned"),
    Act(("training", "read", "CX-018", "--understood", "--answers", "1A 2错"), "孙丽", "training-understood"),
    Act(("training", "waive", "CX-018", "吴涛", "--reason", "外出培训，返岗后补读"), "林静", "training-waived"),
    Act(("training", "notice", "CX-018", "--post", "售后服务管理人员", "--out", "{out}/通知.html"), "陈晓", "printed",
        out=True),
    Act(("doc", "import", "{rules.txt}", "--number", "XX-YLQXCX-088", "--title", "仓库钥匙管理规程"), "林静",
        "library-changed"),
    Act(("register", "build", "TZ-16", "--out", "{out}/台账.xlsx"), "陈晓", "exported", out=True),
    Act(("change", "adopt", *_REASON), "林静", "library-changed"),
    Act(("person", "add", "郑浩", "--post", "sales_clerk", "--check", "身份证 尾号 1234"), "周明", "person-registered"),
    Act(("person", "certify", "郑浩", "--acknowledged"), None, "person-enrolled", by="郑浩"),
    Act(("person", "rotate", "孙丽", "--acknowledged"), None, "person-enrolled", by="孙丽"),
    Act(("person", "import-key", "吴涛", "{outside.p12}", "--acknowledged"), None, "person-enrolled", by="吴涛"),
    Act(("person", "confirm", "郑浩", "--yes"), "周明", COUNTERSIGNED),
    Act(("person", "posts", "郑浩", "--post", "team_leader", *_REASON), "周明", "person-posts-changed"),
    Act(("person", "backup", "{out}/密钥备份"), "周明", "keys-backed-up"),
    Act(("person", "restore", "{backup}"), "周明", "keys-restored"),
    Act(("person", "sheet", "--out", "{out}/指纹单.docx"), "周明", "printed", out=True),
    Act(("audit-trail", "--out", "{out}/审计追踪.csv"), "林静", "exported", out=True),
    Act(("verify", "--stock", "{out}/给检查员"), "林静", "exported", out=True),
    Act(("timestamp", "clock", "--reason", "电脑时钟已校准"), "林静", "clock-corrected", hours=-1),
    Act(("timestamp", "now"), "陈晓", "heads-stamped"),
    Act(("person", "revoke", "王强", *_REASON, "--yes"), "周明", "person-revoked"),
    Act(("person", "retire", "刘洋", *_REASON, "--yes"), "周明", "person-retired"),
    Act(("login", "陈晓"), None, "signed-in", by="陈晓"),
    Act(("passphrase", "陈晓"), None, "passphrase-changed", by="陈晓"),
    Act(("logout",), "陈晓", "signed-out"),
    Act(("person", "replace-authority", "--with", "林静", *_REASON, "--yes"), "周明", "authority-replaced"),
)  # fmt: skip


KEY_LOST = "赵敏"
"""Whose key is only in the backup, so that there is something to restore."""


def bind_two_documents(patch: pytest.MonkeyPatch) -> None:
    """Let the set hold two documents: it takes half a minute to draw all of them, and the act is the same."""
    every = DocumentSetPrinting.documents
    patch.setattr(DocumentSetPrinting, "documents", lambda *known, **wanted: every(*known, **wanted)[:2])


def made_ready(workspace: Workspace) -> dict[str, str]:
    """Make what the acts need; return the words that stand for it."""
    place = workspace.folder.parent
    (place / "签收单.txt").write_text("江城市第一人民医院 已签收", encoding="utf-8")
    lines = [json.dumps(call(customer_name=f"第{position}医院"), ensure_ascii=False) for position in range(2)]
    (place / "calls.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (place / "rules.txt").write_text("第一条 钥匙由仓库主管保管。\n第二条 借用须登记。\n", encoding="utf-8")
    posts = workspace.folder / "signatures" / "posts.yml"
    posts.write_bytes(posts.read_bytes() + "# 已复核\n".encode())
    settings = workspace.folder / "qms.toml"
    (place / "stick").mkdir()
    kept = [line for line in settings.read_text("utf-8").splitlines() if not line.startswith("witness_folder")]
    settings.write_text("\n".join([*kept, 'witness_folder = "../stick"', ""]), encoding="utf-8")
    number = file_complaint(workspace, notice_evidence=["签收单.txt"])
    workspace.passphrases.write_text(f"p003.new: {NEW}\np009: {NEW}\nfile: {NEW}\n{PASSPHRASE}\n", encoding="utf-8")
    backup = place / "backup"
    assert workspace.qms("person", "backup", str(backup), person="周明").code == 0
    next((place / "keys").rglob("p005.p12")).unlink()  # KEY_LOST
    (place / "out").mkdir()
    draft = str(place / "draft.docx")
    assert workspace.qms("doc", "checkout", "CX-018", "--out", draft, person="王强").code == 0
    scan = str(Path(__file__).parents[1] / "adapters" / "stamp.png")
    paper = ("doc", "paper", "CX-016", "--meaning", "起草", "--signer", "王强", "--scan", scan, "--unread")
    assert workspace.qms(*paper, person="陈晓").code == 0
    outside_certificate(place, "吴涛")
    (place / "questions.yml").write_text(_QUESTIONS, encoding="utf-8")
    assert workspace.qms("training", "assign", "CX-018", "--person", "孙丽", "--person", "吴涛").code == 0
    return {
        **_changes_made_ready(workspace),
        "destruction": _copies_made_ready(workspace),
        "questions.yml": str(place / "questions.yml"),
        "call": file_call(workspace),
        "complaint": number,
        "call.yml": workspace.values("acts.yml", call()),
        "calls.jsonl": str(place / "calls.jsonl"),
        "rules.txt": str(place / "rules.txt"),
        "backup": str(backup),
        "draft.docx": str(place / "draft.docx"),
        "scan.png": scan,
        "outside.p12": str(place / "outside.p12"),
        "out": str(place / "out"),
    }


_QUESTIONS = """format: wenkong/questions/1
questions:
  - {ask: 谁受理投诉？, choices: [售后服务管理人员, 仓储养护员], answer: A}
  - {ask: 记录可以事后补写日期。, answer: 错}
"""


def _changes_made_ready(workspace: Workspace) -> dict[str, str]:
    """Make changes as far as the acts begin with them; return their numbers."""

    def opened(*items: str) -> str:
        number: str = done(workspace.qms("--json", "change", "open", *items, *_REASON))["number"]
        return number

    def goes_on(number: str, act: str, person: str, *words: str) -> None:
        assert workspace.qms("change", act, number, *words, person=person).code == 0

    register = workspace.folder / "templates" / "registers" / "TZ-07" / "register.yml"
    numbers = {"opened": opened("--document", "TZ-07")}
    text = register.read_text(encoding="utf-8").replace("revision: A/0", "revision: A/1")
    register.write_text(text.replace("title: 质量投诉台账", "title: 投诉台账"), encoding="utf-8")
    for name, document in (("withdrawn", "ZD-030"), ("submitted", "ZD-031"), ("effective", "ZD-032")):
        numbers[name] = opened("--document", document, "--kind", "作废")
    goes_on(numbers["submitted"], "submit", "陈晓")
    goes_on(numbers["effective"], "submit", "陈晓")
    goes_on(numbers["effective"], "review", "林静")
    goes_on(numbers["effective"], "approve", "周明", "--effective", datetime.now(ZONE).date().isoformat())
    goes_on(numbers["effective"], "issue", "陈晓")
    return numbers


def _copies_made_ready(workspace: Workspace) -> str:
    """Hand out copies 01, 02 and 03; return the record by which 01 is to be destroyed."""
    for holder in ("孙丽", "刘洋", "王强"):
        assert workspace.qms("copy", "issue", "CX-015", "--to", holder, "--medium", "电子").code == 0
    assert workspace.qms("copy", "return", "CX-015", "--copy", "01", "--why", "破损").code == 0
    asked = ("copy", "request-destruction", "CX-015", "--copy", "01", "--reason", "破损不能使用", "--no-hold")
    record: str = done(workspace.qms("--json", *asked))["record"]
    approved = ("record", "advance", record, "--stage", "已批准", "--set", "method=粉碎")
    assert workspace.qms(*approved, person="林静").code == 0
    return record


def spelled(act: Act, ready: dict[str, str]) -> list[str]:
    """The words of the act with what stands for files and numbers put in."""
    words = []
    for word in act.words:
        for name, text in ready.items():
            word = word.replace(f"{{{name}}}", text)  # noqa: PLW2901 - one word, several names
        words.append(word)
    return words
