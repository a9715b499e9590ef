"""A small HTTP proxy between a client and a server, which breaks what passes through it as it is told."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, get_args
from urllib.parse import urlsplit

from two_tower_assets_tests.loopback import serving

Kind = Literal[
    "latency",
    "reset",
    "reply lost",
    "429",
    "429 with a date",
    "500",
    "503 of a gateway",
    "cut reply",
    "duplicated reply",
    "duplicated request",
    "reply and silence",
    "altered request",
    "altered reply",
    "html page",
    "silence",
    "meanwhile",
]
FOR_SOME = {"altered request", "reply and silence", "altered reply", "html page", "silence", "meanwhile"}
KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind not in FOR_SOME)
"""Those that any client survives by trying again."""
LATENCY = 0.2
SILENCE = 4.0
ALWAYS = 10**9
"""Times of a fault that goes on until it is taken out of the list."""


@dataclass
class Fault:
    """What happens to the next `times` requests that match."""

    kind: Kind
    times: int = 1
    matches: Callable[[str, str], bool] = lambda *_: True
    """Of method and path."""
    meanwhile: Callable[[], object] = lambda: None
    """What the fault of this name does before the request is passed on."""


@dataclass
class Proxy:
    """Where it listens, what it will break, and what it broke."""

    url: str
    faults: list[Fault] = field(default_factory=list)
    struck: list[tuple[Kind, str, str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of every request so far."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            self.asked.append((method, path))
            for fault in self.faults:
                if fault.times > 0 and fault.matches(method, path):
                    fault.times -= 1
                    self.struck.append((fault.kind, method, path))
                    return fault
        return None


def is_upload(method: str, path: str) -> bool:
    """Tell an upload from all other requests, of Supabase and of S3."""
    return method == "PUT" or (method == "POST" and "/list/" not in path and "/object/" in path)


def is_read(method: str, path: str) -> bool:
    """Tell a read of a file of Supabase or of S3 from all other requests."""
    return method == "GET" and "/bucket/" not in path and "list-type" not in path


@contextmanager
def fault_proxy(target: str) -> Iterator[Proxy]:
    """Run a proxy to a server, such as http://127.0.0.1:5000, until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.target = urlsplit(target).netloc
    server.proxy = Proxy(f"http://127.0.0.1:{server.server_port}")
    with serving(server):
        yield server.proxy


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024
    target: str
    proxy: Proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault = self.server.proxy.next_fault(self.command, self.path)
        self.close_connection = True
        if fault is not None and fault.kind == "meanwhile":
            fault.meanwhile()
            fault = None
        answer = getattr(self, f"_{fault.kind.replace(' ', '_')}" if fault else "_pass_on")
        answer(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""

    def _pass_on(self, body: bytes) -> None:
        self.wfile.write(self._reply(body))

    def _latency(self, body: bytes) -> None:
        time.sleep(LATENCY)
        self._pass_on(body)

    def _reset(self, body: bytes) -> None:
        del body
        # Closing with a linger of 0 s sends RST.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _reply_lost(self, body: bytes) -> None:
        self._reply(body)
        self._reset(b"")

    def _429(self, body: bytes) -> None:
        del body
        self._say(429, b'{"statusCode":"429","error":"Too Many Requests","message":"slow"}', "retry-after: 0\r\n")

    def _429_with_a_date(self, body: bytes) -> None:
        del body
        self._say(429, b"slow down", "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n")

    def _500(self, body: bytes) -> None:
        del body
        self._say(500, b'{"statusCode":"500","error":"Internal","message":"oops","code":"InternalError"}')

    def _503_of_a_gateway(self, body: bytes) -> None:
        del body
        self._say(503, b"<html>upstream connect error</html>")

    def _cut_reply(self, body: bytes) -> None:
        reply = self._reply(body)
        self.wfile.write(reply[: len(reply) - max(1, (len(reply) - reply.index(b"\r\n\r\n") - 4) // 2)])

    def _duplicated_reply(self, body: bytes) -> None:
        reply = self._reply(body)
        self.wfile.write(reply + reply)

    def _duplicated_request(self, body: bytes) -> None:
        self._reply(body)
        self._pass_on(body)

    def _reply_and_silence(self, body: bytes) -> None:
        reply = self._reply(body)
        self.wfile.write(reply.replace(b"connection: close\r\n", b""))
        # Whatever comes next on this connection is read and not answered.
        while self.connection.recv(65536):
            pass

    def _altered_request(self, body: bytes) -> None:
        middle = len(body) // 2
        self._pass_on(body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :])

    def _altered_reply(self, body: bytes) -> None:
        reply = self._reply(body)
        middle = (reply.index(b"\r\n\r\n") + 4 + len(reply)) // 2
        self.wfile.write(reply[:middle] + bytes([reply[middle] ^ 1]) + reply[middle + 1 :])

    def _html_page(self, body: bytes) -> None:
        del body
        self._say(200, b"<!doctype html><title>Sign in to the network</title>", "content-type: text/html\r\n")

    def _silence(self, body: bytes) -> None:
        time.sleep(SILENCE)
        self._reset(body)

    def _say(self, status: int, body: bytes, header: str = "") -> None:
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{header}connection: close\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def _reply(self, body: bytes) -> bytes:
        """Ask the server and return its whole reply as bytes."""
        connection = http.client.HTTPConnection(self.server.target, timeout=30)
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in {"connection", "expect"}
        }
        connection.request(self.command, self.path, body, {**headers, "connection": "close"})
        answer = connection.getresponse()
        content = answer.read()
        kept = [
            (name, value)
            for name, value in answer.getheaders()
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}
        ]
        size = answer.getheader("content-length") if self.command == "HEAD" else str(len(content))
        lines = [f"{name}: {value}" for name, value in [*kept, ("content-length", size), ("connection", "close")]]
        head = f"HTTP/1.1 {answer.status} {answer.reason}\r\n" + "\r\n".join(lines) + "\r\n\r\n"
        connection.close()
        return head.encode("latin-1") + content
