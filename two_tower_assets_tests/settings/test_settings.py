from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from two_tower_assets.errors import SettingsError
from two_tower_assets.settings import Settings, as_toml, load_settings, parse_settings


def test_no_file_gives_the_defaults(tmp_path: Path) -> None:
    """A folder without two_tower.toml means the documented defaults."""
    assert load_settings(folder=tmp_path) == Settings()


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    """Keys that the file leaves out keep their defaults."""
    (tmp_path / "two_tower.toml").write_text("[features]\nmax_tag_vocab = 7\n")
    settings = load_settings(folder=tmp_path)
    assert settings.features.max_tag_vocab == 7
    assert settings.model_copy(update={"features": Settings().features}) == Settings()


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("[features]\nmax_tag_vocabulary = 7\n", "features.max_tag_vocab"),
        ("[trainnig]\nsteps = 7\n", "training"),
        ("[training]\nbatchsize = 7\n", "training.batch_size"),
    ],
)
def test_an_unknown_key_is_refused_with_its_nearest_name(tmp_path: Path, text: str, suggestion: str) -> None:
    """A typo never trains with defaults: the error names the file, the key and what was probably meant."""
    file = tmp_path / "two_tower.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert f"did you mean `{suggestion}`?" in str(caught.value)
    assert caught.value.where == str(file)


def test_a_value_out_of_range_names_the_key_and_the_value() -> None:
    """The error shows which key, which value and why."""
    with pytest.raises(SettingsError, match=r"`training.batch_size` = 1: .*greater than or equal to 2"):
        parse_settings({"training": {"batch_size": 1}}, where="test")


def test_quantiles_out_of_order_are_refused() -> None:
    """Validation must come before the test window."""
    with pytest.raises(SettingsError, match="validation_quantile must be smaller"):
        parse_settings({"evaluation": {"validation_quantile": 0.9, "test_quantile": 0.8}}, where="test")


def test_a_missing_file_and_a_broken_file_are_named(tmp_path: Path) -> None:
    """Both errors name the path."""
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[training\n")
    with pytest.raises(SettingsError, match="not TOML"):
        load_settings(broken)


def test_video_ids_are_features_of_the_hybrid_preset_alone() -> None:
    """The default is the base form; another word is refused with those that exist."""
    assert not Settings().features.reads_video_ids
    assert parse_settings({"features": {"preset": "hybrid"}}, where="test").features.reads_video_ids
    with pytest.raises(SettingsError, match=r"`features.preset` = 'mixed': .*'content' or 'hybrid'"):
        parse_settings({"features": {"preset": "mixed"}}, where="test")


def test_printed_settings_read_back_as_themselves() -> None:
    """`two-tower settings` prints a file that means the same."""
    settings = parse_settings({"training": {"seed": 3}, "model": {"hidden": [64, 32]}}, where="test")
    assert parse_settings(tomllib.loads(as_toml(settings)), where="test") == settings


def test_every_setting_is_described() -> None:
    """No key reaches a person without a sentence about it."""
    undescribed = [
        f"{table}.{name}"
        for table, values in Settings()
        for name, field in type(values).model_fields.items()
        if not field.description
    ]
    assert undescribed == []


def test_the_digest_changes_with_its_tables_and_only_with_them() -> None:
    """A digest over some tables ignores the others."""
    other = parse_settings({"training": {"seed": 3}}, where="test")
    assert other.digest("training") != Settings().digest("training")
    assert other.digest("features") == Settings().digest("features")
    assert other.digest() != Settings().digest()


def test_the_default_zone_needs_no_list_of_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has none, the defaults are still right, and another zone is refused."""
    monkeypatch.setattr("zoneinfo.available_timezones", set)
    assert parse_settings({"automation": {"time_zone": "UTC"}}, where="test") == Settings()
    with pytest.raises(SettingsError, match="'Asia/Tokyo' is no time zone"):
        parse_settings({"automation": {"time_zone": "Asia/Tokyo"}}, where="test")
