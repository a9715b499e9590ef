"""The two buckets that a version's files go to, as the environment names them: Supabase, S3 or a folder."""

from __future__ import annotations

from dataclasses import dataclass

from two_tower_assets.environment import Environment
from two_tower_assets.errors import EnvironmentVariableError
from two_tower_assets.storage.address import open_address
from two_tower_assets.storage.bucket import Bucket, Patience, checked_path
from two_tower_assets.storage.folder import FolderBucket
from two_tower_assets.storage.supabase_bucket import SupabaseBucket
from two_tower_assets.storage.supabase_client import SupabaseClient


@dataclass(frozen=True)
class Buckets:
    """Where versions are published."""

    public: Bucket
    """What clients and functions read."""
    private: Bucket
    """Weights, and reports that show people's data."""
    prefix: str
    """Folder in both, without slashes at its ends."""

    @property
    def base_url(self) -> str:
        """`MODEL_ARTIFACT_BASE_URL`: public URL of the released version's files, without a slash at its end."""
        return self.public.public_url(f"{self.prefix}/current")

    def version_prefix(self, model_version: str) -> str:
        """Return the folder of one version, in both buckets."""
        return f"{self.prefix}/{model_version}"


def open_buckets(environment: Environment, dataset: str, *, patience: Patience | None = None) -> Buckets:
    """Open the buckets: at `TWO_TOWER_STORAGE_URL`, else in the Supabase project, else in the home's folder.

    Nothing is connected to or made yet.

    Args:
        environment: which of them there are.
        dataset: name of the data set, whose versions are kept apart from others' in the home's folder.
        patience: how long passing faults of a server are waited out.

    Raises:
        EnvironmentVariableError: a Supabase project is named without a key.
        StorageError: the URL cannot be stored at, or the prefix is no path.
    """
    public, private = environment.bucket, f"{environment.bucket}-private"
    prefix = checked_path(environment.prefix)
    if environment.storage_url:
        address = environment.storage_url
        return Buckets(open_address(address, public, patience), open_address(address, private, patience), prefix)
    if environment.supabase_url:
        client = _supabase(environment.supabase_url, environment.supabase_key)
        return Buckets(
            SupabaseBucket(client, public, public=True, patience=patience),
            SupabaseBucket(client, private, public=False, patience=patience),
            prefix,
        )
    folder = environment.home.storage / dataset
    return Buckets(FolderBucket(folder / public), FolderBucket(folder / private), prefix)


def _supabase(url: str, key: str | None) -> SupabaseClient:
    if not key:
        raise EnvironmentVariableError(
            "A Supabase project is named, but no key with which its Storage may be written",
            where="SUPABASE_URL",
            remedy="Set SUPABASE_SERVICE_ROLE_KEY (or SUPABASE_SECRET_KEYS) too, or unset SUPABASE_URL.",
        )
    return SupabaseClient(url, key)
