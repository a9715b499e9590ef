"""`two-tower verify --functions URL` against the running stack: a right one, and ones that are not."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from two_tower_assets.contract import Files
from two_tower_assets.errors import StorageError
from two_tower_assets.local.keys import ProjectKeys, new_secret
from two_tower_assets.local.stack import LocalStack
from two_tower_assets.publishing.flip import rollback
from two_tower_assets_tests.doctor.looks import Record
from two_tower_assets_tests.e2e.stack.altering import Alter, altering, unaltered
from two_tower_assets_tests.e2e.stack.conftest import Released
from two_tower_assets_tests.e2e.stack.people import FAN, OTHER
from two_tower_assets_tests.e2e.stack.running import Up, server, two_tower
from two_tower_assets_tests.publishing.releasing import NEW, OLD
from two_tower_assets_tests.seen import SEEN

FUNCTIONS = ("embed-user", "ai-recommend-v5")

Verify = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def verify(up: Up, released: Released) -> Verify:
    """Run the command as somebody who knows nothing but the project's keys."""

    def run(url: str = up.url, **variables: str) -> subprocess.CompletedProcess[str]:
        keys = LocalStack(released.home).keys
        known = {
            "SUPABASE_SERVICE_ROLE_KEY": keys.service_role,
            "SUPABASE_ANON_KEY": keys.anon,
            "SUPABASE_JWT_SECRET": keys.secret,
        }
        elsewhere = released.home.root / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        return two_tower(elsewhere, "verify", "--functions", url, **known | variables)

    return run


_SIMILARITIES = ["ai-recommend-v5 similarities are of the live vectors"]
_REFUSALS = [
    "refuses who has no token",
    "refuses a forged service key",
    "refuses the public key",
    "refuses who asks for another user",
]


