"""Readouts as assets, as a check and at the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from click.testing import CliRunner

from two_tower_assets.cli import main
from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.experimenting.promoting import promote
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.registry import record_promotion, stop
from two_tower_assets_tests.experiments.readout.rows_of import HOUR, plan_experiment, serve, two_arms
from two_tower_assets_tests.publishing.releasing import target_at

# Dagster's own, of a job that is run in this process.
pytestmark = pytest.mark.filterwarnings("ignore:.*dagster_run is deprecated:DeprecationWarning")

CHECK = dg.AssetCheckKey(dg.AssetKey(["experiments", "verdict"]), "may_promote")


@pytest.fixture
def home(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home over a migrated database without any experiment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUPABASE_DB_URL", database)
    monkeypatch.setenv("TWO_TOWER_DATABASE_URL", database)
    monkeypatch.setenv("TWO_TOWER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(home: Path, instance: dg.DagsterInstance | None = None) -> dg.ExecuteInProcessResult:
    job = build_defs({"workspace": Workspace(home=str(home))}).resolve_job_def("read_experiments")
    return job.execute_in_process(instance=instance, raise_on_error=False)


def described(result: dg.ExecuteInProcessResult, noun: str) -> dict[str, str]:
    (made,) = result.asset_materializations_for_node(f"experiments__{noun}")
    return {name: str(value.value) for name, value in made.metadata.items()}


def checked(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.asset_check_key == CHECK
    return evaluation


def test_nothing_running_says_so_and_passes(home: Path) -> None:
    """Also where drafts exist."""
    result = run(home)
    assert result.success
    assert described(result, "readout")["experiments"] == "No experiment runs, and none was stopped of late."
    assert checked(result).passed


def test_a_database_without_experiments_says_so_and_passes(
    home: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was migrated long ago."""
    monkeypatch.setenv("SUPABASE_DB_URL", empty_database)
    assert run(home).success


def test_an_experiment_is_shown_with_plots_and_a_page(home: Path, database: str) -> None:
    """The better arm may be promoted; a second look reads nothing twice and says the same."""
    with psycopg.connect(database, autocommit=True) as connection:
        plan_experiment(connection, guardrails=["like_rate"])
        two_arms(connection, 0.35)
    result = run(home)
    assert result.success
    assert checked(result).passed
    shown = described(result, "readout")
    assert "candidate: better (may be promoted)" in shown["taste: verdict"]
    assert "| candidate | likes per user | primary |" in shown["taste: lift"]
    assert shown["taste: over time"].startswith("![lift of taste")
    assert float(shown["taste: candidate, likes_per_user"]) > 0
    page = Path(described(result, "page")["taste.html"])
    assert "Experiment taste: candidate better" in page.read_text()
    again = run(home)
    assert described(again, "readout")["unchanged"] == "True"
    assert described(again, "readout")["taste: lift"] == shown["taste: lift"]


def test_a_stopped_experiment_is_shown_until_it_is_decided(home: Path, database: str) -> None:
    """After its stop it says what it said at its stop, and fails no check; promoted, or a month later, it is gone."""
    with psycopg.connect(database, autocommit=True) as connection:
        plan_experiment(connection, "taste", traffic="[0,0.5)")
        two_arms(connection, 0.35, experiment="taste", seed=1)
        plan_experiment(connection, "worse", traffic="[0.5,1)")
        two_arms(connection, -0.5, experiment="worse", seed=2)
        running = run(home)
        assert not running.success
        for name in ("taste", "worse"):
            stop(connection, name)
        stopped = run(home)
        assert (stopped.success, checked(stopped).passed) == (True, True)
        shown = described(stopped, "readout")
        assert shown["taste: lift"] == described(running, "readout")["taste: lift"]
        assert described(run(home), "readout")["unchanged"] == "True"
        assert "candidate: worse (may not be promoted)" in shown["worse: verdict"]
        page = Path(described(stopped, "page")["taste.html"]).read_text()
        assert "ran from 2026-10-01 00:00" in page
        record_promotion(connection, "taste", "candidate")
        left = described(run(home), "readout")
        assert ("taste: verdict" in left, "worse: verdict" in left) == (False, True)
        connection.execute("update public.experiments set stopped_at = now() - interval '31 days'")
    assert "none was stopped of late" in described(run(home), "readout")["experiments"]


def test_a_stopped_experiment_that_cannot_be_read_is_in_no_others_way(home: Path, database: str) -> None:
    """One that was written by hand fails the readout while it runs, which says what is wrong; stopped, no longer."""
    with psycopg.connect(database, autocommit=True) as connection:
        plan_experiment(connection, "broken", arms=[("control", 1.0)], traffic="[0,0.5)")
        plan_experiment(connection, traffic="[0.5,1)")
        two_arms(connection, 0.35)
        assert not run(home).success
        stop(connection, "broken")
    assert "may be promoted" in described(run(home), "readout")["taste: verdict"]


