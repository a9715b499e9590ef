"""That `make check` reads the workflows with linters that see what GitHub would stumble over."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = REPOSITORY / ".github" / "workflows"
ACTIONLINT = shutil.which("actionlint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

pytestmark = pytest.mark.skipif(ACTIONLINT is None, reason="no actionlint (`make test` installs it)")


def lint(*files: Path) -> subprocess.CompletedProcess[str]:
    assert ACTIONLINT is not None
    command = [REPOSITORY / "infra" / "lint_workflows.sh", Path(ACTIONLINT).parent, *files]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_the_workflows_are_clean() -> None:
    """Nothing is found in the files as they are."""
    answer = lint(*WORKFLOWS.glob("*.yml"))
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("workflow", "right", "wrong", "found"),
    [
        ("train-two-tower", "if: inputs.use_remote_data", "if: inputs.use_remote_date", '"use_remote_date" is not'),
        ("train-two-tower", "needs: train", "needs: trian", 'needs job "trian" which does not exist'),
        ("train-two-tower", "steps.embed.outcome", "steps.embe.outcome", '"embe" is not defined'),
        ("ci", "persist-credentials:", "persist-credential:", 'input "persist-credential" is not defined'),
        ("ci", "contents: read", "content: read", 'unknown permission scope "content"'),
        ("ci", "run: make check", "run: rm -r $HOME/*.log", "SC2086"),
        ("ci", "5.0.0", "4.2.2", 'runtime "node20" is deprecated'),
        ("ci", "timeout-minutes", "timeout-minute", 'unexpected key "timeout-minute"'),
        ("ci", "@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "@v5", "unpinned-uses"),
        ("ci", "run: make check", "run: echo '${{ github.event.pull_request.title }}'", "template-injection"),
    ],
)
def test_a_planted_error_is_found(tmp_path: Path, workflow: str, right: str, wrong: str, found: str) -> None:
    """A slip of the pen in a real workflow fails the check, and is named."""
    text = (WORKFLOWS / f"{workflow}.yml").read_text()
    assert right in text
    file = tmp_path / f"{workflow}.yml"
    file.write_text(text.replace(right, wrong))
    answer = lint(file)
    assert answer.returncode == 1
    assert found in answer.stdout + answer.stderr
