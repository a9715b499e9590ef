"""Two nights of a small sample, each a real run of the job `release`: one is promoted, one is refused."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import psycopg
import pytest
from click.testing import CliRunner

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.artifacts.embeddings import read_blocks
from two_tower_assets.cli import main
from two_tower_assets.contract import Files, UserPayload
from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.nightly.printing import print_replay
from two_tower_assets.defs.site import Site
from two_tower_assets.environment import Environment
from two_tower_assets.errors import SourceDataError
from two_tower_assets.evaluation.nightly.arrivals import DAY, rows_before
from two_tower_assets.evaluation.nightly.next_day import RECALL
from two_tower_assets.evaluation.nightly.records import FIRST, LIVE, Day, Night
from two_tower_assets.features.history import LIKE, decision_kind
from two_tower_assets.home import Home
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.settings import GateSettings, ModelSettings, SampleSettings, Settings, TrainingSettings
from two_tower_assets.sources.origin import Origin
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.snapshot import Snapshot, open_snapshot

# Dagster warns of itself where one resource holds another.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dagster")

MORNINGS = (datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC))
SETTINGS = Settings(
    sample=SampleSettings(users=150, videos=200, decisions_per_user=25),
    model=ModelSettings(heads=1, hidden=(16,)),
    training=TrainingSettings(schedules=(90,), batch_size=64, catalogue_negatives=64, validate_every=90),
    # So few users and steps prove nothing: one night's window has enough of them, the next one's has too few.
    gate=GateSettings(
        min_users=20,
        min_recall_ratio=0,
        min_purity_ratio=0,
        max_nope_ratio=100,
        min_new_video_ratio=0,
        max_maker_ratio=100,
        max_rerank_cost=1,
        min_shipped_ratio=0,
        min_shipped_overlap=0,
        sampled_examples=20,
    ),
)
TABLES = generate_sample(SETTINGS.sample)


@dataclass(frozen=True)
class Replayed:
    """What a replay printed and kept."""

    site: Site
    home: Home
    """The replay's own."""
    output: str

    @property
    def nights(self) -> list[Night]:
        return [Night.model_validate_json(path.read_text()) for path in self._records("nights")]

    @property
    def days(self) -> list[Day]:
        return [Day.model_validate_json(path.read_text()) for path in self._records("days")]

    @property
    def snapshots(self) -> list[Snapshot]:
        """In the order of their cut-offs."""
        found = [open_snapshot(path.parent) for path in self.home.snapshots.glob("*/snapshot.json")]
        return sorted(found, key=lambda snapshot: snapshot.cutoff)

    def _records(self, kind: str) -> list[Path]:
        return sorted((self.home.root / kind).glob("*.json"))


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    """Replay both nights once. A project in the environment would be published to, were it looked at."""
    root = tmp_path_factory.mktemp("home")
    environment = Environment(Home(root), serving_url="postgresql://nobody@127.0.0.1:1/project", supabase_key="key")
    site = Site(environment, SETTINGS, Origin("sample", dataset="sample"))
    output = replay(site)
    (own,) = (root / "nightly-replay").iterdir()
    yield Replayed(site, Home(own), output)
    EmbeddedPostgres(Home(own).postgres).destroy()


