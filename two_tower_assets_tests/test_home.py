from __future__ import annotations

from pathlib import Path

import pytest

from two_tower_assets.home import replacing, sha256_of, write_text


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    """Readers see the old bytes or the new ones, never half."""
    target = tmp_path / "file.json"
    write_text(target, "old")

    def fail() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_text_is_written_as_utf8_with_its_folder(tmp_path: Path) -> None:
    """Missing parent folders are made."""
    target = tmp_path / "deep" / "file.txt"
    write_text(target, "日本語 🎬")
    assert target.read_bytes() == "日本語 🎬".encode()


def test_sha256_is_the_known_digest(tmp_path: Path) -> None:
    """The digest of `abc` is the one FIPS 180-2 prints."""
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
