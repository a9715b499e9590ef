"""Whom a deployment must refuse: nobody, the public key, a forged token, and a user who asks for another.

What does not live here: those who are answered (`deployment`).
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from two_tower_assets.errors import FunctionError
from two_tower_assets.local.keys import make_token
from two_tower_assets.publishing.function_calls import Functions, told

_LIFETIME: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Tokens:
    """What calls that must be refused are made with. None of it shows in the repr."""

    public_key: str | None = field(default=None, repr=False)
    """The anon or publishable key."""
    jwt_secret: str | None = field(default=None, repr=False)
    """Signs a token of a user whom nobody knows."""
    user_token: str | None = field(default=None, repr=False)
    """Token of a signed-in user, where there is no such secret."""

    def somebody(self) -> str | None:
        """Return a token of some user, or None."""
        if self.jwt_secret is None:
            return self.user_token
        return make_token(self.jwt_secret, "authenticated", subject=str(uuid.uuid4()), lifetime=_LIFETIME)


@dataclass(frozen=True)
class RefusedCall:
    """One call that must be refused."""

    what: str
    status: int
    """What must be answered."""
    token: str | None = field(repr=False)
    missing: str | None = None
    """What to set so that the call can be made."""


def refused_calls(tokens: Tokens) -> Iterator[RefusedCall]:
    """Yield every kind of call that must be refused."""
    forged = make_token(secrets.token_urlsafe(48), "service_role", lifetime=_LIFETIME)
    yield RefusedCall("refuses who has no token", 401, None)
    yield RefusedCall("refuses a forged service key", 401, forged)
    public = None if tokens.public_key else "SUPABASE_ANON_KEY or SUPABASE_PUBLISHABLE_KEYS"
    yield RefusedCall("refuses the public key", 401, tokens.public_key, public)
    somebody = tokens.somebody()
    missing = None if somebody else "SUPABASE_JWT_SECRET, or SUPABASE_USER_TOKEN (a signed-in user's)"
    yield RefusedCall("refuses who asks for another user", 403, somebody, missing)


def require_refused(functions: Functions, function: str, user: str, call: RefusedCall, tokens: Tokens) -> str:
    """Make the call, and return what was answered.

    Raises:
        FunctionError: it is answered otherwise.
    """
    headers = {"apikey": tokens.public_key} if tokens.public_key else {}
    if call.token is not None:
        headers["authorization"] = f"Bearer {call.token}"
    answer = functions.call(function, {"user_id": user}, headers)
    if answer.status_code != call.status:
        raise FunctionError(
            f"It answers {told(answer)} and not {call.status}",
            where=functions.address(function),
            remedy="Deploy the functions of this version, with `verify_jwt = false` and the project's own keys.",
        )
    return told(answer)
