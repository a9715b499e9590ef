"""Keys of a local project: JSON Web Tokens (HS256) that say which Postgres role a request runs as.

What does not live here: who checks them (PostgREST, the functions), and keys of a hosted project, which come from
the environment.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

Role = Literal["anon", "authenticated", "service_role"]

ISSUER: Final = "two-tower-local"
PROJECT_KEY_LIFETIME: Final = timedelta(days=3650)
"""Of `anon` and `service_role`, which clients keep in their configuration."""
USER_TOKEN_LIFETIME: Final = timedelta(hours=1)
MIN_SECRET_LENGTH: Final = 32
"""PostgREST refuses shorter ones."""

_AUDIENCE: Final = "authenticated"


def new_secret() -> str:
    """Return a fresh secret to sign with."""
    return secrets.token_urlsafe(48)


@dataclass(frozen=True)
class ProjectKeys:
    """The keys that one signing secret gives. None of them shows in the repr."""

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        assert len(self.secret) >= MIN_SECRET_LENGTH

    @property
    def anon(self) -> str:
        """Key of a client that nobody has signed in to."""
        return make_token(self.secret, "anon", lifetime=PROJECT_KEY_LIFETIME)

    @property
    def service_role(self) -> str:
        """Key of a server that may do everything: never for a client."""
        return make_token(self.secret, "service_role", lifetime=PROJECT_KEY_LIFETIME)

    def authenticated(self, user_id: str, *, lifetime: timedelta = USER_TOKEN_LIFETIME) -> str:
        """Token of a signed-in user."""
        return make_token(self.secret, "authenticated", subject=user_id, lifetime=lifetime)


def make_token(secret: str, role: Role, *, subject: str | None = None, lifetime: timedelta) -> str:
    """Sign a token with the claims that Supabase's have.

    Args:
        secret: the HS256 secret.
        role: the Postgres role.
        subject: id of the user; what `auth.uid()` returns.
        lifetime: how long from now it counts; a negative one makes an expired token.
    """
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "role": role,
        "iat": now,
        "exp": now + int(lifetime.total_seconds()),
    }
    if subject is not None:
        claims |= {"sub": subject, "aud": _AUDIENCE}
    return sign_token(secret, claims)


def sign_token(secret: str, claims: dict[str, Any]) -> str:
    """Sign any claims (HS256)."""
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64url(signature)}"


def _part(value: dict[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
