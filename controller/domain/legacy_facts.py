"""旧文件的写法. What old documents write for number, revision, date, class and names, and what that becomes here.

Every reading says whether it is sure; what is proposed stands in a file that a person looks through before anything
is imported.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from controller.domain.chinese_numeral import NUMERAL_CHARACTERS, read_numeral
from controller.domain.document import CLASS_WORDS, SigningStep
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, Revision

if TYPE_CHECKING:
    from collections.abc import Collection

_CN = f"[{NUMERAL_CHARACTERS}0-9]"
_OWN = re.compile(r"([A-Z])\s*[/／]\s*(\d{1,3})")
_LETTER = re.compile(r"([A-Z])(?:\s*[-.．]?\s*(\d{1,3}))?\s*(?:版)?")
_LATIN = re.compile(r"(?:REV(?:ISION)?|VER(?:SION)?|V(?=[\s.．:]*\d))[\s.．:]*")
_DOTTED = re.compile(r"(\d{1,2})[.．](\d{1,3})\s*版?")
_EDITION = re.compile(rf"第?\s*({_CN}{{1,4}})\s*版(?:[,，、/\s]*第?\s*({_CN}{{1,4}})\s*次(?:修改|修订|更改))?")
_SERIAL = re.compile(r"(\d{1,2})")
_MOST_EDITIONS = 26
_NUMBER = re.compile(r"[A-Z][A-Z0-9]{0,9}(?:(?:\s?[-－/／.]\s?|\s)[A-Z0-9]{1,12}){0,5}")
_LONGEST_NUMBER = 40
_SERIAL_END = re.compile(r"(\d{1,4})(?!.*\d)")
_CODES = {
    "CX": "程序", "QP": "程序", "SOP": "程序", "P": "程序", "CP": "程序",
    "ZD": "制度", "GL": "制度", "QS": "制度", "GD": "制度",
    "SC": "手册", "QM": "手册", "M": "手册",
    "ZZ": "职责",
}  # fmt: skip
"""Parts of numbers that tell a class of document in usual schemes."""
_FORM_CODES = frozenset({"JL", "QR", "BG", "BD", "TZ", "R", "F", "FM"})
_TITLE_CLASSES = (
    ("程序文件", "程序"), ("程序", "程序"), ("职责", "职责"), ("手册", "手册"),
    ("制度", "制度"), ("规程", "制度"), ("规定", "制度"), ("办法", "制度"), ("细则", "制度"), ("守则", "制度"),
    ("作业指导书", "程序"), ("指南", "程序"), ("预案", "制度"), ("范本", "制度"),
)  # fmt: skip
_SURE_TITLES = frozenset({"程序文件", "程序", "职责", "手册", "制度"})
_FORM_TITLES = ("表", "记录", "台账", "清单", "登记簿", "单")
_DAY = re.compile(
    rf"(?P<y>\d{{4}}|[{NUMERAL_CHARACTERS}]{{4}})\s*[年./／\-－–—]\s*(?P<m>{_CN}{{1,3}})\s*[月./／\-－–—]\s*(?P<d>{_CN}{{1,3}})\s*日?"
)
_COMPACT = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?!\d)")
_BETWEEN = " \t\u3000\xa0,，;；/／、:：()（）"
_DATE_WORDS = re.compile(r"(?:签名|签字|日期|时间)\s*[:：]?|[年月日]\s*[年月日\s]*$")
_LONGEST_NAME = 20


@dataclass(frozen=True)
class Reading:
    """一个读法. What something written in an old document becomes here, and whether that is beyond doubt."""

    value: str
    sure: bool


def plain(text: str) -> str:
    """Return `text` as it is compared: width evened out, outer blanks cut."""
    return unicodedata.normalize("NFKC", text).strip(_BETWEEN)


# -- revisions -------------------------------------------------------------------------------------------------


def read_revision(typed: str, amendment: str = "") -> Reading | None:
    """Return the revision that `V1.0`, `第2版`, `01` or `A/0` becomes; None when it is not understood.

    Editions are counted with letters and amendments with numbers: 第2版 is B/0, V1.3 is A/3, 02 is A/2.

    Args:
        typed: the revision as written.
        amendment: what stands beside it as 修改状态, where that has a place of its own.
    """
    text = _LATIN.sub("", plain(typed).upper(), count=1)
    amended = plain(amendment)
    if amended.isdecimal() and len(amended) <= 3:  # noqa: PLR2004 - A/999 is the last amendment
        found = _LETTER.fullmatch(text)
        if found and not found[2]:
            return _revision(found[1], int(amended), sure=True)
        edition = _EDITION.fullmatch(text) or _SERIAL.fullmatch(text)
        if edition:
            return _counted(edition[1], amended)
    if found := _OWN.fullmatch(text):
        return _revision(found[1], int(found[2]), sure=True)
    if found := _DOTTED.fullmatch(text):
        return _counted(found[1], found[2])
    if found := _EDITION.fullmatch(text):
        return _counted(found[1], found[2] or "0")
    if found := _LETTER.fullmatch(text):
        return _revision(found[1], int(found[2] or 0), sure=False)
    if found := _SERIAL.fullmatch(text):
        # 00, 01, 02 count amendments; a bare 1, 2 usually counts editions.
        return _revision("A", int(found[1]), sure=False) if len(found[1]) > 1 else _counted(found[1], "0")
    return None


def _counted(edition: str, amendment: str) -> Reading | None:
    first, second = read_numeral(edition), read_numeral(amendment)
    if first is None or second is None or first > _MOST_EDITIONS:
        return None
    return _revision(chr(ord("A") + max(first - 1, 0)), second, sure=False)


def _revision(letter: str, amendment: int, *, sure: bool) -> Reading | None:
    try:
        return Reading(Revision(f"{letter}/{amendment}").text, sure)
    except InvalidIdentifierError:
        return None


# -- numbers and classes ---------------------------------------------------------------------------------------


def read_number(typed: str) -> str | None:
    """Return a document number as written, evened out (`qmst－QP－001` → `QMST-QP-001`); None for anything else."""
    text = plain(typed).upper().replace("－", "-").replace("／", "/")
    text = re.sub(r"\s*([-/.])\s*", r"\1", text)
    if len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) and any(sign.isdecimal() for sign in text):
        return text
    return None


def leading_number(text: str) -> tuple[str, str] | None:
    """Return the number at the head of a name such as `QMST-QP-001 采购控制程序`, and what follows it."""
    evened = unicodedata.normalize("NFKC", text).strip()
    found = _NUMBER.match(evened.upper())
    number = read_number(found[0]) if found else None
    if found is None or number is None or "-" not in number:
        return None
    return number, evened[found.end() :].strip(" _-—　.《")


def own_number(number: str | None, prefix: str) -> str | None:
    """Return `number` when it is one of this company's own scheme and of a class that is imported."""
    if number is None:
        return None
    try:
        found = DocumentNumber(number)
    except InvalidIdentifierError:
        return None
    return number if found.company == prefix and found.class_code in CLASS_WORDS else None


