"""`ai-recommend-v5` in a process of its own, on PostgREST and a folder of versions."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgrest import PostgREST
from two_tower_assets_tests.e2e.faults.deployed import deployed
from two_tower_assets_tests.loopback import serving as listening
from two_tower_assets_tests.publishing.gateway import gateway

PATIENCE_SECONDS = 60
"""However busy the machine is."""


class _Files(SimpleHTTPRequestHandler):
    """A folder over HTTP."""

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@contextmanager
def recommending(
    artifacts: Path, postgrest: PostgREST, keys: ProjectKeys, folder: Path, **variables: str
) -> Iterator[httpx.Client]:
    """Run the function until the block ends; its log lies in a folder."""
    files = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Files, directory=str(artifacts)))
    with listening(files), gateway(postgrest.url) as project:
        environment = {
            "SUPABASE_URL": project.url,
            "SUPABASE_SERVICE_ROLE_KEY": keys.service_role,
            "SUPABASE_JWT_SECRET": keys.secret,
            "MODEL_ARTIFACT_BASE_URL": f"http://127.0.0.1:{files.server_address[1]}/current",
            "DATABASE_TIMEOUT_SECONDS": str(PATIENCE_SECONDS),
            "ARTIFACT_TIMEOUT_SECONDS": str(PATIENCE_SECONDS),
            **variables,
        }
        with deployed(folder, environment) as functions:
            headers = {"authorization": f"Bearer {keys.service_role}"}
            with httpx.Client(base_url=functions[1].url, headers=headers, timeout=60, trust_env=False) as client:
                yield client


def ask(client: httpx.Client, user: uuid.UUID) -> httpx.Response:
    """Ask for a user's list of ten."""
    answer = client.post("", json={"user_id": str(user), "limit": 10})
    assert answer.status_code == 200, answer.text
    return answer
