"""Drift and health: whether what comes in, and what is served, is still what the live release was trained for."""
