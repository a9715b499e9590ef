"""A stack of this folder's own, with two releases."""

from __future__ import annotations

from two_tower_assets_tests.e2e.stack.conftest import released, up

__all__ = ["released", "up"]
