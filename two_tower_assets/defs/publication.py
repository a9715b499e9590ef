"""How far the newest version of a home was published from it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from two_tower_assets.defs.site import Site
from two_tower_assets.publishing.handover import BASE_URL_VARIABLE
from two_tower_assets.storage.buckets import open_buckets

_SAMPLE: Final = "It was learned from a generated sample: a rehearsal that touched no project."


def publication_lines(site: Site) -> Iterator[str]:
    """Say which version there is, and whether its files are stored and it went live.

    Only what was done from this home is told: it is read from the records, and no server is asked.
    """
    checkpoint = site.store.latest("training/checkpoint")
    if checkpoint is None:
        yield "No version was made, and nothing went live."
        return
    version = checkpoint.data_version
    release = site.store.latest("publishing/release")
    if release is not None and release.data_version == version:
        yield f"Version {version} is live."
        yield f"{BASE_URL_VARIABLE}={open_buckets(site.environment, site.origin.dataset).base_url}"
    else:
        yield from _lines_before(site, version)
    if site.origin.kind == "sample":
        yield _SAMPLE


def _lines_before(site: Site, version: str) -> Iterator[str]:
    stored = site.store.latest("publishing/stored_files")
    prefix = "" if stored is None else str(stored.facts["prefix"])
    if prefix.endswith(f"/{version}"):
        yield f"The files of version {version} are staged under {prefix}/."
        yield "Nothing went live: readers go on with the release they had."
    else:
        yield f"Version {version} was made; nothing was published and nothing went live."
