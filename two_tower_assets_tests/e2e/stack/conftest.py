"""One home with two releases, and one stack that serves it, for all tests of the stack."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from two_tower_assets_tests.e2e.stack.home import Released, released_home
from two_tower_assets_tests.e2e.stack.running import Up, brought_up


@pytest.fixture(scope="package")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Released]:
    """The home, its Postgres running."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on the PATH, which brings PostgREST")
    pytest.importorskip("deno", reason="no Deno, which runs the functions: pip install deno")
    with released_home(tmp_path_factory.mktemp("stack")) as home:
        yield home


@pytest.fixture(scope="package")
def up(released: Released) -> Iterator[Up]:
    """The stack, as `two-tower up` starts it; it looks for a new release five times a second."""
    with brought_up(released.home.root, MODEL_REFRESH_SECONDS="0.2") as running:
        yield running
