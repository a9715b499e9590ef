"""`two-tower connect`: where the project's Postgres is, told to later steps of a CI job."""

from __future__ import annotations

from typing import Final

import click

from two_tower_assets.database.connection import connect, passwords_in, without_password
from two_tower_assets.environment import Environment
from two_tower_assets.publishing.handover import export
from two_tower_assets.rest.management import MANAGEMENT_API, session_url

URL_VARIABLE: Final = "SUPABASE_DB_URL"
_NONE: Final = (
    "No Postgres of the project is named: rows are read over REST, and nothing can be published. Set "
    "SUPABASE_DB_URL, or SUPABASE_PROJECT_ID, SUPABASE_DB_PASSWORD and SUPABASE_ACCESS_TOKEN."
)


def print_connection(environment: Environment, *, api: str = MANAGEMENT_API) -> None:
    """Find the project's Postgres, log in once, say where it is, and export its URL.

    Raises:
        RestError: the Management API does not say where it is.
        DatabaseError: it cannot be logged in to.
    """
    url = environment.serving_url or _found(environment, api)
    if url is None:
        click.echo(_NONE)
        return
    connect(url).close()
    if environment.github_env is not None:
        # The runner prints variables before each step, and knows by itself only the secrets' own bytes.
        for password in sorted(passwords_in(url)):
            click.echo(f"::add-mask::{password}")
        export(environment.github_env, URL_VARIABLE, url)
    click.echo(f"The project's Postgres: {without_password(url)}")


def _found(environment: Environment, api: str) -> str | None:
    project, password, token = environment.project_id, environment.database_password, environment.access_token
    return session_url(project, password, token, api=api) if project and password and token else None
