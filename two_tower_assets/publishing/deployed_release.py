"""The live release of a deployment, in each place that a client meets it: Postgres, public files, both functions.

Each method is one look: it returns what it found, raises an error for people where that is wrong, and `NotLookedAt`
where an earlier look that it needs has failed. Letters in tensor names: D embedding (256).
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import numpy as np
from numpy.typing import NDArray

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.artifacts.golden import replay
from two_tower_assets.contract import GOLDEN_TOLERANCE, UserPayload
from two_tower_assets.errors import FunctionError, PublishingError, RestError
from two_tower_assets.experiments.assignment import is_in
from two_tower_assets.publishing.deployed_model import current_version, fetch_model
from two_tower_assets.publishing.function_calls import AI_RECOMMEND, EMBED_USER, Functions, body_of, golden_of
from two_tower_assets.publishing.rest_project import LiveThere, RestProject

NEW_USER: Final = str(UUID(int=1))
"""Asked for where nobody has decided: whom nobody knows is a new user."""

_USERS_LOOKED_AT: Final = 50
_VIDEOS: Final = 20
_ATTEMPTS: Final = 2
"""A decision that is taken between two calls makes another vector; twice in a row it is not that."""
_DEPLOY: Final = "Deploy the functions of this version: `supabase --workdir infra functions deploy`."


class NotLookedAt(Exception):  # noqa: N818 - no fault, but the reason why nothing is said
    """There is nothing to compare with."""


class DeployedRelease:
    """The looks at one deployment, in the order in which they need one another."""

    def __init__(self, rest: RestProject, functions: Functions, artifacts_url: str, folder: Path) -> None:
        self._rest, self._functions = rest, functions
        self._artifacts_url, self._folder = artifacts_url, folder
        self._live: LiveThere | None = None
        self._golden_cases: int | None = None
        self._model: ModelFolder | None = None
        self._answers: dict[str, httpx.Response] = {}
        self._vector_D: NDArray[np.float32] | None = None

    @cached_property
    def user(self) -> str:
        """The user with the most LIKEs among some, or a new one where nobody can be asked for.

        Users of a running experiment are left alone: a call would count as seen by them.
        """
        try:
            rows: Any = self._rest.rpc("get_user_embedding_feature_batch", {"p_limit": _USERS_LOOKED_AT})
            traffic = self._rest.traffic()
        except RestError:
            return NEW_USER
        likes = {
            row["user_id"]: row["payload"]["decision_stats"]["like_count"]
            for row in rows
            if not any(is_in(each, UUID(row["user_id"])) for each in traffic)
        }
        return max(likes, key=lambda user: likes[user], default=NEW_USER)

    def live_in_postgres(self) -> str:
        """Ask the database which version is live."""
        live = self._rest.live()
        if live is None:
            raise PublishingError("No release is live", where=self._rest.url, remedy="Publish one: `two-tower run`.")
        self._live = live
        return f"{live.model_version}, since {live.activated_at}"

    def current_follows(self) -> str:
        """Read which version `current/` names."""
        version = current_version(self._artifacts_url, self._folder)
        if version != self._needed_live().model_version:
            raise PublishingError(
                f"current/ is of version {version}",
                where=self._artifacts_url,
                remedy="Publish again (`two-tower publish`), which makes it follow.",
            )
        return self._artifacts_url

    def golden_here(self) -> str:
        """Replay the golden vectors in Python, from the public files alone."""
        live = self._needed_live()
        folder = fetch_model(self._artifacts_url, live.model_version, live.manifest_hash, self._folder)
        found = replay(folder)
        self._golden_cases, self._model = found.cases, ModelFolder.open(folder)
        if not found.within:
            raise PublishingError(
                f"The case '{found.worst_case}' differs by {max(found.features, found.embedding):.1e}",
                where=self._artifacts_url,
                remedy="Roll back (`two-tower rollback`), then train and publish again.",
            )
        return f"{found.cases} cases, at most {max(found.features, found.embedding):.1e} off"

    def answers(self, function: str) -> str:
        """Call a function for the user, with the service key."""
        more: dict[str, Any] = {"force": True} if function == EMBED_USER else {"limit": _VIDEOS}
        answer = self._functions.as_server(function, {"user_id": self.user, **more})
        if experiment := answer.headers.get("x-experiment"):
            raise NotLookedAt(f"experiment {experiment} has all users that could be asked for")
        version = body_of(answer).get("modelVersion")
        refused = answer.headers.get("x-refused-version")
        self._answers[function] = answer
        if version != self._needed_live().model_version:
            because = f", since {refused} fails its checks there" if refused else ""
            raise FunctionError(
                f"It answers with version {version}{because}",
                where=self._functions.address(function),
                remedy="Look at its MODEL_ARTIFACT_BASE_URL and SUPABASE_URL, and into its log.",
            )
        return f"{version}, for {self.user}"

    def golden_there(self, function: str) -> str:
        """Read what a function says of the golden vectors that it has replayed."""
        found = golden_of(self._answer(function))
        where = self._functions.address(function)
        if found is None:
            raise FunctionError("It does not say that it replayed them", where=where, remedy=_DEPLOY)
        if self._golden_cases is None:
            raise NotLookedAt("the version's own could not be read")
        worst = max(found.features, found.embedding)
        if not worst <= GOLDEN_TOLERANCE or found.cases != self._golden_cases:
            raise FunctionError(
                f"It replayed {found.cases} cases, {worst:.1e} off; the version has {self._golden_cases}",
                where=where,
                remedy=_DEPLOY,
            )
        return f"{found.cases} cases, at most {worst:.1e} off"

    def same_vector(self) -> str:
        """Compare a user's vector with what Python makes of the same payload."""
        answer = body_of(self._answer(EMBED_USER))
        for _ in range(_ATTEMPTS):
            difference = self._difference(answer)
            if difference <= GOLDEN_TOLERANCE:
                return f"at most {difference:.1e} off, as of {answer['updatedAt']}"
            again = {"user_id": self.user, "force": True}
            answer = body_of(self._functions.as_server(EMBED_USER, again))
        raise FunctionError(
            f"The vector of user {self.user} is {difference:.1e} off",
            where=self._functions.address(EMBED_USER),
            remedy=_DEPLOY,
        )

    def same_similarities(self) -> str:
        """Compare the similarities of a list with the stored vectors of its videos and the user's."""
        if self._vector_D is None:
            raise NotLookedAt("there is no user vector to compare with")
        items = body_of(self._answer(AI_RECOMMEND))["items"]
        given = {item["video"]["id"]: item["similarity"] for item in items if item["similarity"] is not None}
        if not given:
            raise NotLookedAt("the list is of popular videos: the user likes nothing yet")
        stored = self._rest.vectors_of(list(given))
        worst = max(abs(float(stored[video] @ self._vector_D) - value) for video, value in given.items())
        if not worst <= GOLDEN_TOLERANCE:
            raise FunctionError(
                f"A similarity is {worst:.1e} off", where=self._functions.address(AI_RECOMMEND), remedy=_DEPLOY
            )
        return f"{len(given)} videos, at most {worst:.1e} off"

    def _difference(self, answer: dict[str, Any]) -> float:
        """Largest absolute difference of a component; keeps the vector that was answered."""
        if self._model is None:
            raise NotLookedAt("the model's files could not be read")
        if answer["modelVersion"] != self._model.model_version:
            raise NotLookedAt("it is of another version")
        moment = answer["updatedAt"]
        payload = self._rest.rpc("get_user_embedding_features", {"user_id": self.user, "as_of": moment})
        expected_D = self._model.embed_payload(UserPayload.model_validate(payload), datetime.fromisoformat(moment))
        self._vector_D = np.array(answer["embedding"], np.float32)
        return float(np.abs(self._vector_D - expected_D).max())

    def _needed_live(self) -> LiveThere:
        if self._live is None:
            raise NotLookedAt("which version is live is not known")
        return self._live

    def _answer(self, function: str) -> httpx.Response:
        if function not in self._answers:
            raise NotLookedAt("it does not answer")
        return self._answers[function]
