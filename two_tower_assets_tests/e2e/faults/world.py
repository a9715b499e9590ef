"""What the faults happen in: a stack that serves two releases, a proxy before it, and the functions before that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from two_tower_assets.local.kept_keys import KeptKeys, keep_keys
from two_tower_assets.publishing.flip import rollback
from two_tower_assets_tests.e2e.faults.deployed import Function, deployed
from two_tower_assets_tests.e2e.stack.home import Released
from two_tower_assets_tests.e2e.stack.people import FAN
from two_tower_assets_tests.e2e.stack.running import Up
from two_tower_assets_tests.publishing.releasing import NEW
from two_tower_assets_tests.storage.fault_proxy import ALWAYS, Fault, Kind, Proxy, fault_proxy

TIMEOUT_SECONDS = 1.0
"""Of one call to the database and of one file, as these functions are told."""


@dataclass(frozen=True)
class World:
    """Everything that a fault may touch."""

    released: Released
    keys: KeptKeys
    proxy: Proxy
    functions: tuple[Function, ...]
    environment: Mapping[str, str]
    folder: Path

    @contextmanager
    def fresh(self, **other: str) -> Iterator[World]:
        """The same with functions that have just started and loaded nothing, with other variables if any."""
        with deployed(self.folder, {**self.environment, **other}) as functions:
            yield replace(self, functions=functions)

    @contextmanager
    def broken(self, kind: Kind, start: str, end: str = "") -> Iterator[None]:
        """Break every request whose path starts and ends so, until the block ends."""
        faulty = Fault(kind, ALWAYS, lambda _method, path: path.startswith(start) and path.endswith(end))
        self.proxy.faults[:] = [faulty]
        try:
            yield
        finally:
            self.proxy.faults.clear()

    def flip(self, version: str) -> None:
        """Make a version live."""
        rollback(self.released.target, to=version)

    @property
    def as_server(self) -> dict[str, str]:
        """Headers of a server."""
        return bearer(self.keys.service_role)

    def ask(self, headers: Mapping[str, str] | None = None, user: str = FAN) -> list[httpx.Response]:
        """Ask both functions for a user, by default as a server."""
        given = self.as_server if headers is None else dict(headers)
        return [post(function.url, given, {"user_id": user}) for function in self.functions]

    def crowd(self, count: int) -> list[httpx.Response]:
        """Ask so many times at once, each function half of them."""
        with ThreadPoolExecutor(count) as pool:
            asked = [
                pool.submit(post, self.functions[number % 2].url, self.as_server, {"user_id": FAN})
                for number in range(count)
            ]
            return [one.result() for one in asked]


def bearer(token: str) -> dict[str, str]:
    """Headers of whoever has a token."""
    return {"authorization": f"Bearer {token}"}


def post(url: str, headers: Mapping[str, str], body: Mapping[str, object]) -> httpx.Response:
    """Call one function."""
    return httpx.post(url, headers=dict(headers), json=dict(body), timeout=60, trust_env=False)


@contextmanager
def world(released: Released, up: Up, folder: Path) -> Iterator[World]:
    """Deploy the functions over a running stack until the block ends."""
    keys = keep_keys(released.home.stack / "keys.json")
    with fault_proxy(up.url) as proxy:
        environment = {
            "SUPABASE_URL": proxy.url,
            "SUPABASE_SERVICE_ROLE_KEY": keys.service_role,
            "SUPABASE_JWT_SECRET": keys.secret,
            "MODEL_ARTIFACT_BASE_URL": f"{proxy.url}/storage/v1/object/public/model-artifacts/two-tower/v3/current",
            "MODEL_REFRESH_SECONDS": "0.1",
            "DATABASE_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
            "ARTIFACT_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        }
        with deployed(folder, environment) as functions:
            made = World(released, keys, proxy, functions, environment, folder)
            made.flip(NEW)
            yield made
