"""The jobs `embed_new_videos` and `refresh_user_vectors`: what keeps what is served up to date between retrains.

Served are the live version and those that running experiments compare with it.

They are jobs of ops and no assets: a release makes all vectors itself, so in its graph they would only be in the way.
What they add is seen on the assets that it is added to, as observations.
"""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from two_tower_assets.defs import metadata
from two_tower_assets.defs.automation.going import ONE_AT_A_TIME
from two_tower_assets.defs.console import CONSOLE
from two_tower_assets.defs.progress import log_progress
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.stage import OVER_A_NETWORK, friendly

_NAMED: Final = 100
"""Videos whose ids are shown."""


@dg.op(
    out={"added": dg.Out(dg.Nothing, description="Active videos that have a vector now.")},
    retry_policy=OVER_A_NETWORK,
)
@friendly
def embed_videos_without_vector(context: dg.OpExecutionContext, workspace: Workspace) -> None:
    """Make the missing vectors with each served version's own model, and add them to its table in one transaction."""
    from two_tower_assets.publishing.new_videos import embed_new_videos, embed_new_videos_of_arms

    site = workspace.site
    most = site.settings.automation.max_new_videos
    done = embed_new_videos(site.target, site.home.artifacts, most=most)
    arms = embed_new_videos_of_arms(site.target, site.home.artifacts, most=most)
    for one in (done, *arms):
        context.log.info(f"{len(one.added)} videos got a vector of version {one.model_version}")
    for one in arms:
        if one.too_many:
            context.log.warning(
                f"More than {most:,} active videos have no vector of version {one.model_version}, which an "
                "experiment serves: it shows none of them. Raise automation.max_new_videos, or stop the experiment."
            )
    described = {
        "model_version": done.model_version,
        "videos_added": len(done.added),
        "videos_added_to_arms": {one.model_version: len(one.added) for one in arms},
        "videos": metadata.text_list(done.added[:_NAMED]),
    }
    _show(context, "video_embeddings_table", "new videos embedded by the models that are served", described, "added")


@dg.op(
    out={"renewed": dg.Out(dg.Nothing, description="Vectors that know every decision.")},
    retry_policy=OVER_A_NETWORK,
)
@friendly
def renew_stale_user_vectors(context: dg.OpExecutionContext, workspace: Workspace) -> None:
    """Renew the vectors of users who decided something since theirs was made, with each served version's own model.

    Of an experiment's arm, of its users alone.
    """
    from two_tower_assets.publishing.returning_users import refresh_users, refresh_users_of_arms

    site = workspace.site
    days, progress = site.settings.automation.refresh_user_days, log_progress(context.log, "user vectors")
    done = refresh_users(site.target, site.home.artifacts, days=days, progress=progress)
    arms = refresh_users_of_arms(site.target, site.home.artifacts, days=days, progress=progress)
    for one in (done, *arms):
        context.log.info(f"{one.users} users got a new vector of version {one.model_version}")
    described = {
        "model_version": done.model_version,
        "users_renewed": done.users,
        "users_renewed_of_arms": {one.model_version: one.users for one in arms},
        "as_of": dg.MetadataValue.timestamp(done.as_of),
    }
    _show(context, "user_embeddings", "vectors renewed by the models that are served", described, "renewed")


@dg.job(
    name="embed_new_videos",
    config=CONSOLE,
    tags={ONE_AT_A_TIME: "embed_new_videos"},
    description="Make new videos recommendable by the live release and by each arm of a running experiment, with its "
    "own model; seconds. Started by the sensor `embed_new_videos_when_missing`, or by hand after an import of "
    "videos.",
)
def embed_new_videos_job() -> None:
    """One op."""
    embed_videos_without_vector()


@dg.job(
    name="refresh_user_vectors",
    config=CONSOLE,
    tags={ONE_AT_A_TIME: "refresh_user_vectors"},
    description="Renew the vectors of users who decided something since theirs was made: of the live release, and of "
    "the arm that a running experiment serves them by; seconds. Started by the sensor "
    "`refresh_users_who_decided`, or by hand.",
)
def refresh_user_vectors_job() -> None:
    """One op."""
    renew_stale_user_vectors()


def _show(
    context: dg.OpExecutionContext, noun: str, description: str, described: Mapping[str, Any], output: str
) -> None:
    key = dg.AssetKey(["publishing", noun])
    context.log_event(dg.AssetObservation(asset_key=key, description=description, metadata=described))
    context.add_output_metadata(described, output_name=output)