def test_what_is_not_sure_yet_warns(home: Path, database: str) -> None:
    """An arm may not be promoted, and yet the run succeeds: there is nothing to do but wait."""
    with psycopg.connect(database, autocommit=True) as connection:
        plan_experiment(connection)
        two_arms(connection, 0.0, 300)
    waiting = run(home)
    assert waiting.success
    assert (checked(waiting).passed, checked(waiting).severity) == (False, dg.AssetCheckSeverity.WARN)


def test_what_is_broken_fails(home: Path, database: str) -> None:
    """An assignment that is not stable fails the run, and its page is made all the same."""
    with psycopg.connect(database, autocommit=True) as connection:
        plan_experiment(connection)
        two_arms(connection, 0.0, 300)
        for user in range(1_000_000, 1_000_010):
            serve(connection, user, "candidate", [1], 2 * HOUR)
            serve(connection, user, "control", [1], 3 * HOUR)
    broken = run(home)
    assert described(broken, "page")["taste.html"]
    assert (checked(broken).passed, checked(broken).severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert not broken.success
    answer = CliRunner().invoke(main, ["experiment", "readout", "taste"])
    assert "candidate: broken (may not be promoted)" in answer.output


@pytest.mark.usefixtures("home")
def test_the_command_prints_tables_json_and_a_page(database: str, tmp_path: Path) -> None:
    """Figures, lifts and the verdict; the JSON says the same; an unknown name is refused in one paragraph."""
    with psycopg.connect(database, autocommit=True) as connection:
        plan_experiment(connection)
        two_arms(connection, 0.35, 600)
    runner = CliRunner()
    answer = runner.invoke(main, ["experiment", "readout", "taste", "--page", str(tmp_path / "page.html")])
    assert answer.exit_code == 0, answer.output
    assert "Beside the control" in answer.output
    assert "candidate is better than control in likes per user" in answer.output
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    document = json.loads(runner.invoke(main, ["experiment", "readout", "taste", "--json"]).output)
    assert document["verdicts"][0]["decision"] == "better"
    unknown = runner.invoke(main, ["experiment", "readout", "nobody"])
    assert (unknown.exit_code, "There is no experiment nobody" in unknown.stderr) == (1, True)


@pytest.mark.usefixtures("home")
def test_the_value_of_a_candidate_is_printed(database: str, tmp_path: Path) -> None:
    """As served, as the candidate would have, and the difference; with the same chances there is none.

    Chances from a file and a release are two candidates, which is one too many, and a file is not made anew.
    """
    with psycopg.connect(database, autocommit=True) as connection, connection.transaction():
        lists = [serve(connection, user, "live", [0], HOUR, experiment=None) for user in range(150)]
    rows = "".join(f"{list_id},11111111-0000-4000-8000-000000000000,1\n" for list_id in lists)
    (tmp_path / "chances.csv").write_text("list_id,video_id,chance\n" + rows)
    words = ["experiment", "value", str(tmp_path / "chances.csv")]
    answer = CliRunner().invoke(main, words)
    assert answer.exit_code == 0, answer.output
    assert "150 showings to 150 users, worth 150 of them; the candidate's chances add up to 1.00" in answer.output
    for row in ("self-normalised +│ 0.0000", "doubly robust +│ –", "difference, self-normalised │ .0.0000"):
        assert re.search(row, answer.output)
    both = CliRunner().invoke(main, [*words, "--release", "live"])
    assert both.exit_code == 1
    assert "Either a file of chances is weighed" in both.output
    for more in (["--by", "list"], ["--lists", "10"]):
        ignored = CliRunner().invoke(main, [*words, *more])
        assert ignored.exit_code == 1
        assert "Leave out --by and --lists" in " ".join(ignored.output.split())


def test_a_promotion_asks_the_readout(home: Path, database: str) -> None:
    """The better arm is promoted; where nothing was shown, the promotion is refused and not recorded."""
    target = target_at(database, home.parent / "buckets")
    with psycopg.connect(database, autocommit=True) as connection:
        for name, effect, traffic in (("taste", 0.35, "[0,0.5)"), ("noise", 0.0, "[0.5,1)")):
            plan_experiment(connection, name, traffic=traffic)
            two_arms(connection, effect, experiment=name, seed=1 if effect else 2)
            stop(connection, name)
        promote(target, "taste", "candidate")
        with pytest.raises(ExperimentError, match="'candidate' of 'noise' may not be promoted"):
            promote(target, "noise", "candidate")
        promoted = connection.execute("select name, promoted_arm from public.experiments order by name").fetchall()
    assert promoted == [("noise", None), ("taste", "candidate")]
