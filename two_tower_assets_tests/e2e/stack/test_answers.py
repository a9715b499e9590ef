from __future__ import annotations

import json
import re
import subprocess
import time

import numpy as np
import pytest

from two_tower_assets_tests.artifacts.versions import video_id
from two_tower_assets_tests.e2e.stack.home import Released
from two_tower_assets_tests.e2e.stack.people import FAN, NEWCOMER, OTHER, UNRELEASED, WRITER, decide, decided
from two_tower_assets_tests.e2e.stack.running import Up, bearer, nobody, server, stranger, two_tower
from two_tower_assets_tests.publishing.releasing import NEW, rows

FUNCTIONS = ("embed-user", "ai-recommend-v5")


def test_the_printed_lines_run_in_a_shell(up: Up) -> None:
    """Pasted into `sh`, both lines answer for the sample user by the live version."""
    answers = [json.loads(subprocess.check_output(["sh", "-c", line], text=True)) for line in up.curls]
    assert [answer["userId"] for answer in answers] == [FAN, FAN]
    assert [answer["modelVersion"] for answer in answers] == [NEW, NEW]
    assert len(answers[0]["embedding"]) == 256
    assert len(answers[1]["items"]) == 10
    assert up.lines[0] == f"Release {NEW} is live."


def test_a_vector_is_kept_until_the_next_decision(up: Up, released: Released) -> None:
    """Fresh, then the same from the cache; a new LIKE makes it another and fresh, once; then it is kept again."""
    caller = server(up)
    first, second = (caller.embed(WRITER) for _ in range(2))
    assert (first["source"], second["source"]) == ("fresh", "cache")
    assert second["embedding"] == pytest.approx(first["embedding"], abs=1e-6)
    assert np.linalg.norm(first["embedding"]) == pytest.approx(1, abs=1e-5)
    assert first["summary"]["likeCount"] == 3
    decide(released.database, WRITER, video_id(210), "like")
    third, fourth = (caller.embed(WRITER) for _ in range(2))
    assert (third["source"], fourth["source"]) == ("fresh", "cache")
    assert third["summary"]["likeCount"] == 4
    assert third["embedding"] != first["embedding"]


def test_nobody_sees_what_they_decided_on_or_what_is_not_out(up: Up, released: Released) -> None:
    """Over all pages, a user gets every released video once, but those they have decided on."""
    caller, shown, page = server(up), list[str](), None
    while True:
        answer = caller.recommend(FAN, limit=100, **({"page": page} if page else {}))
        shown += [item["video"]["id"] for item in answer["items"]]
        page = answer["nextPage"]
        if page is None:
            break
    released_videos = {
        row[0]
        for row in rows(released.database, "select id::text from public.videos where product_released_at < now()")
    }
    assert len(shown) == len(set(shown))
    assert set(shown) == released_videos - decided(released.database, FAN)
    assert not set(shown) & set(UNRELEASED)


def test_a_new_decision_leaves_the_list_and_changes_the_others(up: Up, released: Released) -> None:
    """The video that is NOPEd goes, and the similarities of the rest are of a new vector."""
    caller = server(up)
    before = {item["video"]["id"]: item for item in caller.recommend(WRITER, limit=200)["items"]}
    gone = next(iter(before))
    decide(released.database, WRITER, gone, "swipe_nope")
    answer = caller.recommend(WRITER, limit=200)
    after = {item["video"]["id"]: item for item in answer["items"]}
    assert answer["embeddingSource"] == "fresh"
    assert gone not in after
    kept = before.keys() & after.keys()
    assert kept
    assert any(before[video]["similarity"] != after[video]["similarity"] for video in kept)


def test_a_newcomer_gets_what_is_popular(up: Up) -> None:
    """Somebody whom nobody knows gets the LIKEd videos, marked as popular, not an error."""
    items = server(up).recommend(NEWCOMER, limit=10)["items"]
    assert len(items) == 10
    assert {item["source"] for item in items} <= {"popular", "explore"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_user_and_servers_get_an_answer(function: str, up: Up) -> None:
    """Own token and service key 200; another's user 403; anon key, another project's token and no token 401."""
    anon, own = up.printed["SUPABASE_ANON_KEY"], up.printed["USER_KEY"]
    assert bearer(up, own).call(function, FAN).status_code == 200
    assert server(up).call(function, OTHER).status_code == 200
    refused = bearer(up, own).call(function, OTHER)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_user")
    for caller in (bearer(up, anon), stranger(up, FAN), bearer(up, own[:-4] + "AAAA"), nobody(up)):
        refused = caller.call(function, FAN)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")


def test_each_list_is_kept_once(up: Up, released: Released) -> None:
    """An answer's list is one row with the same videos, scores, sources and version, soon after."""
    answer = server(up).recommend(OTHER, limit=15)
    statement = (
        "select user_id::text, model_version, first_position, video_ids::text[], scores, sources, propensities"
        " from public.served_lists where list_id = %s"
    )
    until = time.monotonic() + 30
    while not (found := rows(released.database, statement, answer["listId"])) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(found) == 1
    user, version, first, videos, scores, sources, propensities = found[0]
    assert (user, version, first) == (OTHER, NEW, 0)
    assert videos == [item["video"]["id"] for item in answer["items"]]
    assert scores == pytest.approx([item["score"] for item in answer["items"]])
    assert sources == [item["source"] for item in answer["items"]]
    assert all(0 < chance <= 1 for chance in propensities)


def test_the_command_asks_the_stack(up: Up, released: Released) -> None:
    """`two-tower recommend` shows the version, the vector's source, and score and source of each video."""
    shown = two_tower(released.home.root, "recommend", OTHER, "--limit", "5")
    assert shown.returncode == 0, shown.stderr
    assert re.search(rf"{OTHER}: vector (fresh|cache); version {NEW}; asked {re.escape(up.url)}", shown.stdout)
    table = re.findall(r"│ (-?\d\.\d{3}) +│ (model|explore) +│", shown.stdout)
    assert len(table) == 5


def test_the_command_says_what_is_wrong(up: Up, released: Released) -> None:
    """Who is no user at all is refused in words, with the status and where."""
    shown = two_tower(released.home.root, "recommend", "nobody")
    assert shown.returncode == 1
    assert "The stack refuses with 400 invalid_request: user_id" in shown.stderr
    assert up.url in shown.stderr
