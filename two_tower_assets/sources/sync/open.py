"""Which way a project is read, from the environment: its Postgres where a URL is given, else its REST API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from two_tower_assets.environment import Environment
from two_tower_assets.sources.origin import Origin
from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets.sources.sync.direct_source import DirectSource
from two_tower_assets.sources.sync.rest_source import RestSource
from two_tower_assets.sources.sync.source import Source
from two_tower_assets.steps import Reached, unheard


@contextmanager
def open_sync(
    environment: Environment, origin: Origin, url: str, *, keep: bool = True, reached: Reached = unheard
) -> Iterator[tuple[Source, Copy]]:
    """Open both sides of a sync until the block ends.

    Args:
        environment: names the project.
        origin: of kind `supabase`.
        url: of the pipeline's own, migrated Postgres.
        keep: whether anything stays.
        reached: told of every request that has to be repeated.

    Raises:
        DatabaseError: either database cannot be reached or used.
        SourceDataError: the copy holds rows of another source.
    """
    with Copy(url, origin.label, keep=keep) as copy:
        if environment.serving_url is not None:
            with DirectSource(environment.serving_url, copy.statement) as direct:
                yield direct, copy
            return
        assert environment.supabase_url is not None
        assert environment.supabase_key is not None
        with RestSource(environment.supabase_url, environment.supabase_key, reached=reached) as rest:
            yield rest, copy
