"""Everything that changes what is learned, evaluated or released: one strict file, frozen models.

The file is TOML (`two_tower.toml`, or the one named by `TWO_TOWER_SETTINGS`), with one table for each field of
`Settings` and one module here for each table. Every key is optional, an unknown one is refused with its nearest name.
`two-tower settings` prints the effective values with their descriptions.
What does not live here: connections and secrets (`environment`).
"""

from two_tower_assets.settings.automation import AutomationSettings
from two_tower_assets.settings.evaluation import EvaluationSettings
from two_tower_assets.settings.features import FeatureSettings
from two_tower_assets.settings.file import DEFAULT_FILE, load_settings, parse_settings
from two_tower_assets.settings.gate import GateSettings
from two_tower_assets.settings.kubernetes import KubernetesSettings
from two_tower_assets.settings.model import ModelSettings
from two_tower_assets.settings.monitoring import MonitoringSettings
from two_tower_assets.settings.printing import as_toml
from two_tower_assets.settings.ray import RaySettings
from two_tower_assets.settings.release import ReleaseSettings
from two_tower_assets.settings.rerank import RerankSettings
from two_tower_assets.settings.resources import DeviceName, ResourcesSettings
from two_tower_assets.settings.sample import SampleSettings
from two_tower_assets.settings.source import SourceSettings
from two_tower_assets.settings.tables import Settings
from two_tower_assets.settings.training import TrainingSettings
from two_tower_assets.settings.tuning import TuningSettings

__all__ = [
    "DEFAULT_FILE",
    "AutomationSettings",
    "DeviceName",
    "EvaluationSettings",
    "FeatureSettings",
    "GateSettings",
    "KubernetesSettings",
    "ModelSettings",
    "MonitoringSettings",
    "RaySettings",
    "ReleaseSettings",
    "RerankSettings",
    "ResourcesSettings",
    "SampleSettings",
    "Settings",
    "SourceSettings",
    "TrainingSettings",
    "TuningSettings",
    "as_toml",
    "load_settings",
    "parse_settings",
]
