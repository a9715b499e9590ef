"""Which kind of bucket a URL or a path means.

Only S3 among fsspec's file systems is known to create a file exclusively and to take its age for caches along, so
other URLs are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from two_tower_assets.errors import StorageError
from two_tower_assets.storage.bucket import Bucket, Patience
from two_tower_assets.storage.folder import FolderBucket

_VARIABLE: Final = "TWO_TOWER_STORAGE_URL"
_S3: Final = ("s3", "s3a")


def open_address(address: str, bucket: str, patience: Patience | None = None) -> Bucket:
    """Open a bucket below an address.

    Args:
        address: a folder's path, a `file://` URL, or `s3://bucket/folder`.
        bucket: name of the bucket, which is a folder there.
        patience: how long passing faults are waited out, where there are any.

    Raises:
        StorageError: the address is none of these, or the extra for S3 is not installed.
    """
    parts = urlsplit(address)
    if "://" not in address:
        return FolderBucket(Path(address).expanduser().absolute() / bucket)
    if parts.scheme == "file":
        return FolderBucket(Path(unquote(parts.path)) / bucket)
    if parts.scheme in _S3 and parts.netloc and "@" not in parts.netloc:
        return _open_s3(f"{parts.netloc}{parts.path.rstrip('/')}/{bucket}", patience)
    # The address itself is not repeated: it may hold a password.
    raise StorageError(
        f"Storage at {parts.scheme}:// cannot keep the promise that a file is written once and never changed",
        where=_VARIABLE,
        remedy="Name a folder, or s3://bucket/folder (credentials and endpoint come from AWS_* variables).",
    )


def _open_s3(folder: str, patience: Patience | None) -> Bucket:
    try:
        from two_tower_assets.storage.remote import RemoteBucket  # noqa: PLC0415 - needs an extra
    except ImportError:
        raise StorageError(
            "Storage at s3:// needs a package that is not installed",
            where=_VARIABLE,
            remedy="Install it with: pip install 'two-tower-assets[s3]'",
        ) from None
    return RemoteBucket(f"s3://{folder}", patience=patience)
