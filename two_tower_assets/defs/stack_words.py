"""What `two-tower up` prints: the address, the keys, and lines that work when they are pasted."""

from __future__ import annotations

import json
import shlex
import uuid
from datetime import timedelta
from typing import Final

from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.local.kept_keys import KeptKeys
from two_tower_assets.publishing.registry import live_release

USER_KEY_LIFETIME: Final = timedelta(hours=24)
NEW_USER: Final = str(uuid.UUID(int=1))
"""Asked for where nobody has decided anything: whom nobody knows is a new user."""

_FUNCTIONS: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("embed-user", {}),
    ("ai-recommend-v5", {"limit": 10}),
)


def words_of(database: str, url: str, keys: KeptKeys, *, detached: bool) -> str:
    """Return the whole text.

    Args:
        database: URL of the serving database, which says what is live and who there is.
        url: `SUPABASE_URL`.
        keys: of the project.
        detached: whether the stack goes on without this process.
    """
    user, whose = _sample_user(database)
    user_key = keys.project.authenticated(user, lifetime=USER_KEY_LIFETIME)
    lines = [
        _live_line(database),
        "",
        f"SUPABASE_URL={url}",
        f"SUPABASE_ANON_KEY={keys.anon}",
        f"SUPABASE_SERVICE_ROLE_KEY={keys.service_role}",
        f"USER_ID={user}",
        f"USER_KEY={user_key}",
        "",
        f"The user is {whose}; the key counts for {USER_KEY_LIFETIME / timedelta(hours=1):.0f} hours. To try:",
        "",
        *(curl_line(url, name, {"user_id": user, **more}, keys.anon, user_key) for name, more in _FUNCTIONS),
        "",
        f"A page to look at, and to press LIKE and NOPE on: {url}/demo",
        "`two-tower down` stops it all." if detached else "Ctrl-C stops it all.",
    ]
    return "\n".join(lines)


def curl_line(url: str, function: str, body: dict[str, object], anon: str, token: str) -> str:
    """Return a line for the shell that calls a function as a signed-in user does."""
    arguments = ["curl", "-sS", "--fail-with-body", "-w", r"\n", f"{url}/functions/v1/{function}"]
    for header in (f"apikey: {anon}", f"Authorization: Bearer {token}", "Content-Type: application/json"):
        arguments += ["-H", header]
    return shlex.join([*arguments, "-d", json.dumps(body)])


def _live_line(database: str) -> str:
    live = live_release(database)
    if live is None:
        return (
            "Nothing is released yet, so the functions answer 503. Make a release with `make run` in another"
            " terminal; they follow by themselves."
        )
    return f"Release {live.model_version} is live."


def _sample_user(database: str) -> tuple[str, str]:
    with connect(database, autocommit=True) as connection:
        row = connection.execute(query("sample_user")).fetchone()
    return (str(row[0]), f"one with {row[1]} LIKEs") if row else (NEW_USER, "a new one, since nobody has decided")
