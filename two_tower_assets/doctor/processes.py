"""Do the home's own servers run, or were they stopped, rather than lost; and are their programs there?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from two_tower_assets.doctor.finding import Finding, ok, problem, unused, warning
from two_tower_assets.errors import LocalStackError
from two_tower_assets.home import Home
from two_tower_assets.local.deno_program import VERSION, find_deno
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.postgrest import POSTGREST
from two_tower_assets.local.stack import LocalStack


def look_at_embedded_postgres(home: Home) -> Iterator[Finding]:
    """Say whether the cluster is there and runs; whoever needs it starts it."""
    postgres, where = EmbeddedPostgres(home.postgres), str(home.postgres)
    if postgres.is_running():
        yield ok("the embedded Postgres runs", where=where)
    elif (home.postgres / "cluster.json").exists():
        yield unused("the embedded Postgres is stopped; the next command that needs it starts it", where=where)
    else:
        yield unused("no embedded Postgres was made yet", where=where)


def look_at_programs(home: Home) -> Iterator[Finding]:
    """Say whether the local stack's programs are there, or can be fetched."""
    if not home.stack.exists():
        yield unused("the local stack was never up")
        return
    find_deno()
    if POSTGREST.is_fetched(home.programs):
        yield ok(f"Deno {VERSION}, {POSTGREST.package} {POSTGREST.version}", where=str(home.programs))
    elif shutil.which("npm") is None:
        yield problem(
            f"{POSTGREST.package} is not there, and there is no npm that would fetch it",
            where=str(home.programs),
            remedy="Install Node.js, which brings npm.",
        )
    else:
        yield warning(
            f"{POSTGREST.package} {POSTGREST.version} is not there yet",
            where=str(home.programs),
            remedy="two-tower up",
        )


def look_at_stack(home: Home) -> Iterator[Finding]:
    """Say whether the local stack runs, and whether a server of it has ended by itself."""
    stack, where = LocalStack(home), str(home.stack)
    if not home.stack.exists():
        yield unused("the local stack was never up (`two-tower up`)", where=where)
        return
    try:
        stack.require_running()
    except LocalStackError as error:
        yield problem(error.what, where=where, remedy="Look into the log there, then run `two-tower up`.")
        return
    if stack.url is not None:
        yield ok(f"the local stack serves {stack.gateway.dataset} at {stack.url}", where=where)
    else:
        yield unused("the local stack is not up (`two-tower up`)", where=where)
