"""测试用时间戳机构. A real RFC 3161 authority on loopback: `openssl ts -reply` behind a small web server.

Its answers can be bent: what a broken, hostile or slow authority sends.
"""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

REPLY = "application/timestamp-reply"


class OpensslAuthority:
    """A root and a time-stamping certificate made by openssl, and the answers made with them."""

    def __init__(self, folder: Path, name: str = "测试时间戳机构", *, rsa: bool = False) -> None:
        self._rsa = rsa
        self.folder = folder
        self.openssl = need("openssl")
        folder.mkdir(parents=True)
        self._run("req", "-x509", *self._new_key("root"), "-out", "root.pem", "-subj", "/CN=root", "-days", "3650")
        self._run("req", *self._new_key("tsa"), "-out", "tsa.csr", "-utf8", "-subj", f"/CN={name}")
        (folder / "usage.txt").write_text(
            "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n"
        )
        authority = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "3000"]
        self._run("x509", "-req", "-in", "tsa.csr", *authority, "-out", "tsa.pem", "-extfile", "usage.txt")
        (folder / "serial").write_text("01")
        (folder / "tsa.cnf").write_text(
            "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\ncerts=root.pem\nsigner_key=tsa.key\n"
            "signer_digest=sha256\ndefault_policy=1.2.3.4.1\nother_policies=1.2.3.4.5\ndigests=sha256\n"
            "accuracy=secs:1\ness_cert_id_alg=sha256\n"
        )
        self._lock = threading.Lock()

    @property
    def root_file(self) -> Path:
        return self.folder / "root.pem"

    def reply(self, question: bytes) -> bytes:
        """What openssl answers to `question`."""
        with self._lock:
            (self.folder / "question.tsq").write_bytes(question)
            self._run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "question.tsq", "-out", "answer.tsr")
            return (self.folder / "answer.tsr").read_bytes()

    def reply_at(self, question: bytes, moment: datetime) -> bytes:
        """What this authority (with RSA keys) would answer at `moment`; openssl itself only knows the present."""
        from asn1crypto import keys, pem, tsp, x509
        from pyhanko.sign.timestamps import DummyTimeStamper

        certificate = x509.Certificate.load(pem.unarmor((self.folder / "tsa.pem").read_bytes())[2])
        key = keys.PrivateKeyInfo.load(pem.unarmor((self.folder / "tsa.key").read_bytes())[2])
        answer: bytes = (
            DummyTimeStamper(certificate, key, fixed_dt=moment)
            .request_tsa_response(tsp.TimeStampReq.load(question))
            .dump()
        )
        return answer

    def accepts(self, data: bytes, stamp: bytes) -> bool:
        """What `openssl ts -verify` says about a stamp over `data`, both in files as a stranger has them."""
        (self.folder / "data").write_bytes(data)
        (self.folder / "stamp.tsr").write_bytes(stamp)
        command = [self.openssl, "ts", "-verify", "-data", "data", "-in", "stamp.tsr", "-CAfile", "root.pem"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
        return done.returncode == 0 and b"Verification: OK" in done.stdout + done.stderr

    def _new_key(self, name: str) -> list[str]:
        kind = ["rsa:2048"] if self._rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        return ["-newkey", *kind, "-nodes", "-keyout", f"{name}.key"]

    def _run(self, *arguments: str) -> None:
        subprocess.run([self.openssl, *arguments], cwd=self.folder, capture_output=True, check=True)


@dataclass
class Sent:
    """What the server sends."""

    body: bytes
    status: int = 200
    kind: str = REPLY
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class RunningAuthority:
    """An authority that answers at `address`."""

    address: str
    questions: list[bytes] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[bytes], Sent | bytes | None]) -> Iterator[RunningAuthority]:
    """Serve on loopback; bytes are a good answer, None is no answer at all until the client gives up."""
    gone = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            running.questions.append(question)
            found = answer(question)
            if found is None:
                gone.wait(10)
                self.close_connection = True
                return
            sent = found if isinstance(found, Sent) else Sent(found)
            self.send_response(sent.status)
            for name, value in {
                "Content-Type": sent.kind,
                "Content-Length": str(len(sent.body)),
                **sent.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(sent.body)
            except OSError:
                # The client had enough.
                self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = RunningAuthority(f"http://127.0.0.1:{server.server_port}/tsa")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        gone.set()
        server.shutdown()
        server.server_close()
        thread.join()
