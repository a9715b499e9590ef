"""Are the installed packages those that this version was built on?"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distributions, metadata, requires, version
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from two_tower_assets.doctor.finding import Finding, ok, problem, unused

DISTRIBUTION: Final = "two-tower-assets"
_TOLD: Final = ("dagster", "torch", "onnxruntime", "polars", "psycopg", "postgrest", "storage3")
_INSTALL: Final = "pip install --upgrade 'two-tower-assets[local,ui]'"

_FAMILY: Final = frozenset(
    {"dagster-postgres", "dagster-webserver", "dagster-graphql", "dagster-pipes", "dagster-shared", "dagster-dg-cli"}
)


def look_at_versions(distribution: str = DISTRIBUTION) -> Iterator[Finding]:
    """Hold Python and the installed packages against what the distribution asks for; Dagster's must agree too."""
    if _version(distribution) is None:
        yield unused(f"{distribution} is not installed as a package")
        return
    wrong = [*_python(distribution), *_unfit(distribution), *_dagster_strangers()]
    yield from wrong
    if not wrong:
        told = ", ".join(f"{name} {version(name)}" for name in _TOLD)
        yield ok(f"Python {platform.python_version()}, {told}")


def _python(distribution: str) -> Iterator[Finding]:
    needed = str(metadata(distribution).json.get("requires_python", ""))
    found = platform.python_version()
    if not SpecifierSet(needed).contains(found, prereleases=True):
        yield problem(
            f"Python is {found}, and {needed} is needed", remedy=f"Make a new environment of Python {needed}."
        )


def _unfit(distribution: str) -> Iterator[Finding]:
    """Yield what the distribution needs and has not; what an extra brings counts where it is installed."""
    for text in requires(distribution) or ():
        requirement = Requirement(text)
        optional = requirement.marker is not None and "extra" in str(requirement.marker)
        found = _version(requirement.name)
        if found is None:
            if not optional:
                yield problem(f"{requirement.name} is missing", remedy=_INSTALL)
        elif not requirement.specifier.contains(found, prereleases=True):
            yield problem(f"{requirement.name} is {found}, and {requirement.specifier} is needed", remedy=_INSTALL)


def _dagster_strangers() -> Iterator[Finding]:
    """Dagster's packages are released together: 1.x.y beside 0.(x+16).y, and every one of a run must agree."""
    core = version("dagster")
    _, minor, patch = core.split(".")[:3]
    together = {core, f"0.{int(minor) + 16}.{patch}"}
    for found in distributions():
        name = found.metadata["Name"]
        if name in _FAMILY and found.version not in together:
            yield problem(f"{name} is {found.version} beside dagster {core}", remedy=_INSTALL)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
