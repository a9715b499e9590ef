"""The map of videos: points by colour, and what the page's script needs to say which video a point is."""

from __future__ import annotations

import json
from typing import Final

from two_tower_assets.evaluation.page.data import MapPoint, VideoMap
from two_tower_assets.evaluation.page.markup import Html, element, script_json

SIZE: Final = 1000


def scatter(video_map: VideoMap, label: str) -> Html:
    """Draw one path a colour: a thousand points take no more than a few kilobytes."""
    colours: list[int | None] = [None, *range(len(video_map.tags))]
    paths = [
        element("path", d=_dots([point for point in video_map.points if point.tag == colour]), class_=_look(colour))
        for colour in colours
    ]
    return element(
        "svg",
        paths,
        element("g", class_="chosen"),
        class_="map",
        viewBox=f"-20 -20 {SIZE + 40} {SIZE + 40}",
        role="img",
        aria_label=label,
        tabindex="0",
    )


def map_json(video_map: VideoMap) -> Html:
    """What the script knows of the points, in the order of the map: x, y, title, colour and nearest points."""
    points = [[*_place(point), point.title, point.tag, point.near] for point in video_map.points]
    document = json.dumps({"tags": video_map.tags, "points": points}, ensure_ascii=False, separators=(",", ":"))
    return element("script", script_json(document), type="application/json", id="map-points")


def _look(colour: int | None) -> str:
    return "dot grey" if colour is None else f"dot c{colour}"


def _dots(points: list[MapPoint]) -> str:
    return "".join("M{} {}h0".format(*_place(point)) for point in points)


def _place(point: MapPoint) -> tuple[int, int]:
    """The map's y grows upwards, an SVG's downwards."""
    return round(SIZE * point.x), round(SIZE * (1 - point.y))
