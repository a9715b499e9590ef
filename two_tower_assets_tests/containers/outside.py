"""Containers' commands run outside containers: their hosts, ports and folders stand for ones of this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from two_tower_assets_tests.containers.compose_file import REPOSITORY, Service
from two_tower_assets_tests.containers.image_file import Image

_SECONDS = 120


@dataclass(frozen=True)
class Outside:
    """A folder that stands for the containers' disks, and what the commands' words become."""

    folder: Path
    programs: Path
    """Where Postgres' own programs are."""
    postgres_port: int
    code_port: int
    web_port: int

    def words(self, text: str) -> str:
        """The same text with this machine's names in it."""
        names = {
            "postgres:5432": f"127.0.0.1:{self.postgres_port}",
            "code-location": "127.0.0.1",
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - what is to be replaced
            "4000": str(self.code_port),
            "3000": str(self.web_port),
            "/srv/two-tower": str(self.folder),
            "/var/lib/two-tower": str(self.folder / "home"),
        }
        # all at once, for a port may hold the digits of another
        return re.sub("|".join(map(re.escape, names)), lambda found: names[found[0]], text)

    def environment(self, image: Image, service: Service) -> dict[str, str]:
        """What a container would see, and where this machine's programs are."""
        said = {**image.environment, **service["environment"]}
        return {
            **{name: self.words(value) for name, value in said.items()},
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(self.programs), os.environ["PATH"]]),
            "PYTHONPATH": str(REPOSITORY),
            "PGPORT": str(self.postgres_port),
        }

    def run(self, command: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [self.words(word) for word in command],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )

    @contextmanager
    def running(
        self, name: str, command: Sequence[str], environment: dict[str, str]
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A command that goes on, until it is told to end as a container is."""
        with (self.folder / f"{name}.log").open("wb") as log:
            words = [self.words(word) for word in command]
            process = subprocess.Popen(words, env=environment, cwd=self.folder, stdout=log, stderr=log)
            try:
                yield process
                process.terminate()
                process.wait(_SECONDS)
            finally:
                process.kill()
                process.wait()

    def until_healthy(
        self, name: str, process: subprocess.Popen[bytes], health: Sequence[str], environment: dict[str, str]
    ) -> None:
        """Ask a health check until it passes."""
        deadline = time.monotonic() + _SECONDS
        while (asked := self.run(health, environment)).returncode:
            log = (self.folder / f"{name}.log").read_text(encoding="utf-8")
            assert process.poll() is None, f"{name} ended: {log}"
            assert time.monotonic() < deadline, f"{name} is not healthy: {asked.stdout}{asked.stderr}{log}"
            time.sleep(0.2)
