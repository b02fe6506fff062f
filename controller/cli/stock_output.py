"""导出供他人核对. `qms verify --stock DIR`: writes the archive with what it takes to check it without this program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.text import T

if TYPE_CHECKING:
    from pathlib import Path

    from controller.bootstrap import Application
    from controller.cli.output import Output


def write_stock(application: Application, folder: Path, out: Output, *, person: str | None = None) -> int:
    """Write the export to `folder`, stated in the audit trail before it is handed over; return the exit code.

    What is damaged is exported too, as it is, and said.

    Raises:
        ExportFolderNotEmptyError: there is something at `folder` already.
        SignInNeededError: nobody is signed in who could state it.
        QmsError: as `services.stock_export`; nothing was written.
    """
    from controller.adapters.stock_folder import new_stock_folder, stock_tools
    from controller.services.stock_export import DAMAGE_FILE, SUMS_FILE, StockExporting

    by = application.person(person)
    exporting = StockExporting(
        application.history,
        f"archive/{application.settings.site}",
        application.statements,
        application.approved_files,
        tools=stock_tools,
    )
    folder = folder.resolve()
    damage = list(application.archive.damage())
    if damage:
        application.archive.check_ends()
    with new_stock_folder(folder) as writer, out.progress(T("正在导出")) as progress:
        made = exporting.write(writer, damage=damage, progress=progress)
        facts = {"what": "核对副本", "files": str(made.files), "tip": made.tip}
        if made.damage:
            facts["damage"] = str(made.damage)
        application.trail.exported(by, folder.name, files={SUMS_FILE: made.sums}, facts=dict(facts))
    out.line(T("已导出到：{folder}", folder=folder))
    out.line(T("共 {files} 个文件，其中条目和陈述 {statements} 份。", files=made.files, statements=made.statements))
    out.line(T("根证书指纹：{root}（与封存的指纹单核对）", root=made.root.grouped))
    out.line(T("怎样核对，见其中的“怎样核对.txt”：运行 sh verify.sh（Windows：verify.ps1），不需要文控程序。"))
    if made.damage:
        out.line(
            T("注意：档案有 {count} 处不符，照现状导出，逐条见其中的 {file}。", count=made.damage, file=DAMAGE_FILE)
        )
    out.document(
        {
            "folder": str(folder),
            "files": made.files,
            "statements": made.statements,
            "commits": made.commits,
            "tip": made.tip,
            "root": made.root.text,
            "sums": made.sums.text,
            "damage": made.damage,
        }
    )
    return 1 if made.damage else 0
