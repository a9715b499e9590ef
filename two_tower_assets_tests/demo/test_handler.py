"""The demo's own paths: whom it offers, what it hands to a browser, and whom it refuses."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import jwt
import psycopg
import pytest

from two_tower_assets_tests.demo.stack import DEMO, Stack


def get(stack: Stack, path: str, **options: Any) -> httpx.Response:
    return httpx.get(f"{stack.url}{path}", trust_env=False, timeout=20, **options)


def users(stack: Stack) -> list[dict[str, Any]]:
    answer = get(stack, "/demo/users")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["users"])


def test_users_are_offered_with_the_counts_that_the_database_has(stack: Stack) -> None:
    """At most a dozen people, from most likes to fewest, with their names, and then somebody new."""
    *known, newcomer = users(stack)
    assert len(known) == 11
    likes = [person["likes"] for person in known]
    assert likes == sorted(likes, reverse=True)
    assert len(set(likes)) > 3
    assert newcomer["newcomer"] is True
    assert (newcomer["likes"], newcomer["nopes"], newcomer["name"]) == (0, 0, None)
    with psycopg.connect(stack.database) as connection:
        for person in known:
            row = connection.execute(
                """select count(*) filter (where decision_type ~ '(^|_)like$'),
                          count(*) filter (where decision_type ~ '(^|_)nope$'),
                          (select p.display_name from profiles as p where p.user_id = %(user)s)
                   from user_video_decisions where user_id = %(user)s""",
                {"user": person["userId"]},
            ).fetchone()
            assert row == (person["likes"], person["nopes"], person["name"])


def test_session_is_a_short_token_of_that_user(stack: Stack) -> None:
    """The token names the user, the role of people who sign in, and ends within ten minutes."""
    user = users(stack)[0]["userId"]
    session = get(stack, "/demo/session", params={"user": user}).json()
    claims = jwt.decode(session["token"], stack.keys.secret, algorithms=["HS256"], audience="authenticated")
    assert (claims["sub"], claims["role"], claims["iss"]) == (user, "authenticated", "two-tower-local")
    assert claims["exp"] - claims["iat"] == 600
    assert session["expiresAt"] == claims["exp"]


def test_no_answer_carries_a_secret(stack: Stack) -> None:
    """Neither the service key nor the signing secret is in anything that a browser gets."""
    user = users(stack)[0]["userId"]
    paths = ["/demo", "/demo/users", f"/demo/session?user={user}", *(f"/demo/{file.name}" for file in DEMO.iterdir())]
    for path in paths:
        answer = get(stack, path)
        assert answer.status_code == 200, path
        shown = answer.text + str(answer.headers)
        assert stack.keys.secret not in shown
        assert stack.keys.service_role not in shown
        assert "service_role" not in shown


@pytest.mark.parametrize("user", [str(uuid.UUID(int=7)), "", "'; drop table", "../users"])
def test_user_who_is_not_offered_gets_no_token(stack: Stack, user: str) -> None:
    """Tokens are signed only for people in the list."""
    answer = get(stack, "/demo/session", params={"user": user})
    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_user"


@pytest.mark.parametrize("host", ["demo.example", "192.0.2.7", "127.0.0.1.example"])
def test_only_this_machine_is_answered(stack: Stack, host: str) -> None:
    """A name that somebody else points at this machine gets nothing."""
    for path in ("/demo", "/demo/users", "/demo/session"):
        answer = get(stack, path, headers={"host": host})
        assert answer.status_code == 403
        assert answer.json()["code"] == "loopback_only"


@pytest.mark.parametrize(
    "path",
    ["/demo/none.js", "/demo/../gateway/demo.ts", "/demo/%2e%2e/gateway/demo.ts", "/demo/demo.ts", "/demo/a/b"],
)
def test_no_other_file_is_sent(stack: Stack, path: str) -> None:
    """Files are those of the demo's folder, by their plain names."""
    assert get(stack, path).status_code == 404


def test_page_may_reach_nothing_else(stack: Stack) -> None:
    """The page's policy admits this server alone, and no page elsewhere may read its answers."""
    answer = get(stack, "/demo", headers={"origin": "http://elsewhere.example"})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe" not in policy
    for path in ("/demo", "/demo/users"):
        headers = get(stack, path).headers
        assert "access-control-allow-origin" not in headers
        assert headers["cross-origin-resource-policy"] == "same-origin"
    assert httpx.post(f"{stack.url}/demo/session", trust_env=False).status_code == 405
