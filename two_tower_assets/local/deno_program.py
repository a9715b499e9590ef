"""The Deno that runs the functions: the one that PyPI's `deno` brings, trusted by its hash only; and their sources.

What does not live here: running it (`gateway`).
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Final

from two_tower_assets.errors import LocalStackError
from two_tower_assets.home import sha256_of

VERSION: Final = "2.9.8"
SHA256: Final = {("linux", "x86_64"): "368bca08999e02c6911b8f248167b582276b1f547db5712b6e736d7eda1dbda7"}
"""Of the program's bytes, by platform; the stack's other programs run on no other."""

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_REMEDY: Final = "Install it with: pip install --force-reinstall 'two-tower-assets[local]'"


def find_deno() -> Path:
    """Return the program.

    Raises:
        LocalStackError: it is not installed, or is another one than the functions are checked with.
    """
    try:
        from deno import find_deno_bin  # noqa: PLC0415 - needs an extra
    except ImportError:
        raise LocalStackError(
            "The Edge Functions run in Deno, which is not installed", where=f"deno {VERSION}", remedy=_REMEDY
        ) from None
    program = Path(find_deno_bin())
    expected = SHA256.get((sys.platform, platform.machine()))
    if expected is None:
        raise LocalStackError(
            f"The local stack runs on Linux on x86-64, not on {sys.platform} on {platform.machine()}",
            where="deno",
            remedy="Use such a machine or container, or a Supabase project.",
        )
    found = sha256_of(program)
    if found != expected:
        raise LocalStackError(
            f"Deno is not the program of version {VERSION} from PyPI: SHA-256 {found}",
            where=str(program),
            remedy=_REMEDY,
        )
    return program


def infra_folder() -> Path:
    """Return the folder `infra/`: inside the package when installed from a wheel, else beside it."""
    installed = _PACKAGE / "_infra"
    return installed if installed.is_dir() else _PACKAGE.parent / "infra"
