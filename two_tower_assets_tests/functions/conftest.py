"""Deno as the functions run in it, and model versions for it to read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from two_tower_assets_tests.functions.versions_for_deno import write_versions

REPOSITORY = Path(__file__).resolve().parents[2]
FUNCTIONS = REPOSITORY / "infra" / "supabase" / "functions"
TESTS = Path(__file__).resolve().parent
WASM = "onnxruntime-web/1.30.0/dist/ort-wasm-simd-threaded.wasm"


@dataclass(frozen=True)
class Deno:
    """The Deno of the environment that pytest runs in."""

    binary: Path

    def command(self, verb: str, *arguments: str | Path) -> list[str]:
        """A command line with the functions' own configuration."""
        return [str(self.binary), verb, f"--config={FUNCTIONS / 'deno.json'}", *map(str, arguments)]

    def run(self, verb: str, *arguments: str | Path, versions: Path | None = None) -> str:
        """Run to the end and return what was written; the test fails with it where Deno does."""
        environment = {**os.environ, "NO_COLOR": "1"}
        if versions is not None:
            environment["TWO_TOWER_TEST_VERSIONS"] = str(versions)
        done = subprocess.run(
            self.command(verb, *arguments), capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode:
            pytest.fail(f"deno {verb} fails:\n{done.stdout}\n{done.stderr}", pytrace=False)
        return done.stdout


@pytest.fixture(scope="session")
def deno() -> Deno:
    """The Deno that the extra `dev` installs."""
    return Deno(Path(sys.executable).parent / "deno")


@pytest.fixture(scope="session")
def wasm(deno: Deno) -> Path:
    """onnxruntime-web's wasm, from the package that the functions' lock file names."""
    deno.run("cache", FUNCTIONS / "_shared" / "wasm_engine.ts", FUNCTIONS / "_shared" / "caller.ts")
    found = json.loads(subprocess.check_output([deno.binary, "info", "--json"], text=True))
    return next(Path(found["npmCache"]).glob(f"*/{WASM}"))


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory, wasm: Path) -> Path:
    """Folder of three model versions, made by Python, and of what it computes for comparison."""
    folder = tmp_path_factory.mktemp("versions")
    write_versions(folder, wasm)
    return folder
