"""The gateway: one Deno process on loopback that answers as a Supabase project does, the Edge Functions within it.

What lives here: its environment, its port, starting and stopping it. What does not: what it answers
(`infra/local/gateway`), and PostgREST behind it (`postgrest`).

The folder holds `gateway.log`, `gateway.json` while it runs (its process and its port) and `gateway.port`, the port
that is taken again next time while it is free.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import httpx

from two_tower_assets.errors import LocalStackError
from two_tower_assets.home import write_text
from two_tower_assets.local.deno_program import find_deno, infra_folder
from two_tower_assets.local.kept_keys import KeptKeys
from two_tower_assets.local.locking import exclusive
from two_tower_assets.local.recorded_process import RecordedProcess

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 54321
"""As the Supabase CLI's own local stack; another one where it is taken."""

_START_SECONDS: Final = 120.0
"""The first start fetches the functions' npm packages."""
_START_ATTEMPTS: Final = 5
_PORT_TAKEN: Final = "AddrInUse"
_NOT_HANDED_ON: Final = ("SUPABASE_", "TWO_TOWER_", "MODEL_ARTIFACT", "DAGSTER_", "GATEWAY_", "JWT_SECRET")
"""Beginnings of variables that speak of another project than the local one."""


@dataclass(frozen=True)
class ServedArtifacts:
    """Where the functions read the releases' files."""

    bucket: str
    """Name of the public bucket."""
    prefix: str
    folder: Path | None = None
    """The public bucket's own folder, which the gateway serves."""
    base_url: str | None = None
    """`MODEL_ARTIFACT_BASE_URL` when the files are served by somebody else."""

    def base_url_at(self, url: str) -> str:
        """Return `MODEL_ARTIFACT_BASE_URL`, given the gateway's URL."""
        path = quote(f"{self.bucket}/{self.prefix}/current")
        return self.base_url or f"{url}/storage/v1/object/public/{path}"


