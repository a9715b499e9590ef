"""Runs a workflow file here as GitHub's runner does: expressions, conditions, steps in order, files between jobs."""
