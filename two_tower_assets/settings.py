"""Everything that changes what is learned, evaluated or released: one strict file, frozen models.

The file is TOML (`two_tower.toml`, or the one named by `TWO_TOWER_SETTINGS`), with one table for each field of
`Settings`. Every key is optional, an unknown one is refused with its nearest name. `two-tower settings`
prints the effective values with their descriptions.
What does not live here: connections and secrets (`environment`).
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
import tomllib
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from two_tower_assets.contract import MAX_PAGE
from two_tower_assets.errors import SettingsError

DEFAULT_FILE: Final = "two_tower.toml"

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class SourceSettings(_Strict):
    """Where the rows come from."""

    kind: Literal["auto", "sample", "folder", "postgres", "supabase"] = "auto"
    """`auto`: the folder TWO_TOWER_DATA when set, else the project SUPABASE_URL when its key is set too and
    TWO_TOWER_DATABASE_URL is not its own database, else the rows in TWO_TOWER_DATABASE_URL when set, else a sample.
    TWO_TOWER_SOURCE overrides it."""


class SampleSettings(_Strict):
    """The generated catalogue: size and seed. The same values give the same rows on every machine."""

    seed: int = 7
    """Seed of the whole catalogue."""
    users: Positive = 1200
    """Number of users, new ones without decisions included."""
    videos: Positive = 1500
    """Number of videos, new and inactive ones included."""
    decisions_per_user: Annotated[float, Field(gt=0)] = 40.0
    """Mean number of decisions of a user; the distribution has a long tail."""


class FeatureSettings(_Strict):
    """Vocabularies and the way item and current user features are read."""

    preset: Literal["content", "hybrid"] = "content"
    """`content`: a user is numbers, tags and performers; `hybrid`: also which videos they liked and NOPEd."""
    feature_source: Literal["rpc", "rest", "frames"] = "rpc"
    """`rpc`: payloads from the functions of the pipeline's Postgres; `rest`: from the same functions of the project
    at `SUPABASE_URL`, for those who have no Postgres URL of it; `frames`: the same computed from the snapshots."""
    max_tag_vocab: Annotated[int, Field(ge=0)] = 512
    """Largest number of tags in the vocabulary."""
    min_tag_freq: Positive = 3
    """A tag on fewer active videos is left out."""
    max_actress_vocab: Annotated[int, Field(ge=0)] = 256
    """Largest number of performers in the vocabulary."""
    min_actress_freq: Positive = 2
    """A performer on fewer active videos is left out."""
    max_video_vocab: Annotated[int, Field(ge=0)] = 4096
    """Largest number of videos with columns of their own when the preset is `hybrid`; the most liked are kept."""
    min_video_freq: Positive = 1
    """A video with fewer LIKEs is left out."""
    payload_page: Annotated[int, Field(ge=1, le=MAX_PAGE)] = MAX_PAGE
    """Users or videos a batch RPC returns at once."""

    @property
    def reads_video_ids(self) -> bool:
        """Whether the ids of a user's liked and NOPEd videos are features."""
        return self.preset == "hybrid"


