"""Taking an arm for everybody: its release goes live by the same flip as any; its settings are said to who asked."""

from __future__ import annotations

from two_tower_assets.defs.experimenting.connected import connected
from two_tower_assets.experiments.definition import RankingChanges
from two_tower_assets.experiments.readout.promotion import require_promotable
from two_tower_assets.experiments.registry import record_promotion, require_stopped_arm
from two_tower_assets.publishing.flip import promote as make_live
from two_tower_assets.publishing.target import Target


def promote(target: Target, name: str, arm: str, *, note: str | None = None, anyway: str | None = None) -> str:
    """Promote an arm of a stopped experiment, and return what was done and what is left to do.

    Again after a crash: what was done is found done.

    Args:
        target: where releases go live.
        name: of the experiment.
        arm: of it.
        note: kept in both logs.
        anyway: why it is promoted although the readout does not allow it; kept in both logs. None asks the readout.

    Raises:
        ExperimentError: it is not stopped, has no such arm, or its readout does not allow it.
        PublishingError: the arm's version cannot go live.
    """
    with connected(target.url) as connection:
        chosen = require_stopped_arm(connection, name, arm)
        if anyway is None:
            require_promotable(connection, name, arm)
        else:
            note = f"anyway: {anyway}" + (f"; {note}" if note else "")
        said = [f"{arm} of {name} is promoted"]
        if chosen.model_version is not None:
            because = f"experiment {name}, arm {arm}" + (f": {note}" if note else "")
            flip = make_live(target, chosen.model_version, note=because)
            said.append(
                f"live: {flip.model_version}" + (f" (before: {flip.previous})" if flip.changed else " already")
            )
        record_promotion(connection, name, arm, note=note)
    said += [f"set {line}" for line in _settings(chosen.ranking)]
    return "\n".join(said)


def _settings(ranking: RankingChanges) -> list[str]:
    """Where each setting of the list is kept: the functions' environment, or the settings of the next release."""
    variables = {
        "candidates": "RECOMMEND_CANDIDATES",
        "diversity_lambda": "DIVERSITY_LAMBDA",
        "explore_share": "EXPLORE_SHARE",
    }
    named = ranking.named()
    rerank = named.pop("rerank", {})
    return [
        *(f"{variables[name]}={value} in the functions' environment" for name, value in named.items()),
        *(f"rerank.{name} = {value} in the settings file, for the next release" for name, value in rerank.items()),
    ]
