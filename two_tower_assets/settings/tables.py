"""All tables together.

What does not live here: reading and writing them (`file`, `printing`), and what each key means (one file a table).
"""

from __future__ import annotations

import hashlib
import json

from two_tower_assets.settings.automation import AutomationSettings
from two_tower_assets.settings.evaluation import EvaluationSettings
from two_tower_assets.settings.features import FeatureSettings
from two_tower_assets.settings.fields import Strict
from two_tower_assets.settings.gate import GateSettings
from two_tower_assets.settings.kubernetes import KubernetesSettings
from two_tower_assets.settings.model import ModelSettings
from two_tower_assets.settings.monitoring import MonitoringSettings
from two_tower_assets.settings.ray import RaySettings
from two_tower_assets.settings.release import ReleaseSettings
from two_tower_assets.settings.rerank import RerankSettings
from two_tower_assets.settings.resources import ResourcesSettings
from two_tower_assets.settings.sample import SampleSettings
from two_tower_assets.settings.source import SourceSettings
from two_tower_assets.settings.training import TrainingSettings
from two_tower_assets.settings.tuning import TuningSettings


class Settings(Strict):
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
    monitoring: MonitoringSettings = MonitoringSettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    resources: ResourcesSettings = ResourcesSettings()
    ray: RaySettings = RaySettings()
    tuning: TuningSettings = TuningSettings()

    def digest(self, *tables: str) -> str:
        """Hex SHA-256 of the effective values of the named tables (all when none is named)."""
        values = self.model_dump(mode="json", include=set(tables) or None)
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