class Gateway:
    """One gateway of a folder. It outlives a process that dies without stopping it; the next start ends it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._server = RecordedProcess(self.folder, "gateway")

    def __repr__(self) -> str:
        return f"Gateway({str(self.folder)!r})"

    @property
    def url(self) -> str | None:
        """`SUPABASE_URL`, without a slash at its end; None when it does not run."""
        record = self._server.living()
        return None if record is None else f"http://{HOST}:{record['port']}"

    @property
    def dataset(self) -> str | None:
        """The data set that is served; None when it does not run."""
        record = self._server.living()
        return None if record is None else str(record["dataset"])

    @property
    def was_stopped(self) -> bool:
        """Whether it was stopped, or never started, rather than ended by a fault."""
        return not self._server.record()

    def is_running(self) -> bool:
        """Whether it runs and answers."""
        record = self._server.living()
        return record is not None and _is_ready(record["port"], record["mark"])

    def start(
        self,
        *,
        postgrest_url: str,
        keys: KeptKeys,
        artifacts: ServedArtifacts,
        dataset: str,
        port: int | None,
    ) -> str:
        """Run it in place of an earlier one, wait until it answers, and return its URL.

        Args:
            postgrest_url: what it serves under `/rest/v1`.
            keys: of the project.
            artifacts: where the releases' files are.
            dataset: noted for whoever asks what is served.
            port: a fixed port; by default the last one, or `DEFAULT_PORT`, or any that is free.

        Raises:
            LocalStackError: Deno is missing, the fixed port is taken, or it does not start (with its log's end).
        """
        deno = find_deno()
        self.folder.mkdir(parents=True, exist_ok=True)
        with exclusive(self.folder / "lock"):
            self._server.end()
            for _ in range(_START_ATTEMPTS):
                chosen, mark = port or _free_port(self._last_port()), secrets.token_hex(8)
                environment = _environment(chosen, mark, postgrest_url, keys, artifacts)
                note = {"port": chosen, "mark": mark, "dataset": dataset}
                if self._launch(deno, environment, note, artifacts):
                    write_text(self._port_file, str(chosen))
                    return f"http://{HOST}:{chosen}"
                self._server.end()
                taken = _PORT_TAKEN in self._server.log.latest()
                if port is not None and taken:
                    raise _taken(port)
                if not taken:
                    break
        raise self._server.log.failure("The gateway did not start", self._server.log.latest())

    def stop(self) -> None:
        """End it after the requests it is at. None is no error."""
        if self.folder.exists():
            with exclusive(self.folder / "lock"):
                self._server.end()

    def require_running(self) -> None:
        """Do nothing while it runs, or was stopped.

        Raises:
            LocalStackError: it has ended by itself (with the end of its log).
        """
        if not self._server.is_lost():
            return
        with exclusive(self.folder / "lock"):  # somebody may be stopping it just now
            if self._server.is_lost():
                raise self._server.log.failure("The gateway ended by itself", self._server.log.end())

    @property
    def _port_file(self) -> Path:
        return self.folder / "gateway.port"

    def _last_port(self) -> int:
        try:
            return int(self._port_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return DEFAULT_PORT

    def _launch(
        self, deno: Path, environment: Mapping[str, str], note: Mapping[str, object], artifacts: ServedArtifacts
    ) -> bool:
        infra = infra_folder()
        command: list[str | Path] = [
            deno,
            "run",
            f"--config={infra / 'supabase' / 'functions' / 'deno.json'}",
            "--no-prompt",
            "--allow-env",
            f"--allow-net={','.join(_hosts(artifacts))}",
            # By its working folder, since a path with a comma would be taken for two.
            *(["--allow-read=."] if artifacts.folder else []),
            f"--allow-read={infra / 'local' / 'demo'}",
            infra / "local" / "gateway" / "main.ts",
        ]
        port, mark = int(str(note["port"])), str(note["mark"])
        folder = artifacts.folder or self.folder
        folder.mkdir(parents=True, exist_ok=True)  # before the first release there is none
        return self._server.launch(
            command,
            environment,
            note=note,
            ready=lambda: _is_ready(port, mark),
            seconds=_START_SECONDS,
            folder=folder,
        )


def _environment(
    port: int, mark: str, postgrest_url: str, keys: KeptKeys, artifacts: ServedArtifacts
) -> dict[str, str]:
    """What the gateway is told, and what the functions are told, over what was set for them here."""
    url = f"http://{HOST}:{port}"
    given = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON)}
    folder = {"GATEWAY_BUCKET_FOLDER": str(artifacts.folder)} if artifacts.folder else {}
    return {
        **given,
        **folder,
        "NO_COLOR": "1",
        "GATEWAY_PORT": str(port),
        "GATEWAY_MARK": mark,
        "GATEWAY_POSTGREST_URL": postgrest_url,
        "GATEWAY_BUCKET": artifacts.bucket,
        "SUPABASE_URL": url,
        "SUPABASE_ANON_KEY": keys.anon,
        "SUPABASE_SERVICE_ROLE_KEY": keys.service_role,
        "SUPABASE_JWT_SECRET": keys.secret,
        "MODEL_ARTIFACT_BASE_URL": artifacts.base_url_at(url),
    }


def _hosts(artifacts: ServedArtifacts) -> list[str]:
    """Hosts that the process may talk to: loopback, and the artifacts' when they are elsewhere."""
    elsewhere = urlsplit(artifacts.base_url).netloc.rpartition("@")[2] if artifacts.base_url else ""
    return [HOST, *filter(None, [elsewhere])]


def _is_ready(port: int, mark: str) -> bool:
    try:
        answer = httpx.get(f"http://{HOST}:{port}/ready", timeout=5, trust_env=False)
        # Somebody else's server may have the port, and answer anything.
        return bool(answer.json() == {"mark": mark})
    except (httpx.TransportError, ValueError):
        return False


def _taken(port: int) -> LocalStackError:
    return LocalStackError(
        "The port is taken", where=f"{HOST}:{port}", remedy="Stop what uses it, or name another: make up PORT=…"
    )


def _free_port(preferred: int) -> int:
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((HOST, port))
                return int(probe.getsockname()[1])
    raise LocalStackError(
        "No TCP port is free on loopback", where=HOST, remedy="Close some programs, then start again."
    )
