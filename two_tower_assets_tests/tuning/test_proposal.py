"""The winner's settings as a change of a file."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from two_tower_assets.settings import load_settings, parse_settings
from two_tower_assets.tuning.proposal import as_diff, changes_between, proposed_file
from two_tower_assets.tuning.space import search_space, with_values

VALUES = {"training.learning_rate": 0.0042, "model.hidden": [256, 256], "training.logq": False}
FILES = {
    "none": "",
    "other tables": "[sample]\nusers = 50\n",
    "its tables": "# ours\n[training]  # how\nlearning_rate = 0.01  # once\nseed = 3\n\n[model]\nhidden = [128]\n",
    "many lines": "[model]\nhidden = [\n  64,\n  32,\n]\n[training]\nseed = 3\n",
    "dotted": "training.learning_rate = 0.01\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_the_diff_applied_gives_the_winner(text: str, tmp_path: Path) -> None:
    """Git takes the diff, and the settings loader reads what was measured, whatever the file looks like."""
    file = tmp_path / "two_tower.toml"
    if text:
        file.write_text(text)
    current = parse_settings(tomllib.loads(text), where="test")
    winner = with_values(current, VALUES)
    changes = changes_between(search_space(current), current, winner)
    assert {change.key for change in changes} == set(VALUES)
    diff = as_diff(text, proposed_file(text, changes, current), file.name)
    subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=tmp_path, check=True)
    assert load_settings(file) == winner


def test_comments_and_order_stay() -> None:
    """Lines that set a changed key are rewritten in place, and others left alone."""
    text = FILES["its tables"]
    current = parse_settings(tomllib.loads(text), where="test")
    changes = changes_between(search_space(current), current, with_values(current, {"model.hidden": [256]}))
    assert proposed_file(text, changes, current) == text.replace("[128]", "[256]")


def test_nothing_else_counts_as_a_change() -> None:
    """Settings that are not searched are no part of it."""
    current = parse_settings({}, where="test")
    other = with_values(current, {"training.seed": 5, "model.dropout": 0.2})
    assert [change.key for change in changes_between(search_space(current), current, other)] == ["model.dropout"]
