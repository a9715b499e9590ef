"""Which engine a run uses: this process, or workers of a Ray cluster."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import two_tower_assets
from two_tower_assets.defs.code import code_version
from two_tower_assets.defs.site import Site
from two_tower_assets.errors import EngineError

if TYPE_CHECKING:
    from two_tower_assets.training.engine import Engine


def engine_of(site: Site) -> Engine:
    """Return the engine of the settings, or the one that `TWO_TOWER_ENGINE` names.

    Raises:
        EngineError: it is Ray's, and the extra `ray` is not installed; or it needs a card that is not there.
    """
    if site.engine == "local":
        from two_tower_assets.training.device import device_of
        from two_tower_assets.training.engine import LocalEngine

        return LocalEngine(device_of(site.settings.resources.device))
    if find_spec("ray") is None:
        raise EngineError(
            "Fits cannot run on Ray: it is not installed",
            where="automation.engine",
            remedy="Run `pip install '.[ray]'`, or set engine = \"local\".",
        )
    from two_tower_assets.distributed.engine import RayEngine

    settings = site.settings.ray
    folder = Path(settings.folder).resolve() if settings.folder else site.home.root / "ray"
    return RayEngine(settings, folder, code_version("training") + _code())


def made_by(site: Site) -> str:
    """What the engine decides of a fit's weights beyond the recipe; empty for this machine's processors.

    Workers draw dropout by slices, and a card adds up in another order: they fit other weights, of equal worth.
    """
    if site.engine == "local":
        from two_tower_assets.training.device import device_of

        device = device_of(site.settings.resources.device).type
        return "" if device == "cpu" else device
    return f"ray, {site.settings.ray.slices} slices, {_code()}"


def _code() -> str:
    """First 16 hex digits of the SHA-256 over the code of the workers."""
    digest = hashlib.sha256()
    for file in sorted((Path(two_tower_assets.__file__).parent / "distributed").glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]
