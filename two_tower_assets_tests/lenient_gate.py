"""Settings of a gate that lets any model pass, for small runs that are about something else than quality."""

from typing import Final

LENIENT_GATE: Final = """
[gate]
min_users = 1
min_recall_ratio = 0
min_purity_ratio = 0
max_nope_ratio = 100
min_coverage_ratio = 0
max_gini_ratio = 100
min_new_video_ratio = 0
max_maker_ratio = 100
max_rerank_cost = 1
min_shipped_ratio = 0
min_shipped_overlap = 0
sampled_examples = 50
"""
"""A table of `two_tower.toml`; further settings of the gate may follow it."""
