"""Faults around the deployed Edge Functions: what callers see of each, and that the functions go on afterwards.

The functions run as they are deployed, each its own process from its `index.ts`. Between them and the rest, which is
the local stack, stands a proxy that breaks what it is told to. `python -m two_tower_assets_tests.e2e.faults` prints
the table; pytest holds every row of it.
"""
