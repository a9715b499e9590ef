"""One job's machine: a fresh clone, an environment that knows nothing else, and the files by which steps speak."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
STEP_SECONDS = 240


@dataclass(frozen=True)
class Finished:
    """A step's end."""

    code: int
    output: str


class Sandbox:
    """A machine on which a job's steps run, one after the other."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self.workspace = folder / "workspace"
        self._files = {name: folder / name.lower() for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        self._home = folder / "home"
        self._home.mkdir()
        self._variables = dict(variables)
        for file in self._files.values():
            file.touch()

    @property
    def summary(self) -> str:
        """What the job's page shows."""
        return self._files["GITHUB_STEP_SUMMARY"].read_text()

    @property
    def exported(self) -> dict[str, str]:
        """Variables that steps handed to later ones."""
        return _pairs(self._files["GITHUB_ENV"])

    def check_out(self) -> None:
        """Clone what is committed, and let `make` find an installation: the one that runs this test."""
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(self.workspace)], check=True)
        environment = self.workspace / ".venv"
        environment.mkdir()
        for entry in Path(sys.prefix).iterdir():
            if not entry.name.startswith(".installed-"):
                (environment / entry.name).symlink_to(entry)
        pyproject = (self.workspace / "pyproject.toml").read_bytes()
        crc = subprocess.run(["cksum"], input=pyproject, capture_output=True, check=True).stdout.split()[0].decode()
        (environment / f".installed-{crc}").touch()

    def run(self, script: str, environment: Mapping[str, str]) -> Finished:
        """Run a step's shell script as the runner does; what it exports counts for later steps."""
        finished = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-c", script],
            cwd=self.workspace if self.workspace.exists() else self._home,
            env={**self._machine(), **self._variables, **self.exported, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        return Finished(finished.returncode, finished.stdout)

    def _machine(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "CI": "true",
            # The clone's code before the one that is installed.
            "PYTHONPATH": str(self.workspace),
            "OMP_NUM_THREADS": "1",
            **{name: str(file) for name, file in self._files.items()},
        }


def _pairs(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())
