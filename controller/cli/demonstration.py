"""演示. The whole chain on the sample company: workspace, a year of records, prints, registers, search, checks."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from controller.bootstrap import Application, NewCompany, make_workspace
from controller.cli.demonstration_samples import file_samples
from controller.cli.files import write_output
from controller.cli.passphrases import AUTHORITY
from controller.domain.conformity import Gravity
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.cli.demonstration_change import ChangeShown
    from controller.cli.output import Output
    from controller.domain.identifiers import RecordNumber
    from controller.services.key_signing import KeySigner
    from controller.services.sample_filing import SampleClock

COMPANY = "安泽医疗器械有限公司"
PREFIX = "XX"
OUTPUT = "演示输出"
_PASSPHRASES = "口令.txt"
_SIGNED = f"{PREFIX}-YLQXCX-014"
_CHANGE = "文件更改"
_ROUTE = (("p003", "起草"), ("p002", "审核"), ("p001", "批准"))
_BEGIN = datetime.fromisoformat("2025-10-01T09:00:00+08:00")


def run_demonstration(folder: Path, out: Output) -> int:
    """Make the demonstration workspace in `folder`, fill it, and say what was made and what to try next."""
    from controller.services.sample_filing import SampleClock

    started = time.perf_counter()
    clock = SampleClock(_BEGIN)
    application, passphrases = _workspace(folder, clock)
    people = len(passphrases) - 1
    out.line(
        T(
            "一、新建工作区：{company}（{folder}），{people} 人各有签名证书。",
            company=COMPANY,
            folder=application.folder,
            people=people,
        )
    )
    with closing(application):
        signers = _signers(application, passphrases)
        _sign_document(application, signers, clock)
        numbers, changed = file_samples(application, signers, clock, application.folder / OUTPUT / _CHANGE, out)
    with closing(Application(application.folder, application.settings)) as application:
        filed = list(application.index.records())
        forms = {state.number.form for state in filed}
        out.line(
            T("二、归档记录 {records} 份，涉及 {forms} 张表单，时间跨度一年。", records=len(filed), forms=len(forms))
        )
        prints = _print_forms(application, numbers, out)
        out.line(T("三、每张表单打印一份 PDF，共 {count} 份：{folder}", count=prints, folder=f"{OUTPUT}/打印件"))
        registers = _build_registers(application, out)
        out.line(T("四、生成台账 {count} 本（Excel）：{folder}", count=len(registers), folder=f"{OUTPUT}/台账"))
        hits = application.index.search("投诉", limit=100)
        out.line(T("五、检索“投诉”：{count} 份记录。", count=len(hits)))
        _write_fingerprints(application)
        _tell_change(changed, signers, out)
        report = application.verify(rerender=True)
        _note_passphrases(application, passphrases)
        application.signing_in.sign_in("赵敏", passphrases["p005"])
    errors = [item for item in report.findings if item.gravity is Gravity.ERROR]
    out.findings(report.findings)
    out.line(
        T(
            "九、检查：{entries} 个条目、{signatures} 个签名，排版 {rendered} 个有 {same} 个一致，不符合 {errors} 处。",
            entries=report.entries,
            signatures=report.counts.signatures,
            rendered=report.rendered,
            same=report.rendered_same,
            errors=len(errors),
        )
    )
    seconds = time.perf_counter() - started
    told = T(
        "{name}已登录；其他人的口令在 {file}，可以用 qms login 登录。", name="赵敏", file=f"{OUTPUT}/{_PASSPHRASES}"
    )
    out.line(told)
    out.line(T("用时 {seconds} 秒。接下来可以试试：", seconds=f"{seconds:.0f}"))
    example = next((number for number in numbers if number.form.endswith("-018")), numbers[0])
    base = f"{own_name()} --workspace {_quoted(str(folder))}"
    for line in (
        f"{base} record list",
        f"{base} record show {example}",
        f"{base} record search 培训",
        f"{base} record new {PREFIX}-YLQXJL-013",
        f"{base} register build TZ-07 --format xlsx --out {_quoted(str(folder / '质量投诉台账.xlsx'))}",
        f"{base} doc signatures {_SIGNED}",
        f"{base} change show {changed.change}",
        f"{base} doc blame {_SIGNED} --clause 5.1",
        f"{base} audit-trail --limit 20",
        f"{base} verify --stock {_quoted(str(folder) + '-核对副本')}",
    ):
        out.line("  " + line)
    out.document(
        {
            "folder": str(application.folder),
            "records": len(filed),
            "forms": len(forms),
            "prints": prints,
            "registers": registers,
            "change": changed.data(),
            "hits": len(hits),
            "entries": report.entries,
            "signatures": report.counts.signatures,
            "rendered": report.rendered,
            "rendered_same": report.rendered_same,
            "errors": len(errors),
            "seconds": round(seconds, 1),
        }
    )
    return 1 if errors else 0


def own_name() -> str:
    """Return how this program was started, as a person would type it again from the same folder."""
    if shutil.which("qms"):
        return "qms"
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return f"{_quoted(_from_here(Path(sys.executable)))} -m {started.parent.name}"
    return _quoted(_from_here(started))


def _from_here(path: Path) -> str:
    path, here = path.absolute(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


def _workspace(folder: Path, clock: SampleClock) -> tuple[Application, dict[str, str]]:
    from controller.adapters.starter_library import PackagedStarterLibrary
    from controller.file_formats.yaml_text import load_yaml

    people = (PackagedStarterLibrary().samples() / "people.yml").read_text(encoding="utf-8")
    ids = [item["id"] for item in load_yaml(people, where="people.yml")["people"]]
    passphrases = {key: token_urlsafe(9) for key in [*ids, AUTHORITY]}
    own = {key: passphrases[key] for key in ids}
    new = NewCompany(COMPANY, PREFIX, people, own, passphrases[AUTHORITY], key_folder=f"../{folder.name}-keys")
    return make_workspace(folder, new, clock=clock), passphrases


def _signers(application: Application, passphrases: Mapping[str, str]) -> dict[str, KeySigner]:
    """Unlock everybody's key once; the passphrases are slow on purpose, so side by side."""
    from concurrent.futures import ThreadPoolExecutor

    from controller.adapters.this_computer import origin_here
    from controller.services.key_signing import KeySigner

    people = [person for person in application.staff.people.values() if person.active]
    with ThreadPoolExecutor() as pool:
        keys = list(
            pool.map(lambda person: application.personal_keys.unlock(person.id, passphrases[person.id]), people)
        )
    origin = origin_here("demo")
    return {
        person.id: KeySigner(application.staff.signatory(person), origin, key)
        for person, key in zip(people, keys, strict=True)
    }


