"""The Deno that hosted functions run in (edge-runtime matches Deno 2.1), from npm."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from two_tower_assets_tests.functions.deno import Deno

VERSION: Final = "2.1.14"
_PACKAGE: Final = "@deno/linux-x64-glibc"


def older_deno(folder: Path) -> Deno:
    """Fetch it into a folder."""
    options = ("--silent", "--no-save", "--no-package-lock", "--prefix", str(folder))
    subprocess.run(["npm", "install", *options, f"{_PACKAGE}@{VERSION}"], check=True)
    return Deno(folder / "node_modules" / _PACKAGE / "deno")
