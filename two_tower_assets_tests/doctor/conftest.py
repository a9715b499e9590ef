"""The publishing tests' versions and serving database."""

from two_tower_assets_tests.publishing.conftest import artifacts, new, old, serving, target

__all__ = ["artifacts", "new", "old", "serving", "target"]
