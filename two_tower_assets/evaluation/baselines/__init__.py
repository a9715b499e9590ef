"""What people would use instead of a model: popularity, content, neighbours, linear and latent-factor methods.

Each method is one module and learns from the LIKEs before `data.until` alone. What does not live here: which users
are asked about (`task`), how lists are measured (`ranking`, `metrics`), and what is tuned on which window.

| name | method |
|---|---|
| `most_popular`, `popular_7_days`, `popular_30_days` | `popularity` |
| `content_cosine` | `content` |
| `item_knn` | `item_knn` |
| `ease` | `ease` |
| `als`, `bpr` | `als`, `bpr`, through the library `implicit` (the extra `baselines`) |
"""

from __future__ import annotations

from typing import Final

from two_tower_assets.evaluation.baselines.als import Als
from two_tower_assets.evaluation.baselines.bpr import Bpr
from two_tower_assets.evaluation.baselines.content import ContentCosine
from two_tower_assets.evaluation.baselines.ease import Ease
from two_tower_assets.evaluation.baselines.item_knn import ItemKnn
from two_tower_assets.evaluation.baselines.method import Baseline, Fitted, Parameters
from two_tower_assets.evaluation.baselines.popularity import MostPopular
from two_tower_assets.evaluation.baselines.tuning import Trial, Tuned, tune

__all__ = ["BASELINES", "Baseline", "Fitted", "Parameters", "Trial", "Tuned", "tune"]

BASELINES: Final[tuple[Baseline, ...]] = (
    MostPopular("most_popular"),
    MostPopular("popular_7_days", days=7),
    MostPopular("popular_30_days", days=30),
    ContentCosine(),
    ItemKnn(),
    Ease(),
    Als(),
    Bpr(),
)
"""All methods, the simplest first; that is also the order in which they are shown."""
