from __future__ import annotations

from pathlib import Path

import pytest

from two_tower_assets.environment import DEFAULT_HOME, ListSettings, read_environment
from two_tower_assets.errors import EnvironmentVariableError


def test_nothing_set_means_a_home_in_the_working_folder(tmp_path: Path) -> None:
    """No variable is required."""
    environment = read_environment({}, folder=tmp_path)
    assert environment.home.root == tmp_path / DEFAULT_HOME
    assert environment.database_url is None
    assert environment.data_folder is None


@pytest.mark.parametrize(
    "line",
    [
        "TWO_TOWER_DATABASE_URL=postgresql://u:p@h/d",
        'TWO_TOWER_DATABASE_URL="postgresql://u:p@h/d"',
        "TWO_TOWER_DATABASE_URL = 'postgresql://u:p@h/d'   # the pipeline's own",
        "export TWO_TOWER_DATABASE_URL=postgresql://u:p@h/d  ",
    ],
)
def test_dotenv_quotes_blanks_and_comments_are_read_right(tmp_path: Path, line: str) -> None:
    """All four spellings give the same URL."""
    (tmp_path / ".env").write_text(line + "\n")
    assert read_environment({}, folder=tmp_path).database_url == "postgresql://u:p@h/d"


def test_the_process_environment_wins_and_empty_means_unset(tmp_path: Path) -> None:
    """A variable of the process hides the file's, but an empty one does not."""
    (tmp_path / ".env").write_text("SUPABASE_DB_URL=postgresql://file/d\nDAGSTER_POSTGRES_URL=postgresql://file/e\n")
    environment = read_environment(
        {"SUPABASE_DB_URL": "postgresql://process/d", "DAGSTER_POSTGRES_URL": " "}, folder=tmp_path
    )
    assert environment.serving_url == "postgresql://process/d"
    assert environment.dagster_url == "postgresql://file/e"


def test_a_wrong_url_is_refused_without_being_shown(tmp_path: Path) -> None:
    """The error names the variable, never its value, which may hold a password."""
    with pytest.raises(EnvironmentVariableError) as caught:
        read_environment({"SUPABASE_DB_URL": "https://secret-password@x"}, folder=tmp_path)
    assert caught.value.where == "SUPABASE_DB_URL"
    assert "secret-password" not in str(caught.value)


def test_a_missing_data_folder_is_named(tmp_path: Path) -> None:
    """A wrong TWO_TOWER_DATA stops with the path and what such a folder holds."""
    with pytest.raises(EnvironmentVariableError, match="does not exist"):
        read_environment({"TWO_TOWER_DATA": "absent"}, folder=tmp_path)


def test_secrets_stay_out_of_the_repr(tmp_path: Path) -> None:
    """A URL with a password never shows when the environment is printed."""
    urls = ("TWO_TOWER_DATABASE_URL", "SUPABASE_DB_URL", "DAGSTER_POSTGRES_URL")
    environment = read_environment(dict.fromkeys(urls, "postgresql://u:hunter2@h/d"), folder=tmp_path)
    assert "hunter2" not in repr(environment)


def test_any_of_the_three_names_gives_the_key_and_no_repr_shows_it() -> None:
    """The service role's key wins; of several secret keys the default one; nothing prints it."""
    secret = {"SUPABASE_SECRET_KEYS": '{"other": "sb_secret_1", "default": "sb_secret_2"}'}
    found = read_environment(secret)
    assert found.supabase_key == "sb_secret_2"
    assert "sb_secret" not in repr(found)
    assert read_environment({**secret, "SUPABASE_SERVICE_ROLE_KEY": "role"}).supabase_key == "role"
    assert read_environment({"SUPABASE_SERVICE_KEY": "older"}).supabase_key == "older"


def test_a_dictionary_of_keys_that_is_none_is_refused_without_being_shown() -> None:
    """The error names the variable and not its value."""
    with pytest.raises(EnvironmentVariableError, match="SUPABASE_SECRET_KEYS") as caught:
        read_environment({"SUPABASE_SECRET_KEYS": "sb_secret_bare"})
    assert "sb_secret_bare" not in str(caught.value)


def test_bucket_and_prefix_have_the_contracts_defaults() -> None:
    """Unset, they are what deployed clients read; slashes around a prefix are dropped."""
    assert (read_environment({}).bucket, read_environment({}).prefix) == ("model-artifacts", "two-tower/v3")
    assert read_environment({"MODEL_ARTIFACTS_PREFIX": "/a/b/"}).prefix == "a/b"


def test_a_project_url_must_be_one() -> None:
    """A bare project id is refused with the form to use; a slash at the end is dropped."""
    with pytest.raises(EnvironmentVariableError, match="SUPABASE_URL"):
        read_environment({"SUPABASE_URL": "abcdefgh"})
    assert read_environment({"SUPABASE_URL": "https://a.supabase.co/"}).supabase_url == "https://a.supabase.co"


def test_a_webhook_is_a_secret_and_has_to_be_a_url(tmp_path: Path) -> None:
    """It is read, shown in no repr, and refused when it cannot be an address."""
    name = "TWO_TOWER_FAILURE_WEBHOOK"
    environment = read_environment({name: "https://hooks.example/secret-path"}, folder=tmp_path)
    assert environment.failure_webhook == "https://hooks.example/secret-path"
    assert "secret-path" not in repr(environment)
    with pytest.raises(EnvironmentVariableError, match=name) as refused:
        read_environment({name: "hooks.example/secret-path"}, folder=tmp_path)
    assert "secret-path" not in str(refused.value)


def test_what_the_functions_are_told_of_lists_is_read_as_they_read_it() -> None:
    """Their own defaults, their own ranges."""
    assert read_environment({"PATH": "/"}).lists == ListSettings(60, 0.9, 0.02)
    told = {"RECOMMEND_CANDIDATES": "120", "DIVERSITY_LAMBDA": "1", "EXPLORE_SHARE": "0.5"}
    assert read_environment(told).lists == ListSettings(120, 1.0, 0.5)
    for name, wrong in (("RECOMMEND_CANDIDATES", "501"), ("DIVERSITY_LAMBDA", "nan"), ("EXPLORE_SHARE", "half")):
        with pytest.raises(EnvironmentVariableError, match="not a number from") as caught:
            read_environment({name: wrong})
        assert caught.value.where == name
