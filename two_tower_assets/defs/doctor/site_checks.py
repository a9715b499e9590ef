"""Which looks there are at a site, in the order in which they are printed.

What a machine does not have (the extra `local`, a project, an embedded Postgres) is told as not used here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from two_tower_assets.contract import Files
from two_tower_assets.defs.doctor.instance import Instance, look_at_daemon, look_at_storage
from two_tower_assets.defs.doctor.places import dagster_instance, pipeline_database, serving_database
from two_tower_assets.defs.site import Site, open_site
from two_tower_assets.doctor.database import Database, look_at_migrations, look_at_pgvector, look_at_session
from two_tower_assets.doctor.disk import look_at_disk
from two_tower_assets.doctor.examination import Check
from two_tower_assets.doctor.finding import Finding, ok, problem, unused
from two_tower_assets.doctor.grants import look_at_grants
from two_tower_assets.doctor.keys import look_at_keys
from two_tower_assets.doctor.release import look_at_release
from two_tower_assets.doctor.rest import look_at_rest
from two_tower_assets.doctor.storage import look_at_buckets
from two_tower_assets.doctor.versions import look_at_versions
from two_tower_assets.environment import Environment
from two_tower_assets.errors import TwoTowerError
from two_tower_assets.publishing.target import Target
from two_tower_assets.storage.bucket import Patience
from two_tower_assets.storage.buckets import open_buckets

Find = Callable[[], Database | None]

_DATABASE_LOOKS: Final = (
    ("session", look_at_session),
    ("pgvector", look_at_pgvector),
    ("migrations", look_at_migrations),
    ("grants", look_at_grants),
)

_PATIENCE: Final = Patience(attempts=2)
"""Somebody waits for the answer, and what fails for a moment is worth telling."""


def all_checks(data: Path | None) -> list[Check]:
    """Return the looks at this machine and, where its environment and settings can be read, at the site."""
    versions = Check("versions", look_at_versions)
    try:
        site = open_site(data_folder=data)
    except TwoTowerError as error:
        wrong = problem(error.what, where=error.where, remedy=error.remedy)
        return [versions, Check("settings", lambda: [wrong])]
    return [versions, *_of_site(site), *_of_dagster(site.environment), *_of_processes(site)]


def _of_site(site: Site) -> Iterator[Check]:
    environment = site.environment
    yield Check("settings", lambda: [ok(f"readable; the data set is {site.origin.dataset}")])
    yield Check("disk", partial(look_at_disk, site.home.root))
    yield Check("keys", partial(look_at_keys, environment))
    yield Check("REST", partial(_rest, environment))
    yield Check("storage", partial(_storage, site))
    yield from _of_database("", partial(pipeline_database, site))
    if environment.serving_url is not None:
        yield from _of_database("serving ", partial(serving_database, site))
    yield Check("release", partial(_release, site))


def _of_database(which: str, find: Find) -> Iterator[Check]:
    for name, look in _DATABASE_LOOKS:
        yield Check(f"{which}{name}", partial(_at, find, look))


def _at(find: Find, look: Callable[[Database], Iterator[Finding]]) -> Iterator[Finding]:
    database = find()
    if database is None:
        yield unused("the embedded Postgres does not run, or has no database of this data set")
    else:
        yield from look(database)


def _rest(environment: Environment) -> Iterator[Finding]:
    if environment.supabase_url is None:
        yield unused("SUPABASE_URL is not set")
    else:
        yield from look_at_rest(environment.project)


def _storage(site: Site) -> Iterator[Finding]:
    environment = site.environment
    in_project = environment.supabase_url is not None and not environment.storage_url
    versions = sorted(path for path in site.home.artifacts.glob("*") if (path / Files.MANIFEST).exists())
    files = versions[-1].rglob("*") if versions else ()
    largest = max((path.stat().st_size for path in files if path.is_file()), default=0)
    buckets = open_buckets(environment, site.origin.dataset, patience=_PATIENCE)
    yield from look_at_buckets(buckets, environment.project if in_project else None, largest)


def _release(site: Site) -> Iterator[Finding]:
    buckets = open_buckets(site.environment, site.origin.dataset, patience=_PATIENCE)
    yield from _at(partial(serving_database, site), lambda found: look_at_release(Target(found.url, buckets)))


def _of_dagster(environment: Environment) -> Iterator[Check]:
    find = cache(partial(dagster_instance, environment))
    yield Check("instance", partial(_at_instance, find, look_at_storage))
    yield Check("daemon", partial(_at_instance, find, look_at_daemon))
    if find_spec("psutil") is None:
        yield Check("runs", _no_extra)
        return
    from two_tower_assets.defs.doctor.runs import look_at_runs, look_at_slots

    yield Check("runs", partial(_at_instance, find, look_at_runs))
    yield Check("slots", partial(_at_instance, find, look_at_slots))


def _at_instance(find: Callable[[], Instance], look: Callable[[Instance], Iterator[Finding]]) -> Iterator[Finding]:
    yield from look(find())


def _of_processes(site: Site) -> Iterator[Check]:
    if find_spec("psutil") is None:
        yield Check("processes", _no_extra)
        return
    from two_tower_assets.doctor.processes import look_at_embedded_postgres, look_at_programs, look_at_stack

    yield Check("Postgres", partial(look_at_embedded_postgres, site.home))
    yield Check("programs", partial(look_at_programs, site.home))
    yield Check("stack", partial(look_at_stack, site.home))


def _no_extra() -> list[Finding]:
    return [unused("the extra `local` is not installed")]
