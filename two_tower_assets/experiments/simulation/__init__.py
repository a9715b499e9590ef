"""Simulated experiments whose truth is known: how often a readout is wrong, and how often it sees what is there."""
