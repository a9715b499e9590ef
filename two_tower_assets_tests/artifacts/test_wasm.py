"""The wasm file of the functions: brought by npm for real, known by its hash, placed among a version's files."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from two_tower_assets.artifacts.manifest import verify, write_manifest
from two_tower_assets.artifacts.wasm import WASM_SHA256, fetch_wasm, put_wasm
from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError
from two_tower_assets.home import sha256_of
from two_tower_assets_tests.artifacts.versions import make_version


@pytest.fixture(scope="module")
def wasm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file, in a cache."""
    fetched = fetch_wasm(tmp_path_factory.mktemp("cache"))
    if fetched.path is None:
        pytest.skip(fetched.reason)
    return fetched.path


def program(folder: Path, script: str) -> None:
    """Write an npm of our own, to play what the real one does when it fails."""
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(stat.S_IRWXU)


def test_npm_brings_the_known_file(wasm: Path) -> None:
    """The package of that version holds the file of that hash, WebAssembly of 14.2 MB, and nothing else is kept."""
    assert sha256_of(wasm) == WASM_SHA256
    assert wasm.read_bytes()[:4] == b"\0asm"
    assert wasm.stat().st_size == 14_239_897
    assert [path.name for path in wasm.parent.iterdir()] == [Files.WASM]
    assert len(list(wasm.parents[1].iterdir())) == 1


def test_the_cache_needs_no_npm(wasm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once fetched, the file comes from the cache."""
    monkeypatch.setenv("PATH", "")
    assert fetch_wasm(wasm.parents[1]).path == wasm


def test_without_npm_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no npm, or it fails, there is no file, and a reason in words."""
    monkeypatch.setenv("PATH", "")
    fetched = fetch_wasm(tmp_path / "cache")
    assert fetched.path is None
    assert "npm is not installed" in fetched.reason
    program(tmp_path / "bin", "echo 'npm error code E404' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    fetched = fetch_wasm(tmp_path / "cache")
    assert fetched.path is None
    assert fetched.reason.endswith("E404")


def test_another_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with other bytes under the name, or without the file, is an error, and the cache stays empty."""
    for name in (Files.WASM, "other.wasm"):
        source = tmp_path / name / "package" / "dist"
        source.mkdir(parents=True)
        (source / name).write_bytes(b"\0asm and no more")
        archive = shutil.make_archive(str(tmp_path / name), "gztar", tmp_path / name)
        Path(archive).rename(tmp_path / f"{name}.tgz")
        program(tmp_path / f"bin {name}", f'for last; do :; done; /bin/cp "{tmp_path}/{name}.tgz" "$last/"')
        monkeypatch.setenv("PATH", str(tmp_path / f"bin {name}"))
        with pytest.raises(ArtifactError, match="is not the"):
            fetch_wasm(tmp_path / "cache")
        assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_an_altered_cache_is_not_used(wasm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the cache with another hash counts for nothing, and is never placed in a version."""
    cached = tmp_path / "cache" / wasm.parent.name / wasm.name
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"\0asm")
    monkeypatch.setenv("PATH", "")
    assert fetch_wasm(tmp_path / "cache").path is None
    with pytest.raises(ArtifactError):
        put_wasm(tmp_path, cached)
    assert not (tmp_path / Files.WASM).exists()


def test_placed_in_a_version_it_is_a_public_file(wasm: Path, tmp_path: Path) -> None:
    """The manifest lists it like any other, twice placed is once placed, and the cache keeps its own."""
    folder = make_version(tmp_path, videos=20)
    for _ in range(2):
        put_wasm(folder, wasm)
    manifest = write_manifest(folder)
    assert manifest.sha256_of_file(Files.WASM) == WASM_SHA256
    assert verify(folder) == manifest
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert sha256_of(wasm) == WASM_SHA256
