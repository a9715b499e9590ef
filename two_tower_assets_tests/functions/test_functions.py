"""The functions' own checks, as Deno makes them: tests, types, lint and format."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from two_tower_assets.artifacts.golden import require_replay
from two_tower_assets.contract import GOLDEN_TOLERANCE
from two_tower_assets_tests.functions.deno import FUNCTIONS, GATEWAY, TESTS, Deno
from two_tower_assets_tests.functions.older_deno import VERSION, older_deno
from two_tower_assets_tests.functions.versions_for_deno import CONTENT, HYBRID, NEWER
from two_tower_assets_tests.seen import SEEN


def test_the_deno_tests_pass(deno: Deno, versions: Path, record_property: Callable[[str, str], None]) -> None:
    """Every test beside this file holds, on versions that Python has just made."""
    allowed = (f"--allow-read={versions}", "--allow-env", "--allow-net=127.0.0.1")
    output = deno.run("test", *allowed, TESTS, versions=versions)
    result = re.search(r"ok \| (\d+) passed \| 0 failed", output)
    assert result is not None, output
    assert int(result[1]) >= 200
    _note_differences(output, "Deno", record_property)


def test_models_load_in_the_deno_of_hosted_functions(
    versions: Path, tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    """Both engines, what they load, refuse and give, and lists and arms made of it hold on Deno 2.1 as on today's."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on the PATH, which brings Deno 2.1")
    hosted = older_deno(tmp_path)
    files = [
        TESTS / f"{name}_test.ts" for name in ("golden", "payload", "release", "list", "assignment", "experiments")
    ]
    allowed = (f"--allow-read={versions}", "--allow-env", "--allow-net=127.0.0.1")
    _note_differences(hosted.run("test", *allowed, *files, versions=versions), f"Deno {VERSION}", record_property)


def test_python_replays_the_same_files(versions: Path, record_property: Callable[[str, str], None]) -> None:
    """Onnxruntime gives the golden vectors of the very files that the Deno tests read."""
    results = [require_replay(versions / version) for version in (CONTENT, NEWER, HYBRID)]
    features, embedding = max(one.features for one in results), max(one.embedding for one in results)
    record_property(SEEN, f"golden replay, Python, onnxruntime: features {features:.1e}, embedding {embedding:.1e}")
    assert max(features, embedding) <= GOLDEN_TOLERANCE


def test_types_hold(deno: Deno) -> None:
    """The strictest types, in the functions, in the gateway that runs them locally, and in their tests."""
    deno.run("check", FUNCTIONS, GATEWAY, TESTS)


def test_lint_finds_nothing(deno: Deno) -> None:
    """Deno's linter, with explicit types asked for."""
    deno.run("lint", FUNCTIONS, GATEWAY, TESTS)


def test_format_is_denos(deno: Deno) -> None:
    """Nothing is left to taste."""
    deno.run("fmt", "--check", FUNCTIONS, GATEWAY, TESTS)


def test_each_shared_file_is_small() -> None:
    """One idea a file: none in the functions is longer than 250 lines."""
    lengths = {
        path.name: len(path.read_text().splitlines())
        for folder in (FUNCTIONS, GATEWAY)
        for path in folder.rglob("*.ts")
    }
    assert len(lengths) > 40
    assert not {name for name, lines in lengths.items() if lines > 250}


def _note_differences(output: str, where: str, record_property: Callable[[str, str], None]) -> None:
    for engine in ("typescript", "wasm"):
        found = re.findall(rf"^{engine} \S+: features (\S+), embedding (\S+)$", output, re.MULTILINE)
        features, embedding = (max(map(float, column)) for column in zip(*found, strict=True))
        record_property(SEEN, f"golden replay, {where}, {engine}: features {features:.1e}, embedding {embedding:.1e}")
