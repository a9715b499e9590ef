"""The locks of the image and of the workflows' linters: whole, hashed, and of what was asked for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from two_tower_assets_tests.containers.compose_file import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("infra/requirements.lock", "infra/build.lock", "infra/workflow_linters.lock")
_ENTRY = re.compile(r"([\w.-]+)==([\w.+!]+) \\\n((?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)")


def _text(lock: str) -> str:
    return (REPOSITORY / lock).read_text(encoding="utf-8")


def _locked(lock: str) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version, _ in _ENTRY.findall(_text(lock))}


def _asked_for() -> Iterator[Requirement]:
    """What the Makefile's lock is made from: the dependencies and the extras that it names."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    extras = re.findall(r"--extra (\w+)", makefile)
    assert "ui" in extras
    project = PROJECT["project"]
    for text in project["dependencies"] + [
        each for extra in extras for each in project["optional-dependencies"][extra]
    ]:
        yield Requirement(text)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_versions_and_hashes_alone(lock: str) -> None:
    """Beside comments there is nothing but exact versions with hashes: no URL, no option, no index's name."""
    rest = _ENTRY.sub("", re.sub(r"(?m)^ *#.*\n", "", _text(lock)))
    assert rest == ""
    assert "://" not in _text(lock)


def test_the_lock_fits_the_project() -> None:
    """Every dependency, and every extra that the image has, is locked at a version that pyproject.toml allows."""
    locked = _locked("infra/requirements.lock")
    for requirement in _asked_for():
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)], prereleases=True), (
            requirement
        )
    build = _locked("infra/build.lock")
    for text in PROJECT["build-system"]["requires"]:
        assert Requirement(text).specifier.contains(build[canonicalize_name(Requirement(text).name)])


def test_the_linters_are_locked_as_they_were_asked_for() -> None:
    """Whoever changes a version makes the lock anew, which nothing else would notice."""
    asked = re.findall(r"(?m)^([\w-]+)==([\d.]+)$", _text("infra/workflow_linters.in"))
    assert asked
    assert _locked("infra/workflow_linters.lock") == dict(asked)


def test_torch_is_the_build_for_processors() -> None:
    """The lock has the CPU wheel by its one hash, and nothing of CUDA."""
    (entry,) = [found for found in _ENTRY.findall(_text("infra/requirements.lock")) if found[0] == "torch"]
    assert entry[1].endswith("+cpu")
    assert entry[2].count("sha256") == 1
    assert not [name for name in _locked("infra/requirements.lock") if name.startswith(("nvidia", "cuda", "triton"))]
