"""`two-tower experiment …` as people type it: what it says, what it refuses, what it prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from two_tower_assets.cli import main
from two_tower_assets.database.connection import connect
from two_tower_assets.defs.experimenting.promoting import promote
from two_tower_assets.errors import ExperimentError
from two_tower_assets_tests.database.rows import Connection, user_id, value, video_id
from two_tower_assets_tests.defs.two_releases import release_two
from two_tower_assets_tests.publishing.releasing import NEW, OLD, target_at


@pytest.fixture
def home(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that serves from the test's database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWO_TOWER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWO_TOWER_STORAGE_URL", str(tmp_path / "buckets"))
    monkeypatch.setenv("SUPABASE_DB_URL", database)
    monkeypatch.setenv("TWO_TOWER_DATABASE_URL", database)
    return tmp_path / "home"


@pytest.fixture
def connection(home: Path, database: str) -> Iterator[Connection]:
    assert home.name == "home"
    with connect(database, autocommit=True) as opened:
        yield opened


def experiment(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["experiment", *arguments])


def said(*arguments: str) -> str:
    """What a command that succeeds prints."""
    answer = experiment(*arguments)
    assert answer.exit_code == 0, answer.output
    return answer.output


def create(*more: str, name: str = "tags") -> Result:
    return experiment(
        "create", name, "--users", "1000", "--arm", "control=live", "--arm", "diverse=live",
        "--ranking", "diverse.diversity_lambda=0.8", *more,
    )  # fmt: skip


def test_an_experiment_from_its_creation_to_its_promotion(connection: Connection) -> None:
    """Settings of the list alone: nothing goes live, and it is said what to set."""
    assert create("--guardrail", "coverage", "--note", "why", "--ranking", "diverse.rerank.free=0").exit_code == 0
    assert said("start", "tags", "--share", "0.2") == "tags runs for the users 0 to 0.2 of all\n"
    assert said("ramp", "tags", "--share", "0.50") == "tags runs for the users 0 to 0.5 of all\n"
    for user, arm in ((1, "control"), (2, "diverse"), (2, "diverse")):
        connection.execute(
            """insert into public.served_lists
               values (gen_random_uuid(), %s, 'v1', now(), %s, 0, %s, '{1}', '{model}', '{1}', 'tags')""",
            (user_id(user), arm, [video_id(1)]),
        )
    table = said("status")
    assert "running since" in table
    assert "0 to 0.5" in table
    refused = experiment("promote", "tags", "--arm", "diverse")
    assert refused.exit_code == 1
    assert "Stop it first" in refused.output
    assert "everybody is served by the live release" in said("stop", "tags", "--note", "enough")
    refused = experiment("promote", "tags", "--arm", "diverse")
    assert refused.exit_code == 1
    assert "'diverse' of 'tags' may not be promoted" in refused.output
    assert said("promote", "tags", "--arm", "diverse", "--anyway", "we like it").splitlines() == [
        "diverse of tags is promoted",
        "set DIVERSITY_LAMBDA=0.8 in the functions' environment",
        "set rerank.free = 0.0 in the settings file, for the next release",
    ]
    (found,) = json.loads(said("status", "tags", "--json"))
    assert (found["state"], found["traffic"], found["promoted_arm"]) == ("stopped", [0.0, 0.5], "diverse")
    assert found["arms"] == [
        {"name": "control", "weight": 0.5, "model_version": None, "ranking": {}, "users": 1, "lists": 1},
        {
            "name": "diverse",
            "weight": 0.5,
            "model_version": None,
            "ranking": {"diversity_lambda": 0.8, "rerank": {"free": 0.0}},
            "users": 1,
            "lists": 2,
        },
    ]
    actions = "select array_agg(action order by id) from public.experiment_log"
    assert value(connection, actions) == ["create", "start", "ramp", "stop", "promote"]


def test_a_version_that_is_promoted_goes_live(versions: Path, home: Path, database: str) -> None:
    """By the usual flip, with the experiment in the release log; asked first whether what was seen allows it."""
    target = target_at(database, home.parent / "buckets")
    release_two(target, versions, home / "artifacts")
    arms = ("--arm", f"control={NEW}", "--arm", f"former={OLD}")
    assert experiment("create", "back", "--users", "1000", *arms).exit_code == 0
    said("start", "back", "--share", "1")
    said("stop", "back")
    with pytest.raises(ExperimentError, match="'former' of 'back' may not be promoted"):
        promote(target, "back", "former")
    anyway = ("promote", "back", "--arm", "former", "--anyway", "it was better last year", "--note", "asked twice")
    assert said(*anyway) == f"former of back is promoted\nlive: {OLD} (before: {NEW})\n"
    assert said(*anyway).splitlines()[1] == f"live: {OLD} already"
    with connect(database) as connection:
        log = "select note from public.release_log order by id desc limit 1"
        assert value(connection, log) == ("experiment back, arm former: anyway: it was better last year; asked twice")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--weight", "control=0.5"), "1 of 2 arms have one"),
        (("--weight", "control=0.5", "--weight", "diverse=0.4"), "weights sum to 0.9"),
        (("--weight", "control=half", "--weight", "diverse=0.4"), "'half' is not a number"),
        (("--weight", "treatment=1"), "there is no arm treatment"),
        (("--arm", "diverse=live"), "two arms are called diverse"),
        (("--arm", "third"), "'third' is not of the form"),
        (("--arm", "third=20200101T000000Z-fffffff"), "no release 20200101T000000Z-fffffff"),
        (("--ranking", "diverse.rerank.colour.red=1"), "names no setting"),
        (("--ranking", "diverse.colour=1"), "colour"),
        (("--ranking", "diverse.candidates=0.5"), "candidates"),
        (("--metric", "clicks"), "primary_metric = 'clicks'"),
        (("--interleaving", "--metric", "like_rate"), "preference belongs to an interleaving"),
    ],
)
def test_what_is_mistyped_is_named(connection: Connection, more: tuple[str, ...], said: str) -> None:
    """In one paragraph, with what to do; nothing is written."""
    answer = create(*more)
    assert answer.exit_code == 1
    assert said in answer.output
    assert "Traceback" not in answer.output
    assert value(connection, "select count(*) from public.experiments") == 0


@pytest.mark.usefixtures("connection")
def test_drafts_shares_and_names_that_are_wrong_are_refused() -> None:
    """A share that is no number, a name that is not there, a draft that is stopped, and one that is discarded."""
    assert create("--interleaving").exit_code == 0
    for arguments, expected in (
        (("start", "tags", "--share", "much"), "'much' is not a number"),
        (("start", "tags", "--share", "0.5", "--from", "nan"), "'nan' is not a number"),
        (("start", "other", "--share", "0.5"), "There is no experiment other"),
        (("stop", "tags"), "tags is a draft"),
        (("status", "other"), "There is no experiment other"),
    ):
        answer = experiment(*arguments)
        assert answer.exit_code == 1
        assert expected in answer.output
    assert said("discard", "tags") == "tags is gone\n"
    assert "No experiment yet" in said("status")
    assert json.loads(said("status", "--json")) == []


@pytest.mark.parametrize(
    "words",
    [("status",), ("ramp", "tags", "--share", "1"), ("readout", "tags"), ("promote", "tags", "--arm", "diverse")],
)
def test_a_database_without_the_tables_says_how_to_make_them(
    home: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """In one paragraph, whichever command meets it first."""
    assert home.name == "home"
    monkeypatch.setenv("SUPABASE_DB_URL", empty_database)
    answer = experiment(*words)
    assert answer.exit_code == 1
    assert isinstance(answer.exception, SystemExit)
    assert "`two-tower migrate`" in answer.output
