from __future__ import annotations

import json
import subprocess

import httpx
import psycopg

from two_tower_assets.publishing.registry import live_release
from two_tower_assets_tests.artifacts.versions import video_id
from two_tower_assets_tests.e2e.stack.conftest import Released
from two_tower_assets_tests.e2e.stack.people import FAN, NEWCOMER, OTHER, UNRELEASED, WRITER, decide, decided
from two_tower_assets_tests.e2e.stack.running import Up, bearer, server, stranger, two_tower
from two_tower_assets_tests.publishing.releasing import NEW


def test_the_printed_lines_run_in_a_shell(up: Up) -> None:
    """Pasted into `sh`, both lines answer for the sample user by the live version."""
    answers = [json.loads(subprocess.check_output(["sh", "-c", line], text=True)) for line in up.curls]
    assert [answer["userId"] for answer in answers] == [FAN, FAN]
    assert [answer["modelVersion"] for answer in answers] == [NEW, NEW]
    assert len(answers[0]["embedding"]) == 256
    assert len(answers[1]["items"]) == 10
