"""Signatures of another shape than ours are damaged, even when they are rightly signed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import algos, cms, core, keys, tsp, x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from controller.file_formats.der import OCTET_STRING, SEQUENCE, SET, encoded
from controller.file_formats.signature_file import (
    SignatureDamagedError,
    check_signature,
)
from tests.signed_bytes import DATA, attribute, lin, outcome, outside, resigned, signed
from tests.signers import other_company

if TYPE_CHECKING:
    from collections.abc import Callable


def twice(content: Any) -> None:
    attributes = content["signer_infos"][0]["signed_attrs"]
    later = cms.CMSAttribute(
        {"type": "signing_time", "values": [cms.Time({"utc_time": datetime(2030, 1, 1, tzinfo=UTC)})]}
    )
    attributes.append(later)


def two_values(content: Any) -> None:
    attribute(content, "signing_time")["values"].append(cms.Time({"utc_time": datetime(2030, 1, 1, tzinfo=UTC)}))


def without(name: str) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        signer = content["signer_infos"][0]
        signer["signed_attrs"] = cms.CMSAttributes(
            [item for item in signer["signed_attrs"] if item["type"].native != name]
        )

    return change


def unknown_attribute(content: Any) -> None:
    content["signer_infos"][0]["signed_attrs"].append(
        cms.CMSAttribute({"type": "1.2.3.4", "values": [core.UTF8String("另有约定")]})
    )


def unsigned_attribute(content: Any) -> None:
    content["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes(
        [cms.CMSAttribute({"type": "1.2.3.4", "values": [core.UTF8String("另有约定")]})]
    )


def second_signer(content: Any) -> None:
    content["signer_infos"].append(content["signer_infos"][0].copy())


def no_signer(content: Any) -> None:
    content["signer_infos"] = cms.SignerInfos([])


def enclosed_data(content: Any) -> None:
    content["encap_content_info"] = {"content_type": "data", "content": DATA}


def other_content_type(content: Any) -> None:
    attribute(content, "content_type")["values"] = ["signed_data"]


def other_digest(content: Any) -> None:
    content["signer_infos"][0]["digest_algorithm"] = algos.DigestAlgorithm({"algorithm": "sha512"})


def other_algorithm(content: Any) -> None:
    content["signer_infos"][0]["signature_algorithm"] = algos.SignedDigestAlgorithm({"algorithm": "sha512_ecdsa"})


def key_identifier(content: Any) -> None:
    signer = content["signer_infos"][0]
    signer["version"] = "v3"
    signer["sid"] = cms.SignerIdentifier("subject_key_identifier", core.OctetString(b"\x01" * 20))


def other_serial(content: Any) -> None:
    content["signer_infos"][0]["sid"].chosen["serial_number"] = 1


def no_certificates(content: Any) -> None:
    content["certificates"] = cms.CertificateSet([])


def local_time(content: Any) -> None:
    attribute(content, "signing_time")["values"] = [core.UTCTime(contents=b"260501093000+0800")]


def impossible_time(content: Any) -> None:
    attribute(content, "signing_time")["values"] = [core.UTCTime(contents=b"260231093000Z")]


def long_written_time(content: Any) -> None:
    attribute(content, "signing_time")["values"] = [core.GeneralizedTime(contents=b"20260501013000Z")]


def other_issuer_serial(content: Any) -> None:
    value = attribute(content, "signing_certificate_v2")["values"][0]
    issuer = x509.Certificate.load(other_company().root).subject
    value["certs"][0]["issuer_serial"] = {
        "issuer": [x509.GeneralName("directory_name", issuer)],
        "serial_number": 7,
    }


def nothing_named(content: Any) -> None:
    attribute(content, "signing_certificate_v2")["values"] = [tsp.SigningCertificateV2({"certs": []})]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (twice, "签名属性重复"),
        (two_values, "多余"),
        (without("signing_time"), "缺少签名属性"),
        (without("message_digest"), "缺少签名属性"),
        (without("content_type"), "缺少签名属性"),
        (without("signing_certificate_v2"), "缺少签名属性"),
        (unknown_attribute, "不认识"),
        (unsigned_attribute, "未经签名的属性"),
        (second_signer, "签名人多于一个"),
        (no_signer, "缺少的字节"),
        (enclosed_data, "不是与原文分开的签名"),
        (other_content_type, "content-type 不是 data"),
        (other_digest, "摘要算法"),
        (other_algorithm, "签名算法不支持"),
        (key_identifier, "签名人写法"),
        (other_serial, "没有签名人的证书"),
        (no_certificates, "所附证书缺失"),
        (local_time, "签名时间写法不对"),
        (impossible_time, "签名时间写法不对"),
        (long_written_time, "签名时间写法不对"),
        (other_issuer_serial, "不是签名人的证书"),
        (nothing_named, "没有签名人的证书"),
    ],
)
def test_any_other_shape_is_called_damaged_even_when_rightly_signed(
    change: Callable[[Any], None], problem: str
) -> None:
    assert outcome(resigned(lambda _: None)) == "intact"
    with pytest.raises(SignatureDamagedError, match=problem):
        check_signature(resigned(change), DATA)


def test_attributes_in_another_order_are_called_damaged_even_when_rightly_signed() -> None:
    p7s = signed()
    attributes = cms.ContentInfo.load(p7s)["content"]["signer_infos"][0]["signed_attrs"]
    first, *others = [item.dump() for item in attributes]
    assert p7s.count(b"".join([first, *others])) == 1
    turned = b"".join([*others, first])
    changed = p7s.replace(b"".join([first, *others]), turned)
    signature = cms.ContentInfo.load(p7s)["content"]["signer_infos"][0]["signature"].dump()
    for _ in range(100):
        anew = encoded(OCTET_STRING, lin().sign_raw(encoded(SET, turned)))
        if len(anew) == len(signature):
            break
    with pytest.raises(SignatureDamagedError, match="次序不对"):
        check_signature(changed.replace(signature, anew), DATA)


def test_an_rsa_signature_cannot_call_itself_ecdsa() -> None:
    def rename(content: Any) -> None:
        content["signer_infos"][0]["signature_algorithm"] = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})

    assert outcome(resigned(rename, key=outside())) == "not intact"


def test_an_rsa_signature_may_name_its_digest_in_the_algorithm() -> None:
    def rename(content: Any) -> None:
        content["signer_infos"][0]["signature_algorithm"] = algos.SignedDigestAlgorithm(
            {"algorithm": "sha256_rsa", "parameters": core.Null()}
        )

    assert outcome(resigned(rename, key=outside())) == "intact"


def test_the_same_content_in_another_encoding_is_called_damaged() -> None:
    p7s = signed()
    content = p7s[4:]
    assert p7s == encoded(SEQUENCE, content)
    assert outcome(b"\x30\x80" + content + b"\x00\x00") == "damaged"
    assert outcome(b"\x30\x83" + len(content).to_bytes(3, "big") + content) == "damaged"
    assert outcome(p7s + b"\x00") == "damaged"
    assert outcome(b"\xef\xbb\xbf" + p7s) == "damaged"


def test_a_signer_with_another_kind_of_key_is_called_damaged() -> None:
    public = ec.generate_private_key(ec.SECP384R1()).public_key()
    information = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def exchange(content: Any) -> None:
        certificate = x509.Certificate.load(lin().certificate)
        certificate["tbs_certificate"]["subject_public_key_info"] = keys.PublicKeyInfo.load(information)
        content["certificates"] = cms.CertificateSet([cms.CertificateChoices("certificate", certificate)])

    with pytest.raises(SignatureDamagedError, match="公钥不能使用"):
        check_signature(resigned(exchange), DATA)
