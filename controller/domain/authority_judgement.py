"""证书机构陈述的判断. Founding of the company's certificate authority and change of its root (docs/signatures.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.certificate_standing import short
from controller.domain.conformity import Finding, Gravity
from controller.domain.signer_judgement import Refusal, SignerJudgement, digest_stated
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.domain.identifiers import Digest
    from controller.domain.trust_events import TrustEvent


class AuthorityJudgement(SignerJudgement):
    """证书机构陈述的判断. Each method returns why the statement does not count, or changes the state."""

    def founded(self, event: TrustEvent, order: int) -> Refusal | None:
        """Judge `authority-founded`."""
        statement = event.statement
        root = digest_stated(statement.new.get("root"))
        known = self.state.people.get(statement.by.person) if statement.by else None
        if root is None or known is None or statement.by is None or statement.by.name != known.name or self.state.roots:
            return self.wrong(event, T("证书机构不是由第一位人员在注册时设立"))
        if self.material.root is not None and root != self.material.root:
            message = T("{path}：根证书 {root} 不是本工作区建立时的根证书", path=event.path, root=short(root))
            return Refusal("authority-root-differs", message)
        if (
            not self._is_root(root)
            or statement.certificate is None
            or not self.material.issued(statement.certificate, root)
        ):
            return Refusal(
                "authority-root-wrong", T("{path}：{root} 不是可用的根证书", path=event.path, root=short(root))
            )
        self.state.roots.append((order, root))
        return None

    def _is_root(self, root: Digest) -> bool:
        facts = self.material.certificates.get(root)
        return facts is not None and facts.authority and self.material.issued(root, root)

    def replaced(self, event: TrustEvent, order: int) -> Refusal | None:
        """Judge `authority-replaced`; it takes effect with a second signature, where anybody could give one."""
        statement = event.statement
        signer = self.signer(event, order)
        if isinstance(signer, Refusal):
            return signer
        posts = self.material.rules(order).witness_posts
        if not signer.holds(posts, event.day):
            message = T("{path}：{name}的岗位无权更换根证书", path=event.path, name=signer.name)
            return Refusal("authority-by-wrong-post", message)
        root = digest_stated(statement.new.get("root"))
        if root is None or not self._is_root(root) or any(root == known for _, known in self.state.roots):
            return Refusal("authority-root-wrong", T("{path}：新根证书不可用", path=event.path))
        if self.state.root is None or digest_stated(statement.old.get("root")) != self.state.root:
            return self.wrong(event, T("没有写对原来的根证书"))
        self.state.next_root = (root, signer.id, event.path)
        others = self.state.witnesses_for(signer.id, posts, event.at, self.material.certificates)
        if not others and not self.state.lately_removed(signer.id, event.at):
            message = T("根证书更换只有{name}一人签名：当时没有别人可以见证", name=signer.name)
            self.findings.append(
                Finding("authority-witness-missing", Gravity.NOTE, message, path=event.path, since=statement.at)
            )
            self.new_root(event, order)
        return None

    def new_root(self, event: TrustEvent, order: int) -> None:
        """Put the waiting root into force."""
        waiting = self.state.next_root
        if waiting is not None and waiting[2] == event.path:
            self.state.roots.append((order, waiting[0]))
            self.state.next_root = None
