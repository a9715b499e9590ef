from __future__ import annotations

from collections.abc import Iterator

import pytest

from two_tower_assets.errors import EnvironmentVariableError, RestError, RestUnreachableError
from two_tower_assets.rest.management import session_url
from two_tower_assets_tests.rest.management_api import TOKEN, ManagementApi, management_api

POOLER = {
    "db_host": "aws-1-eu-west-1.pooler.supabase.com",
    "db_port": 6543,
    "db_name": "postgres",
    "db_user": "postgres.abc",
    "pool_mode": "transaction",
}


@pytest.fixture
def api() -> Iterator[ManagementApi]:
    """The API, with one project."""
    with management_api() as server:
        replica = {**POOLER, "database_type": "READ_REPLICA", "db_host": "replica"}
        server.poolers = {"abc": [replica, {**POOLER, "database_type": "PRIMARY"}], "new": []}
        yield server


def test_the_primary_pooler_is_named_in_session_mode(api: ManagementApi) -> None:
    """The port is the session mode's whatever the API shows, and the password is written as a URL needs it."""
    url = session_url("abc", "p@ss/word", TOKEN, api=api.url)
    assert url == "postgresql://postgres.abc:p%40ss%2Fword@aws-1-eu-west-1.pooler.supabase.com:5432/postgres"


@pytest.mark.parametrize(
    ("project", "token", "said"),
    [("abc", "sbp_other", "HTTP 401"), ("nobody's", TOKEN, "HTTP 404"), ("new", TOKEN, "The project has no pooler")],
)
def test_refusals_say_what_to_do(api: ManagementApi, project: str, token: str, said: str) -> None:
    """A wrong token, an unknown project and one without a pooler are errors that repeat no secret."""
    with pytest.raises(RestError, match=said) as caught:
        session_url(project, "secret-password", token, api=api.url)
    assert "secret-password" not in str(caught.value)
    assert token not in str(caught.value)


def test_no_answer_may_pass() -> None:
    """An API that cannot be reached is an error that may pass by itself."""
    with pytest.raises(RestUnreachableError):
        session_url("abc", "p", TOKEN, api="http://127.0.0.1:9")


def test_a_token_that_cannot_be_sent_is_named_by_its_variable() -> None:
    """The error names the variable and not the token."""
    with pytest.raises(EnvironmentVariableError, match="SUPABASE_ACCESS_TOKEN") as caught:
        session_url("abc", "p", "two words")
    assert "two words" not in str(caught.value)
