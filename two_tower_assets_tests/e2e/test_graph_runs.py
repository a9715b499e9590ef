"""The whole graph on a small sample, as people run it: real processes, a real Postgres, files on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest

from two_tower_assets.artifacts.golden import replay
from two_tower_assets.contract import Files
from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.code import STAGES
from two_tower_assets.evaluation.page.words import method_name, named
from two_tower_assets.home import Home
from two_tower_assets.local.keys import ProjectKeys, new_secret
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.postgrest import PostgREST, authenticator_url
from two_tower_assets_tests.e2e.ui import Ui, webserver
from two_tower_assets_tests.evaluation.page.browser import chromium
from two_tower_assets_tests.publishing.gateway import gateway

SETTINGS = """
[sample]
users = 150
videos = 200
decisions_per_user = 25

[training]
schedules = [60]
batch_size = 128
catalogue_negatives = 128
validate_every = 20

# So few users and steps prove nothing: what is tested here is the graph.
[gate]
min_users = 1
min_recall_ratio = 0
min_purity_ratio = 0
max_nope_ratio = 100
min_new_video_ratio = 0
max_maker_ratio = 100
max_rerank_cost = 1
sampled_examples = 50
"""

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def first_run(two_tower: Command, home: Home) -> subprocess.CompletedProcess[str]:
    """The first `two-tower run`, on a small sample."""
    (home.root / "two_tower.toml").write_text(SETTINGS)
    return two_tower("run")


def instance(two_tower: Command, home: Home) -> dict[str, str]:
    """The environment that `two-tower env` prints, for Dagster's own commands."""
    exported = two_tower("env").stdout
    variables = dict(line.removeprefix("export ").split("=", 1) for line in exported.splitlines())
    return {
        **os.environ,
        **{name: value.strip("'") for name, value in variables.items()},
        "TWO_TOWER_HOME": str(home.root),
        "TWO_TOWER_SETTINGS": str(home.root / "two_tower.toml"),
    }


def dagster(two_tower: Command, home: Home, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Dagster's own in the environment that `two-tower env` prints."""
    command = [str(Path(sys.executable).parent / program), *arguments]
    environment, root = instance(two_tower, home), Path(__file__).parents[2]
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)


def live_version(home: Home) -> str:
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        row = connection.execute("select model_version from public.live_release").fetchone()
    assert row is not None
    return str(row[0])


def test_one_command_makes_a_live_release(first_run: subprocess.CompletedProcess[str], home: Home) -> None:
    """The run ends with a table, every file of the contract is in the version's folder, all vectors are live."""
    assert first_run.returncode == 0, first_run.stderr
    assert "two_tower" in first_run.stdout
    version = live_version(home)
    assert version in first_run.stdout
    assert {path.name for path in (home.artifacts / version).iterdir()} == {
        value for name, value in vars(Files).items() if name.isupper() and isinstance(value, str)
    } - {Files.VIDEO_VOCABULARY}
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        rows = connection.execute(
            "select count(*), count(distinct e.video_id), min(e.model_version),"
            " (select count(*) from videos where is_active) from public.video_embeddings as e"
        ).fetchone()
    assert rows is not None
    assert rows[0] == rows[1] == rows[3] > 0
    assert rows[2] == version


def test_golden_vectors_replay_through_onnxruntime(first_run: subprocess.CompletedProcess[str], home: Home) -> None:
    """The live version's public files alone give every golden vector within 1e-5."""
    assert first_run.returncode == 0
    replayed = replay(home.artifacts / live_version(home))
    assert replayed.cases >= 8
    assert replayed.within
    assert max(replayed.features, replayed.embedding) <= 1e-5


def test_the_manifest_names_its_version_and_commit(first_run: subprocess.CompletedProcess[str], home: Home) -> None:
    """The version ends in the first seven digits of the manifest's commit, and no private file is listed."""
    assert first_run.returncode == 0
    version = live_version(home)
    manifest = json.loads((home.artifacts / version / Files.MANIFEST).read_text())
    assert manifest["model_version"] == version
    assert version.endswith("-" + manifest["commit_sha"][:7])
    assert not Files.PRIVATE & {file["path"] for file in manifest["files"]}


