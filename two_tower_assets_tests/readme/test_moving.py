from __future__ import annotations

import re
from pathlib import Path

import pytest

SECTION = (Path(__file__).parents[2] / "README.md").read_text().split("\n## Moving from the script pipeline\n")[1]

# The script pipeline's command lines, variables and files, each with all of its flags.
FLAGS = {
    "run_local_pipeline.py": (
        "--config --pg-dsn --checkpoint --artifacts --embeddings --fetch-remote --remote-page-size --skip-embeddings "
        "--skip-export --use-remote --profiles --videos --decisions --remote-output"
    ),
    "src/pull_remote_into_pg.py": "--supabase-url --service-role-key --pg-dsn --page-size",
    "src/fetch_remote_data.py": "--supabase-url --service-role-key --output-dir --page-size",
    "src/train.py": "--config --pg-dsn --output-dir",
    "src/export.py": "--config --checkpoint --output-dir",
    "src/generate_embeddings.py": "--config --checkpoint --pg-dsn --output",
    "scripts/build_manifest.py": "--artifacts-dir --output --version --commit-sha",
    "upload_embeddings.py": "--parquet --supabase-url --service-role-key --batch-size --dry-run",
    "scripts/bootstrap_local_db.sh": "",
}
VARIABLES = (
    "SUPABASE_URL SUPABASE_SERVICE_ROLE_KEY SUPABASE_SERVICE_KEY SUPABASE_ANON_KEY SUPABASE_PROJECT_ID "
    "SUPABASE_DB_PASSWORD SUPABASE_ACCESS_TOKEN MODEL_ARTIFACTS_BUCKET MODEL_ARTIFACTS_PREFIX GITHUB_SHA PG_DSN "
    "MODEL_ARTIFACT_BASE_URL LOCAL_PG_HOST LOCAL_PG_PORT LOCAL_PG_USER LOCAL_PG_PASSWORD LOCAL_PG_DATABASE "
    "PGHOSTNAME PGUSER PGPASSWORD ARTIFACT_VERSION"
)
FILES = (
    "config/default.yaml checkpoints/latest.pt user_tower.onnx feature_schema.json normalizer.json vocab_tag.json "
    "vocab_actress.json model_meta.json video_embeddings.parquet manifest.json ort-wasm.wasm ort-wasm-simd.wasm "
    "ort-wasm-threaded.wasm sql/local_schema.sql"
)


def rows(script: str) -> str:
    """The first cells of a script's row and of those below it that go on with `…`."""
    lines = SECTION.splitlines()
    at = next(number for number, line in enumerate(lines) if re.match(rf"\|[^|]*`{re.escape(script)}`", line))
    cells = [lines[at].split("|")[1]]
    for line in lines[at + 1 :]:
        cell = line.split("|")[1] if line.startswith("|") else ""
        if not cell.startswith(" …"):
            break
        cells.append(cell)
    return " ".join(cells)


@pytest.mark.parametrize("script", FLAGS)
def test_every_command_and_flag_has_a_row(script: str) -> None:
    """Who looks for a flag that they used finds what it is now."""
    told = set(re.findall(r"--[a-z-]+", rows(script)))
    assert set(FLAGS[script].split()) <= told


@pytest.mark.parametrize("name", [*VARIABLES.split(), *FILES.split()])
def test_every_variable_and_file_has_a_row(name: str) -> None:
    """The first column of one of the tables names it."""
    assert re.search(rf"^\|[^|]*`{re.escape(name)}`[^|]*\|", SECTION, re.MULTILINE)
