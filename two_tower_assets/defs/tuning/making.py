"""A run of tuning on a site: the study, and the files that are left behind. Nothing here knows Dagster."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from two_tower_assets.defs.code import code_version
from two_tower_assets.defs.engine import engine_of, made_by
from two_tower_assets.defs.inputs import trials_for
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.store import Facts, Made, fingerprint_of
from two_tower_assets.errors import TuningError
from two_tower_assets.home import write_text
from two_tower_assets.settings import DEFAULT_FILE, Settings

if TYPE_CHECKING:
    from two_tower_assets.tuning.records import Outcome
    from two_tower_assets.tuning.search import Say

ASSET: Final = "tuning/study"
OUTCOME_FILE: Final = "outcome.json"
DIFF_FILE: Final = "settings.diff"


def make_study(site: Site, settings: Settings, say: Say) -> Made:
    """Bring the study of the latest snapshot to its budget, and write what came of it.

    Args:
        site: where; its snapshot has been taken.
        settings: the site's, with the budget.
        say: told of everything that takes a while.

    Raises:
        TuningError: the extra `tuning` is not installed, or the study can't be held or finished.
        MissingAssetError: there is no snapshot.
    """
    require_optuna()
    from two_tower_assets.tuning import measure
    from two_tower_assets.tuning.page import write_page
    from two_tower_assets.tuning.proposal import as_diff, proposed_file
    from two_tower_assets.tuning.run import Place, tune
    from two_tower_assets.tuning.space import search_space

    videos = site.store.load("sources/videos")
    measuring = Path(measure.__file__).read_bytes()
    place = Place(
        url=site.pipeline_url,
        windows=site.home.root / "tuning",
        label=site.origin.dataset,
        code=code_version("training") + hashlib.sha256(measuring).hexdigest()[:16] + made_by(site),
        engine=engine_of(site),
    )
    outcome = tune(trials_for(site, videos), settings, search_space(settings), place, say)
    name, text = _settings_file(site)
    diff = as_diff(text, proposed_file(text, outcome.changes, site.settings), name) if outcome.changes else ""

    def fill(into: Path) -> Facts:
        write_text(into / OUTCOME_FILE, outcome.model_dump_json(indent=1))
        write_text(into / DIFF_FILE, diff)
        write_page(outcome, into, label=_label(site), diff=diff)
        return {}

    fingerprint = fingerprint_of(ASSET, outcome.model_dump_json(), diff, code_version("evaluation"))
    return site.store.build(ASSET, fingerprint, videos.folder(site.home) / ASSET, fill)


def require_optuna() -> None:
    """Raise a TuningError unless the extra is installed."""
    if find_spec("optuna") is None:
        raise TuningError(
            "Settings can't be tuned: Optuna is not installed",
            where="two-tower tune",
            remedy="Run `pip install 'two-tower-assets[tuning]'`.",
        )


def outcome_of(site: Site, made: Made) -> Outcome:
    """What `make_study` found."""
    from two_tower_assets.tuning.records import Outcome

    return Outcome.model_validate_json(made.path(site.home, OUTCOME_FILE).read_text(encoding="utf-8"))


def diff_of(site: Site, made: Made) -> str:
    """The change of the settings file; empty when nothing changes."""
    return made.path(site.home, DIFF_FILE).read_text(encoding="utf-8")


def _settings_file(site: Site) -> tuple[str, str]:
    """Name and text of the settings file; the text is empty where there is none."""
    path = site.environment.settings_file or Path.cwd() / DEFAULT_FILE
    return path.name, path.read_text(encoding="utf-8") if path.exists() else ""


def _label(site: Site) -> str:
    """The folder's name and not where it lies: a page travels."""
    return site.origin.folder.name if site.origin.folder else site.origin.label
