"""全部操作. Every command with which somebody acts, once each, and what it leaves in the archive.

A command that is missing here makes a proof fail: nobody can add one that leaves no trace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.compliance.evidence import NEW, call, file_call, file_complaint, outside_certificate
from tests.conftest import PASSPHRASE

if TYPE_CHECKING:
    from tests.conftest import Workspace

READING = frozenset(
    {
        "who", "doc signatures", "doc checklist", "doc blame", "doc as-of",
        "doc external", "doc lint", "doc list", "doc parse", "doc show",
        "change status", "form lint", "form list", "form show", "record list", "record search",
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
    return {
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


def spelled(act: Act, ready: dict[str, str]) -> list[str]:
    """The words of the act with what stands for files and numbers put in."""
    words = []
    for word in act.words:
        for name, text in ready.items():
            word = word.replace(f"{{{name}}}", text)  # noqa: PLW2901 - one word, several names
        words.append(word)
    return words
