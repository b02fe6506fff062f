"""口令输入. Asks for passphrases without showing them, or takes them from a file that automation gives.

A passphrase is never an option of a command line, where other programs could read it.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from controller.domain.errors import MisconfiguredError, RefusedError
from controller.domain.passphrase import PassphraseTooWeakError, passphrase_rules
from controller.domain.personal_key import PassphraseWrongError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controller.cli.output import Output
    from controller.domain.person import Person
    from controller.domain.signing_rules import SigningRules
    from controller.services.personal_signer import PassphraseAnswer, PassphraseQuestion

AUTHORITY = "authority"
"""Under this word the passphrase of the company's certificate authority stands in a passphrase file."""
_LARGEST = 64 * 1024
_TRIES = 3
_KEYED = re.compile(r"(?P<key>[^:：]+)(?:: |：\s?)(?P<value>.*)")
"""A key, a colon as either keyboard types it, the passphrase."""


class PassphraseFileError(MisconfiguredError):
    """口令文件不能用. The file given with `--passphrase-file` cannot be read, or has no passphrase for the person."""

    code = "passphrase-file-unusable"

    def __init__(self, *, path: Path, who: str | None = None) -> None:
        super().__init__(
            T("口令文件“{path}”里没有{who}的口令。", path=path, who=who)
            if who
            else T("口令文件“{path}”读不出来。", path=path),
            hint=T("每行写一个：工号: 口令；只有一个人时可以只写口令。"),
            where=str(path),
        )


class PassphrasesDifferError(RefusedError):
    """两次口令不同."""

    code = "passphrases-differ"

    def __init__(self) -> None:
        super().__init__(T("两次输入的口令不同，没有改动。"), hint=T("重新设一次，两次输入同一个口令。"))


class PassphrasesAlikeError(RefusedError):
    """企业证书口令与本人口令相同. Whoever learned one would hold both a person's key and the authority's."""

    code = "passphrases-alike"

    def __init__(self) -> None:
        super().__init__(
            T("企业证书口令与本人的签名口令相同，没有建立任何内容。"),
            hint=T("重新执行命令，为企业证书另设一个口令，最好由另一位负责人来设、来保管。"),
        )


class Passphrases:
    """口令. Where this command gets passphrases from."""

    def __init__(self, out: Output, file: Path | None) -> None:
        self._out = out
        self._file = file
        self._given: dict[str, str] | None = None

    def of(self, key: str, prompt: str, *, name: str | None = None) -> str | None:
        """Return the passphrase for `key` (person id, `AUTHORITY`): from the file, or asked; None without either.

        Raises:
            PassphraseFileError: a file was given and does not have it.
        """
        if self._file is not None:
            given = self._lines(self._file)
            for known in (key, name, ""):
                if known is not None and known in given:
                    return given[known]
            raise PassphraseFileError(path=self._file, who=name or key)
        if self._out.as_json or not sys.stdin.isatty():
            return None
        answer: str = click.prompt(prompt, hide_input=True, err=True)
        return answer

    def new(
        self,
        key: str,
        prompt: str,
        again: str,
        *,
        name: str | None = None,
        rules: SigningRules,
        check: Callable[[str], object],
    ) -> str | None:
        """Return a new passphrase for `key` that `check` takes; in a file `key.new` comes before `key`.

        At the terminal the rules are said first; it is asked twice, and again when it is too weak or typed differently.

        Raises:
            PassphraseTooWeakError: what `check` says.
            PassphrasesDifferError: the two answers differ.
        """
        if self._file is not None:
            given = self._lines(self._file)
            found = given.get(f"{key}.new") or self.of(key, prompt, name=name)
            if found is not None:
                check(found)
            return found

        def chosen() -> str | None:
            first = self.of(key, prompt)
            if first is None:
                return None
            check(first)
            if click.prompt(again, hide_input=True, err=True) != first:
                raise PassphrasesDifferError
            return first

        if not self._out.as_json and sys.stdin.isatty():
            self._out.note(passphrase_rules(rules))
        return self._tried(chosen)

    def opening(self, key: str, prompt: str, check: Callable[[str], object]) -> str | None:
        """Return the passphrase for `key` that `check` takes; at the terminal a wrong one is asked for again.

        Raises:
            RefusedError: what `check` says of the last one.
        """

        def given() -> str | None:
            found = self.of(key, prompt)
            if found is not None:
                check(found)
            return found

        return self._tried(given)

    def _tried(self, ask: Callable[[], str | None]) -> str | None:
        """Let a person at the terminal try again, so that one slip loses nothing that was typed before."""
        tries = 1 if self._file is not None else _TRIES
        for left in range(tries - 1, 0, -1):
            try:
                return ask()
            except (PassphraseTooWeakError, PassphrasesDifferError, PassphrasesAlikeError, PassphraseWrongError) as exc:
                self._out.note(exc.message)
                self._out.note(T("请再试，还可以试 {count} 次。", count=left))
        return ask()

    def answer(self, question: PassphraseQuestion) -> PassphraseAnswer | None:
        """Answer what a signature asks (`Application.ask`)."""
        from controller.services.personal_signer import PassphraseAnswer

        person: Person = question.person
        out = self._out
        claimed: str | None = None
        if question.full and self._file is None and sys.stdin.isatty() and not out.as_json:
            claimed = click.prompt(
                out.text(T("以“{meaning}”签名。先输入工号（不是口令）", meaning=question.meaning or "签名")), err=True
            )
        prompt = T("以“{meaning}”签名，{name}的口令", meaning=question.meaning or "签名", name=person.name)
        passphrase = self.of(person.id, out.text(prompt), name=person.name)
        return None if passphrase is None else PassphraseAnswer(passphrase, claimed)

    def _lines(self, file: Path) -> dict[str, str]:
        if self._given is None:
            try:
                with file.open("rb") as opened:
                    text = opened.read(_LARGEST).decode("utf-8-sig")
            except (OSError, UnicodeDecodeError) as exc:
                raise PassphraseFileError(path=file) from exc
            self._given = {}
            for line in text.splitlines():
                found = _KEYED.fullmatch(line)
                if found:
                    self._given[found["key"].strip()] = found["value"]
                elif line.strip():
                    self._given[""] = line
        return self._given
