"""Weeks in which nothing happened, and drifts that were planted: how often monitoring is wrong, and what it sees when."""
