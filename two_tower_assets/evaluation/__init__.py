"""Retrieval measured on a later time window, beside the baselines people would use instead."""