def replay(site: Site) -> str:
    """Replay both nights and return what was printed."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        print_replay(site, build_defs, nights=2, last_day=MORNINGS[-1].date(), full=True)
    return output.getvalue()


def test_a_night_is_promoted_or_refused_with_the_gates_own_words(replayed: Replayed) -> None:
    """The first release goes live; the next night has too few users, says so, and what was live stays."""
    first, second = replayed.nights
    assert (first.outcome, first.refusals) == ("promoted", ())
    assert second.outcome == "refused"
    (refusal,) = second.refusals
    assert refusal.question == "measured"
    assert refusal.reason.startswith(f"Only {second.judged_users} known users have a LIKE in the test window")
    assert first.judged_users is not None
    assert first.judged_users >= SETTINGS.gate.min_users
    assert first.live == second.live
    assert [path.name for path in replayed.home.artifacts.iterdir()] == [first.live]


def test_a_night_sees_the_rows_from_before_it_and_nothing_of_tomorrow(replayed: Replayed) -> None:
    """Each snapshot, the one after the last night too, holds what had arrived, and its cut-off lies before it."""
    mornings = (*MORNINGS, MORNINGS[-1] + DAY)
    assert [night.cutoff for night in replayed.nights] == [snapshot.cutoff for snapshot in replayed.snapshots[:-1]]
    for morning, snapshot in zip(mornings, replayed.snapshots, strict=True):
        rows = rows_before(TABLES, morning)
        assert morning - DAY < snapshot.cutoff <= morning
        decided = snapshot.decisions().collect()
        assert decided["created_at"].max() == rows.decisions["created_at"].max() < morning
        assert decided.height == rows.decisions.height
        assert set(snapshot.videos().collect()["id"]) == set(rows.videos["id"])
        assert set(snapshot.profiles().collect()["user_id"]) == set(rows.profiles["user_id"])
    before, after = (rows_before(TABLES, morning) for morning in MORNINGS)
    arrived = replayed.nights[1].arrived
    assert arrived.decisions == after.decisions.height - before.decisions.height > 0
    assert arrived.videos == after.videos.height - before.videos.height


def test_a_day_is_measured_as_serving_would_have_answered(replayed: Replayed) -> None:
    """Recall and NDCG@10 of every user asked, counted one by one from the payload RPC as of their moment."""
    morning = MORNINGS[0]
    version = replayed.nights[0].live
    assert version is not None
    folder = replayed.home.artifacts / version
    (blocks,) = read_blocks(folder / Files.VIDEO_EMBEDDINGS)
    vectors = dict(zip(blocks[0].tolist(), blocks[1], strict=True))
    catalogue = rows_before(TABLES, morning).videos.filter(
        "is_active", pl.col("product_released_at").is_null() | (pl.col("product_released_at") < morning)
    )["id"]
    postgres = EmbeddedPostgres(replayed.home.postgres)
    postgres.start()
    expected = []
    with psycopg.connect(postgres.url(dataset_of(replayed.home))) as connection:
        for user, moment, known, hidden in sittings(morning):
            targets = hidden & set(catalogue)
            if not known or not targets:
                continue
            row = connection.execute("select public.get_user_embedding_features(%s, %s)", (user, moment)).fetchone()
            assert row is not None
            vector = ModelFolder.open(folder).embed_payload(UserPayload.model_validate(row[0]), moment)
            ranked = sorted(set(catalogue) - known, key=lambda video, vector=vector: -float(vectors[video] @ vector))
            expected.append((hits(ranked[:50], targets) / len(targets), ndcg(ranked[:10], targets)))
    day = replayed.days[0]
    assert day.users == len(expected) > 1
    assert day.versions == {LIVE: version, FIRST: version}
    measured = zip(day.values[LIVE][RECALL], day.values[LIVE]["ndcg@10"], strict=True)
    np.testing.assert_allclose(list(measured), expected, rtol=1e-6)


def test_the_table_has_a_row_a_night_and_the_document_everything(replayed: Replayed) -> None:
    """Both nights, the settings, and what it comes to; the same as JSON and as Markdown."""
    for morning in MORNINGS:
        assert f"│ {morning:%Y-%m-%d} │" in replayed.output
        assert f"| {morning:%Y-%m-%d} |" in (replayed.home.root / "replay.md").read_text()
    assert "settings: as they are set" in replayed.output
    assert "2 nights: 1 promoted, 1 refused" in replayed.output
    document = json.loads((replayed.home.root / "replay.json").read_text())
    assert document["summary"]["outcomes"] == {"promoted": 1, "refused": 1}
    assert [night["outcome"] for night in document["nights"]] == ["promoted", "refused"]
    assert document["summary"]["user_days"] == sum(day.users for day in replayed.days)


def test_a_replay_that_is_repeated_finds_its_nights(replayed: Replayed) -> None:
    """Nothing is made again, and the same table is printed; a day that is missing is measured anew, as it was."""
    (missing,) = (replayed.home.root / "days").glob(f"{MORNINGS[-1]:%Y-%m-%d}.json")
    kept = missing.read_text()
    missing.unlink()
    again = replay(replayed.site)
    assert again.count("kept from before") == 2
    table = "2 nights, and the day after each"
    assert again[again.index(table) :] == replayed.output[replayed.output.index(table) :]
    assert missing.read_text() == kept


def test_rows_of_a_live_source_are_not_replayed(tmp_path: Path) -> None:
    """The error says what to do instead."""
    site = Site(Environment(Home(tmp_path)), SETTINGS, Origin("supabase", dataset="project", project="https://p.co"))
    with pytest.raises(SourceDataError, match="into a folder and name it with --data"):
        replay(site)


def test_the_command_says_from_when_to_when_there_are_nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More nights than the rows go back are refused before anything is started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWO_TOWER_HOME", str(tmp_path / "home"))
    Path("two_tower.toml").write_text("[sample]\nusers = 150\nvideos = 200\n")
    found = CliRunner().invoke(main, ["nightly-replay", "--nights", "20", "--last-day", "2026-05-12"])
    assert found.exit_code == 1
    assert "Nothing was decided before the first of 20 nights, 2026-04-23" in found.output
    assert "Decisions go from 2026-05-01 to 2026-10-31" in found.output
    assert not (tmp_path / "home").exists()


def sittings(morning: datetime) -> Iterator[tuple[str, datetime, set[str], set[str]]]:
    """User, moment of the second half's first decision, videos decided before it, videos liked in that half."""
    rows = TABLES.decisions.with_columns(decision_kind()).sort("user_id", "created_at", "video_id")
    on_day = rows.filter((pl.col("created_at") >= morning) & (pl.col("created_at") < morning + DAY))
    for (user,), today in on_day.group_by("user_id", maintain_order=True):
        moment = today["created_at"][today.height // 2]
        known = rows.filter((pl.col("user_id") == user) & (pl.col("created_at") < moment))
        hidden = today.filter((pl.col("created_at") >= moment) & (pl.col("kind") == LIKE))
        yield str(user), moment, set(known["video_id"]), set(hidden["video_id"])


def hits(shown: list[str], targets: set[str]) -> int:
    return len(set(shown) & targets)


def ndcg(shown: list[str], targets: set[str]) -> float:
    gain = sum(1 / np.log2(rank + 2) for rank, video in enumerate(shown) if video in targets)
    return float(gain / sum(1 / np.log2(rank + 2) for rank in range(min(len(shown), len(targets)))))


def dataset_of(home: Home) -> str:
    (folder,) = (home.dagster / "assets" / "latest").iterdir()
    return folder.name
