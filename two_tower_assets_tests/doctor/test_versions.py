from __future__ import annotations

from pathlib import Path

import pytest

from two_tower_assets.doctor.versions import look_at_versions
from two_tower_assets_tests.doctor.looks import levels, only


def installed(
    folder: Path, *requirements: str, name: str = "asks-for-much", version: str = "1.0", python: str = ""
) -> str:
    """Put a distribution's metadata into a folder, as an installer does."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requirements)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{python}{needs}")
    return name


def test_what_is_installed_here_is_right() -> None:
    """One line names Python and the packages that numbers depend on."""
    found = only(look_at_versions())
    assert found.level == "ok"
    assert "dagster 1." in found.what
    assert "torch 2." in found.what


def test_missing_and_older_packages_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing, and what is too old; an extra's package counts only where it is installed."""
    monkeypatch.syspath_prepend(tmp_path)
    name = installed(
        tmp_path,
        "polars>=99",
        "no-such-package",
        "click>=8",
        'also-missing; extra == "more"',
        'rich>=99; extra == "more"',
    )
    found = list(look_at_versions(name))
    assert levels(found) == ["problem"] * 3
    said = [finding.what for finding in found]
    assert said[0].endswith("and >=99 is needed")
    assert said[1] == "no-such-package is missing"
    assert said[2].startswith("rich is ")


def test_a_stranger_in_the_dagster_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its packages are released together, and another's version is told."""
    monkeypatch.syspath_prepend(tmp_path)
    installed(tmp_path, name="dagster-graphql", version="1.0.0")
    assert [finding.what.split(" beside")[0] for finding in look_at_versions()] == ["dagster-graphql is 1.0.0"]


def test_another_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python that runs is told beside the one that is needed; a distribution that is not here is no fault."""
    monkeypatch.syspath_prepend(tmp_path)
    found = only(look_at_versions(installed(tmp_path, python="Requires-Python: >=4\n")))
    assert (found.level, found.what.endswith(", and >=4 is needed")) == ("problem", True)
    assert levels(look_at_versions("no-such-distribution")) == ["unused"]
