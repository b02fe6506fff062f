"""命令 `qms guard`：共享服务器的把关. Installs the check of pushes, and is what git runs on the server."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, QmsCommand, group, option
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.main import Session


@group("guard", M("共享服务器：拒收改写过历史、没有签名或改动过的内容。"))
def guard() -> None:
    pass


@guard.command("install", cls=QmsCommand, help=M("在共享服务器上安装接收检查（由服务器管理员运行）。"))
@click.argument("repository", metavar="REPO.git", type=click.Path(exists=True, file_okay=False, path_type=Path))
@option("--root-fingerprint", "fingerprint", required=True, metavar="HEX", help=M("封存的指纹单上的根证书指纹。"))
@option("--site", default="main", show_default=True, metavar="SITE", help=M("受控文件的更改由哪个站点的档案签名。"))
@click.pass_obj
def install(session: Session, repository: Path, fingerprint: str, site: str) -> None:
    from controller.adapters.pushed_repository import install_guard, read_fingerprint

    root = read_fingerprint(fingerprint)
    program = Path(sys.executable).as_posix()
    # -P: nothing that lies in the repository's folder is ever taken for a part of the program.
    command = f"{shlex.quote(program)} -P -m controller guard pre-receive"
    hook = install_guard(repository.resolve(), root=root, site=site, command=command)
    out = session.output
    out.line(T("已安装接收检查：{hook}", hook=hook))
    out.line(T("认可的根证书：{root}", root=root.hex))
    out.document({"hook": str(hook), "root": root.text, "site": site})


@guard.command("pre-receive", cls=QmsCommand, help=M("检查送来的内容；由服务器自动运行。"))
@click.pass_obj
def pre_receive(session: Session) -> None:
    from controller.adapters.pushed_repository import PushedGit
    from controller.adapters.system_clock import SystemClock
    from controller.services.push_guard import PushGuard, read_updates
    from controller.services.pushed_branch import GuardRules

    del session
    repository = PushedGit(Path.cwd())
    try:
        now = SystemClock("Asia/Shanghai").now()
        assert now.tzinfo is not None
        rules = GuardRules(repository.root(), int(now.timestamp()), now.tzinfo)
        updates = read_updates(sys.stdin)
        PushGuard(repository, repository.branches(), rules, site=repository.site()).check(updates)
    finally:
        repository.close()
