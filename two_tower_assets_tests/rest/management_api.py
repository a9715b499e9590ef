"""Supabase's Management API as far as `rest.management` asks it, for want of a hosted project."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from two_tower_assets_tests.loopback import serving

TOKEN = "sbp_person"  # noqa: S105 - of nobody


@dataclass
class ManagementApi:
    """A running server, and what it answers about its projects' poolers."""

    url: str
    poolers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@contextmanager
def management_api() -> Iterator[ManagementApi]:
    """Serve until the block ends."""
    with serving(_Server()) as server:
        yield server.state


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        known = {f"/v1/projects/{name}/config/database/pooler": found for name, found in self._poolers.items()}
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._send(401, {"message": "Unauthorized"})
        elif self.path not in known:
            self._send(404, {"message": "Project not found"})
        else:
            self._send(200, known[self.path])

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""

    @property
    def _poolers(self) -> dict[str, list[dict[str, Any]]]:
        return self.server.state.poolers

    def _send(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = ManagementApi(url=f"http://127.0.0.1:{self.server_address[1]}")
