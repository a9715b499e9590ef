"""Drift and health: opened for a site, checked, and printed by `two-tower monitor`."""
