"""A gateway before the running stack that alters what the functions answer, as a wrong deployment would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from two_tower_assets_tests.loopback import serving

Alter = Callable[[str, httpx.Response], tuple[int, dict[str, str], Any]]
"""From the function's name and its answer to status, headers and body."""

_KEPT = ("x-golden-vectors", "x-model-version", "x-refused-version", "content-range")


def unaltered(function: str, answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """What the function answers."""
    del function
    headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
    return answer.status_code, headers, answer.json()


@contextmanager
def altering(target: str, alter: Alter) -> Iterator[str]:
    """Serve the stack at `target` until the block ends; yield SUPABASE_URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve()

        def do_HEAD(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = httpx.request(
                self.command, f"{target}{self.path}", content=body, headers=headers, timeout=60, trust_env=False
            )
            if not self.path.startswith("/functions/v1/"):
                kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
                self._send(answer.status_code, kept, answer.content)
                return
            status, altered, content = alter(self.path.rsplit("/", 1)[1], answer)
            self._send(status, altered, json.dumps(content).encode())

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"
