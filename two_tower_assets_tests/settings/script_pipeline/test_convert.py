from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from two_tower_assets.errors import SettingsError
from two_tower_assets.settings import Settings, parse_settings
from two_tower_assets.settings.script_pipeline import to_toml
from two_tower_assets.settings.script_pipeline.keys import KEYS, Carried

DEFAULT = (Path(__file__).parent / "default.yaml").read_bytes()


def convert(text: str | bytes) -> Settings:
    content = text.encode() if isinstance(text, str) else text
    return parse_settings(tomllib.loads(to_toml(content, where="old.yaml")), where="converted")


def test_the_pipeline_s_own_file_is_converted_with_its_values() -> None:
    """Every value that still has a meaning arrives; every other setting keeps its default."""
    settings = convert(DEFAULT)
    assert settings.training.seed == 42
    assert settings.training.batch_size == 256
    assert settings.training.learning_rate == 0.001
    assert settings.training.weight_decay == 1e-5
    assert settings.features == Settings().features
    assert settings.evaluation.validation_quantile == 0.8
    changed = {"seed", "batch_size", "learning_rate", "weight_decay"}
    assert settings.training.model_dump(exclude=changed) == Settings().training.model_dump(exclude=changed)


def test_no_key_is_lost_silently() -> None:
    """Each key of the file stands in the result with its line, and there are no keys known that the file lacks."""
    text = to_toml(DEFAULT, where="old.yaml")
    lines = DEFAULT.decode().splitlines()
    for key in KEYS:
        line = next(at for at, content in enumerate(lines, 1) if content.strip().startswith(f"{key.split('.')[-1]}:"))
        assert f"# line {line}: {key}" in text, key


def test_every_key_that_lives_on_names_a_setting() -> None:
    """A setting that is renamed later would break the conversion."""
    known = {f"{table}.{name}" for table, values in Settings() for name in type(values).model_fields}
    assert {fate.to for fate in KEYS.values() if isinstance(fate, Carried)} <= known


@pytest.mark.parametrize(
    ("yaml", "key", "value"),
    [
        ("artifacts: {max_tag_vocab: 7}", "features.max_tag_vocab", 7),
        ("artifacts: {max_actress_vocab: 0}", "features.max_actress_vocab", 1_000_000),
        ("artifacts: {min_actress_freq: 0}", "features.min_actress_freq", 1),
        ("training: {lr: 2e-3}", "training.learning_rate", 0.002),
        ("training: {weight_decay: 0}", "training.weight_decay", 0.0),
        ("training: {use_rpc_features: false}", "features.feature_source", "frames"),
        ("training: {train_val_split: 0.25}", "evaluation.validation_quantile", 0.65),
    ],
)
def test_values_keep_their_meaning(yaml: str, key: str, value: object) -> None:
    """There no bound was written as 0, a frequency of 0 was the same as 1, and 2e-3 is a number to everybody."""
    table, name = key.split(".")
    assert getattr(getattr(convert(yaml), table), name) == value


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("seed: 1\ntraining:\n  lerning_rate: 1", "line 3: `training.lerning_rate` is unknown"),
        (
            "training:\n  batch_sise: 1",
            r"line 2: `training.batch_sise` .*did you mean `training.batch_size`",
        ),
        ("lr: 0.1", r"line 1: `lr` is unknown \(did you mean `training.lr`"),
        ("5: 1", "line 1: `5` is unknown"),
        ("artifacts: {embedding_dim: 128}", "`artifacts.embedding_dim` = 128: it can only be 256"),
        ("artifacts: {embedding_dim: 256.0}", "`artifacts.embedding_dim` = 256.0: it can only be 256"),
        ("export: {onnx_user_input_name: user}", "it can only be 'user_features'"),
        ("training: {batch_size: 1}", "`training.batch_size` = 1: Input should be greater than or equal to 2"),
        ("training: {batch_size: '256'}", "`training.batch_size` = '256': Input should be a valid integer"),
        ("training: {batch_size: true}", "`training.batch_size` = True: Input should be a valid integer"),
        ("training: {batch_size: }", "`training.batch_size` = None: Input should be a valid integer"),
        ("training: {lr: [0.1]}", r"`training.lr` = \[0.1\]: Input should be a valid number"),
        ("training: {lr: .inf}", "`training.lr` = inf: a finite number is expected"),
        ("training: {use_rpc_features: rest}", "`training.use_rpc_features` = 'rest': true or false is expected"),
        ("training: {train_val_split: 0}", "a share above 0 and below 0.9 is expected"),
        ("training: {train_val_split: true}", "a share above 0 and below 0.9 is expected"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(yaml: str, message: str) -> None:
    """Unknown keys, wrong types and values that this pipeline cannot honour never pass as something else."""
    with pytest.raises(SettingsError, match=message) as caught:
        to_toml(yaml.encode(), where="old.yaml")
    assert caught.value.where == "old.yaml"


def test_all_problems_are_told_at_once() -> None:
    """One look at the error is enough to mend the file."""
    with pytest.raises(
        SettingsError, match=r"line 1: `sed`.*line 2: `artifacts.embedding_dim`.*line 3: `training.lr`"
    ):
        to_toml(b"sed: 1\nartifacts: {embedding_dim: 64}\ntraining: {lr: fast}\n", where="old.yaml")
