"""Does the project's REST API answer, and take the key?"""

from __future__ import annotations

from collections.abc import Iterator

from two_tower_assets.doctor.finding import Finding, ok
from two_tower_assets.environment import Project
from two_tower_assets.publishing.rest_project import RestProject


def look_at_rest(project: Project) -> Iterator[Finding]:
    """Ask what is live, which only a secret key may."""
    with RestProject(project.url, project.key, attempts=2) as rest:
        live = rest.live()
    said = "nothing is live yet" if live is None else f"{live.model_version} is live"
    yield ok(f"REST answers: {said}", where=project.url)
