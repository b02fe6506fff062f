"""设置. `qms.toml` → frozen `Settings`; unknown keys are refused with the nearest known one.

Machine settings only. What governs the quality system (routes, posts, retention, forms) is controlled
content of the workspace, not a setting.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from controller.domain.errors import MisconfiguredError, NotFoundError
from controller.domain.identifiers import nearest
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SETTINGS_FILE = "qms.toml"
WORKSPACE_FORMAT = "wenkong/workspace/1"
FIXED = ("format", "workspace_id", "prefix", "site", "time_zone")
"""Settings that never change once there is a record: numbers, days and signatures rest on them."""


class NotAWorkspaceError(NotFoundError):
    """不是工作区. No `qms.toml` here or above."""

    code = "workspace-missing"

    def __init__(self, *, folder: Path) -> None:
        super().__init__(
            T("“{folder}”不是文控工作区（找不到 qms.toml）。", folder=folder),
            hint=T("先用 qms init 目录 --company 名称 --prefix XX 新建，或用 --workspace 指明工作区目录。"),
        )


class SettingsError(MisconfiguredError):
    """设置有误. `qms.toml` has a key or value that is not allowed."""

    code = "settings-invalid"

    def __init__(self, *, where: str, problem: Text, hint: Text) -> None:
        super().__init__(T("设置文件有误：{problem}", problem=problem), hint=hint, where=where)


@dataclass(frozen=True)
class Settings:
    """工作区设置. The machine settings of one workspace."""

    format: str
    workspace_id: str
    """UUID made at `init`; every entry carries it."""
    company: str
    """Company name as printed in the header of every document."""
    prefix: str
    """Company short code at the head of document numbers."""
    site: str = "main"
    """Name of this site; its archive branch is `archive/<site>`."""
    language: str = "zh"
    """`zh` or `en`; `--lang` overrides it."""
    pdf_engine: str = "office2pdf"
    """`office2pdf` (default) or `libreoffice`."""
    time_zone: str = "Asia/Shanghai"
    """Company time zone; days begin at 00:00 here."""
    key_folder: str = ""
    """Where record keys are kept; empty: the user's data directory."""
    timestamp_authority: str = ""
    """Address (http:// or https://) of the RFC 3161 time-stamping authority; empty: none."""
    witness_folder: str = ""
    """Folder off the machine (network share, stick) that keeps the daily statements; empty: none."""


_CHOICES = {"language": ("zh", "en"), "pdf_engine": ("office2pdf", "libreoffice"), "format": (WORKSPACE_FORMAT,)}


def read_settings(text: str, *, where: str = SETTINGS_FILE) -> Settings:
    """Parse the text of `qms.toml`.

    Raises:
        SettingsError: not TOML, an unknown key, a missing or mistyped value.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        problem = T("不是有效的 TOML({detail})", detail=exc)
        raise SettingsError(where=where, problem=problem, hint=T("按提示的行列修改后再试。")) from exc
    known = {item.name for item in fields(Settings)}
    for key in data:
        if key not in known:
            close = nearest(key, known)
            hint = T("是否想写 {key}？", key=close) if close else T("可用的设置项：{keys}。", keys=sorted(known))
            raise SettingsError(where=where, problem=T("不认识的设置项 {key}", key=key), hint=hint)
    _check_values(data, where)
    settings = Settings(**data)
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as exc:
        problem = T("time_zone “{value}”不是时区名", value=settings.time_zone)
        raise SettingsError(where=where, problem=problem, hint=T("例如 Asia/Shanghai。")) from exc
    return settings


def _check_values(data: Mapping[str, object], where: str) -> None:
    for item in fields(Settings):
        if item.name not in data:
            if item.name in {"format", "workspace_id", "company", "prefix"}:
                problem = T("缺少设置项 {key}", key=item.name)
                raise SettingsError(where=where, problem=problem, hint=T("从备份恢复 qms.toml，或补上该项。"))
            continue
        value = data[item.name]
        if not isinstance(value, str):
            problem = T("设置项 {key} 应为带引号的文字", key=item.name)
            raise SettingsError(where=where, problem=problem, hint=T('例如 {key} = "…"。', key=item.name))
        if item.name in _CHOICES and value not in _CHOICES[item.name]:
            problem = T("设置项 {key} 的值“{value}”不可用", key=item.name, value=value)
            hint = T("可用的值：{values}。", values=list(_CHOICES[item.name]))
            raise SettingsError(where=where, problem=problem, hint=hint)

    address = data.get("timestamp_authority")
    if isinstance(address, str) and address and not _is_web_address(address):
        problem = T("timestamp_authority “{value}”不是网址", value=address[:200])
        raise SettingsError(where=where, problem=problem, hint=T("写以 http:// 或 https:// 开头的完整网址，或留空。"))


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and " " not in text
    return plain and parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None


def write_settings(settings: Settings) -> str:
    """Return the text of `qms.toml` for `settings`; `read_settings` gives the same value back."""
    lines = ["# 文控工作区设置(机器设置)。质量体系的规则在 procedures/、templates/、records/、signatures/ 中。"]
    for item in fields(Settings):
        value = str(getattr(settings, item.name)).replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'{item.name} = "{value}"')
    return "\n".join(lines) + "\n"


def find_workspace(start: Path) -> Path:
    """Return `start` or the nearest folder above it that holds `qms.toml`.

    Raises:
        NotAWorkspaceError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    raise NotAWorkspaceError(folder=start)


def load_settings(folder: Path) -> Settings:
    """Read the settings of the workspace in `folder`."""
    path = folder / SETTINGS_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        hint = T("用 UTF-8 编码另存 qms.toml。")
        raise SettingsError(where=str(path), problem=T("不是 UTF-8 文字"), hint=hint) from exc
    except FileNotFoundError as exc:
        raise NotAWorkspaceError(folder=folder) from exc
    return read_settings(text, where=str(path))
