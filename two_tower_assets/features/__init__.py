"""Payloads, vocabularies, normalizer and feature vectors, point in time included. NumPy and Polars, no torch."""
