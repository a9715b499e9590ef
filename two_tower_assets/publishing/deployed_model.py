"""The live model as the public sees it: its files fetched by URL, as the Edge Functions fetch them, and checked.

What does not live here: what the functions answer (`deployment`), and the buckets as their owner sees them (`files`).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import httpx
import stamina

from two_tower_assets.artifacts.manifest import Manifest
from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError

TIMEOUT: Final = httpx.Timeout(60, connect=10)
_LEFT_OUT: Final = frozenset({Files.VIDEO_EMBEDDINGS, Files.WASM})
"""Big, and not needed to embed a user."""
_REMEDY: Final = "Look with `two-tower verify`; publishing the version again mends its files (`two-tower publish`)."


def current_version(base_url: str, folder: Path) -> str:
    """Return the version that `current/manifest.json` names.

    Args:
        base_url: `MODEL_ARTIFACT_BASE_URL`.
        folder: where the file may be kept.

    Raises:
        ArtifactError: it cannot be read.
    """
    path = folder / "current.json"
    path.write_bytes(_fetch(f"{base_url}/{Files.MANIFEST}"))
    return Manifest.read(path).model_version


def fetch_model(base_url: str, model_version: str, manifest_hash: str | None, folder: Path) -> Path:
    """Fetch what embeds a user from the version's own folder, beside `current/`; return where it lies.

    Raises:
        ArtifactError: a file cannot be read, or is not what the registry and the manifest say.
    """
    own = f"{base_url.removesuffix('/current')}/{model_version}"
    _fetch_file(f"{own}/{Files.MANIFEST}", folder / Files.MANIFEST, manifest_hash)
    for file in Manifest.read(folder / Files.MANIFEST).files:
        if file.path not in _LEFT_OUT:
            _fetch_file(f"{own}/{file.path}", folder / file.path, file.sha256)
    return folder


def _fetch_file(url: str, path: Path, sha256: str | None) -> None:
    content = _fetch(url)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ArtifactError("The public file is not the one that was released", where=url, remedy=_REMEDY)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _fetch(url: str) -> bytes:
    try:
        for attempt in stamina.retry_context(on=httpx.TransportError, attempts=3):
            with attempt:
                answer = httpx.get(url, timeout=TIMEOUT, headers={"cache-control": "no-cache"})
    except httpx.TransportError as error:
        raise ArtifactError(
            f"The public file cannot be fetched: {type(error).__name__}", where=url, remedy=_REMEDY
        ) from None
    if not answer.is_success:
        raise ArtifactError(f"The public file is answered with {answer.status_code}", where=url, remedy=_REMEDY)
    return answer.content
