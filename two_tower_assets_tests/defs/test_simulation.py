from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from two_tower_assets.cli import main
from two_tower_assets.evaluation.gate_audiences import AUDIENCES
from two_tower_assets.evaluation.gate_simulation import SIZES


def test_the_command_shows_every_size_and_writes_the_same_rates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row for each audience and number of users; the file has each rate with its Monte-Carlo error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    found = CliRunner().invoke(main, ["gate-simulation", "--replications", "10", "--json", "rates.json"])
    assert found.exit_code == 0, found.output
    rows = json.loads(Path("rates.json").read_text())
    assert [(row["audience"], row["users"]) for row in rows] == [
        (audience.name, users) for audience in AUDIENCES for users in SIZES
    ]
    for row in rows:
        errors = row["standard_errors"]
        assert set(errors) == {"passes_worse", "passes_worse_for_some", "refuses_equal"}
        cells = [f"{row[name]:.1%} ± {error:.1%}" for name, error in errors.items()]
        (line,) = (
            line for line in found.output.splitlines() if f"{row['users']:,} " in line and row["audience"] in line
        )
        assert [cell.strip() for cell in line.split("│")[3:6]] == cells
