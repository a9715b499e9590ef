"""What a sensor's tick works with: a connection to what is served, a cursor, and refusals as reasons to skip.

A tick asks little, changes nothing and starts nothing but a run: a server that does not run stays so.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, Self, TypeVar

import dagster as dg
from pydantic import BaseModel, ConfigDict, ValidationError

from two_tower_assets.database.connection import connect
from two_tower_assets.defs.site import Site
from two_tower_assets.errors import LocalStackError, TwoTowerError
from two_tower_assets.publishing.writer import Connection

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Cursor(BaseModel):
    """What a sensor remembers from tick to tick, as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    @classmethod
    def of(cls, context: dg.SensorEvaluationContext) -> Self | None:
        """Return what was remembered last; None at first, and when it was another program that remembered."""
        try:
            return cls.model_validate_json(context.cursor) if context.cursor else None
        except ValidationError:
            return None

    def keep(self, context: dg.SensorEvaluationContext) -> None:
        """Remember this from the end of the tick on."""
        context.update_cursor(self.model_dump_json())


def refusals_skip(body: Callable[_P, _R]) -> Callable[_P, _R | dg.SkipReason]:
    """Turn an error meant for people into the reason why a tick did nothing."""

    @functools.wraps(body)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R | dg.SkipReason:
        try:
            return body(*args, **kwargs)
        except TwoTowerError as error:
            return dg.SkipReason(str(error))

    # Dagster reads the annotations themselves, not their text.
    guarded.__signature__ = inspect.signature(body, eval_str=True)  # type: ignore[attr-defined]
    return guarded


@contextmanager
def serving(site: Site) -> Iterator[Connection]:
    """Yield an autocommitting connection to the serving database.

    Raises:
        LocalStackError: it is the embedded one, and does not run.
        DatabaseError: there is no connection.
    """
    url = site.served_from
    if url is None:
        raise LocalStackError(
            "The embedded Postgres does not run, and no tick starts it",
            where=str(site.home.postgres),
            remedy="Start it with `two-tower env`, `two-tower up` or any run.",
        )
    with connect(url, autocommit=True) as connection:
        yield connection
