"""Nights of the past replayed: rows as they stood, the day after asked about, and what a replay comes to."""
