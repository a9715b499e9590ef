"""Which looks there are, where little is installed or set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

WITHOUT_THE_EXTRA = """
import sys
sys.modules["psutil"] = None
from two_tower_assets.cli import main
main(["doctor", "--json"])
"""


def test_without_the_extra_local(tmp_path: Path) -> None:
    """On a machine that has databases elsewhere the local parts are not used, and everything else is looked at."""
    nowhere = "postgresql://user:s3cret@127.0.0.1:9/postgres"
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "TWO_TOWER_HOME": str(tmp_path),
        "TWO_TOWER_DATABASE_URL": nowhere,
        "SUPABASE_DB_URL": nowhere,
        "DAGSTER_POSTGRES_URL": nowhere,
    }
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_EXTRA],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {finding["check"]: finding for finding in json.loads(ended.stdout)}
    assert ended.returncode == 1, ended.stderr
    assert "s3cret" not in ended.stdout + ended.stderr
    assert {name for name, finding in found.items() if "extra `local`" in finding["what"]} == {"runs", "processes"}
    assert {name for name, finding in found.items() if finding["what"].startswith("Cannot connect")} == {
        f"{which}{name}" for which in ("", "serving ") for name in ("session", "pgvector", "migrations", "grants")
    } | {"release"}
    assert not [finding for finding in found.values() if "broke" in finding["what"]]
