from __future__ import annotations

from datetime import timedelta

import jwt
import pytest

from two_tower_assets.local.keys import PROJECT_KEY_LIFETIME, ProjectKeys, make_token, new_secret

USER = "0a0a0a0a-0000-4000-8000-000000000001"


def read(token: str, secret: str) -> dict[str, object]:
    """What an independent implementation reads from a token whose signature and times it has checked."""
    claims: dict[str, object] = jwt.decode(token, secret, algorithms=["HS256"], options={"verify_aud": False})
    return claims


def test_each_key_names_its_role_and_is_signed() -> None:
    """PyJWT accepts the signature and reads the role; only a user's token has a subject."""
    keys = ProjectKeys(new_secret())
    assert [read(token, keys.secret)["role"] for token in (keys.anon, keys.service_role)] == ["anon", "service_role"]
    user = read(keys.authenticated(USER), keys.secret)
    assert (user["role"], user["sub"], user["aud"]) == ("authenticated", USER, "authenticated")
    assert "sub" not in read(keys.service_role, keys.secret)


def test_another_secret_does_not_verify() -> None:
    """A token is worth nothing to a server with another secret."""
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(ProjectKeys(new_secret()).anon, new_secret(), algorithms=["HS256"])


def test_tokens_end() -> None:
    """The lifetime counts from now; one in the past is expired."""
    secret = new_secret()
    claims = read(ProjectKeys(secret).anon, secret)
    lasts = int(str(claims["exp"])) - int(str(claims["iat"]))
    assert lasts == PROJECT_KEY_LIFETIME.total_seconds()
    with pytest.raises(jwt.ExpiredSignatureError):
        read(make_token(secret, "anon", lifetime=timedelta(seconds=-60)), secret)


def test_the_secret_is_not_shown() -> None:
    """Neither it nor a key made of it is in the repr."""
    keys = ProjectKeys(new_secret())
    assert keys.secret not in repr(keys)
    assert repr(keys) == "ProjectKeys()"
