"""Releases: vectors written beside the live ones, verified, and made live by moving one pointer."""
