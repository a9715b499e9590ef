from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from two_tower_assets.artifacts.manifest import Manifest, manifest_hash
from two_tower_assets.cli import main
from two_tower_assets.contract import Files
from two_tower_assets.defs.release_words import size
from two_tower_assets.publishing.flip import rollback
from two_tower_assets_tests.defs.two_releases import MORE_VIDEOS, NEW_FIGURES, release_two
from two_tower_assets_tests.publishing.releasing import NEW, OLD, VIDEOS, rows, target_at

UNKNOWN = "20300101T000000Z-0000000"


@pytest.fixture
def home(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that serves from the test's database, which has no release yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWO_TOWER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWO_TOWER_STORAGE_URL", str(tmp_path / "buckets"))
    monkeypatch.setenv("SUPABASE_DB_URL", database)
    monkeypatch.setenv("TWO_TOWER_DATABASE_URL", database)
    return tmp_path / "home"


@pytest.fixture
def two(home: Path, versions: Path, database: str) -> Path:
    """The same with two releases; NEW is live."""
    release_two(target_at(database, home.parent / "buckets"), versions, home / "artifacts")
    return home


def two_tower(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def cells(output: str, first: str) -> list[str]:
    """The cells of the one row that begins with `first`."""
    lines = [line for line in output.splitlines() if line.startswith("│")]
    found = [
        row for row in ([cell.strip() for cell in line.strip("│").split("│")] for line in lines) if row[0] == first
    ]
    assert len(found) == 1, output
    return found[0]


def test_releases_are_a_table_with_the_live_one_marked(two: Path, database: str) -> None:
    """Newest first: state, age, figures of the evidence, videos, users, measured size, and who."""
    assert two.is_dir()
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into public.user_embeddings (user_id, embedding) values (gen_random_uuid(), %s)",
            [str([1.0] * 256)],
        )
        connection.execute("update public.model_releases set activated_at = now() - interval '3 d 4 h 5 min'")
    answer = two_tower("releases")
    assert answer.exit_code == 0, answer.output
    assert answer.output.index(NEW) < answer.output.index(OLD)
    live, old = cells(answer.output, "●"), cells(answer.output, "")
    assert live[1:8] == [NEW, "live", "3 d 4 h", "0.6250", "0.2000", str(MORE_VIDEOS), "21"]
    assert old[1:8] == [OLD, "retired", "3 d 4 h", "0.5000", "0.2500", str(VIDEOS), "20"]
    ((total,),) = rows(
        database,
        "select pg_total_relation_size(vector_table::regclass) from public.model_releases where state = 'live'",
    )
    assert live[8:] == [size(total), "postgres"]


def test_releases_as_json_are_for_programs(two: Path, database: str) -> None:
    """Numbers are numbers, moments are ISO 8601, and all metrics are there."""
    live, old = json.loads(two_tower("releases", "--json").stdout)
    assert (live["model_version"], live["live"], live["state"]) == (NEW, True, "live")
    assert (old["model_version"], old["live"], old["state"]) == (OLD, False, "retired")
    assert live["metrics"] == NEW_FIGURES
    assert live["previous_version"] == OLD
    assert live["manifest_hash"] == manifest_hash(two / "artifacts" / NEW)
    ((total,),) = rows(
        database,
        "select pg_total_relation_size(vector_table::regclass) from public.model_releases where state = 'live'",
    )
    assert live["table_bytes"] + live["index_bytes"] == total
    ((at,),) = rows(database, "select activated_at from public.live_release")
    assert datetime.fromisoformat(live["activated_at"]).astimezone(UTC) == at.astimezone(UTC)


def test_no_release_yet(home: Path) -> None:
    """Both forms say so; neither is an error."""
    assert not home.exists()
    assert "No release yet: `two-tower run` makes one." in two_tower("releases").stdout
    assert json.loads(two_tower("releases", "--json").stdout) == []


def test_a_database_without_the_registry_is_told_what_to_do(
    home: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One paragraph instead of a missing table."""
    assert not home.exists()
    monkeypatch.setenv("SUPABASE_DB_URL", empty_database)
    for arguments in (["releases"], ["release", "show"], ["release", "diff", OLD]):
        answer = two_tower(*arguments)
        assert answer.exit_code == 1
        assert re.search(r"knows nothing of releases .*`two-tower migrate`", answer.stderr)


def test_show_tells_everything_of_one_version(two: Path, database: str) -> None:
    """State, who, hash, prefix, table, sizes, every part of the evidence, and its flips."""
    rollback(target_at(database, two.parent / "buckets"), note="the new one is worse")
    answer = two_tower("release", "show", NEW)
    assert answer.exit_code == 0, answer.output
    shown = answer.output
    assert cells(shown, "state") == ["state", "retired"]
    assert cells(shown, "replaced") == ["replaced", OLD]
    assert cells(shown, "manifest hash")[1] == manifest_hash(two / "artifacts" / NEW)
    ((prefix, table),) = rows(
        database, "select artifact_prefix, vector_table from public.model_releases where model_version = %s", NEW
    )
    assert cells(shown, "artifact prefix")[1] == prefix
    assert cells(shown, "vectors")[1] == table
    assert cells(shown, "videos, users")[1] == f"{MORE_VIDEOS}, 20"
    assert f"Files: {two / 'artifacts' / NEW}\n" in shown
    assert cells(shown, "evaluation.passed")[1] == "yes"
    assert cells(shown, "evaluation.metrics.auc")[1] == "0.7500"
    assert float(cells(shown, "ann.recall_at_50")[1]) >= 0.9
    assert int(cells(shown, "folder.golden_cases")[1]) > 0
    assert "folder.onnx_parity" in shown
    assert "recipe" not in shown
    flips = [row for row in shown.splitlines() if " rollback " in row or " release  " in row]
    assert len(flips) == 2
    assert f"of {NEW}" in flips[0]
    assert "the new one is worse" in flips[1]


def test_show_without_a_version_is_the_live_one(two: Path) -> None:
    """And says who made it live and when."""
    shown = two_tower("release", "show").output
    assert two.is_dir()
    assert f"Release {NEW}" in shown
    assert cells(shown, "state")[1] == "live ●"
    assert re.search(r" by postgres, \d+ (s|min).* ago", cells(shown, "went live")[1])


def test_show_says_when_the_files_are_elsewhere_or_others(two: Path) -> None:
    """A folder that is gone, and one whose manifest was written anew."""
    folder = two / "artifacts" / NEW
    manifest = folder / Files.MANIFEST
    manifest.write_text(manifest.read_text() + "\n")
    assert "its manifest is not the one that was released" in two_tower("release", "show").output
    shutil.rmtree(folder)
    assert f"not on this machine ({folder})" in two_tower("release", "show").output


def test_show_of_a_version_without_evidence_says_what_to_do(two: Path, database: str) -> None:
    """A version that was only registered has no figures, and still everything else."""
    assert two.is_dir()
    with psycopg.connect(database) as connection:
        connection.execute("insert into public.model_releases (model_version) values ('v0')")
    answer = two_tower("release", "show", "v0")
    assert answer.exit_code == 0
    assert cells(answer.output, "state")[1] == "staged"
    assert cells(answer.output, "vectors")[1] == "dropped, or not made yet"
    assert cells(answer.output, "size")[1] == "–"
    assert re.search(r"Version v0 has no evidence.*`two-tower\s+run`", answer.output, re.DOTALL)
    answer = two_tower("release", "diff", "v0")
    assert answer.exit_code == 1
    assert re.search(r"Version v0 \(staged\) has no evidence.*release show v0", answer.stderr)


def test_diff_puts_figures_settings_data_files_and_videos_side_by_side(two: Path) -> None:
    """From OLD to the live one, by hand: recall +0.125, NDCG −0.05, AUC only in NEW, 12 videos more."""
    answer = two_tower("release", "diff", OLD)
    assert answer.exit_code == 0, answer.output
    shown = answer.output
    assert cells(shown, "recall@200") == ["recall@200", "0.5000", "0.6250", "+0.125"]
    assert cells(shown, "ndcg@10") == ["ndcg@10", "0.2500", "0.2000", "-0.05"]
    assert cells(shown, "auc") == ["auc", "–", "0.7500", "differs"]
    assert cells(shown, "ann.rows") == ["ann.rows", "300", "312", "+12"]
    assert cells(shown, "model.hidden") == ["model.hidden", "[32]", "[64, 32]"]
    assert "training." not in shown
    assert cells(shown, "data.cutoff")[3] == "="
    assert cells(shown, "data.rows.videos") == ["data.rows.videos", "300", "312", "+12"]
    assert cells(shown, "tag_vocab_size") == ["tag_vocab_size", "40", "41", "+1"]
    assert cells(shown, "actress_vocab_size") == ["actress_vocab_size", "10", "10", "="]
    assert "Videos: 12 gained, 0 lost, 300 in both." in shown
    manifests = [Manifest.read(two / "artifacts" / version / Files.MANIFEST) for version in (OLD, NEW)]
    for file in manifests[0].files:
        same = file.sha256 == manifests[1].sha256_of_file(file.path)
        row = cells(shown, file.path)
        assert row[3] == ("equal" if same else "differ")
        assert file.sha256[:12] in row[1]
    assert cells(shown, Files.PERFORMER_VOCABULARY)[3] == "equal"
    assert cells(shown, Files.TAG_VOCABULARY)[3] == "differ"


def test_diff_the_other_way_has_the_other_signs(two: Path) -> None:
    """What was gained is lost."""
    assert two.is_dir()
    shown = two_tower("release", "diff", NEW, OLD).output
    assert cells(shown, "recall@200") == ["recall@200", "0.6250", "0.5000", "-0.125"]
    assert cells(shown, "auc") == ["auc", "0.7500", "–", "differs"]
    assert "Videos: 0 gained, 12 lost, 300 in both." in shown


def test_diff_says_what_cannot_be_compared(two: Path, database: str) -> None:
    """Without one's folder no data and files, without its vectors no videos; the figures are kept all the same."""
    folder = two / "artifacts" / OLD
    shutil.rmtree(folder)
    with psycopg.connect(database) as connection:
        connection.execute("select two_tower.drop_release_vectors(%s)", [OLD])
    answer = two_tower("release", "diff", OLD, NEW)
    assert answer.exit_code == 0
    assert cells(answer.output, "recall@200")[3] == "+0.125"
    assert f"not compared: {folder} is not on this machine" in answer.output
    assert "Videos: not compared, the vectors of one of the versions were dropped." in answer.output
    assert "tag_vocab_size" not in answer.output


def test_settings_that_nobody_kept_are_read_from_the_files_or_said_to_be_unknown(two: Path, database: str) -> None:
    """Evidence of older releases has no recipe; the metadata in the folder repeat it."""
    with psycopg.connect(database) as connection:
        connection.execute("update public.model_releases set metrics = metrics #- '{evidence,evaluation,recipe}'")
    assert "Settings: no difference." in two_tower("release", "diff", OLD).output
    shutil.rmtree(two / "artifacts" / OLD)
    assert "Settings: not known for both" in two_tower("release", "diff", OLD).output


@pytest.mark.parametrize("arguments", [["show", UNKNOWN], ["diff", UNKNOWN], ["diff", OLD, UNKNOWN]])
def test_an_unknown_version_is_refused_with_the_known_ones(two: Path, arguments: list[str]) -> None:
    """One paragraph that names what there is."""
    assert two.is_dir()
    answer = two_tower("release", *arguments)
    assert answer.exit_code == 1
    assert re.search(f"There is no release {UNKNOWN} .*Name one of {NEW}, {OLD} \\(", answer.stderr)
    assert answer.stderr.count("\n") == 1


def test_a_version_beside_itself_is_refused(two: Path) -> None:
    """Named twice, or the live one against the live one."""
    assert two.is_dir()
    assert "was named twice" in two_tower("release", "diff", OLD, OLD).stderr
    assert f"{NEW} is the live release" in two_tower("release", "diff", NEW).stderr


@pytest.mark.parametrize("arguments", [["show"], ["diff", OLD]])
def test_nothing_live_is_told_with_the_next_step(home: Path, arguments: list[str]) -> None:
    """Before the first release there is nothing to show."""
    assert not home.exists()
    answer = two_tower("release", *arguments)
    assert answer.exit_code == 1
    assert "Make a release: `two-tower run`." in answer.stderr


def test_rollback_says_what_is_live_and_how_long_it_took(two: Path, database: str) -> None:
    """Live before and after with milliseconds; the same version again changes nothing; the log has the note."""
    assert two.is_dir()
    answer = two_tower("rollback", "--note", "worse")
    assert re.fullmatch(rf"live: {OLD} \(before: {NEW}\), \d+ ms\n", answer.output)
    assert rows(database, "select model_version from public.live_release") == [(OLD,)]
    assert re.fullmatch(rf"live: {OLD} already, \d+ ms\n", two_tower("rollback", "--to", OLD).output)
    assert rows(database, "select action, note from public.release_log order by id desc limit 1") == [
        ("rollback", "worse")
    ]
    answer = two_tower("rollback", "--to", UNKNOWN)
    assert answer.exit_code == 1
    assert f"Version {UNKNOWN} is unknown" in answer.stderr
