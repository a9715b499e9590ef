"""`two-tower doctor` in a home with a release and a running stack, and in the same home with something wrong."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import psycopg
import pytest

from two_tower_assets.contract import Files
from two_tower_assets.local.stack import LocalStack
from two_tower_assets_tests.doctor.looks import Record
from two_tower_assets_tests.e2e.stack.conftest import Released
from two_tower_assets_tests.e2e.stack.running import Up, two_tower
from two_tower_assets_tests.publishing.releasing import NEW
from two_tower_assets_tests.seen import SEEN


@pytest.fixture(scope="module", autouse=True)
def _instance_is_made(released: Released) -> None:
    """The home has a Dagster instance, as after `two-tower env`."""
    made = two_tower(released.home.root, "env")
    assert made.returncode == 0, made.stderr


def doctor(released: Released, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return two_tower(released.home.root, "doctor", *arguments, **variables)


def found(answer: subprocess.CompletedProcess[str]) -> dict[str, list[dict[str, Any]]]:
    """The findings by the name of their check."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for finding in json.loads(answer.stdout):
        by_name.setdefault(finding["check"], []).append(finding)
    return by_name


def problems(answer: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """What is wrong, by the name of its check; each has a remedy."""
    wrong = {name: [f for f in listed if f["level"] == "problem"] for name, listed in found(answer).items()}
    assert all(finding["remedy"] for listed in wrong.values() for finding in listed)
    return {name: [finding["what"] for finding in listed] for name, listed in wrong.items() if listed}


def test_a_healthy_home(up: Up, released: Released) -> None:
    """Nothing is wrong; what is served, what is live and the instance are named."""
    answer = doctor(released, "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert problems(answer) == {}
    well = {name for name, listed in found(answer).items() if all(f["level"] == "ok" for f in listed)}
    assert well >= {"versions", "settings", "storage", "session", "pgvector", "migrations", "grants", "release"}
    assert well >= {"instance", "runs", "slots", "Postgres", "stack"}
    assert NEW in found(answer)["release"][0]["what"]
    assert up.url in found(answer)["stack"][0]["what"]


def test_the_lines_for_people(up: Up, released: Released, record_property: Record) -> None:
    """The same, a line each; no password is in them."""
    assert up.url
    answer = doctor(released)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "0 problems, " in answer.stdout.splitlines()[-1]
    for line in answer.stdout.splitlines():
        record_property(SEEN, f"doctor, a healthy home: {line}")
    password = psycopg.conninfo.conninfo_to_dict(released.database)["password"]
    assert str(password) not in answer.stdout


def test_many_things_wrong_at_once(up: Up, released: Released) -> None:
    """A grant, a file and the key's kind: each is told, and what is right besides is still looked at."""
    tower = released.home.storage / "sample" / "model-artifacts" / "two-tower" / "v3" / "current" / Files.USER_TOWER
    whole = tower.read_bytes()
    revoked = "execute on function public.get_live_release()"
    anon = LocalStack(released.home).keys.anon
    tower.unlink()
    with psycopg.connect(released.database, autocommit=True) as connection:
        connection.execute(f"revoke {revoked} from service_role")
        try:
            answer = doctor(released, "--json", SUPABASE_SERVICE_ROLE_KEY=anon)
            mended = doctor(released, "--json", "--fix", SUPABASE_SERVICE_ROLE_KEY=anon)
        finally:
            connection.execute(f"grant {revoked} to service_role")
            tower.write_bytes(whole)
    assert answer.returncode == mended.returncode == 1
    assert problems(answer) == {
        "keys": ["the key is of kind anon"],
        "grants": ["service_role may not execute public.get_live_release()"],
        "release": ["current/user_tower.onnx is missing, or of another size"],
    }
    assert found(answer)["migrations"][0]["level"] == "ok"
    assert found(answer)["stack"][0]["level"] == "ok"
    assert set(problems(mended)) == {"keys", "release"}
    (grant,) = found(mended)["grants"]
    assert grant["done"] == f"grant {revoked} to service_role"
    assert anon not in answer.stdout + mended.stdout
    assert problems(doctor(released, "--json")) == {}
    assert up.url


def test_a_project_that_does_not_answer(released: Released) -> None:
    """REST and Storage each say so, and neither waits for ever."""
    key = LocalStack(released.home).keys.service_role
    project = {"SUPABASE_URL": "http://127.0.0.1:9", "SUPABASE_SERVICE_ROLE_KEY": key}
    answer = doctor(released, "--json", TWO_TOWER_SOURCE="sample", **project)
    assert answer.returncode == 1
    assert set(problems(answer)) == {"REST", "storage", "release"}
    assert found(answer)["keys"][0]["level"] == "ok"


def test_an_environment_that_cannot_be_read(released: Released) -> None:
    """It is a finding like any other, and no traceback."""
    answer = doctor(released, "--json", SUPABASE_DB_URL="mysql://somewhere")
    assert answer.returncode == 1
    assert problems(answer) == {"settings": ["The value is not a Postgres URL"]}
    assert found(answer)["versions"][0]["level"] == "ok"
