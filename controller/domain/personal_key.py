"""个人密钥. What can be wrong with the keys of people and of the authority (电子签名法 13, 15; 21 CFR 11.300).

Files are read and written by `adapters.personal_keys`; the errors stand here so that the use cases can tell them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, NotFoundError, RefusedError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from datetime import datetime


class PersonalKeyMissingError(NotFoundError):
    """没有个人密钥. This computer keeps no key of the person."""

    code = "personal-key-missing"

    def __init__(self, *, person: str, place: str) -> None:
        super().__init__(
            T("这台电脑上没有人员 {person} 的密钥。", person=person[:60]),
            hint=T(
                "请在存有密钥的电脑上登录，或从密钥备份恢复（qms person restore）；"
                "密钥丢失时重新办理证书（qms person certify）。"
            ),
            where=place,
        )


class PersonalKeyDamagedError(DamagedError):
    """个人密钥损坏. The key file cannot be read as what was written."""

    code = "personal-key-damaged"

    def __init__(self, *, person: str, problem: Text, place: str) -> None:
        super().__init__(
            T("人员 {person} 的密钥文件不能使用：{problem}。", person=person[:60], problem=problem),
            hint=T(
                "请从密钥备份恢复（qms person restore）；没有备份时重新办理证书（qms person certify）。"
                "以前的签名不受影响。"
            ),
            where=place,
        )


class AuthorityKeyMissingError(NotFoundError):
    """没有企业证书机构的密钥. Certificates are issued on the computer that keeps it."""

    code = "authority-key-missing"

    def __init__(self, *, place: str) -> None:
        super().__init__(
            T("这台电脑上没有企业证书机构的密钥。"),
            hint=T(
                "请在建立工作区的电脑上办理证书，或从密钥备份恢复（qms person restore）；确已丢失时由两人更换证书机构。"
            ),
            where=place,
        )


class AuthorityKeyDamagedError(DamagedError):
    """企业证书机构的密钥损坏. The key file cannot be read as what was written."""

    code = "authority-key-damaged"

    def __init__(self, *, problem: Text, place: str) -> None:
        super().__init__(
            T("企业证书机构的密钥文件不能使用：{problem}。", problem=problem),
            hint=T("请从密钥备份恢复（qms person restore）；没有备份时由两人更换证书机构。以前的签名不受影响。"),
            where=place,
        )


class AuthorityOutOfTimeError(RefusedError):
    """企业证书机构不在有效期. A certificate issued now would never be valid."""

    code = "authority-out-of-time"

    def __init__(self, *, since: datetime, until: datetime) -> None:
        super().__init__(
            T("企业根证书的有效期是 {since} 至 {until}，现在不能办理证书。", since=since.date(), until=until.date()),
            hint=T("请先核对电脑的日期；根证书确已到期时由两人更换证书机构。"),
        )


class KeyUnsupportedError(RefusedError):
    """密钥种类不可用. Neither ECDSA P-256 nor RSA of 2048 bits or more."""

    code = "key-unsupported"

    def __init__(self, *, kind: str) -> None:
        super().__init__(
            T("不能使用这种密钥（{kind}）。", kind=kind[:40]),
            hint=T("可用的是 ECDSA P-256 和 2048 位以上的 RSA；请向发证机构申请这样的证书，或使用企业自己的证书。"),
        )


class OutsideKeyRefusedError(RefusedError):
    """外部证书文件不可用. A PKCS#12 file from an outside authority that cannot be taken in."""

    code = "outside-key-refused"

    def __init__(self, *, problem: Text) -> None:
        super().__init__(
            T("外部证书文件不能使用：{problem}。", problem=problem),
            hint=T("请向发证机构取得含私钥和个人签名证书的 PKCS#12 文件（.p12 或 .pfx）后重试；没有改动任何内容。"),
        )


class KeyOwnerRefusedError(RefusedError):
    """人员编号不能用作密钥文件名. It is no person id, or the file system would take it for another one."""

    code = "key-owner-refused"

    def __init__(self, *, person: str) -> None:
        super().__init__(
            T("人员编号“{person}”不能用来保存密钥。", person=ascii(person)[1:-1][:60]),
            hint=T("编号只含字母、数字、点、横线和下划线，不与他人仅大小写不同，例如 p001。"),
        )


class CertificateNameRefusedError(RefusedError):
    """证书上的名称不可用. Empty, or with characters that cannot be seen."""

    code = "certificate-name-refused"

    def __init__(self, *, what: Text) -> None:
        super().__init__(
            T("{what}为空或含有看不见的字符，不能写入证书。", what=what),
            hint=T("请先更正后再办理证书；没有改动任何内容。"),
        )


class PassphraseWrongError(RefusedError):
    """口令不对. The passphrase does not open the key."""

    code = "passphrase-wrong"

    def __init__(self, *, name: str | Text) -> None:
        super().__init__(
            T("{name}的签名口令不对。", name=name),
            hint=T("注意大小写和输入法；连续失败会被锁定并记入审计追踪。忘记口令的，请重新发放证书。"),
        )


class AuthorityPassphraseWrongError(PassphraseWrongError):
    """企业证书口令不对. The passphrase does not open the authority's key."""

    code = "authority-passphrase-wrong"

    def __init__(self) -> None:
        RefusedError.__init__(
            self,
            T("企业证书口令不对，没有发放证书。"),
            hint=T(
                "这是发放证书用的口令，不是个人的签名口令，请保管人输入；"
                "保管人也忘记的，用 qms person replace-authority 更换企业根证书。"
            ),
        )


class OutsidePassphraseWrongError(PassphraseWrongError):
    """外部证书文件的口令不对."""

    code = "outside-passphrase-wrong"

    def __init__(self) -> None:
        RefusedError.__init__(
            self,
            T("外部证书文件的口令不对，没有导入。"),
            hint=T("这是从发证机构导出该文件时设的口令；忘记的请重新导出。"),
        )
