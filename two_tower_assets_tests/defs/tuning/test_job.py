"""The job `tune` over a small sample, what it leaves behind, and what is said to those who can't have it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from two_tower_assets.cli import main
from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site, open_site
from two_tower_assets.defs.tuning import making
from two_tower_assets.defs.tuning.making import ASSET, outcome_of
from two_tower_assets.defs.tuning.printing import print_study

# Dagster's own IO managers and resources warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dagster")

# As small as the searched ranges allow, so that the first point is exactly this.
SETTINGS = """
[sample]
users = 120
videos = 150
[model]
heads = 1
hidden = [128]
[training]
schedules = [100]
batch_size = 256
catalogue_negatives = 128
[tuning]
trials = 1
finalists = 1
seeds = 1
"""


@pytest.fixture
def home(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home over a database of its own, with settings in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("TWO_TOWER_SETTINGS", "TWO_TOWER_DATA", "SUPABASE_URL", "SUPABASE_DB_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TWO_TOWER_SOURCE", "sample")
    monkeypatch.setenv("TWO_TOWER_DATABASE_URL", database)
    (tmp_path / "two_tower.toml").write_text(SETTINGS)
    return tmp_path / "home"


def run(home: Path, instance: dg.DagsterInstance, **config: int) -> dg.ExecuteInProcessResult:
    job = build_defs({"workspace": Workspace(home=str(home))}).resolve_job_def("tune")
    run_config = {"ops": {"search_settings": {"config": config}}}
    return job.execute_in_process(run_config=run_config, instance=instance, raise_on_error=False)


def take_snapshot(site: Site, instance: dg.DagsterInstance) -> None:
    defs = build_defs({"workspace": Workspace(home=str(site.home.root))})
    sources = [asset for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition)]
    selection = dg.AssetSelection.groups("sources")
    assert dg.materialize(
        sources, selection=selection, instance=instance, resources=dict(defs.resources or {})
    ).success


def failure(result: dg.ExecuteInProcessResult) -> str:
    data = result.failure_data_for_node("search_settings")
    assert data is not None
    assert data.user_failure_data is not None
    return str(data.user_failure_data.description)


def test_a_study_leaves_its_page_plots_and_verdict_behind(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One point, which is the current settings: they stay, the asset shows it all, and the command prints it."""
    with dg.DagsterInstance.ephemeral() as instance:
        site = open_site(home=home)
        take_snapshot(site, instance)
        result = run(home, instance)
        assert result.success
        (event,) = instance.fetch_materializations(dg.AssetKey(["tuning", "study"]), limit=5).records
    assert event.asset_materialization is not None
    shown = event.asset_materialization.metadata
    assert {"verdict", "change", "history", "importance", "finals", "trials", "page"} == set(shown)
    assert "data:image/png;base64" in str(shown["history"].value)
    outcome = outcome_of(site, site.store.load(ASSET))
    (trial,) = outcome.trials
    assert trial.value is not None
    assert trial.point["training.schedules"] == [100]
    assert outcome.contest is None
    assert (Path(str(shown["page"].value)).read_text(encoding="utf-8")).startswith("<!doctype html>")
    capsys.readouterr()
    print_study(site)
    printed = capsys.readouterr().out
    assert "The current settings stay" in printed
    assert "1 trial (1 complete)" in printed
    # The password of the database is in nothing that was left behind.
    password = site.pipeline_url.split(":")[2].split("@")[0]
    left = [path for path in home.rglob("*") if path.is_file() and path.suffix in {".json", ".html", ".diff"}]
    assert left
    assert not any(password in path.read_text(encoding="utf-8") for path in left)


def test_without_a_snapshot_it_says_how_to_get_one(home: Path) -> None:
    """The failure names the asset that is missing."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert "sources/videos has not been made" in failure(run(home, instance))


def test_a_budget_out_of_range_is_refused(home: Path) -> None:
    """With the key, before anything is begun."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert "`tuning.trials` = 0" in failure(run(home, instance, trials=0))


def test_without_the_extra_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the extra of the Ray engine does."""
    monkeypatch.setattr(making, "find_spec", lambda _: None)
    answer = CliRunner().invoke(main, ["tune"])
    assert answer.exit_code == 1
    assert "pip install 'two-tower-assets[tuning]'" in answer.output


@pytest.mark.parametrize("option", [["--trials", "0"], ["--minutes", "0"], ["--workers", "-1"]])
def test_a_budget_of_nothing_is_a_usage_error(option: list[str]) -> None:
    """The option is named."""
    answer = CliRunner().invoke(main, ["tune", *option])
    assert answer.exit_code == 2
    assert option[0] in answer.output


def test_the_graph_is_free_of_it() -> None:
    """Whoever selects everything, or releases, tunes nothing."""
    defs = build_defs()
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert not any(key.startswith("tuning/") for key in keys)
    assert "tune" in {job.name for job in defs.jobs or []}