def _note_passphrases(application: Application, passphrases: Mapping[str, str]) -> None:
    """Write down the made-up passphrases: a demonstration that nobody can sign in to shows nothing."""
    lines = [f"{key}: {value}" for key, value in passphrases.items()]
    write_output(application.folder / OUTPUT / _PASSPHRASES, ("\n".join(lines) + "\n").encode())


def _sign_document(application: Application, signers: Mapping[str, KeySigner], clock: SampleClock) -> None:
    """Have the sample procedure signed along its route, each person an hour after the one before."""
    for person, meaning in _ROUTE:
        clock.moment += timedelta(hours=1)
        application.document_signing.sign(_SIGNED, meaning, signers[person])


def _write_fingerprints(application: Application) -> None:
    """Write the sheet of fingerprints, which people sign and seal."""
    from controller.adapters.fingerprint_sheet_drawing import draw_fingerprint_sheet
    from controller.services.fingerprint_sheet import fingerprint_sheet

    sheet = fingerprint_sheet(application.people_standing, application.identity, at=application.clock.now())
    pdf = application.printing.print(draw_fingerprint_sheet(sheet)).data
    write_output(application.folder / OUTPUT / "证书指纹单.pdf", pdf)


def _tell_change(changed: ChangeShown, signers: Mapping[str, KeySigner], out: Output) -> None:
    drafter, reviewer, approver = (signers[person].signatory.name for person in ("p005", "p002", "p001"))
    out.line(
        T(
            "六、更改 {change}：{item} {before}→{after}，{drafter}在 Word 中修订，意见 {comments} 条全部答复，"
            "{reviewer}审核，{approver}批准，{day} 起生效。",
            change=changed.change,
            item=changed.item,
            before=changed.before,
            after=changed.after,
            drafter=drafter,
            comments=changed.comments,
            reviewer=reviewer,
            approver=approver,
            day=changed.effective,
        )
    )
    out.line(
        T(
            "七、生效前 {people} 人答题并签署阅知；到期收回旧版 {old} 号副本，发放新版 {new} 号副本，更改办结；"
            "自动归档记录 {records}。",
            people=changed.readers,
            old=changed.copies[0],
            new=changed.copies[1],
            records=changed.records,
        )
    )
    out.line(
        T(
            "八、Word 修订稿、修订标记、更改历史、签署的 PDF、各岗位更改通知、受控副本、汇编（{pages} 页）："
            "{count} 个文件在 {folder}",
            pages=changed.pages,
            count=len(changed.files),
            folder=f"{OUTPUT}/{_CHANGE}",
        )
    )


def _print_forms(application: Application, numbers: list[RecordNumber], out: Output) -> int:
    folder = application.folder / OUTPUT / "打印件"
    folder.mkdir(parents=True)
    filled = {number.form: number for number in reversed(numbers)}
    forms = application.forms.numbers()
    with out.progress(T("正在打印")) as progress:
        for done, form in enumerate(forms, start=1):
            package = application.forms.package(form)
            number = filled.get(str(form))
            docx = application.records.print(number) if number else application.renderer.render(package, None)
            title = package.definition.title.replace("/", "、")
            kind = "" if number else "\uff08空白\uff09"
            write_output(
                folder / f"{package.definition.number.short}{title}{kind}.pdf", application.printing.print(docx).data
            )
            progress(done, len(forms))
    return len(forms)


def _build_registers(application: Application, out: Output) -> list[str]:
    folder = application.folder / OUTPUT / "台账"
    folder.mkdir(parents=True)
    made: list[str] = []
    with out.progress(T("正在生成台账")) as progress:
        for register in application.registers.definitions():
            name = f"{register.id}{register.title}.xlsx".replace("/", "、")
            application.register_files.write_xlsx(register, folder / name)
            made.append(register.id)
            progress(len(made), None)
    return made
