"""`two-tower verify --functions URL`: what was looked at of a deployment, a line each, as it is made."""

from __future__ import annotations

import dataclasses
from typing import Final

from rich.console import Console

from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.environment import Environment
from two_tower_assets.publishing.deployment import Check, Deployment, verify_deployment
from two_tower_assets.publishing.function_calls import project_url
from two_tower_assets.publishing.refused_calls import Tokens

_MARKS: Final = {True: "✓", False: "✗", None: "–"}


def print_deployment(environment: Environment, url: str) -> bool:
    """Look at the deployment at a URL, print what was found, and return whether nothing is wrong.

    Raises:
        EnvironmentVariableError: no service key is set.
    """
    console = Console(highlight=False, width=TABLE_WIDTH)
    whole = True
    for check in verify_deployment(_deployment(environment, project_url(url))):
        console.print(_line(check), markup=False, soft_wrap=True)
        whole = whole and check.held is not False
    console.print("Everything that was looked at is right." if whole else "The deployment is not right.")
    return whole


def _deployment(environment: Environment, url: str) -> Deployment:
    at_url = dataclasses.replace(environment, supabase_url=url)
    public = f"{url}/storage/v1/object/public/{environment.bucket}/{environment.prefix}/current"
    tokens = Tokens(environment.public_key, environment.jwt_secret, environment.user_token)
    return Deployment(at_url.project, environment.artifact_base_url or public, tokens)


def _line(check: Check) -> str:
    return f"{_MARKS[check.held]} {check.where:<16} {check.what:<37} {check.told}"
