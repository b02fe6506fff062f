"""文件的签署页. What stands on the page of signatures at the end of a document (21 CFR 11.50; docs/signatures.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.signature_page import SignaturePage, SignatureSlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.document_signatures import DocumentSignatures, ExemptionInForce, StepStanding
    from controller.domain.route import Exemption

_RECOMPUTED = (
    "摘要可以自行重算：把各源文件的路径和 SHA-256 按路径排列，写成一行不含空格的 JSON"
    "（{“路径”:“sha256:…”,…}，英文引号），再取这一行（UTF-8）的 SHA-256。"
)


def signature_page(
    standing: DocumentSignatures,
    *,
    company: str,
    exemption: Exemption | None,
    exempt: ExemptionInForce | None,
    planned: tuple[str, str] | None,
    cited: Callable[[str], str | None],
) -> SignaturePage:
    """Return the page of signatures of a document.

    Args:
        standing: the document, and who has signed it.
        company: name of the company.
        exemption: what the routes allow to a company with too few people.
        exempt: the exemption that was signed for, if one is in force.
        planned: number of the change that the document belongs to, and the day from which it is to be in force.
        cited: id of an external document → its title; None: it is not known.
    """
    route = standing.route
    basis = "、".join(_cited(item, cited) for item in route.basis)
    notes = [f"签署路线：{route.label}{f'（依据：{basis}）' if basis else ''}。", _RECOMPUTED]
    if planned is not None:
        notes.insert(0, f"更改编号：{planned[0]}。拟自 {planned[1]} 起生效，以批准更改的陈述为准。")
    notes += [f"{item.told_on_paper}。" for item in standing.signatures if item.counts and item.paper is not None]
    if exempt is not None and exemption is not None:
        notes.append(
            f"{exemption.label}（{exempt.by.name}签署，有效至 {exempt.until}）：{exemption.allows}；{exemption.never}。"
        )
    return SignaturePage(
        company=company,
        title=standing.title,
        number=standing.number,
        revision=standing.revision,
        contents=standing.contents,
        contents_label=standing.contents_label,
        slots=[SignatureSlot(item.step.key, item.step.label, _slot_posts(item)) for item in standing.steps],
        notes=notes,
    )


def _cited(basis: str, cited: Callable[[str], str | None]) -> str:
    """Return a basis such as `WL-R3 第二十条` with the title of the external document in place of its id."""
    identifier, _, article = basis.partition(" ")
    title = cited(identifier)
    return f"《{title}》{article}" if title is not None else basis


def _slot_posts(item: StepStanding) -> str:
    signed = item.signature
    return (
        f"{item.posts}（已在纸上签名，见下方说明）" if signed is not None and signed.paper is not None else item.posts
    )
