"""已签陈述的核对. Whether a filed statement carries the signature that it must, for services that rely on it.

Whether the certificate was trusted at that time is told by `qms verify`; here only what would be a plain forgery is
found: no signature, wrong bytes, another certificate, another time.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError
from controller.domain.text import T
from controller.file_formats.signature_file import check_signature

if TYPE_CHECKING:
    from controller.domain.text import Text
    from controller.services.statement_filing import StoredStatement


def flaw_of(stored: StoredStatement) -> Text | None:
    """Return what is wrong with a statement's own signature, None when nothing is."""
    data = stored.signatures.get("")
    if data is None:
        return T("陈述旁边没有签名")
    try:
        checked = check_signature(data, stored.data, where=f"{stored.path}.p7s")
    except QmsError:
        return T("签名文件无法读取")
    if not checked.intact:
        return T("签名与陈述不符")
    if checked.certificate != stored.statement.certificate:
        return T("签名用的不是陈述所写的证书")
    if checked.signed_at != datetime.fromisoformat(stored.statement.at):
        return T("签名时间与陈述不符")
    return None
