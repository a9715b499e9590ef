from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from two_tower_assets.cli import main
from two_tower_assets.errors import SettingsError
from two_tower_assets.settings import load_settings
from two_tower_assets.settings.script_pipeline.keys import KEYS, Carried

DEFAULT = Path(__file__).parent / "default.yaml"


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The older pipeline's folder, with its settings named in the environment as they were on its command line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWO_TOWER_SETTINGS", "config/default.yaml")
    (tmp_path / "config").mkdir()
    return Path(shutil.copy(DEFAULT, tmp_path / "config" / "default.yaml"))


def test_each_key_is_named_with_its_newer_name(older: Path) -> None:
    """The error lists all keys of the file, what each is now, and the command that converts the file."""
    with pytest.raises(SettingsError) as caught:
        load_settings(older)
    text = str(caught.value)
    for key, fate in KEYS.items():
        became = f"`{fate.to}`" if isinstance(fate, Carried) else f"not needed, {fate.why}"
        assert re.search(rf"line \d+: `{key}`: {re.escape(became)}", text), key
    assert f"two-tower settings --from-yaml {older} > two_tower.toml" in text
    assert caught.value.where == str(older)


def test_unknown_keys_and_broken_files_are_told_too(older: Path) -> None:
    """A list that leaves out what is not understood would pass for complete."""
    older.write_text("seed: 1\ntraining: {epoch: 3}\n")
    with pytest.raises(SettingsError, match=r"line 2: `training.epoch`: unknown .*`training.epochs`"):
        load_settings(older)
    older.write_text("seed: [\n")
    with pytest.raises(SettingsError, match="not YAML: line 2"):
        load_settings(older)
    older.unlink()
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(older)


def test_the_command_that_is_named_mends_it(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`two-tower settings` refuses the older file, converts it, and then reads the result."""
    run = CliRunner().invoke
    refused = run(main, ["settings"])
    assert refused.exit_code == 1
    assert "Run `two-tower settings --from-yaml" in refused.stderr
    converted = run(main, ["settings", "--from-yaml", str(older)])
    assert converted.exit_code == 0, converted.output
    Path("two_tower.toml").write_text(converted.stdout)
    monkeypatch.delenv("TWO_TOWER_SETTINGS")
    effective = run(main, ["settings"])
    assert effective.exit_code == 0, effective.output
    assert "learning_rate = 0.001\n" in effective.stdout
