from __future__ import annotations

from pathlib import Path

import pytest
import torch

from two_tower_assets.defs import engine
from two_tower_assets.defs.engine import engine_of, made_by
from two_tower_assets.defs.site import open_site
from two_tower_assets.errors import EngineError, EnvironmentVariableError
from two_tower_assets.training.engine import LocalEngine


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of whoever runs the tests, and no file of theirs."""
    monkeypatch.chdir(tmp_path)
    for name in ("TWO_TOWER_ENGINE", "TWO_TOWER_SETTINGS", "TWO_TOWER_DATA", "TWO_TOWER_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_the_engine_is_this_process_unless_another_is_asked_for(tmp_path: Path) -> None:
    """And then what is made says nothing of engines, so that nothing is made anew because there are others."""
    (tmp_path / "two_tower.toml").write_text('resources.device = "cpu"')
    site = open_site(home=tmp_path)
    assert engine_of(site) == LocalEngine()
    assert made_by(site) == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_a_card_that_is_wanted_must_be_there(tmp_path: Path) -> None:
    """`auto` goes without one."""
    (tmp_path / "two_tower.toml").write_text('resources.device = "cuda"')
    with pytest.raises(EngineError, match=r"torch sees no card \[resources.device\]"):
        engine_of(open_site(home=tmp_path))
    (tmp_path / "two_tower.toml").write_text('resources.device = "cpu"')
    assert engine_of(open_site(home=tmp_path)) == LocalEngine()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no card")
def test_a_card_that_is_there_is_used(tmp_path: Path) -> None:
    """And what it fits counts as made by it."""
    site = open_site(home=tmp_path)
    assert engine_of(site) == LocalEngine(torch.device("cuda"))
    assert made_by(site) == "cuda"


def test_settings_and_environment_ask_for_ray_and_its_slices_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable overrides the settings; workers do not decide what is made, slices do."""
    (tmp_path / "two_tower.toml").write_text('automation.engine = "ray"\nray.workers = 3')
    asked = open_site(home=tmp_path)
    assert asked.engine == "ray"
    assert made_by(asked).startswith("ray, 8 slices")
    (tmp_path / "two_tower.toml").write_text('automation.engine = "ray"')
    assert made_by(open_site(home=tmp_path)) == made_by(asked)
    (tmp_path / "two_tower.toml").write_text('automation.engine = "ray"\nray.slices = 4')
    assert made_by(open_site(home=tmp_path)) != made_by(asked)
    monkeypatch.setenv("TWO_TOWER_ENGINE", "local")
    assert engine_of(open_site(home=tmp_path)) == LocalEngine()
    monkeypatch.setenv("TWO_TOWER_ENGINE", "spark")
    with pytest.raises(EnvironmentVariableError, match=r"'spark' \[TWO_TOWER_ENGINE\].*local, ray"):
        open_site(home=tmp_path)


def test_without_the_extra_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is imported or fitted."""
    monkeypatch.setenv("TWO_TOWER_ENGINE", "ray")
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    with pytest.raises(EngineError, match=r"pip install '\.\[ray\]'"):
        engine_of(open_site(home=tmp_path))
