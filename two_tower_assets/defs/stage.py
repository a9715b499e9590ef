"""How every asset is declared and made: keys, groups, kinds, inputs, reuse of unchanged work, friendly failures."""

from __future__ import annotations

import functools
import inspect
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import dagster as dg
import httpx
import psycopg

from two_tower_assets.defs.code import code_version
from two_tower_assets.defs.profiles import profiled
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.source_links import source_link
from two_tower_assets.defs.store import Facts, Made, fingerprint_of
from two_tower_assets.errors import TwoTowerError
from two_tower_assets.home import sha256_of

OWNERS: Final = ("team:recommendations",)
POINTERS: Final = "pointers"
"""Key of the IO manager that hands records between assets."""

OVER_A_NETWORK: Final = dg.RetryPolicy(
    max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""For work that a passing fault of a network or a server can end: three more attempts, after 10, 30 and 70 s."""
_PASSING: Final = (ConnectionError, TimeoutError, socket.gaierror, psycopg.OperationalError, httpx.TransportError)
"""Errors of libraries that a network or a server may be the cause of."""

Metadata = Mapping[str, Any]
_P = ParamSpec("_P")
_R = TypeVar("_R")


def friendly(body: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn an error meant for people into a Dagster failure that shows its text, code and remedy.

    Any other error goes on as it is where another attempt may end better, and else as the cause of a failure that
    is final.
    """

    @functools.wraps(body)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return body(*args, **kwargs)
        except TwoTowerError as error:
            raise as_failure(error) from None
        except (dg.Failure, dg.DagsterError, *_PASSING):
            raise
        except Exception as error:
            raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error

    # Dagster reads the annotations themselves, not their text.
    guarded.__signature__ = inspect.signature(body, eval_str=True)  # type: ignore[attr-defined]
    return guarded


def as_failure(error: TwoTowerError) -> dg.Failure:
    """Describe an error to Dagster; only what may pass by itself is worth another attempt."""
    return dg.Failure(
        description=str(error),
        metadata={"code": error.code, "where": error.where or "", "remedy": error.remedy},
        allow_retries=error.passing,
    )


def inputs_of(*keys: str) -> dict[str, dg.AssetIn]:
    """Name upstream assets by key; the body receives each record under the asset's noun."""
    return {key.partition("/")[2]: dg.AssetIn(key=key.split("/")) for key in keys}


def stage_asset(
    key: str,
    *,
    inputs: Sequence[str] = (),
    deps: Sequence[str] = (),
    kinds: set[str],
    retry_policy: dg.RetryPolicy | None = None,
) -> Callable[[Callable[..., dg.MaterializeResult[Made]]], dg.AssetsDefinition]:
    """Declare the asset `stage/noun`; the body's docstring is its description in the UI.

    Args:
        key: `stage/noun`.
        inputs: assets whose records the body is given.
        deps: assets that must come before.
        kinds: shown in the UI.
        retry_policy: for work over a network alone; see `OVER_A_NETWORK`.
    """
    stage = key.partition("/")[0]

    def declare(body: Callable[..., dg.MaterializeResult[Made]]) -> dg.AssetsDefinition:
        return dg.asset(
            key=key.split("/"),
            group_name=stage,
            ins=inputs_of(*inputs),
            deps=[dg.AssetKey(dep.split("/")) for dep in deps],
            owners=OWNERS,
            kinds=kinds,
            metadata=source_link(body),
            code_version=code_version(stage),
            io_manager_key=POINTERS,
            retry_policy=retry_policy,
        )(friendly(profiled(key, body)))

    return declare


def produce(
    context: dg.AssetExecutionContext,
    site: Site,
    *,
    parent: Path,
    fill: Callable[[Path], Facts],
    describe: Callable[[Made], Metadata],
    inputs: Iterable[Made] = (),
    settings: Sequence[str] = (),
    extra: str = "",
) -> dg.MaterializeResult[Made]:
    """Make an asset's folder, or recognise that the same was made before.

    The same means: equal data versions of the inputs, equal values of the named tables of the settings, and equal
    code of the stage and those before it.

    Args:
        parent: folder below which the asset's own folder is made.
        fill: writes the files into an empty folder and returns the facts.
        describe: metadata from a record; called for reused work too, so that the UI always shows it.
        inputs: upstream records.
        settings: tables of the settings that decide what is made.
        extra: anything else that does.
    """
    asset = context.asset_key.to_user_string()
    fingerprint = fingerprint_of(
        asset,
        code_version(asset.partition("/")[0]),
        site.settings.digest(*settings) if settings else "",
        *(made.data_version for made in inputs),
        *([extra] if extra else []),
    )
    made = site.store.find(fingerprint)
    reused = made is not None
    if made is None:
        made = site.store.build(asset, fingerprint, parent / asset, fill)
    else:
        site.store.save(made)
    return result(site, made, describe(made), reused=reused, settings=settings)


def produce_in_version(
    context: dg.AssetExecutionContext,
    site: Site,
    checkpoint: Made,
    *,
    names: Sequence[str],
    fill: Callable[[Path], Facts],
    describe: Callable[[Made], Metadata] | None = None,
    inputs: Iterable[Made] = (),
    again: bool = False,
) -> dg.MaterializeResult[Made]:
    """Write files of a model version into its folder, or recognise that they are there as they were made.

    Args:
        checkpoint: the version.
        names: the files.
        fill: writes them, each atomically, into the version's folder and returns the facts.
        describe: as in `produce`.
        again: write even if they are there; whether anything changed is told by their bytes.
    """
    asset = context.asset_key.to_user_string()
    code = code_version(asset.partition("/")[0])
    fingerprint = fingerprint_of(asset, code, checkpoint.data_version, *(made.data_version for made in inputs))
    known = site.store.find(fingerprint)
    if known is not None and not again:
        site.store.save(known)
        made = known
    else:
        folder = checkpoint.folder(site.home)
        facts = fill(folder)
        unchanged = known is not None and known.files == {name: sha256_of(folder / name) for name in names}
        made_at = known.made_at if known is not None and unchanged else None
        made = site.store.record(asset, fingerprint, folder, names, facts, made_at=made_at)
    described = {"model_version": checkpoint.data_version, **(describe(made) if describe else {})}
    return result(site, made, described, reused=known is not None and known.made_at == made.made_at)


def record_in_database(
    context: dg.AssetExecutionContext, site: Site, facts: Facts, *, data_version: str, changed: bool
) -> Made:
    """Record an asset that lives in a database and has no files; an unchanged one keeps the time of its making."""
    asset = context.asset_key.to_user_string()
    latest = None if changed else site.store.latest(asset)
    return site.store.record(
        asset,
        fingerprint_of(asset, data_version),
        site.home.root,
        (),
        facts,
        data_version=data_version,
        made_at=latest.made_at if latest else None,
    )


def result(
    site: Site, made: Made, metadata: Metadata, *, reused: bool, settings: Sequence[str] = ()
) -> dg.MaterializeResult[Made]:
    """Describe a record to Dagster: its data version, its own metadata and what every asset shows."""
    common: dict[str, Any] = {
        "unchanged": dg.MetadataValue.bool(reused),
        "made_at": dg.MetadataValue.timestamp(made.made_at),
        **({"path": dg.MetadataValue.path(made.folder(site.home))} if made.files else {}),
        "settings_hash": site.settings.digest()[:16],
    }
    if settings:
        common["settings"] = dg.MetadataValue.json(site.settings.model_dump(mode="json", include=set(settings)))
    return dg.MaterializeResult(
        asset_key=made.asset.split("/"),
        value=made,
        data_version=dg.DataVersion(made.data_version[:32]),
        metadata={**metadata, **common},
    )
