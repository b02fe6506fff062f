"""文件签名的判定. Which of the filed signatures on a document revision count for its present files, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.document_signatures import DocumentSignature
from controller.domain.paper_signature import paper_of
from controller.domain.record import Signatory
from controller.domain.statement import Event
from controller.domain.text import T
from controller.services.signed_statement import flaw_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.identifiers import Digest
    from controller.services.statement_filing import StoredStatement


def judged(
    filed: Sequence[StoredStatement], files: Mapping[str, Digest], *, void_until: str = ""
) -> list[DocumentSignature]:
    """Return every signature with whether it counts: those on the present bytes since these bytes last changed.

    What was signed up to the moment `void_until` does not count: the document was returned then.
    """
    found: list[DocumentSignature] = []
    changed_later = False
    for stored in reversed(filed):
        stated = stored.statement
        on_paper = stated.event is Event.DOCUMENT_SIGNED_ON_PAPER
        paper = paper_of(stated.new) if on_paper else None
        covered = {path: digest for path, digest in stated.files.items() if not path.startswith(f"{stated.chain}/")}
        differing = sorted(path for path in {*covered, *files} if covered.get(path) != files.get(path))
        why = flaw_of(stored)
        if why is None and on_paper and paper is None:
            why = T("没有写明纸质签名")
        elif why is None and differing:
            names = [path.rsplit("/", maxsplit=1)[-1] for path in differing]
            why = T("签署之后有改动：{files}", files=names)
        elif why is None and changed_later:
            why = T("签署之后文件改过又改回，须重新签署")
        elif why is None and stated.at <= void_until:
            why = T("已退回，须重新签署")
        changed_later = changed_later or bool(differing)
        if stated.by is None or stated.certificate is None:
            continue  # `decode_statement` lets nobody sign without a name; said for the type checker
        by = Signatory(paper.person, paper.name, paper.post) if paper is not None else stated.by
        found.append(
            DocumentSignature(
                sequence=stated.sequence,
                step=str(stated.new.get("step", "")),
                meaning=paper.meaning if paper is not None else stated.meaning,
                by=by,
                at=stated.at,
                reason=stated.reason,
                statement=stored.digest,
                certificate=stated.certificate,
                path=stored.path,
                exempted="exemption" in stated.new,
                void_because=why,
                paper=paper,
                taken_in_by=stated.by if on_paper else None,
            )
        )
    return found[::-1]
