"""Tuning as people start it and see it: the job, its metadata, the command's tables."""
