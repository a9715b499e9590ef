"""Names of the chart's release, as `infra/docs/kubernetes.md` installs it."""

from typing import Final

RELEASE: Final = "two-tower"
NAMESPACE: Final = "two-tower"
FULL_NAME: Final = f"{RELEASE}-dagster"
