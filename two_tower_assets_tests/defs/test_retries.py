from __future__ import annotations

import socket
from collections.abc import Callable

import dagster as dg
import psycopg
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.stage import OVER_A_NETWORK, friendly

AT_ONCE = dg.RetryPolicy(max_retries=2)


def nobody() -> str:
    """A URL at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"postgresql://someone@127.0.0.1:{probe.getsockname()[1]}/none"


def attempts(*urls: str) -> tuple[bool, int]:
    """Connect to one URL an attempt: whether that succeeded in the end, and after how many."""
    return repeated(lambda attempt: connect(urls[attempt]).close())


def repeated(work: Callable[[int], None]) -> tuple[bool, int]:
    """Do what is repeated where it may end better: whether it succeeded in the end, and after how many attempts."""
    made = []

    @dg.op(retry_policy=AT_ONCE)
    @friendly
    def working(context: dg.OpExecutionContext) -> None:
        made.append(context.retry_number)
        work(context.retry_number)

    @dg.job
    def job() -> None:
        working()

    return job.execute_in_process(raise_on_error=False).success, len(made)


def test_retries_are_where_the_network_is_and_nowhere_else() -> None:
    """What is synchronised, published or read out, and the jobs that add to it: no failed fit is made twice."""
    assets = build_defs().resolve_asset_graph().assets_defs
    retried = {asset.key.to_user_string() for asset in assets if asset.op.retry_policy is not None}
    assert retried == {
        "sources/database",
        "publishing/stored_files",
        "publishing/video_embeddings_table",
        "publishing/user_embeddings",
        "publishing/release",
        "experiments/readout",
        "monitoring/drift",
        "monitoring/live_likes",
        "monitoring/vectors",
    }
    jobs = [job for job in build_defs().get_repository_def().get_all_jobs() if not job.name.startswith("__")]
    of_ops = [node for job in jobs for node in job.nodes if not job.asset_layer.selected_asset_keys]
    ops = {node.definition.name: node.definition.retry_policy for node in of_ops}
    assert ops == {
        "make_an_earlier_release_live": None,
        "embed_videos_without_vector": OVER_A_NETWORK,
        "renew_stale_user_vectors": OVER_A_NETWORK,
        "search_settings": None,
    }


def test_a_passing_fault_is_tried_again(database: str) -> None:
    """A server that does not answer yet, and then does."""
    assert attempts(nobody(), nobody(), database) == (True, 3)


def test_patience_ends() -> None:
    """A server that never answers."""
    assert attempts(nobody(), nobody(), nobody()) == (False, 3)


def test_a_refusal_is_not_tried_again(database: str) -> None:
    """A wrong password stays wrong."""
    password = database.split(":", maxsplit=2)[2].split("@", maxsplit=1)[0]
    assert attempts(database.replace(password, "wrong"), database) == (False, 1)


@pytest.mark.parametrize(
    "fault", [KeyError("taste"), FileNotFoundError("checkpoint"), psycopg.errors.UndefinedTable("no table")]
)
def test_a_mistake_of_ours_is_not_tried_again(fault: Exception) -> None:
    """What fails the same way each time ends the run at once."""

    def fail(_attempt: int) -> None:
        raise fault

    assert repeated(fail) == (False, 1)


@pytest.mark.parametrize("fault", [ConnectionResetError(), psycopg.OperationalError("server closed the connection")])
def test_a_lost_connection_is_tried_again(fault: Exception) -> None:
    """A library's own word for it counts as well as ours."""

    def fail_once(attempt: int) -> None:
        if attempt == 0:
            raise fault

    assert repeated(fail_once) == (True, 2)


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_waits_grow(attempt: int) -> None:
    """Ten seconds, thirty, seventy; each a little more or less, so that many do not come back at once."""
    base = 10 * (2**attempt - 1)
    assert 0 <= OVER_A_NETWORK.calculate_delay(attempt) <= 2 * base
