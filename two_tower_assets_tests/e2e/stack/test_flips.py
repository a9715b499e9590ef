"""What callers see while releases flip: whole answers of one version each, and nothing that fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest

from two_tower_assets.contract import Files
from two_tower_assets.errors import StorageError
from two_tower_assets.publishing.flip import rollback
from two_tower_assets_tests.e2e.stack.home import Released
from two_tower_assets_tests.e2e.stack.people import FAN, OTHER
from two_tower_assets_tests.e2e.stack.running import Caller, Up, server
from two_tower_assets_tests.publishing.releasing import NEW, OLD

FLIPS, CALLERS = 10, 4
VECTOR_DRIFT = 1e-3
"""A user's vector drifts with the account's age: less than this in an hour."""


@pytest.fixture(autouse=True)
def _new_is_live_again(released: Released) -> Iterator[None]:
    """Each test leaves the later version live."""
    yield
    rollback(released.target, to=NEW)


def test_a_flip_is_followed(up: Up, released: Released) -> None:
    """After a rollback answers soon are of the earlier version, and later of the newer again; nothing restarts."""
    caller = server(up)
    for version in (OLD, NEW):
        rollback(released.target, to=version)
        assert _first_answer_of(version, caller)["modelVersion"] == version


def test_no_answer_mixes_two_versions(up: Up, released: Released) -> None:
    """Through ten flips under four callers all answers are 200, vector and videos of the version that is named."""
    caller = server(up)
    towers = {version: _vectors_of(caller, released, version) for version in (OLD, NEW)}
    videos = {version: _videos(released.home.artifacts / version) for version in (OLD, NEW)}
    stop = threading.Event()
    with ThreadPoolExecutor(CALLERS) as pool:
        calling = [pool.submit(_keep_calling, caller, user, stop) for user in (FAN, OTHER) * (CALLERS // 2)]
        for flip in range(FLIPS):
            rollback(released.target, to=(OLD, NEW)[flip % 2])
            time.sleep(0.3)
        stop.set()
        answers = [answer for future in calling for answer in future.result()]
    assert {answer.status_code for answer in answers} == {200}
    bodies = [answer.json() for answer in answers]
    assert {body["modelVersion"] for body in bodies} == {OLD, NEW}
    for body in bodies:
        version, user = body["modelVersion"], body["userId"]
        assert _differences(body, towers[version][user], videos[version]) < VECTOR_DRIFT
    other = {OLD: NEW, NEW: OLD}
    mistaken = [
        _differences(b, towers[other[b["modelVersion"]]][b["userId"]], videos[b["modelVersion"]]) for b in bodies
    ]
    assert min(mistaken) > 10 * VECTOR_DRIFT


def test_a_damaged_release_is_not_served(up: Up, released: Released) -> None:
    """One changed byte in the version that goes live: the last good one goes on and says so, until it is mended."""
    caller = server(up)
    assert _first_answer_of(NEW, caller)["modelVersion"] == NEW
    tower = released.stored / OLD / Files.USER_TOWER
    whole = tower.read_bytes()
    tower.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    with pytest.raises(StorageError):
        rollback(released.target, to=OLD)  # the pointer moves; `current/` cannot follow
    answer = _first(caller, lambda answer: answer.headers.get("x-refused-version") == OLD)
    assert answer.status_code == 200
    assert answer.json()["modelVersion"] == NEW
    assert caller.recommend(FAN)["modelVersion"] == NEW
    tower.write_bytes(whole)
    assert _first_answer_of(OLD, caller)["modelVersion"] == OLD


def _first_answer_of(version: str, caller: Caller) -> dict[str, Any]:
    body: dict[str, Any] = _first(caller, lambda answer: answer.json()["modelVersion"] == version).json()
    return body


def _first(caller: Caller, wanted: Any) -> httpx.Response:
    until = time.monotonic() + 30
    while not wanted(answer := caller.call("embed-user", FAN)):
        assert answer.status_code == 200, answer.text
        assert time.monotonic() < until, "not within 30 s"
        time.sleep(0.05)
    return answer


def _vectors_of(caller: Caller, released: Released, version: str) -> dict[str, Any]:
    rollback(released.target, to=version)
    _first_answer_of(version, caller)
    bodies = [caller.embed(user) for user in (FAN, OTHER)]
    assert {body["modelVersion"] for body in bodies} == {version}
    return {body["userId"]: np.array(body["embedding"]) for body in bodies}


def _videos(folder: Path) -> dict[str, Any]:
    table = pl.read_parquet(folder / Files.VIDEO_EMBEDDINGS)
    return dict(zip(table["video_id"].to_list(), table["embedding"].to_numpy(), strict=True))


def _keep_calling(caller: Caller, user: str, stop: threading.Event) -> list[httpx.Response]:
    answers = []
    while not stop.is_set():
        answers += [caller.call("embed-user", user), caller.call("ai-recommend-v5", user, limit=20)]
    return answers


def _differences(body: dict[str, Any], user: Any, videos: dict[str, Any]) -> float:
    """How far an answer is from what one version says: its vector's length of difference, or its worst similarity."""
    if "embedding" in body:
        return float(np.abs(np.array(body["embedding"]) - user).max())
    said = np.array([item["similarity"] for item in body["items"]])
    return float(np.abs(said - np.array([videos[item["video"]["id"]] @ user for item in body["items"]])).max())