def test_a_second_run_makes_nothing_twice(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home
) -> None:
    """Every asset says unchanged, the version stays, and the log of flips does not grow."""
    assert first_run.returncode == 0
    version = live_version(home)
    second = two_tower("run")
    assert second.returncode == 0, second.stderr
    made = [line for line in second.stderr.splitlines() if line.startswith("✓")]
    assert len(made) == 50
    assert all(line.endswith("unchanged") for line in made), made
    assert live_version(home) == version
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        assert connection.execute("select count(*) from public.release_log").fetchone() == (1,)


def test_recommendations_come_from_the_live_release(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home
) -> None:
    """A user's payload, through onnxruntime and the search, gives as many undecided videos as asked for."""
    assert first_run.returncode == 0
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        row = connection.execute(
            "select user_id::text, array_agg(video_id::text) from user_video_decisions group by 1 order by 1 limit 1"
        ).fetchone()
    assert row is not None
    user, decided = row
    answer = two_tower("recommend", user, "--limit", "7")
    assert answer.returncode == 0, answer.stderr
    assert live_version(home) in answer.stdout
    shown = [line.split("│")[4].strip() for line in answer.stdout.splitlines() if line.startswith("│")]
    assert len(shown) == 7
    assert not set(shown) & set(decided)


def test_a_video_that_lost_its_vector_gets_the_same_one_again(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home
) -> None:
    """The job makes by the live model what the release made: a decided video's vector and a newcomer's alike."""
    assert first_run.returncode == 0
    url = EmbeddedPostgres(home.postgres).url("sample")
    lost = (
        "(select v.id from videos v join user_video_decisions d on d.video_id = v.id where v.is_active limit 3)"
        " union (select v.id from videos v left join user_video_decisions d on d.video_id = v.id"
        " where v.is_active and d.video_id is null limit 3)"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        before = dict(
            connection.execute(
                f"select video_id::text, embedding::real[] from public.video_embeddings where video_id in ({lost})"
            ).fetchall()
        )
        assert len(before) > 3
        connection.execute("delete from public.video_embeddings where video_id = any (%s)", (list(before),))
    launched = dagster(two_tower, home, "dg", "launch", "--job", "embed_new_videos")
    assert launched.returncode == 0, launched.stderr[-3000:]
    with psycopg.connect(url) as connection:
        after = dict(
            connection.execute(
                "select video_id::text, embedding::real[] from public.video_embeddings where video_id = any (%s)",
                (list(before),),
            ).fetchall()
        )
    assert after.keys() == before.keys()
    for video, vector in before.items():
        np.testing.assert_allclose(after[video], vector, atol=1e-6)


def test_releases_are_listed_and_the_first_has_nothing_to_go_back_to(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home
) -> None:
    """`two-tower releases` names the live version; a rollback without an earlier one is refused in a sentence."""
    assert first_run.returncode == 0
    listed = two_tower("releases").stdout
    (line,) = [line for line in listed.splitlines() if live_version(home) in line]
    assert "live" in line
    refused = two_tower("rollback")
    assert refused.returncode == 1
    assert "There is no earlier release to go back to" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_frames_make_the_same_features(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home
) -> None:
    """`feature_source: frames` gives vectors of the same bytes as the RPCs."""
    assert first_run.returncode == 0
    assert_the_same_features(two_tower, home, "frames")


def test_rest_makes_the_same_features(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home, programs: Path
) -> None:
    """`feature_source: rest` names what is not set, and gives vectors of the same bytes."""
    assert first_run.returncode == 0
    settings = str(features_from(home, "rest"))
    without = two_tower("run", "--select", 'key:"features/item_payloads"', TWO_TOWER_SETTINGS=settings)
    assert without.returncode == 1
    assert "SUPABASE_URL is not set" in without.stderr
    keys = ProjectKeys(new_secret())
    url = authenticator_url(EmbeddedPostgres(home.postgres).url("sample"), keys)
    folder = home.root / "postgrest"
    with PostgREST(folder, database_url=url, keys=keys, programs=programs) as server, gateway(server.url) as project:
        known = {"SUPABASE_URL": project.url, "SUPABASE_SERVICE_ROLE_KEY": keys.service_role}
        known["TWO_TOWER_SOURCE"] = "sample"  # the rows are there already
        assert_the_same_features(two_tower, home, "rest", **known)


def features_from(home: Home, source: str) -> Path:
    settings = home.root / f"{source}.toml"
    settings.write_text(SETTINGS + f'\n[features]\nfeature_source = "{source}"\n')
    return settings


def assert_the_same_features(two_tower: Command, home: Home, source: str, **variables: str) -> None:
    records = home.dagster / "assets" / "latest" / "sample" / "features"
    before = {noun: json.loads((records / f"{noun}.json").read_text()) for noun in ("item_vectors", "user_vectors")}
    settings = str(features_from(home, source))
    run = two_tower("run", "--select", 'group:"features"', TWO_TOWER_SETTINGS=settings, **variables)
    assert run.returncode == 0, run.stderr
    for noun, record in before.items():
        assert json.loads((records / f"{noun}.json").read_text())["files"] == record["files"]


def test_a_mistake_in_the_settings_is_one_line(two_tower: Command, home: Home) -> None:
    """An unknown key ends in its nearest name, without a traceback."""
    wrong = home.root / "wrong.toml"
    wrong.write_text("[training]\nlearning_rat = 1\n")
    run = two_tower("run", TWO_TOWER_SETTINGS=str(wrong))
    assert run.returncode == 1
    assert "did you mean `training.learning_rate`?" in run.stderr
    assert "Traceback" not in run.stderr


def run_without_a_column(two_tower: Command, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "videos.csv").write_text("id\n6f9619ff-8b86-d011-b42d-00c04fc964ff\n")
    (folder / "user_video_decisions.csv").write_text("user_id,video_id,created_at\n")
    return two_tower("run", "--data", str(folder))


def test_a_broken_folder_stops_with_its_table_and_column(two_tower: Command, tmp_path: Path) -> None:
    """A missing column is named with its file and what to do, and nothing after the sources runs."""
    run = run_without_a_column(two_tower, tmp_path)
    assert run.returncode == 1
    assert "decision_type" in run.stderr
    assert "user_video_decisions.csv" in run.stderr
    assert "Traceback" not in run.stderr
    assert "features/" not in run.stderr


@pytest.mark.parametrize(
    "program",
    [
        ["dagster", "asset", "materialize", "-m", "two_tower_assets.definitions", "--select"],
        ["dg", "launch", "--assets"],
    ],
)
def test_dagsters_own_commands_make_the_same(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home, program: list[str]
) -> None:
    """`dagster asset materialize` and `dg launch` work in the environment that `two-tower env` prints."""
    assert first_run.returncode == 0
    run = dagster(two_tower, home, *program, "*")
    assert run.returncode == 0, run.stderr[-3000:]
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        assert connection.execute("select count(*) from public.release_log").fetchone() == (1,)


def test_passwords_reach_no_log_and_no_event(first_run: subprocess.CompletedProcess[str], home: Home) -> None:
    """The embedded server's password is in no output and in no stored event."""
    password = (home.postgres / "password").read_text().strip()
    assert password
    assert password not in first_run.stdout + first_run.stderr
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("dagster")) as connection:
        found = connection.execute(
            "select count(*) from event_logs where position(%s in event) > 0", (password,)
        ).fetchone()
    assert found == (0,)


