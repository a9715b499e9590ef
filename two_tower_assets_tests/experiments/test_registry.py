"""Experiments in a real Postgres: what is refused and with which words, what is logged, and who is in."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments import registry
from two_tower_assets.experiments.admission import MOST_VERSIONS
from two_tower_assets.experiments.definition import Experiment, RankingChanges, define
from two_tower_assets.experiments.traffic import Slice, free_slices
from two_tower_assets_tests.database.releases import release, stage, unit_vectors, verify
from two_tower_assets_tests.database.rows import Connection, column, video_id
from two_tower_assets_tests.functions.deno import FUNCTIONS

VECTORS = {video_id(number): vector for number, vector in enumerate(unit_vectors(4))}
TENTH = Decimal("0.1")


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """Version v1 is live, v2 is verified."""
    with connect(database, autocommit=True) as opened:
        release(opened, "v1", None, VECTORS)
        stage(opened, "v2", VECTORS)
        verify(opened, "v2")
        yield opened


def planned(name: str = "new-model", **changes: Any) -> Experiment:
    """What is live beside v2."""
    arms = changes.pop("versions", {"control": None, "challenger": "v2"})
    weights = changes.pop("weights", [1 / len(arms)] * len(arms))
    given = [
        {"name": arm, "weight": weight, "model_version": version}
        for (arm, version), weight in zip(arms.items(), weights, strict=True)
    ]
    values = {
        "name": name,
        "salt": name,
        "arms": given,
        "primary_metric": "like_rate",
        "planned_users": 1000,
        **changes,
    }
    return define(**values)


def running(connection: Connection, name: str, share: str, at: str | None = None, **changes: Any) -> Slice:
    registry.create(connection, planned(name, **changes))
    return registry.start(connection, name, Decimal(share), at=None if at is None else Decimal(at))


def test_an_experiment_from_draft_to_promotion_is_in_the_log(connection: Connection) -> None:
    """Every action with its traffic, by whom, and the note."""
    registry.create(connection, planned(), note="why")
    assert registry.require(connection, "new-model").state == "draft"
    assert registry.start(connection, "new-model", TENTH) == Slice(Decimal(0), TENTH)
    registry.ramp(connection, "new-model", Decimal("0.5"))
    registry.stop(connection, "new-model", note="enough")
    registry.record_promotion(connection, "new-model", "challenger")
    found = registry.require(connection, "new-model")
    assert (found.state, found.promoted_arm, found.traffic) == (
        "stopped",
        "challenger",
        Slice(Decimal(0), Decimal("0.5")),
    )
    assert connection.execute(
        "select action, traffic::text, note from public.experiment_log order by id"
    ).fetchall() == [
        ("create", None, "why"),
        ("start", "[0,0.1)", None),
        ("ramp", "[0,0.5)", None),
        ("stop", "[0,0.5)", "enough"),
        ("promote", "[0,0.5)", "arm challenger"),
    ]
    assert column(connection, "select distinct by_whom from public.experiment_log") == ["postgres"]


def test_what_was_planned_is_what_is_read(connection: Connection) -> None:
    """Arms by place, weights, versions, and settings of the list as they were named."""
    arms = [
        {"name": "control", "weight": 0.25},
        {"name": "challenger", "weight": 0.75, "model_version": "v2", "ranking": {"rerank": {"strength": 0.5}}},
    ]
    experiment = planned(arms=arms, guardrails=("coverage", "likes_per_user"))
    registry.create(connection, experiment)
    found = registry.require(connection, "new-model")
    assert found.arms == experiment.arms
    assert found.arms[1].ranking.named() == {"rerank": {"strength": 0.5}}
    assert (list(found.guardrails), found.planned_users) == (["coverage", "likes_per_user"], 1000)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weights": [0.5, 0.6]}, "weights sum to 1.1 and not to 1 (0.5 + 0.6)"),
        ({"versions": {"control": None}}, "fewer than two arms"),
        ({"arms": []}, "fewer than two arms"),
        ({"arms": [{"name": "a", "weight": 0.5}] * 2}, "two arms are called a"),
        ({"weights": [0.0, 1.0]}, "arms.0.weight = 0.0"),
        ({"versions": {"Control": None, "b": None}}, "arms.0.name = 'Control'"),
        ({"versions": {"control": None, "interleaved": None}}, "no arm may be called interleaved"),
        ({"name": "Naïve"}, "name = 'Naïve'"),
        ({"salt": "traffic"}, "the salt traffic decides who is in"),
        ({"primary_metric": "coverage"}, "primary_metric"),
        ({"guardrails": ("clicks",)}, "guardrails.0"),
        ({"planned_users": 100}, "planned_users = 100"),
        ({"attribution_hours": 0}, "attribution_hours = 0"),
        ({"arms": [{"name": "a", "weight": 1.0, "ranking": {"diversity_lambda": 2}}]}, "diversity_lambda = 2"),
        ({"arms": [{"name": "a", "weight": 1.0, "ranking": {"colour": 1}}]}, "colour"),
        ({"arms": [{"name": "a", "weight": 1.0, "ranking": {"rerank": {"dear": float("nan")}}}]}, "dear"),
        ({"kind": "interleaving"}, "metric preference belongs to an interleaving"),
        (
            {
                "kind": "interleaving",
                "primary_metric": "preference",
                "versions": {"a": None, "b": None, "c": None},
                "weights": [0.2, 0.4, 0.4],
            },
            "an interleaving has two arms; the arms of an interleaving have the same weight",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_with_all_that_is_wrong(changes: dict[str, Any], said: str) -> None:
    """Before anything is asked of a database."""
    with pytest.raises(ExperimentError, match=re.escape(said)):
        planned(**changes)


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("state", ["staged", "verified", "failed", "retired", "unknown"])
def test_an_arm_is_of_a_version_that_can_be_served(connection: Connection, state: str, kept: bool) -> None:
    """Verified or retired, with its vectors; of others it is said what to do."""
    if not kept:
        connection.execute("select two_tower.drop_release_vectors('v2')")
    if state == "unknown":
        connection.execute("update public.model_releases set model_version = 'v3' where model_version = 'v2'")
    else:
        connection.execute("update public.model_releases set state = %s where model_version = 'v2'", (state,))
    if kept and state in {"verified", "retired"}:
        registry.create(connection, planned())
        return
    said = {"unknown": "no release v2", "staged": "is staged, not verified", "failed": "is failed, not verified"}
    with pytest.raises(ExperimentError, match=said.get(state, "its vectors are gone")):
        registry.create(connection, planned())
    assert registry.list_experiments(connection) == ()


def test_names_are_taken_once_and_that_of_a_draft_can_be_freed(connection: Connection) -> None:
    """What was started stays on record."""
    registry.create(connection, planned())
    with pytest.raises(ExperimentError, match="an experiment new-model already"):
        registry.create(connection, planned())
    registry.discard(connection, "new-model")
    running(connection, "new-model", "0.1")
    with pytest.raises(ExperimentError, match="stays on record"):
        registry.discard(connection, "new-model")
    with pytest.raises(ExperimentError, match=r"no experiment other.*There are: new-model"):
        registry.start(connection, "other", TENTH)


def test_users_that_another_has_are_refused_with_its_name_and_what_is_free(connection: Connection) -> None:
    """At a start, at a ramp, and where no part that is free is large enough."""
    running(connection, "first", "0.3")
    running(connection, "second", "0.2", at="0.5")
    registry.create(connection, planned("third"))
    free = re.escape("Free are: 0.3 to 0.5, 0.7 to 1.")
    with pytest.raises(ExperimentError, match=rf"0.2 to 0.4 has users of first \(0 to 0.3\).*{free}"):
        registry.start(connection, "third", Decimal("0.2"), at=Decimal("0.2"))
    with pytest.raises(ExperimentError, match=rf"not within 0 to 1.*{free}"):
        registry.start(connection, "third", Decimal("0.31"))
    with pytest.raises(ExperimentError, match=r"has users of second \(0.5 to 0.7\)"):
        registry.ramp(connection, "first", Decimal("0.6"))
    assert registry.start(connection, "third", Decimal("0.3")) == Slice(Decimal("0.7"), Decimal(1))
    registry.stop(connection, "second")
    assert registry.ramp(connection, "first", Decimal("0.6")).end == Decimal("0.6")


@pytest.mark.parametrize("share", ["0", "-0.1", "1.1"])
def test_a_share_is_a_share(connection: Connection, share: str) -> None:
    """Above 0 and at most 1."""
    registry.create(connection, planned())
    with pytest.raises(ExperimentError, match="not above 0 and at most 1"):
        registry.start(connection, "new-model", Decimal(share))


def test_a_ramp_only_adds(connection: Connection) -> None:
    """The same share, or a smaller one, is refused."""
    running(connection, "new-model", "0.2")
    for share in ("0.2", "0.1"):
        with pytest.raises(ExperimentError, match="a ramp only adds some"):
            registry.ramp(connection, "new-model", Decimal(share))


def test_each_step_has_its_time(connection: Connection) -> None:
    """A draft is not stopped, ramped or promoted; what runs is not started or promoted; what is over stays so."""
    registry.create(connection, planned())
    for act in (registry.stop, lambda c, n: registry.ramp(c, n, TENTH)):
        with pytest.raises(ExperimentError, match="new-model is a draft"):
            act(connection, "new-model")
    with pytest.raises(ExperimentError, match="is a draft"):
        registry.require_stopped_arm(connection, "new-model", "challenger")
    registry.start(connection, "new-model", TENTH)
    with pytest.raises(ExperimentError, match="was started already"):
        registry.start(connection, "new-model", TENTH)
    with pytest.raises(ExperimentError, match=r"new-model runs.*Stop it first"):
        registry.record_promotion(connection, "new-model", "challenger")
    registry.stop(connection, "new-model")
    with pytest.raises(ExperimentError, match="is stopped already"):
        registry.stop(connection, "new-model")
    with pytest.raises(ExperimentError, match="was started already and is stopped"):
        registry.start(connection, "new-model", TENTH)
    with pytest.raises(ExperimentError, match=r"no arm winner.*control, challenger"):
        registry.require_stopped_arm(connection, "new-model", "winner")
    registry.record_promotion(connection, "new-model", "challenger")
    with pytest.raises(ExperimentError, match="challenger of experiment new-model was promoted already"):
        registry.record_promotion(connection, "new-model", "control")


def test_nobody_changes_arms_after_the_start(connection: Connection) -> None:
    """Not even the database's owner edits them."""
    running(connection, "new-model", "0.1")
    for change in (
        "update public.experiment_arms set weight = 0.4 where arm = 'control'",
        "delete from public.experiment_arms where arm = 'control'",
        "insert into public.experiment_arms (experiment, arm, place, weight) values ('new-model', 'c', 2, 0.1)",
    ):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="stay as they are"):
            connection.execute(change)