def _other_vector(function: str, answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    status, headers, body = unaltered(function, answer)
    if "embedding" in body:
        body["embedding"] = [body["embedding"][0] + 1e-3, *body["embedding"][1:]]
    return status, headers, body


def _other_similarity(function: str, answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    status, headers, body = unaltered(function, answer)
    for item in body.get("items", [])[:1]:
        item["similarity"] += 1e-3
    return status, headers, body


def _older(function: str, answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    status, headers, body = unaltered(function, answer)
    headers.pop("x-golden-vectors", None)
    return status, headers, body


def _not_replayed(function: str, answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    status, headers, body = unaltered(function, answer)
    return status, {**headers, "x-golden-vectors": "cases=1; features=0; embedding=0"}, body


def _open_to_all(function: str, answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    _, headers, body = unaltered(function, answer)
    return 200, headers, body


def marks(answer: subprocess.CompletedProcess[str], mark: str) -> list[str]:
    """The lines with a mark."""
    return [line[2:] for line in answer.stdout.splitlines() if line.startswith(mark)]


@pytest.mark.parametrize("suffix", ["", "/", "/functions/v1"])
def test_a_right_deployment(verify: Verify, up: Up, suffix: str) -> None:
    """Every line holds, and says the live version, the user that was asked for and how near the numbers are."""
    answer = verify(f"{up.url}{suffix}")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert len(marks(answer, "✓")) == 17
    assert marks(answer, "✗") == marks(answer, "–") == []
    assert answer.stdout.count(NEW) == 3
    assert answer.stdout.count(f"for {FAN}") == 2
    assert "20 videos, at most" in answer.stdout


def test_what_cannot_be_looked_at_is_said(verify: Verify) -> None:
    """Without the public key and the secret, the lines that need them name the variables; the rest decides."""
    answer = verify(SUPABASE_ANON_KEY="", SUPABASE_JWT_SECRET="")
    assert answer.returncode == 0, answer.stdout
    assert len(marks(answer, "–")) == 4
    assert answer.stdout.count("set SUPABASE_JWT_SECRET, or SUPABASE_USER_TOKEN") == 2


def test_a_user_s_token_does_as_well(verify: Verify, up: Up, released: Released) -> None:
    """Signed in as somebody else, asking for the user is refused."""
    token = LocalStack(released.home).keys.project.authenticated(OTHER)
    answer = verify(SUPABASE_JWT_SECRET="", SUPABASE_USER_TOKEN=token)
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.count("403 not_your_user") == 2
    assert up.url not in marks(answer, "✗")


def test_another_version_is_served(verify: Verify, up: Up, released: Released, record_property: Record) -> None:
    """The live version's file was spoilt, so the functions go on with the last good one: both are named."""
    tower = released.home.storage / "sample" / "model-artifacts" / "two-tower" / "v3" / OLD / Files.USER_TOWER
    whole = tower.read_bytes()
    tower.write_bytes(whole[:-1])
    try:
        with pytest.raises(StorageError):
            rollback(released.target, to=OLD)  # the pointer moves; `current/` cannot follow
        _until_refused(up)
        answer = verify()
    finally:
        tower.write_bytes(whole)
        rollback(released.target, to=NEW)
    assert answer.returncode == 1
    for line in answer.stdout.splitlines():
        record_property(SEEN, f"verify, another version is served: {line}")
    broken = "\n".join(marks(answer, "✗"))
    assert broken.count(f"It answers with version {NEW}, since {OLD} fails its checks there") == 2
    assert f"current/ is of version {NEW}" in broken
    assert "user_tower.onnx" in broken
    assert "The deployment is not right." in answer.stdout


def test_nothing_answers(verify: Verify) -> None:
    """A port where nothing listens: every line that can be is broken, and none ends in a traceback."""
    answer = verify("http://127.0.0.1:9")
    assert answer.returncode == 1
    assert marks(answer, "✓") == []
    assert answer.stdout.count("It does not answer: ConnectError") == 10
    assert "Traceback" not in answer.stdout + answer.stderr


def test_a_wrong_key(verify: Verify) -> None:
    """Another project's service key is refused by REST and by the functions; it is not shown."""
    key = ProjectKeys(new_secret()).service_role
    answer = verify(SUPABASE_SERVICE_ROLE_KEY=key)
    assert answer.returncode == 1
    broken = "\n".join(marks(answer, "✗"))
    assert "release          is live in Postgres" in broken
    assert broken.count("It answers 401 unauthorized") == 2
    assert broken.count("Set SUPABASE_SERVICE_ROLE_KEY") == 3
    assert len([line for line in marks(answer, "✓") if " refuses " in line]) == 8
    assert key not in answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("alter", "expected"),
    [
        (unaltered, []),
        (_other_vector, ["embed-user a user's vector is the model's", *_SIMILARITIES]),
        (_other_similarity, _SIMILARITIES),
        (_older, [f"{name} gives the golden vectors" for name in FUNCTIONS]),
        (_not_replayed, [f"{name} gives the golden vectors" for name in FUNCTIONS]),
        (_open_to_all, [f"{name} {what}" for name in FUNCTIONS for what in _REFUSALS]),
    ],
    ids=["right", "another vector", "another similarity", "older", "not replayed", "open to all"],
)
def test_each_lie_is_told_by_its_line(verify: Verify, up: Up, alter: Alter, expected: list[str]) -> None:
    """What alters one thing breaks the lines that look at it and no other."""
    with altering(up.url, alter) as url:
        answer = verify(url)
    broken = [" ".join(line.split()) for line in marks(answer, "✗")]
    assert len(broken) == len(expected), answer.stdout
    assert all(line.startswith(start) for line, start in zip(broken, expected, strict=True)), broken
    assert answer.returncode == bool(expected)


def test_no_key_at_all(verify: Verify) -> None:
    """What to set is said in one paragraph."""
    answer = verify(SUPABASE_SERVICE_ROLE_KEY="")
    assert answer.returncode == 1
    assert "SUPABASE_SERVICE_ROLE_KEY is not set" in answer.stderr


def _until_refused(up: Up) -> None:
    until = time.monotonic() + 30
    while server(up).call("embed-user", FAN).headers.get("x-refused-version") != OLD:
        assert time.monotonic() < until, "not within 30 s"
        time.sleep(0.05)
