"""生效日程文件. `signatures/effect.json` ↔ `EffectSchedule`; canonical JSON, written by the program alone."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, cast

from controller.domain.effect_schedule import EffectSchedule, PendingEffect
from controller.domain.errors import DamagedError, QmsError
from controller.domain.library_day import ItemKind
from controller.domain.text import T
from controller.file_formats.canonical_json import decode, encode

if TYPE_CHECKING:
    from controller.domain.record import Wire

EFFECT_FILE = "signatures/effect.json"
EFFECT_FORMAT = "wenkong/effect/1"
_KEYS = frozenset({"paths", "kind", "number", "revision", "from", "before", "change"})


class EffectFileError(DamagedError):
    """生效日程不可用. The file is not one that this program wrote."""

    code = "effect-file-damaged"

    def __init__(self, *, where: str) -> None:
        super().__init__(
            T("生效日程 {where} 读不懂。", where=where),
            hint=T("它由程序写，不要手工修改；请运行 qms verify，并从备份恢复。"),
            where=where,
        )


def read_effect(data: bytes | None, *, where: str = EFFECT_FILE) -> EffectSchedule:
    """Return the schedule in `data`; an empty one where there is no file.

    Raises:
        EffectFileError: it is not a schedule.
    """
    if data is None:
        return EffectSchedule()
    try:
        whole = decode(data, where=where)
    except QmsError as exc:
        raise EffectFileError(where=where) from exc
    listed = whole.get("pending") if isinstance(whole, dict) and whole.get("format") == EFFECT_FORMAT else None
    if not isinstance(listed, list):
        raise EffectFileError(where=where)
    try:
        return EffectSchedule(tuple(_pending(item) for item in listed))
    except (ValueError, TypeError, KeyError) as exc:
        raise EffectFileError(where=where) from exc


class PastEffects:
    """过去的生效日程. Reads the schedules that many commits carry, one after the other; most of it they share."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], PendingEffect] = {}

    def read(self, data: bytes, *, where: str = EFFECT_FILE) -> dict[tuple[str, str], PendingEffect]:
        """Return what waits by number of the change and of the item, in the order of approval.

        Raises:
            EffectFileError: it is not a schedule.
        """
        try:
            whole = json.loads(data)
            return {(item["change"], item["number"]): self._entry(item) for item in whole["pending"]}
        except (ValueError, TypeError, KeyError, RecursionError) as exc:
            raise EffectFileError(where=where) from exc

    def _entry(self, item: dict[str, Wire]) -> PendingEffect:
        key = (str(item["change"]), str(item["number"]), str(item["from"]))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _pending(item)
        return found


def write_effect(schedule: EffectSchedule) -> bytes:
    """Return the file's bytes."""
    listed: list[Wire] = [
        {
            "paths": list(item.paths),
            "kind": item.kind.value,
            "number": item.number,
            "revision": item.revision,
            "from": item.begins.isoformat(),
            "before": item.before,
            "change": item.change,
        }
        for item in schedule.pending
    ]
    return encode({"format": EFFECT_FORMAT, "pending": listed})


def _pending(item: Wire) -> PendingEffect:
    if not isinstance(item, dict) or set(item) != _KEYS or not isinstance(item["paths"], list):
        raise ValueError
    texts = {key: item[key] for key in ("number", "from", "change", "kind")}
    optional = {key: item[key] for key in ("revision", "before")}
    if not all(isinstance(value, str) for value in (*texts.values(), *item["paths"])):
        raise ValueError
    if not all(value is None or isinstance(value, str) for value in optional.values()):
        raise ValueError
    return PendingEffect(
        paths=tuple(cast("list[str]", item["paths"])),
        kind=ItemKind(cast("str", texts["kind"])),
        number=cast("str", texts["number"]),
        revision=cast("str | None", optional["revision"]),
        begins=date.fromisoformat(cast("str", texts["from"])),
        before=cast("str | None", optional["before"]),
        change=cast("str", texts["change"]),
    )
