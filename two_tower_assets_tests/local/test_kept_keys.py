from __future__ import annotations

import stat
from pathlib import Path

import jwt
import pytest

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.kept_keys import keep_keys


def test_the_keys_are_made_once(tmp_path: Path) -> None:
    """The first call makes the file, its owner's alone; later ones read the same keys from it."""
    file = tmp_path / "new" / "keys.json"
    first = keep_keys(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keep_keys(file) == first
    assert [path.name for path in file.parent.iterdir()] == ["keys.json"]


def test_the_keys_are_signed_with_the_secret(tmp_path: Path) -> None:
    """An independent reader finds the roles `anon` and `service_role` in them."""
    keys = keep_keys(tmp_path / "keys.json")
    roles = [jwt.decode(key, keys.secret, algorithms=["HS256"])["role"] for key in (keys.anon, keys.service_role)]
    assert roles == ["anon", "service_role"]
    assert keys.project.secret == keys.secret
    assert not any(secret in repr(keys) for secret in (keys.secret, keys.anon, keys.service_role))


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"secret": "s3cr3t-of-somebody"}'])
def test_a_damaged_file_is_told_without_its_content(content: str, tmp_path: Path) -> None:
    """The error names the file and what to do, and repeats nothing of it."""
    file = tmp_path / "keys.json"
    file.write_text(content)
    with pytest.raises(LocalStackError, match="Delete it") as caught:
        keep_keys(file)
    assert str(file) in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