class ModelSettings(_Strict):
    """Shape of the two towers; see `training.towers`."""

    heads: Positive = 2
    """Content heads that are fitted side by side, each by its own loss."""
    hidden: tuple[Positive, ...] = (256,)
    """Width of each hidden layer of a head, the same in both towers."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Dropout after each hidden layer while training."""
    taste_size: Annotated[int, Field(ge=1, le=128)] = 32
    """How many of the 256 numbers say LIKE or NOPE; the rest say what is looked for."""
    video_size: Annotated[int, Field(ge=1, le=128)] = 64
    """Preset `hybrid`: how many of the 256 numbers come from the ids of videos."""
    video_share: Share = 0.25
    """Preset `hybrid`: share of the head of videos in the mean retrieval logit."""
    bag_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Preset `hybrid`: share of the liked and NOPEd videos that are hidden from a user's head while training."""
    video_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Preset `hybrid`: how often a video stands for an unknown one while training, so that new ones keep their
    quality."""


class TrainingSettings(_Strict):
    """How the towers are fitted."""

    seed: int = 0
    """Seed of initial weights, sampling and dropout."""
    schedules: Annotated[tuple[Positive, ...], Field(min_length=1)] = (300, 600)
    """Lengths of the one-cycle schedule in optimiser steps; one is chosen on the validation window. Sparse data are
    learned by heart in the longer one."""
    batch_size: Annotated[int, Field(ge=2)] = 512
    """Examples a step; each is a negative for the others."""
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    """Peak of the one-cycle schedule (AdamW)."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """AdamW weight decay of matrices; biases and the temperature have none."""
    negatives: Literal["in_batch", "catalogue"] = "catalogue"
    """`in_batch`: the batch's other targets; `catalogue`: uniform draws from the catalogue are added, without which
    nothing is learned of videos that nobody has liked yet."""
    catalogue_negatives: Positive = 512
    """Draws a step when `negatives` is `catalogue`."""
    logq: bool = True
    """Subtract the log of its inclusion probability from each negative's score."""
    mask_known: bool = True
    """Hide from each row the videos that its user liked at any time or had decided on."""
    user_power: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Users are drawn by their LIKEs to this power: 1 gives every LIKE the same chance, 0 every user."""
    initial_temperature: Annotated[float, Field(gt=0)] = 0.07
    """Start of the learned softmax temperature."""
    nope_weight: Annotated[float, Field(ge=0)] = 0.0
    """What each of a user's own later NOPEs weighs more in the softmax than another video, which weighs 1; 0 leaves
    the NOPEs to the taste head."""
    taste_loss: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the loss that tells LIKEs from NOPEs; 0 switches the taste head off."""
    taste_weights: tuple[Annotated[float, Field(ge=0)], ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    """How often the log-odds of a LIKE are added to the log-probability of retrieval: points of the trade-off curve,
    one of which is chosen on the validation window."""
    largest_taste_weight: Annotated[float, Field(ge=0)] = 0.25
    """No larger one is chosen: a validation window of few users cannot tell its cost, which grows fast."""
    popularity_weights: tuple[Annotated[float, Field(ge=0)], ...] = (0.0, 0.1, 0.25, 0.5, 1.0)
    """How often log fading popularity may be added to the log-probability of retrieval; one is chosen on the
    validation window."""
    popularity_slack: Share = 0.02
    """The smallest weight within this share of the best NDCG@10 + recall@200 is taken, since popularity costs
    coverage."""
    taste_cost: Share = 0.03
    """Largest share of validation NDCG@10 that the chosen weight may cost."""
    future_share: Share = 0.5
    """Share of steps whose target is a random later LIKE rather than the next one."""
    half_life_days: Annotated[float, Field(gt=0)] = 365.0
    """Age at which a LIKE is drawn half as often as a new one."""
    validate_every: Positive = 100
    """Steps between two measurements on the validation window (recall@200 + NDCG@10), for the curves."""


class EvaluationSettings(_Strict):
    """The protocol: a global time split, users frozen at the cut-off, full ranking, decided videos removed."""

    validation_quantile: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """Training uses decisions before this quantile of decision times; early stopping watches those after it."""
    test_quantile: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """The test window begins at this quantile of decision times."""
    ks: tuple[Positive, ...] = (10, 50, 200)
    """List lengths at which recall is measured."""
    recent_days: tuple[Positive, ...] = (7, 30)
    """Windows of the recently-popular baselines, in days before the cut-off."""
    fallback_half_lives: tuple[Annotated[float, Field(gt=0)], ...] = (30.0, 7.0, 14.0, 20.0, 60.0)
    """Half-lives in days of the popularity that users without decisions get; one is chosen on the validation window,
    the first where nobody new is in it."""
    per_user_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of each user's decisions, the last ones, that the per-user split asks for."""
    new_video_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the decided videos that the trial of new videos hides."""
    light_decisions: Positive = 10
    """Users with at most so many known decisions are light, the others heavy."""
    max_users: Positive = 20_000
    """A trial with more users asks a fixed sample of so many."""
    resamples: Positive = 1000
    """Bootstrap resamples of the users behind each 95 % interval."""
    seed: int = 0
    """Seed of the fixed draws: users, hidden videos, resamples."""

    @model_validator(mode="after")
    def _ordered(self) -> EvaluationSettings:
        if self.validation_quantile >= self.test_quantile:
            message = "validation_quantile must be smaller than test_quantile"
            raise ValueError(message)
        return self


class RerankSettings(_Strict):
    """The score that `ai-recommend-v5` sorts by; the defaults are the contract's."""

    similarity_weight: Annotated[float, Field(gt=0)] = 0.75
    """Weight of the cosine similarity."""
    recency_weight: Annotated[float, Field(ge=0)] = 0.3
    """Recency term of a video released now."""
    recency_days: Annotated[float, Field(gt=0)] = 120.0
    """Days after which the recency term has fallen to 1/e."""
    future_release: float = 0.1
    """Recency term of a video that is released later."""
    free: float = 0.02
    """Price term of a price of at most 0."""
    cheap: float = 0.03
    """Price term of a price below `cheap_below`."""
    cheap_below: float = 800.0
    """See `cheap`."""
    dear: float = -0.05
    """Price term of a price above `dear_above`."""
    dear_above: float = 4000.0
    """See `dear`."""
    strengths: tuple[Share, ...] = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
    """Shares of the recency and price terms to try on the validation window; the largest that costs little is taken,
    0 when none does."""
    largest_cost: Share = 0.01
    """Share of validation NDCG@10 that the re-ranking may cost."""
    largest_risk: Share = 0.03
    """Share that it may plausibly cost: the upper end of the one-sided 95 % interval over users."""


class GateSettings(_Strict):
    """What a model must show before artifacts are made from it."""

    champion: Literal["compare", "ignore"] = "compare"
    """`compare`: the live release's recipe is fitted before the same window and must not be surely better; `ignore`:
    it is left aside, knowingly."""
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """A model that may lose this share of the live one's recall is refused (paired interval, 90 % confidence)."""
    min_users: Positive = 50
    """Fewer known users in the test window than this prove nothing, and the model is refused."""
    min_recall_ratio: Annotated[float, Field(ge=0)] = 1.0
    """Smallest recall, as a ratio to the best of most and recently popular."""
    min_purity_ratio: Annotated[float, Field(ge=0)] = 0.85
    """Smallest purity@10 as a ratio to most-popular's, whose hits are videos that nearly everybody likes."""
    max_nope_ratio: Annotated[float, Field(ge=0)] = 3.0
    """Largest NOPE rate@10 as a ratio to most-popular's: who finds twice as many LIKEs finds more NOPEs too."""
    min_coverage_ratio: Annotated[float, Field(ge=0)] = 1.0
    """Smallest coverage@10 as a ratio to most-popular's, which shows everybody the same."""
    max_gini_ratio: Annotated[float, Field(ge=0)] = 1.0
    """Largest Gini coefficient of exposure as a ratio to most-popular's."""
    max_maker_ratio: Annotated[float, Field(ge=0)] = 1.5
    """Largest concentration of makers in the lists, as a ratio to what users had liked, or to most-popular's lists
    where these are more concentrated."""
    min_new_video_ratio: Annotated[float, Field(ge=0)] = 1.0
    """Smallest recall@200 of new videos, as a ratio to content cosine's."""
    guard_margin: Annotated[float, Field(ge=0)] = 0.2
    """Share by which purity, coverage, NOPE rate, Gini and maker concentration may be worse than the champion's."""
    max_rerank_cost: Share = 0.03
    """Share of NDCG@10 that the re-ranking of `ai-recommend-v5` may cost on the test window."""
    min_shipped_ratio: Share = 0.95
    """Smallest recall@200 of the shipped model on the test window, which it has seen, as a ratio to the evaluated
    model's, which has not."""
    min_shipped_overlap: Share = 0.25
    """Smallest mean overlap of the shipped and the evaluated model's first 50 videos for the same users."""
    sampled_examples: Positive = 500
    """Training examples compared with `get_user_embedding_features` at their moment."""


class ReleaseSettings(_Strict):
    """The vector index, its check and what is kept."""

    vector_index: Literal["vector", "halfvec"] = "vector"
    """Numbers in the index: float32, or float16 at half the memory; the table keeps float32 either way."""
    hnsw_m: Annotated[int, Field(ge=2, le=100)] = 16
    """Links a node of the HNSW graph."""
    hnsw_ef_construction: Annotated[int, Field(ge=4, le=1000)] = 64
    """Candidates looked at while the graph is built."""
    maintenance_work_mem_mb: Positive = 256
    """Memory of the index build, in MiB."""
    min_ann_recall: Share = 0.98
    """Smallest recall@10 and recall@50 of the index against exact search."""
    min_filtered_ann_recall: Share = 0.95
    """The same under each filter that the Edge Functions use."""
    ann_queries: Positive = 200
    """User vectors that the index check asks with."""
    filtered_ann_queries: Positive = 50
    """How many of them also ask under each filter."""
    active_user_days: Positive = 30
    """Users with a decision in the last so many days get their new vectors before the version goes live."""
    keep_versions: Positive = 3
    """Versions whose vectors stay in the database for rollback, the live one included."""


class AutomationSettings(_Strict):
    """When runs start by themselves, and how. Schedule and sensors are off until they are turned on in the UI."""

    nightly_cron: Annotated[str, Field(pattern=r"^\s*(\S+\s+){4}\S+\s*$")] = "0 3 * * *"
    """When the nightly release begins, as cron writes it: minute, hour, day, month, weekday."""
    time_zone: str = "UTC"
    """Where that time is meant, such as `Asia/Tokyo`."""
    retrain_after_decisions: Positive = 10_000
    """New decisions since the live release's data, or since the last retrain begun for news, that begin the next."""
    retrain_after_videos: Positive = 500
    """The same for new active videos."""
    check_for_news_seconds: Positive = 300
    """Shortest time between two counts of news."""
    check_for_videos_seconds: Positive = 60
    """Shortest time between two looks for active videos without a vector: how soon a new one can be recommended."""
    max_new_videos: Annotated[int, Field(ge=1, le=20_000)] = 1000
    """Most videos that are embedded between two releases at once; a larger gap asks for a release."""
    retry_videos_minutes: Positive = 30
    """When the same videos still have no vector after so long, they are embedded again."""
    refresh_users_seconds: Positive = 900
    """Shortest time between two renewals of the vectors of users who decided something."""
    refresh_user_days: Positive = 30
    """Users without a decision for longer keep their vector until they come."""
    step_processes: Positive = 1
    """Steps of a run side by side, each in a process of its own; 1: all in one, which is faster on few cores."""
    warn_after_hours: Annotated[float, Field(gt=0)] = 26.0
    """A live release older than this is shown as about to be stale."""
    stale_after_hours: Annotated[float, Field(gt=0)] = 50.0
    """A live release older than this is shown as stale: two nights were missed."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        # Small systems know no zones at all, and need none for this one.
        if value != "UTC" and value not in zoneinfo.available_timezones():
            near = difflib.get_close_matches(value, zoneinfo.available_timezones(), n=1)
            message = f"{value!r} is no time zone" + (f" (did you mean {near[0]!r}?)" if near else "")
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _warned_before_stale(self) -> AutomationSettings:
        if self.warn_after_hours >= self.stale_after_hours:
            message = "warn_after_hours must be smaller than stale_after_hours"
            raise ValueError(message)
        return self


class Settings(_Strict):
    """All settings, one field a table of the file."""

    source: SourceSettings = SourceSettings()
    sample: SampleSettings = SampleSettings()
    features: FeatureSettings = FeatureSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    rerank: RerankSettings = RerankSettings()
    gate: GateSettings = GateSettings()
    release: ReleaseSettings = ReleaseSettings()
    automation: AutomationSettings = AutomationSettings()

    def digest(self, *tables: str) -> str:
        """Hex SHA-256 of the effective values of the named tables (all when none is named)."""
        values = self.model_dump(mode="json", include=set(tables) or None)
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def load_settings(path: Path | None = None, *, folder: Path | None = None) -> Settings:
    """Read the settings file, or return the defaults when no file is named and ./two_tower.toml does not exist.

    Raises:
        SettingsError: the file is missing or is not TOML, a key is unknown (the nearest one is suggested),
            or a value is out of range.
    """
    file = path or (folder or Path.cwd()) / DEFAULT_FILE
    if path is None and not file.exists():
        return Settings()
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            "The settings file does not exist",
            where=str(file),
            remedy="Correct TWO_TOWER_SETTINGS or unset it.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The settings file is not TOML: {error}", where=str(file), remedy="Mend the line it names."
        ) from None
    return parse_settings(values, where=str(file))


def parse_settings(values: dict[str, Any], *, where: str) -> Settings:
    """Validate settings given as nested dictionaries; errors name `where`, the key and the nearest known key."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(
            "; ".join(_explain(error)), where=where, remedy="Run `two-tower settings` to see every key."
        ) from None