@pytest.fixture(scope="module")
def ui(first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home) -> Iterator[Ui]:
    """The UI on the instance of the first run, in a browser; its tests are the last, for it stays open."""
    assert first_run.returncode == 0
    with chromium() as browser, webserver(instance(two_tower, home), home.root / "webserver.log") as url:
        yield Ui(browser, url)


@pytest.fixture
def sound(ui: Ui) -> Iterator[Ui]:
    """The UI, that has nothing to complain of and shows no stack, whatever was opened."""
    ui.errors.clear()
    yield ui
    assert not ui.errors
    assert "Traceback" not in ui.text()
    assert "Stack Trace" not in ui.text()


def test_ui_says_of_every_asset_what_it_is(sound: Ui) -> None:
    """The catalogue lists each asset with what it is; the graph has the seven stages."""
    sound.open("/assets", shows="training / examples")
    shown = sound.text()
    for spec in build_defs().resolve_all_asset_specs():
        assert " / ".join(spec.key.path) in shown
        assert " ".join(str(spec.description).split("\n\n", maxsplit=1)[0].split()) in shown
    page = sound.open("/asset-groups", shows="publishing")
    for stage in STAGES:
        assert page.get_by_text(stage, exact=True).count() > 0, stage


def test_ui_draws_a_run(sound: Ui) -> None:
    """The list of runs leads to the first run, with its assets and checks."""
    page = sound.open("/runs", shows="Success")
    page.locator("a[href^='/runs/']").last.click()
    page.get_by_text("50 assets").wait_for()
    page.get_by_text("14 checks").wait_for()
    page.get_by_text("Succeeded (62)").wait_for()


