"""Are the project's keys of the kind that their variables are for, of this project, and still counting?

Read without asking anybody. No key and no part of one is ever in a finding.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from two_tower_assets.doctor.finding import Finding, ok, problem, unused, warning
from two_tower_assets.environment import Environment

SECRET: Final = "SUPABASE_SERVICE_ROLE_KEY"  # noqa: S105 - the name of a variable
PUBLIC: Final = "SUPABASE_ANON_KEY"

_SOON_SECONDS: Final = 30 * 86_400
_HOSTED: Final = re.compile(r"^https://([a-z0-9]+)\.supabase\.(?:co|in)")
_RIGHT: Final = {SECRET: frozenset({"secret", "service_role"}), PUBLIC: frozenset({"publishable", "anon"})}
_COPY: Final = {
    SECRET: f"Set {SECRET} to a secret key (sb_secret_…) from the project's API settings.",
    PUBLIC: f"Set {PUBLIC} to a publishable key (sb_publishable_…) from the project's API settings.",
}


def look_at_keys(environment: Environment) -> Iterator[Finding]:
    """Judge the secret and the public key by their form."""
    for name, key in ((SECRET, environment.supabase_key), (PUBLIC, environment.public_key)):
        if key is None:
            yield unused(f"{name} is not set")
        else:
            yield from _judge(name, key, environment.supabase_url)


def kind_of(key: str) -> str | None:
    """Return what a key is: `secret`, `publishable`, or the role of a JSON Web Token; None where it is neither."""
    for prefix in ("secret", "publishable"):
        if key.startswith(f"sb_{prefix}_"):
            return prefix
    role = _claims(key).get("role")
    return role if isinstance(role, str) else None


def _judge(name: str, key: str, url: str | None) -> Iterator[Finding]:
    kind, claims = kind_of(key), _claims(key)
    if kind is None:
        yield warning("the key has none of the known forms", where=name, remedy=_COPY[name])
    elif kind not in _RIGHT[name]:
        danger = "; clients that get it may do everything" if name == PUBLIC and kind in _RIGHT[SECRET] else ""
        yield problem(f"the key is of kind {kind}{danger}", where=name, remedy=_COPY[name])
    elif (other := _other_project(claims, url)) is not None:
        yield problem(f"the key is of project {other}, and SUPABASE_URL of another", where=name, remedy=_COPY[name])
    else:
        yield _age(name, kind, claims)


def _age(name: str, kind: str, claims: dict[str, Any]) -> Finding:
    ends = claims.get("exp")
    if not isinstance(ends, (int, float)):
        return ok(f"a {kind} key", where=name)
    day = f"{datetime.fromtimestamp(ends, UTC):%Y-%m-%d}"
    if ends < time.time():
        return problem(f"the {kind} key has expired on {day}", where=name, remedy=_COPY[name])
    if ends < time.time() + _SOON_SECONDS:
        return warning(f"the {kind} key expires on {day}", where=name, remedy=_COPY[name])
    return ok(f"a {kind} key, until {day}", where=name)


def _other_project(claims: dict[str, Any], url: str | None) -> str | None:
    """Return the project that a key names, where the URL names another one."""
    match, own = _HOSTED.match(url or ""), claims.get("ref")
    return own if match and isinstance(own, str) and own != match[1] else None


def _claims(key: str) -> dict[str, Any]:
    parts = key.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}
