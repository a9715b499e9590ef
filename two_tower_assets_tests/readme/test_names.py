from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from two_tower_assets.cli import main
from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.automation.jobs import JOBS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
# In code: after a backtick or at the beginning of a line, as far as its end or a comment.
COMMAND = re.compile(r"(?:`|^|\(|… )(?:\.venv/bin/)?two-tower ([a-z][^`\n#)]*)", re.MULTILINE)


def commands() -> Iterator[tuple[str, click.Command, list[str]]]:
    """Each command line of the README, the command it names, and the words that follow."""
    for line in COMMAND.findall(TEXT):
        words = line.split()
        command: click.Command = main
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        yield line, command, words


def test_command_lines_are_understood() -> None:
    """Every command that the README names exists, and has the options that it is called with."""
    seen = 0
    for line, command, words in commands():
        assert not isinstance(command, click.Group) or command.invoke_without_command, line
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line
        seen += 1
    assert seen > 20


def test_make_knows_its_targets() -> None:
    """Every `make …` of the README is in the Makefile."""
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", TEXT, re.MULTILINE))
    assert {"run", "test"} <= named <= TARGETS


def test_assets_and_jobs_exist() -> None:
    """Every asset key and job that the README names can be selected."""
    keys = {key.to_user_string() for key in build_defs().resolve_asset_graph().get_all_asset_keys()}
    stages = "|".join(sorted({key.split("/")[0] for key in keys}))
    named = set(re.findall(rf'[`"]((?:{stages})/\w+)[`"]', TEXT))
    assert {"training/checkpoint", "artifacts/manifest"} <= named <= keys
    jobs = set(re.findall(r"(?:jobs?|--job|jobs `\w+` and) `?(\w+)`", TEXT))
    assert {"release", "train", "embed_new_videos"} <= jobs <= {job.name for job in JOBS}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", TEXT))))
def test_links_lead_somewhere(target: str) -> None:
    """Every link into the repository names a file that is there."""
    assert (ROOT / target).exists()