def as_toml(settings: Settings) -> str:
    """Write settings as a file that `load_settings` reads back, with each key's description above it."""
    lines: list[str] = []
    for table, values in settings:
        lines += [f"[{table}]  # {type(values).__doc__}", *_table_lines(values), ""]
    return "\n".join(lines)


def _table_lines(values: BaseModel) -> Iterator[str]:
    for name, field in type(values).model_fields.items():
        yield from (f"# {line}" for line in inspect.cleandoc(field.description or "").splitlines())
        # JSON writes the strings, numbers, booleans and lists that occur here as TOML does.
        yield f"{name} = {json.dumps(getattr(values, name))}"


def _explain(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        keys = [str(part) for part in problem["loc"]]
        if problem["type"] == "extra_forbidden":
            yield f"Unknown key `{'.'.join(keys)}`{_suggestion(keys)}"
        else:
            yield f"`{'.'.join(keys)}` = {problem['input']!r}: {problem['msg']}"


def _suggestion(keys: list[str]) -> str:
    known = {name: name for name in Settings.model_fields}
    for table, field in Settings.model_fields.items():
        assert isinstance(field.annotation, type)
        known |= {f"{table}.{name}": f"{table}.{name}" for name in field.annotation.model_fields}
        if len(keys) > 1 and table == keys[0]:
            known |= {name: f"{table}.{name}" for name in field.annotation.model_fields}
    near = difflib.get_close_matches(".".join(keys), known, n=1) or difflib.get_close_matches(keys[-1], known, n=1)
    return f" (did you mean `{known[near[0]]}`?)" if near else ""
