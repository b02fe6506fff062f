"""导入对照表. What the program proposes for each old document and a person decides, as YAML with Chinese explanations.

Reading is strict: an unknown key is refused with the nearest known one, and every refusal names its line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.domain.document import CLASS_WORDS, HistoryRow, SigningStep
from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest, DocumentNumber, InvalidIdentifierError, Revision
from controller.domain.legacy_document import MappedDocument
from controller.domain.text import T
from controller.file_formats.definition_reading import Reading
from controller.file_formats.yaml_text import MAX_BYTES, dump_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.conformity import Finding
    from controller.domain.text import Text
    from controller.file_formats.definition_reading import Part

MAPPING_FORMAT = "wenkong/legacy-import/1"
STEPS = ("drafted", "reviewed", "approved")
_KEYS = (
    "import", "source", "part", "digest", "text", "number", "former_number", "title", "revision", "former_revision",
    "class", "owner", "effective", *STEPS, "history", "forms", "cites", "scan", "sure", "unsure",
)  # fmt: skip
_HISTORY_KEYS = ("revision", "date", "clauses", "reason", "by")
_YES = frozenset({"yes", "是", "true"})
_NO = frozenset({"no", "否", "false"})
_TITLE, _OWNER, _NAME, _DAY, _CELL, _PATH = 80, 40, 40, 40, 500, 240
_MOST_ROWS = 200
_HEAD = """\
# 旧文件导入对照表。每一项是一篇旧文件；请逐项核对、改好后保存（UTF-8），再运行
#   qms doc import 文件夹 --mapping 本文件 --reason 原因
# 各项的意思：
#   import           yes 导入，no 不导入
#   source, part     旧文件和其中第几篇；digest、text 是内容的摘要，请不要改
#   number           在本系统的文件编号；former_number 原编号，原样保留
#   title            文件名称
#   revision         在本系统的版本；former_revision 原版本的写法，原样保留
#   class            程序、制度、职责或手册；owner 归口部门
#   effective        生效日期；drafted、reviewed、approved 原来的起草、审核、批准人（name）和日期（date）
#   history          原修订记录：revision 版本，date 日期，clauses 修改条款，reason 原因，by 修改人
#   forms            归它所有的表单；cites 正文提到的表单，仅供核对
#   scan             原批准页扫描件的文件名（放在 --scans 的文件夹里），没有就不写
#   sure, unsure     程序确定的、拿不准的地方，仅供核对
# 原来的起草、审核、批准一律显示为“系统外批准”，不算本系统的签名。
# 日期写成 2019-03-01；没有内容的项可以删去。
"""


class MappingRefusedError(RefusedError):
    """对照表有误. Carries everything that is wrong, each with its line."""

    code = "legacy-mapping-invalid"

    def __init__(self, *, where: str, findings: Sequence[Finding]) -> None:
        super().__init__(
            T("对照表“{name}”有 {count} 处错误，没有导入。", name=where, count=len(findings)),
            hint=T("按下面逐项改正后再试。"),
            where=where,
        )
        self.findings = tuple(findings)


class MappingTooLargeError(RefusedError):
    """对照表太大."""

    code = "legacy-mapping-too-large"

    def __init__(self, *, count: int) -> None:
        super().__init__(T("{count} 篇文件的对照表太大。", count=count), hint=T("把旧文件分到几个文件夹，分次导入。"))


@dataclass(frozen=True)
class MappingEntry:
    """对照表要写的一项. The proposal, and what is sure and unsure about it."""

    document: MappedDocument
    cites: Sequence[str]
    sure: Sequence[str]
    unsure: Sequence[str]


def write_mapping(entries: Sequence[MappingEntry], *, folder: str) -> str:
    """Return the mapping as a person gets it to edit.

    Raises:
        MappingTooLargeError: it would be larger than what is read back.
    """
    pieces = [_HEAD, dump_yaml({"format": MAPPING_FORMAT, "folder": folder})]
    if not entries:
        pieces.append("documents: []\n")
    else:
        pieces.append("documents:\n")
    for place, entry in enumerate(entries, start=1):
        document = entry.document
        shown = f"{place}. {document.source} 第 {document.part} 篇".translate(_ONE_LINE)
        pieces.append(f"\n# ── {shown} ──\n- import: {'yes' if document.wanted else 'no'}\n")
        body = dump_yaml(_entry_data(entry))
        pieces += [f"  {line}\n" for line in body.splitlines()]
    text = "".join(pieces)
    if len(text.encode()) > MAX_BYTES:
        raise MappingTooLargeError(count=len(entries))
    return text


_ONE_LINE = dict.fromkeys([*range(32), 127, 133, 0x2028, 0x2029], " ")


def _entry_data(entry: MappingEntry) -> dict[str, Any]:
    document = entry.document
    data: dict[str, Any] = {
        "source": document.source,
        "part": document.part,
        "digest": document.digest.text,
        "text": document.text.text,
        "number": document.number,
        "former_number": document.former_number,
        "title": document.title,
        "revision": document.revision,
        "former_revision": document.former_revision,
        "class": document.class_word,
        "owner": document.owner,
        "effective": document.effective,
    }
    for key in STEPS:
        step: SigningStep | None = getattr(document, key)
        data[key] = _kept({"name": step.name, "date": step.date}) if step is not None else None
    data["history"] = [_kept({key: getattr(row, key) for key in _HISTORY_KEYS}) for row in document.history]
    data["forms"], data["cites"] = list(document.forms), list(entry.cites)
    data["scan"] = document.scan
    data["sure"], data["unsure"] = list(entry.sure), list(entry.unsure)
    needed = {"title": document.title}
    return needed | _kept(data) if not document.title else _kept(data)


def _kept(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value not in (None, "", [], {})}


def read_mapping(text: str, *, where: str) -> list[MappedDocument]:
    """Return what the person decided.

    Raises:
        MappingRefusedError: something is wrong; every finding names its line.
    """
    reading = Reading()
    part = reading.file(text, where=where, title=T("对照表"), expected=MAPPING_FORMAT)
    found: list[MappedDocument] = []
    if part is not None:
        part.check_keys(("format", "folder", "documents"))
        for item in part.listed("documents"):
            made = _document(item)
            if made is not None:
                found.append(made)
    if reading.broken:
        raise MappingRefusedError(where=where, findings=reading.findings)
    return found


def _document(part: Part) -> MappedDocument | None:
    part.check_keys(_KEYS)
    wanted = _wanted(part)
    source = part.text("source", needed=True, limit=_PATH)
    digest, text = _digest(part, "digest"), _digest(part, "text")
    place = part.whole("part", least=1, most=10_000)
    if place is None and "part" not in part.data:
        part.wrong(None, "definition-key-missing", T("缺少 {key}", key="part"))
    number, revision = _number(part, wanted=wanted), _revision(part, wanted=wanted)
    title = _line(part, "title", _TITLE, needed=wanted)
    owner = _line(part, "owner", _OWNER, needed=wanted)
    class_word = part.one_of("class", tuple(CLASS_WORDS.values()), "")
    if wanted and not class_word and "class" not in part.data:
        part.wrong(None, "definition-key-missing", T("缺少 {key}", key="class"))
    if wanted and number and class_word and CLASS_WORDS.get(DocumentNumber(number).class_code) != class_word:
        message = T("编号 {number} 不属于“{word}”类", number=number, word=class_word)
        part.wrong("number", "definition-value", message, hint=T("程序用 CX，制度用 ZD，职责用 ZZ，手册用 SC。"))
    part.texts("sure")
    part.texts("unsure")
    part.texts("cites")
    steps = {key: _step(part, key) for key in STEPS}
    if source is None or digest is None or text is None or place is None:
        return None
    return MappedDocument(
        source=source,
        digest=digest,
        part=place,
        text=text,
        wanted=wanted,
        number=number or "",
        title=title or "",
        revision=revision or "",
        class_word=class_word,
        owner=owner or "",
        former_number=_line(part, "former_number", _NAME),
        former_revision=_line(part, "former_revision", _NAME),
        drafted=steps["drafted"],
        reviewed=steps["reviewed"],
        approved=steps["approved"],
        effective=_line(part, "effective", _DAY),
        history=_history(part),
        forms=part.texts("forms"),
        scan=_line(part, "scan", _PATH),
        line=part.place()[1],
    )


def _wanted(part: Part) -> bool:
    value = part.data.get("import")
    word = str(value).lower() if isinstance(value, (str, bool)) else ""
    if word in _YES:
        return True
    if word not in _NO:
        code = "definition-value" if "import" in part.data else "definition-key-missing"
        key = "import" if "import" in part.data else None
        part.wrong(key, code, T("import 应为 yes 或 no"))
    return False


def _digest(part: Part, key: str) -> Digest | None:
    value = part.text(key, needed=True)
    try:
        return Digest(value) if value is not None else None
    except InvalidIdentifierError:
        part.wrong(key, "definition-value", T("{key} 不是摘要", key=key), hint=T("请不要改 digest 和 text。"))
        return None


def _number(part: Part, *, wanted: bool) -> str | None:
    value = part.text("number", needed=wanted, limit=_NAME)
    try:
        return DocumentNumber(value).text if value is not None and wanted else value
    except InvalidIdentifierError as exc:
        part.wrong("number", "definition-value", exc.message, hint=exc.hint)
        return None


def _revision(part: Part, *, wanted: bool) -> str | None:
    value = part.text("revision", needed=wanted, limit=_NAME)
    try:
        return Revision(value).text if value is not None and wanted else value
    except InvalidIdentifierError as exc:
        part.wrong("revision", "definition-value", exc.message, hint=exc.hint)
        return None


def _line(part: Part, key: str, limit: int, *, needed: bool = False) -> str | None:
    if not needed and part.data.get(key) == "":
        return None
    value = part.text(key, needed=needed, limit=limit)
    if value is not None and not value.isprintable():
        part.wrong(key, "definition-value", T("{key} 应为一行文字", key=key))
        return None
    return value


def _step(part: Part, key: str) -> SigningStep | None:
    inner = part.part(key, _titled(part, key))
    if inner is None:
        return None
    inner.check_keys(("name", "date"))
    name = _line(inner, "name", _NAME, needed=True)
    return SigningStep(name, _line(inner, "date", _DAY)) if name is not None else None


def _history(part: Part) -> tuple[HistoryRow, ...]:
    rows = []
    listed = part.listed("history")
    if len(listed) > _MOST_ROWS:
        part.wrong("history", "definition-value", T("{key} 超过 {limit} 行", key="history", limit=_MOST_ROWS))
    for inner in listed[:_MOST_ROWS]:
        inner.check_keys(_HISTORY_KEYS)
        rows.append(
            HistoryRow(
                revision=_line(inner, "revision", _NAME, needed=True) or "",
                date=_line(inner, "date", _DAY),
                clauses=_line(inner, "clauses", _CELL) or "",
                reason=_line(inner, "reason", _CELL) or "",
                by=_line(inner, "by", _CELL) or "",
                elsewhere=True,
            )
        )
    return tuple(rows)


def _titled(part: Part, key: str) -> Text:
    return T("{title} {name}", title=part.title, name=key)
