"""Where the gateway's functions read artifacts, and starts that fail. All else: `e2e/stack`."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.gateway import Gateway, ServedArtifacts
from two_tower_assets.local.kept_keys import keep_keys

BUCKET = ServedArtifacts(bucket="model-artifacts", prefix="two-tower/v3")


def test_artifacts_are_read_from_the_gateway_or_from_elsewhere() -> None:
    """Below the gateway's own storage, unless they have an address of their own."""
    own = BUCKET.base_url_at("http://127.0.0.1:1")
    assert own == "http://127.0.0.1:1/storage/v1/object/public/model-artifacts/two-tower/v3/current"
    elsewhere = ServedArtifacts(bucket="b", prefix="p", base_url="https://files.example/p/current")
    assert elsewhere.base_url_at("http://127.0.0.1:1") == "https://files.example/p/current"


def test_a_gateway_that_was_never_started(tmp_path: Path) -> None:
    """It has no address, does not run, and is stopped without error."""
    gateway = Gateway(tmp_path / "none")
    gateway.stop()
    assert (gateway.url, gateway.dataset, gateway.is_running(), gateway.was_stopped) == (None, None, False, True)


def test_a_start_that_fails_shows_the_log(tmp_path: Path) -> None:
    """Artifacts at what is no URL: the functions' own words are in the error, no secret is, and nothing runs."""
    pytest.importorskip("deno", reason="no Deno: pip install deno")
    gateway, keys = Gateway(tmp_path / "stack"), keep_keys(tmp_path / "keys.json")
    wrong = ServedArtifacts(bucket="b", prefix="p", base_url="file:///nowhere/current")
    with pytest.raises(LocalStackError, match="MODEL_ARTIFACT_BASE_URL is not an http") as caught:
        gateway.start(postgrest_url="http://127.0.0.1:1", keys=keys, artifacts=wrong, dataset="d", port=None)
    assert not any(secret in str(caught.value) for secret in (keys.secret, keys.anon, keys.service_role))
    assert not gateway.is_running()


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """A fixed port that somebody else has is named in the error."""
    pytest.importorskip("deno", reason="no Deno: pip install deno")
    gateway, keys = Gateway(tmp_path / "stack"), keep_keys(tmp_path / "keys.json")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalStackError, match=f"The port is taken .*:{port}"):
            gateway.start(postgrest_url="http://127.0.0.1:1", keys=keys, artifacts=BUCKET, dataset="d", port=port)
