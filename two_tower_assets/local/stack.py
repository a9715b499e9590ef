"""The local stack: PostgREST and the gateway over a database and a bucket's folder, started and stopped as one.

What does not live here: Postgres itself (`postgres`), and what is served and
printed (`defs.stack`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from two_tower_assets.errors import LocalStackError
from two_tower_assets.home import Home
from two_tower_assets.local.gateway import Gateway, ServedArtifacts
from two_tower_assets.local.kept_keys import KeptKeys, keep_keys
from two_tower_assets.local.locking import held_or_none
from two_tower_assets.local.postgrest import PostgREST, authenticator_url

_KEYS: Final = "keys.json"


class LocalStack:
    """The stack of one home. Any number of objects and processes may name the same home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.gateway = Gateway(home.stack)

    def __repr__(self) -> str:
        return f"LocalStack({str(self.home.root)!r})"

    @property
    def keys(self) -> KeptKeys:
        """The project's keys, made when first asked for."""
        return keep_keys(self.home.stack / _KEYS)

    @property
    def url(self) -> str | None:
        """`SUPABASE_URL` of the running stack, or None."""
        return self.gateway.url if self.gateway.is_running() else None

    def start(self, *, database_url: str, artifacts: ServedArtifacts, dataset: str, port: int | None = None) -> str:
        """Run both servers in place of earlier ones, and return `SUPABASE_URL` once it answers.

        Args:
            database_url: the serving database, migrated, as a superuser; in the embedded Postgres.
            artifacts: where the releases' files are.
            dataset: name of what is served.
            port: of the gateway; a free one by default.

        Raises:
            LocalStackError: a part does not start; none is left running.
        """
        self.stop()
        keys = self.keys
        postgrest = self._postgrest(authenticator_url(database_url, keys.project), keys)
        try:
            postgrest.start()
            return self.gateway.start(
                postgrest_url=postgrest.url, keys=keys, artifacts=artifacts, dataset=dataset, port=port
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End both servers, whoever started them. None is no error."""
        self.gateway.stop()
        if self.home.stack.exists():
            self._postgrest("", self.keys).stop()

    def require_running(self) -> None:
        """Do nothing while both servers run, or were ended on purpose.

        Raises:
            LocalStackError: one has ended by itself (with the end of its log).
        """
        self.gateway.require_running()
        self._postgrest("", self.keys).require_running()

    @contextmanager
    def supervised(self) -> Iterator[None]:
        """Be the one process that minds the stack; the kernel lets go when it dies, however it dies.

        Raises:
            LocalStackError: another process minds it.
        """
        self.home.stack.mkdir(parents=True, exist_ok=True)
        with held_or_none(self.home.stack / "up.lock") as held:
            if not held:
                raise LocalStackError(
                    "The stack of this home is up already",
                    where=self.gateway.url or str(self.home.stack),
                    remedy="Use it, or stop it with `two-tower down`.",
                )
            yield

    def _postgrest(self, url: str, keys: KeptKeys) -> PostgREST:
        folder: Path = self.home.stack / "postgrest"
        return PostgREST(folder, database_url=url, keys=keys.project, programs=self.home.programs)