def test_two_who_start_at_once_share_no_user(database: str, connection: Connection) -> None:
    """One of them waits, then sees what the other took."""
    for name in ("one", "other"):
        registry.create(connection, planned(name))
    refused: list[ExperimentError] = []

    def start(name: str) -> None:
        with connect(database, autocommit=True) as own:
            try:
                registry.start(own, name, Decimal("0.6"), at=Decimal(0))
            except ExperimentError as error:
                refused.append(error)

    threads = [threading.Thread(target=start, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert "has users of" in str(refused[0])
    with pytest.raises(psycopg.errors.ExclusionViolation):
        connection.execute(
            """update public.experiments
               set state = 'running', traffic = '[0.5,1)', started_at = now() where state = 'draft'"""
        )


def test_no_more_versions_run_than_a_function_holds(connection: Connection) -> None:
    """The functions' bound is the same number."""
    for number in range(3, MOST_VERSIONS + 3):
        stage(connection, f"v{number}", VECTORS)
        verify(connection, f"v{number}")
    versions = {f"arm-{number}": f"v{number}" for number in range(3, MOST_VERSIONS + 3)}
    running(connection, "many", "0.1", versions=versions)
    registry.create(connection, planned())
    with pytest.raises(
        ExperimentError, match=f"have {MOST_VERSIONS + 1} versions.*hold {MOST_VERSIONS}.*Stop one of many"
    ):
        registry.start(connection, "new-model", TENTH)
    source = (FUNCTIONS / "_shared" / "running_experiments.ts").read_text(encoding="utf-8")
    assert re.findall(r"MOST_VERSIONS = (\d+);", source) == [str(MOST_VERSIONS)]


def test_exposures_are_counted_by_arm(connection: Connection) -> None:
    """Users once, lists each; other lists not at all."""
    for arm, user, experiment in (
        ("control", 1, "e"),
        ("control", 1, "e"),
        ("challenger", 2, "e"),
        ("default", 3, None),
    ):
        connection.execute(
            """insert into public.served_lists
               values (gen_random_uuid(), %s, 'v1', now(), %s, 0, '{}', '{}', '{}', '{}', %s)""",
            (f"00000000-0000-4000-8000-{user:012x}", arm, experiment),
        )
    assert registry.exposures(connection, "e") == {"control": (1, 2), "challenger": (1, 1)}


def test_free_slices_by_hand() -> None:
    """Gaps between, before and after; slices that touch leave none."""
    taken = [Slice(Decimal(a), Decimal(b)) for a, b in (("0.5", "0.7"), ("0.2", "0.3"), ("0.3", "0.4"))]
    assert [str(one) for one in free_slices(taken)] == ["0 to 0.2", "0.4 to 0.5", "0.7 to 1"]
    assert free_slices([Slice(Decimal(0), Decimal(1))]) == ()


def test_settings_that_are_not_named_are_not_kept() -> None:
    """So that the release's and the deployment's hold."""
    assert RankingChanges().named() == {}
    assert RankingChanges.model_validate({"candidates": 80, "rerank": {"free": 0}}).named() == {
        "candidates": 80,
        "rerank": {"free": 0.0},
    }
