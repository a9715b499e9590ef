"""The ordered list of stages, resources, checks and automation that make the Dagster code location."""
