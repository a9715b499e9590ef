"""Opening connections, and what is said when that fails."""

import pytest

from two_tower_assets.database.connection import connect, without_password
from two_tower_assets.errors import DatabaseError, DatabaseUnreachableError


def test_connection_names_itself(database: str) -> None:
    """The server sees who is connected."""
    with connect(database) as connection:
        assert connection.execute("show application_name").fetchone() == ("two-tower",)


def test_driver_suffix_is_dropped(database: str) -> None:
    """A URL written for SQLAlchemy works too."""
    with connect(database.replace("postgresql://", "postgresql+psycopg2://")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:s3cret@127.0.0.1:1/postgres",
        "postgresql://someone:s3cret@127.0.0.1:port/postgres",
        "postgresql://127.0.0.1:1/postgres?user=someone&password=s3cret",
        "postgresql://someone:s3cret@[::1/postgres",
        "postgresql://someone:s3cret/x@127.0.0.1:1/postgres",
        "postgresql://someone:s3cret%zz@127.0.0.1:1/postgres",
    ],
)
def test_unreachable_database_is_one_clear_error_without_the_password(url: str) -> None:
    """No spelling of a URL puts its password into the message."""
    with pytest.raises(DatabaseError, match="Cannot connect to Postgres") as caught:
        connect(url, connect_timeout=2)
    assert "s3cret" not in str(caught.value)


def test_password_is_masked_and_the_rest_kept() -> None:
    """A URL in a message still says which database is meant."""
    assert (
        without_password("postgresql://a:b@host:1/db?sslmode=require")
        == "postgresql://a:***@host:1/db?sslmode=require"
    )
    assert without_password("postgresql://a@host/db") == "postgresql://a@host/db"


def test_what_may_pass_by_itself_is_told_from_a_refusal(database: str) -> None:
    """Nobody listens: worth another attempt. A server that knows no such database: not."""
    with pytest.raises(DatabaseUnreachableError) as gone:
        connect("postgresql://someone@127.0.0.1:9/none")
    assert gone.value.passing
    with pytest.raises(DatabaseError) as refused:
        connect(database + "_that_is_not")
    assert not refused.value.passing
    assert gone.value.code == refused.value.code