def serial_of(number: str | None) -> int | None:
    """Return the last figures of a number, None when it has none: 12 for `QMST-QP-012`."""
    found = _SERIAL_END.search(number or "")
    return int(found[1]) if found and int(found[1]) > 0 else None


def class_of(number: str | None, title: str | None) -> Reading | None:
    """Return the class word that number and title tell; None when neither does."""
    parts = re.split(r"[^A-Z]+", number or "")
    coded = next((_CODES[part] for part in parts if part in _CODES), None)
    if number is not None:
        with suppress(InvalidIdentifierError):
            coded = CLASS_WORDS.get(DocumentNumber(number).class_code, coded)
    bare = re.sub(r"\([^()]*\)$", "", unicodedata.normalize("NFKC", title or "").strip())
    titled = next(((word, kind) for word, kind in _TITLE_CLASSES if bare.endswith(word)), None)
    if coded is not None:
        return Reading(coded, titled is None or titled[1] == coded)
    return Reading(titled[1], titled[0] in _SURE_TITLES) if titled else None


def like_a_form(number: str | None, title: str | None) -> bool:
    """Tell whether number or title are those of a record form, which is not imported as a document."""
    parts = re.split(r"[^A-Z]+", number or "")
    return any(part in _FORM_CODES for part in parts[1:]) or plain(title or "").endswith(_FORM_TITLES)


def propose_number(former: str | None, class_word: str, stem: str, taken: Collection[str]) -> str:
    """Return a free number of the company's scheme, with the serial of the former one where that is free.

    Args:
        former: the number as the document has it.
        class_word: its class.
        stem: numbers begin with it: company and family, `XX-YLQX`.
        taken: numbers that are used or proposed already.
    """
    codes = {word: code for code, word in CLASS_WORDS.items()}
    head = f"{stem}{codes[class_word]}"
    wanted = serial_of(former)
    if wanted is not None and wanted < 1000 and f"{head}-{wanted:03d}" not in taken:  # noqa: PLR2004 - three figures
        return f"{head}-{wanted:03d}"
    # Gaps are left alone: they may be numbers that were withdrawn before this system.
    used = (serial_of(number) or 0 for number in taken if number.startswith(f"{head}-"))
    return f"{head}-{max(used, default=0) + 1:03d}"


# -- dates and names -------------------------------------------------------------------------------------------


def read_day(typed: str) -> str | None:
    """Return the day in `2019年3月1日`, `2019.03.01` or 二〇一九年三月一日 as `2019-03-01`; None for others."""
    found = _find_day(unicodedata.normalize("NFKC", typed))
    return found[0] if found else None


def _find_day(text: str) -> tuple[str, int, int] | None:
    for match in (_DAY.search(text), _COMPACT.search(text)):
        if match is None:
            continue
        year, month, day = (read_numeral(match[key]) for key in ("y", "m", "d"))
        try:
            return date(year or 0, month or 0, day or 0).isoformat(), match.start(), match.end()
        except ValueError:
            continue
    return None


def read_step(typed: str) -> SigningStep | None:
    """Return who and when of `张三 2019.3.1` or `张三/日期：2019-03-01`; None when no name is in it."""
    text = unicodedata.normalize("NFKC", typed)
    found = _find_day(text)
    name = text if found is None else f"{text[: found[1]]} {text[found[2] :]}"
    name = " ".join(_DATE_WORDS.sub(" ", name).strip(_BETWEEN + "_-—").split())
    name = re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "", name) if len(name) <= 5 else name  # noqa: PLR2004 - 张 三
    if not name or len(name) > _LONGEST_NAME or not any(sign.isalpha() for sign in name):
        return None
    return SigningStep(name, found[0] if found else None)
