"""What a run says in the terminal reaches it, whatever becomes of standard error meanwhile."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from two_tower_assets.defs.console import CONSOLE, readable_console
from two_tower_assets.defs.stage import friendly
from two_tower_assets.errors import TwoTowerError


@pytest.fixture
def standard_error(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """What reaches descriptor 2, which `sys.stderr` is outside pytest."""
    monkeypatch.setattr(sys, "stderr", open(2, "w", closefd=False))  # noqa: SIM115
    return capfd


def test_a_failure_is_seen_though_standard_error_is_captured(
    tmp_path: Path, standard_error: pytest.CaptureFixture[str]
) -> None:
    """The failure of a step that redirects standard error is one line on the standard error of before."""

    @dg.op
    @friendly
    def fails() -> None:
        captured = os.open(tmp_path / "captured", os.O_WRONLY | os.O_CREAT)
        os.dup2(captured, 2)
        os.close(captured)
        raise TwoTowerError("A table is empty", where="videos", remedy="Fill it.")

    @dg.job(logger_defs={"console": readable_console})
    def failing() -> None:
        fails()

    terminal = os.dup(2)
    try:
        result = failing.execute_in_process(run_config=CONSOLE, raise_on_error=False)
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
    assert not result.success
    assert standard_error.readouterr().err == "✗ fails: A table is empty [videos]. Fill it.\n"
    assert (tmp_path / "captured").read_bytes() == b""


def test_an_asset_is_said_with_its_seconds(standard_error: pytest.CaptureFixture[str]) -> None:
    """So that who waits sees where the time goes; what was found unchanged says that instead."""

    @dg.asset(key_prefix="stage")
    def made() -> None:
        time.sleep(0.2)

    @dg.asset(key_prefix="stage", deps=[made])
    def kept() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"unchanged": True})

    job = dg.define_asset_job("all")
    code = dg.Definitions(assets=[made, kept], jobs=[job], loggers={"console": readable_console})
    code.resolve_job_def("all").execute_in_process(run_config=CONSOLE)
    first, second = standard_error.readouterr().err.splitlines()
    found = re.fullmatch(r"✓ stage/made +(\d+\.\d) s", first)
    assert found is not None
    assert float(found[1]) >= 0.2
    assert re.fullmatch(r"✓ stage/kept +unchanged", second)
