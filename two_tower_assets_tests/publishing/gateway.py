"""A gateway before PostgREST, as a project has one: paths under `/rest/v1`, and faults on demand.

Everything else is the real PostgREST's answer.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

from two_tower_assets_tests.loopback import serving

Fault = Literal["pass", "429", "503", "reset", "cut", "hang"]
"""`reset` ends the connection before the server hears of the request, `cut` after it has answered; `hang` answers
nothing until the client gives up."""


@dataclass
class Gateway:
    """A running gateway."""

    url: str
    faults: list[Fault] = field(default_factory=list)
    """What happens to the next writing requests, in order; afterwards all pass."""
    read_faults: list[Fault] = field(default_factory=list)
    """As `faults`, of requests that only read."""
    written: list[list[dict[str, str]]] = field(default_factory=list)
    """Rows of every writing request that reached the server."""


@contextmanager
def gateway(target: str) -> Iterator[Gateway]:
    """Serve `<url>/rest/v1/…` from `target` until the block ends."""
    with serving(_Server(target)) as server:
        yield server.state


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(self.server.state.read_faults)

    def do_HEAD(self) -> None:
        self._serve(self.server.state.read_faults)

    def do_POST(self) -> None:
        self._serve(self.server.state.read_faults if "/rpc/" in self.path else self.server.state.faults)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""

    def _serve(self, faults: list[Fault]) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault: Fault = faults.pop(0) if faults else "pass"
        if fault in {"429", "503"}:
            self._send(int(fault), {"retry-after": "0"}, b'{"message": "slow down"}')
        elif fault == "reset":
            self._hang_up()
        elif fault == "hang":
            self.rfile.read(1)
            self._hang_up()
        else:
            answer, content = self._forward(body)
            if fault == "cut":
                self._hang_up()
            else:
                kept = ("content-type", "content-range", "proxy-status")
                headers = {name: answer.headers[name] for name in kept if name in answer.headers}
                self._send(answer.status, headers, content)

    def _forward(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        assert self.path.startswith("/rest/v1/"), self.path
        if self.command == "POST" and "/rpc/" not in self.path:
            self.server.state.written.append(json.loads(body))
        target = self.server.target
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
        left_out = {"host", "connection", "content-length", "accept-encoding"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in left_out}
        connection.request(self.command, self.path.removeprefix("/rest/v1"), body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _hang_up(self) -> None:
        # No lingering: the client sees a reset at once.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target)
        self.state = Gateway(url=f"http://127.0.0.1:{self.server_address[1]}")
