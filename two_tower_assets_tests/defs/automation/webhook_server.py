"""A webhook that takes JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from two_tower_assets_tests.loopback import serving


class Webhook(ThreadingHTTPServer):
    """A real server, after as many refusals as it is told to begin with."""

    def __init__(self, *refusals: int) -> None:
        self.refusals = list(refusals)
        self.asked = 0
        self.taken: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), Taking)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks/secret-path"


class Taking(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked += 1
        if self.server.refusals:
            self.send_response(self.server.refusals.pop(0))
        else:
            self.server.taken.append(json.loads(body))
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@contextmanager
def webhook(*refusals: int) -> Iterator[Webhook]:
    with serving(Webhook(*refusals)) as server:
        yield server
