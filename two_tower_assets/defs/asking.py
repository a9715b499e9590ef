"""`two-tower recommend`: the running stack's answer, as a table; without one, the answer that Python computes."""

from __future__ import annotations

from typing import Any, Final

import click
import httpx
from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.site import Site
from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.stack import LocalStack

MOST: Final = 200
"""Videos that the function gives in one answer."""

_ANSWER_SECONDS: Final = 30


def recommend_to(site: Site, user_id: str, limit: int) -> None:
    """Print a user's recommendations, and say who gave them.

    Raises:
        LocalStackError: the stack runs, and refuses.
    """
    stack = LocalStack(site.home)
    url = stack.url
    if url is not None and stack.gateway.dataset == site.origin.dataset and limit <= MOST:
        body = _answer(url, stack.keys.service_role, user_id, limit)
        click.echo(f"{user_id}: vector {body['embeddingSource']}; version {body['modelVersion']}; asked {url}")
        Console(highlight=False).print(_table(body))
        return
    from two_tower_assets.defs.summary import print_recommendations

    click.echo(_why_not(url, limit), err=True)
    print_recommendations(site, user_id, limit)


def _why_not(url: str | None, limit: int) -> str:
    if url is None:
        return "The local stack does not run (`two-tower up`): computed here, without re-ranking and exploration."
    if limit > MOST:
        return f"The function gives at most {MOST} videos: computed here, without re-ranking and exploration."
    return f"The stack at {url} serves another data set: computed here, without re-ranking and exploration."


def _answer(url: str, key: str, user_id: str, limit: int) -> dict[str, Any]:
    where = f"{url}/functions/v1/ai-recommend-v5"
    try:
        answer = httpx.post(
            where,
            json={"user_id": user_id, "limit": limit},
            headers={"apikey": key, "authorization": f"Bearer {key}"},
            timeout=_ANSWER_SECONDS,
            trust_env=False,
        )
    except httpx.TransportError as error:
        raise LocalStackError(
            f"The stack does not answer: {type(error).__name__}",
            where=where,
            remedy="Look into gateway.log in the home's folder `stack`, or start it anew with `two-tower up`.",
        ) from None
    body: dict[str, Any] = answer.json()
    if not answer.is_success:
        raise LocalStackError(
            f"The stack refuses with {answer.status_code} {body.get('code', '')}: {body.get('error', '')}",
            where=where,
            remedy="Make a release first (`make run`)." if body.get("code") == "no_release" else "Correct the call.",
        )
    return body


def _table(body: dict[str, Any]) -> Table:
    table = Table()
    for column in ("score", "source", "similarity", "title", "maker"):
        table.add_column(column)
    table.add_column("video", no_wrap=True, min_width=36)
    for item in body["items"]:
        video, similarity = item["video"], item["similarity"]
        table.add_row(
            f"{item['score']:.3f}",
            item["source"],
            "" if similarity is None else f"{similarity:.3f}",
            video["title"] or "",
            video.get("maker") or "",
            video["id"],
        )
    return table
