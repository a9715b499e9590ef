"""Does a deployment of the Edge Functions serve the live release, to those who may ask, with the right numbers?

Everything is asked from outside, as clients do: the project's REST API, its public files and both functions. A real
user's vector is computed anew there and here, from the same payload of the same moment. The calls leave what any
call leaves: that user's vector, and a row in `served_lists`. What does not live here: printing, and the release's
files and tables as their owner sees them (`inspection`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from two_tower_assets.environment import Project
from two_tower_assets.errors import TwoTowerError
from two_tower_assets.publishing.deployed_release import DeployedRelease, NotLookedAt
from two_tower_assets.publishing.function_calls import AI_RECOMMEND, EMBED_USER, Functions
from two_tower_assets.publishing.refused_calls import RefusedCall, Tokens, refused_calls, require_refused
from two_tower_assets.publishing.rest_project import RestProject


@dataclass(frozen=True)
class Deployment:
    """What is looked at, and with which keys."""

    project: Project
    artifacts_url: str
    """Public URL of `<prefix>/current`."""
    tokens: Tokens = field(default=Tokens(), repr=False)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    where: str
    """A function's name, or `release`."""
    what: str
    held: bool | None
    """None: it could not be looked at, and `told` says why."""
    told: str


def verify_deployment(deployment: Deployment) -> Iterator[Check]:
    """Yield every check as soon as it is made; one that fails leaves the others be."""
    project = deployment.project
    with ExitStack() as stack:
        rest = stack.enter_context(RestProject(project.url, project.key))
        functions = stack.enter_context(Functions(project.url, project.key))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        release = DeployedRelease(rest, functions, deployment.artifacts_url, folder)
        yield _check("release", "is live in Postgres", release.live_in_postgres)
        yield _check("release", "current/ follows", release.current_follows)
        yield _check("release", "public files give the golden vectors", release.golden_here)
        for function in (EMBED_USER, AI_RECOMMEND):
            yield _check(function, "answers with the live version", partial(release.answers, function))
            yield _check(function, "gives the golden vectors", partial(release.golden_there, function))
        yield _check(EMBED_USER, "a user's vector is the model's", release.same_vector)
        yield _check(AI_RECOMMEND, "similarities are of the live vectors", release.same_similarities)
        for function in (EMBED_USER, AI_RECOMMEND):
            for call in refused_calls(deployment.tokens):
                asked = partial(_refused, functions, function, release.user, call, deployment.tokens)
                yield _check(function, call.what, asked)


def _refused(functions: Functions, function: str, user: str, call: RefusedCall, tokens: Tokens) -> str:
    if call.missing:
        raise NotLookedAt(f"set {call.missing}")
    return require_refused(functions, function, user, call, tokens)


def _check(where: str, what: str, look: Callable[[], str]) -> Check:
    try:
        return Check(where, what, held=True, told=look())
    except NotLookedAt as reason:
        return Check(where, what, held=None, told=str(reason))
    except TwoTowerError as error:
        return Check(where, what, held=False, told=str(error))
