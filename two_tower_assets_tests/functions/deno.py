"""The Deno that the extra `local` installs, with the functions' own configuration."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent
FUNCTIONS = TESTS.parents[1] / "infra" / "supabase" / "functions"
GATEWAY = TESTS.parents[1] / "infra" / "local"
"""What runs the functions in the local stack."""

_WASM = "onnxruntime-web/1.30.0/dist/ort-wasm-simd-threaded.wasm"


class DenoError(AssertionError):
    """Deno ended with an error; the text is what it wrote."""


@dataclass(frozen=True)
class Deno:
    """One Deno program."""

    binary: Path

    def command(self, verb: str, *arguments: str | Path) -> list[str]:
        """A command line with the functions' own configuration."""
        return [str(self.binary), verb, f"--config={FUNCTIONS / 'deno.json'}", *map(str, arguments)]

    def run(self, verb: str, *arguments: str | Path, versions: Path | None = None) -> str:
        """Run to the end and return what was written.

        Raises:
            DenoError: it ended with an error.
        """
        environment = {**os.environ, "NO_COLOR": "1"}
        if versions is not None:
            environment["TWO_TOWER_TEST_VERSIONS"] = str(versions)
        done = subprocess.run(
            self.command(verb, *arguments), capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode:
            raise DenoError(f"deno {verb} fails:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def wasm(self) -> Path:
        """onnxruntime-web's wasm, of the package in the functions' lock file; fetched when it is not there."""
        self.run("cache", FUNCTIONS / "_shared" / "wasm_engine.ts", FUNCTIONS / "_shared" / "caller.ts")
        found = json.loads(subprocess.check_output([self.binary, "info", "--json"], text=True))
        return next(Path(found["npmCache"]).glob(f"*/{_WASM}"))
