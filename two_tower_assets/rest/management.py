"""Supabase's Management API, asked one thing: where a project's Postgres is reached in session mode.

Its direct address has no IPv4, which runners of GitHub need; the pooler's host depends on the project's region. What
does not live here: the project's own REST API (`client`).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import httpx

from two_tower_assets.environment import sendable
from two_tower_assets.errors import RestError, RestUnreachableError

MANAGEMENT_API: Final = "https://api.supabase.com"
TIMEOUT_SECONDS: Final = 30

_SESSION_PORT: Final = 5432


def session_url(project_id: str, password: str, token: str, *, api: str = MANAGEMENT_API) -> str:
    """Return the Postgres URL of a project's pooler in session mode.

    Args:
        project_id: the project's reference.
        password: of its Postgres; goes into the URL and nowhere else.
        token: a person's access token.
        api: where the Management API is.

    Raises:
        RestError: the API cannot be reached, refuses the token, or names no pooler.
    """
    pooler = _primary(_ask(f"{api}/v1/projects/{quote(project_id, safe='')}/config/database/pooler", token))
    if pooler is None:
        raise RestError(
            "The project has no pooler",
            where=project_id,
            remedy="Set SUPABASE_DB_URL to the session pooler's URL, as the project's page Connect shows it.",
        )
    user, name = quote(pooler["db_user"], safe=""), quote(pooler["db_name"], safe="")
    return f"postgresql://{user}:{quote(password, safe='')}@{pooler['db_host']}:{_SESSION_PORT}/{name}"


def _ask(url: str, token: str) -> Any:
    headers = {"Authorization": f"Bearer {sendable(token, 'SUPABASE_ACCESS_TOKEN')}"}
    try:
        answer = httpx.get(url, headers=headers, timeout=TIMEOUT_SECONDS)
    except httpx.TransportError as error:
        raise RestUnreachableError(
            f"Supabase's Management API cannot be reached: {error or type(error).__name__}",
            where=url,
            remedy="Try again, or set SUPABASE_DB_URL.",
        ) from None
    if not answer.is_success:
        raise RestError(
            f"Supabase's Management API refuses: HTTP {answer.status_code}",
            where=url,
            remedy="Check SUPABASE_PROJECT_ID, and that SUPABASE_ACCESS_TOKEN belongs to somebody in the project.",
        )
    return answer.json()


def _primary(answer: Any) -> dict[str, str] | None:
    """The pooler before the primary database, among those before replicas."""
    poolers = answer if isinstance(answer, list) else []
    return next((pooler for pooler in poolers if pooler.get("database_type") == "PRIMARY"), None)
