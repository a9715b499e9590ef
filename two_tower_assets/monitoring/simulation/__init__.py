"""Quiet weeks, and drifts that were planted: how often monitoring is wrong, and how soon it sees what is there."""
