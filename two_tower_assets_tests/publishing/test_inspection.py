from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from two_tower_assets.contract import Files
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.inspection import inspect
from two_tower_assets.publishing.plan import plan
from two_tower_assets.publishing.staging import stage, store_files
from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.publishing.releasing import NEW, OLD, SETTINGS, VIDEOS, everything, release

TABLE = "two_tower.video_embeddings_20260302t120000z_0123456"


def stored(target: Target, path: str) -> Path:
    """A file of the public bucket."""
    return Path(target.buckets.public.url) / target.buckets.prefix / path


def spoil(path: Path) -> None:
    """Change one byte."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def execute(target: Target, statement: str) -> None:
    with psycopg.connect(target.url, autocommit=True) as connection:
        connection.execute(statement)


def problems(target: Target, artifacts: Path) -> list[str]:
    """Everything that differs."""
    found = inspect(target, artifacts)
    assert found.model_version == NEW
    assert found.whole == (not any(finding.problems for finding in found.findings))
    return [problem for finding in found.findings for problem in finding.problems]


def test_a_release_that_nobody_touched_is_whole(target: Target, old: Path, new: Path, artifacts: Path) -> None:
    """Registry, files, vectors, users and the folder are as they were released, and looking changes nothing."""
    release(target, old)
    release(target, new)
    before = everything(target.url)
    assert problems(target, artifacts) == []
    assert len(inspect(target, artifacts).findings) == 5
    assert everything(target.url) == before


def test_a_live_version_that_gained_videos_is_whole(target: Target, new: Path, artifacts: Path) -> None:
    """Vectors of newer videos, and of more users, belong there."""
    release(target, new)
    execute(
        target,
        "insert into public.video_embeddings (video_id, embedding)"
        " select gen_random_uuid(), embedding from public.video_embeddings limit 1",
    )
    assert problems(target, artifacts) == []


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        (lambda t: spoil(stored(t, f"{NEW}/{Files.USER_TOWER}")), f"{NEW}: user_tower.onnx holds other bytes"),
        (lambda t: stored(t, f"{NEW}/{Files.NORMALIZER}").unlink(), f"{NEW}: normalizer.json is missing"),
        (lambda t: spoil(stored(t, f"current/{Files.MODEL_META}")), "current: model_meta.json holds other bytes"),
        (lambda t: stored(t, "current/extra.json").write_text("{}"), "current: extra.json is there but not listed"),
        (lambda t: spoil(stored(t, f"{NEW}/{Files.MANIFEST}")), "manifest.json of version"),
        (
            lambda t: execute(
                t, f"delete from {TABLE} where video_id = (select min(video_id::text)::uuid from {TABLE})"
            ),
            "has 299",
        ),
        (lambda t: execute(t, f"drop index {TABLE}_hnsw"), "not indexed"),
        (
            lambda t: execute(
                t,
                f"update {TABLE} set embedding = (select embedding from {TABLE} order by video_id limit 1)"
                f" where video_id = (select max(video_id::text)::uuid from {TABLE})",
            ),
            "does not hold what the file does",
        ),
        (lambda t: execute(t, f"delete from {TABLE.replace('video', 'user')}"), "0 are there of 20"),
        (lambda t: execute(t, "update public.model_releases set metrics = '{}'"), "its evidence is of manifest None"),
    ],
)
def test_whatever_differs_is_named(
    target: Target, new: Path, artifacts: Path, harm: Callable[[Target], object], complaint: str
) -> None:
    """One byte in storage, a lost row, a dropped index: found by reading everything again."""
    release(target, new)
    harm(target)
    found = problems(target, artifacts)
    assert any(complaint in problem for problem in found), found


def test_a_changed_folder_is_named(target: Target, new: Path, tmp_path: Path) -> None:
    """The folder on this machine is looked at too; where it is not, it is passed over."""
    release(target, new)
    folder = shutil.copytree(new, tmp_path / "artifacts" / NEW)
    spoil(folder / Files.GOLDEN_VECTORS)
    assert any("golden_vectors.json was changed" in problem for problem in problems(target, folder.parent))
    assert problems(target, tmp_path / "nothing") == []


def test_nothing_live_is_said_with_the_next_step(target: Target, artifacts: Path) -> None:
    """There is nothing to look at yet."""
    with pytest.raises(PublishingError, match=r"No release is live .*two-tower run"):
        inspect(target, artifacts)


def test_a_plan_says_all_and_changes_nothing(target: Target, old: Path, new: Path) -> None:
    """Before anything: every file, row and user, and SQL that ends with the flip from what is live."""
    release(target, old)
    before = everything(target.url)
    found = plan(target, new, users=7, settings=SETTINGS)
    assert (found.model_version, found.live, found.state, found.rows, found.users) == (NEW, OLD, None, VIDEOS, 7)
    assert not any(file.stored for file in found.files)
    assert found.bytes_to_upload == sum(path.stat().st_size for path in new.iterdir())
    assert {file.path.rpartition("/")[2] for file in found.files if file.private} == {Files.TOWERS}
    assert f"select two_tower.activate_release('{NEW}', '{OLD}', 'release')" in found.statements
    assert everything(target.url) == before
    assert "***" in found.database or "@" not in found.database


def test_a_plan_leaves_out_what_is_done(target: Target, new: Path) -> None:
    """Files stored and vectors staged: only users, verification and flip are left; live: nothing."""
    store_files(target, new)
    stage(target, new, settings=SETTINGS)
    found = plan(target, new, users=7, settings=SETTINGS)
    assert (found.rows, found.users, found.bytes_to_upload) == (0, 7, 0)
    assert not any("create_video_embeddings" in statement for statement in found.statements)
    release(target, new)
    again = plan(target, new, users=7, settings=SETTINGS)
    assert (again.statements, again.users, again.state) == ((), None, "live")