def test_ui_draws_plots_where_people_look(sound: Ui) -> None:
    """Curves and weeks are on the asset's page itself, the large plots behind a link; figures have few digits."""
    page = sound.open("/assets/training/checkpoint", shows="loss_curve")
    for key in ("loss_curve", "validation_curve"):
        assert sound.width(sound.value(key).locator("img")) == 400
    assert len(sound.value("temperature").inner_text()) <= 8
    sound.value("curves_in_full").get_by_text("[Show Markdown]").click()
    assert sound.width(page.locator("img[alt='Loss of each step, and validation']")) > 700
    sound.open("/assets/sources/decisions", shows="by_week")
    assert sound.width(sound.value("by_week").locator("img")) == 400


def test_ui_sets_the_model_beside_baselines_and_bounds(sound: Ui) -> None:
    """The report's page has a table of methods and a plot, the gate's answers have bounds, its check plots."""
    page = sound.open("/assets/evaluation/report", shows="beside_baselines")
    methods = sound.value("beside_baselines").locator("tbody tr td:first-child").all_inner_texts()
    assert {method_name(name) for name in ("two_tower", "most_popular", "ease")} <= set(methods)
    sound.value("beside_baselines_in_full").get_by_text("[Show Markdown]").click()
    assert sound.width(page.locator("img[alt^='NDCG@10']")) > 700
    question = named("purity@10 beside most_popular")
    sound.open("/assets/evaluation/verdict", shows="The gate lets this model pass.")
    for text in (question, "≥"):
        sound.value("answers").get_by_text(text).first.wait_for()
    sound.open("/assets/evaluation/verdict?view=checks", shows=question)


@pytest.mark.parametrize(
    ("asset", "column", "meaning"),
    [
        ("sources/videos", "safety_level", "Level that searches filter by."),
        ("features/user_payloads", "payload", "JSON as the feature function returns it."),
        ("artifacts/video_embeddings", "embedding", "Unit vector of 256 numbers"),
        ("publishing/video_embeddings_table", "updated_at", "When the vector was written."),
    ],
)
def test_ui_shows_what_columns_mean(sound: Ui, asset: str, column: str, meaning: str) -> None:
    """Assets that are tables have a schema, and a row count."""
    sound.open(f"/assets/{asset}", shows="Row count")
    sound.value(column).get_by_text(meaning).wait_for()


def test_ui_leads_to_the_report_and_the_release(sound: Ui, home: Home) -> None:
    """The release names its report, its manifest and its command; the report's address opens as a page."""
    version = live_version(home)
    page = sound.open("/assets/publishing/release", shows="live_manifest")
    assert sound.value("details").inner_text() == f"two-tower release show {version}"
    manifest = sound.value("live_manifest").inner_text()
    assert json.loads(Path(manifest.removeprefix("file://")).read_text())["model_version"] == version
    page.locator("a[href*='defs/assets/publishing.py']").wait_for()
    page.goto(Path(sound.value("report").inner_text()).as_uri())
    assert version in sound.text()


def test_ui_explains_a_failed_run(ui: Ui, two_tower: Command, tmp_path: Path) -> None:
    """The failed step says first what is wrong, then where and what to do."""
    assert run_without_a_column(two_tower, tmp_path).returncode == 1
    page = ui.open("/runs", shows="Failure")
    page.locator("a[href^='/runs/']").first.click()
    page.get_by_text("STEP_FAILURE").wait_for()
    shown = ui.text()
    assert "lacks the required column `decision_type`" in shown
    assert shown.index("remedy Add it, or rename the column that means it") < shown.index("Stack Trace")
