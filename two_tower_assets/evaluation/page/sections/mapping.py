"""The map of the video space."""

from __future__ import annotations

from two_tower_assets.evaluation.page.charts.scatter import map_json, scatter
from two_tower_assets.evaluation.page.data import PageData, VideoMap
from two_tower_assets.evaluation.page.formats import count, percent
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import missing, section

_LEAD = (
    "Videos that the towers take for similar lie close together. Point at one, tap it, or walk with the arrow keys: "
    "its title and the three most similar ones appear, joined by lines."
)


def mapping(page: PageData) -> Html:
    """The map with its legend."""
    found = page.video_map
    if found is None or not found.points:
        return section("map", "The space of videos", None, missing("There is no video to draw."))
    box = element(
        "div",
        scatter(found, f"Map of {count(len(found.points))} videos"),
        element("output", class_="map-tip", hidden=True, aria_live="polite"),
        class_="map-box",
    )
    return section(
        "map",
        "The space of videos",
        _LEAD,
        box,
        _legend(found),
        element("p", _note(found), class_="quiet"),
        map_json(found),
    )


def _legend(found: VideoMap) -> Html:
    """Buttons that bring one tag to the front."""
    buttons = [
        element(
            "button",
            element("span", class_=f"swatch c{place}"),
            element("bdi", tag),
            type="button",
            aria_pressed="false",
            data_tag=f"{place}",
        )
        for place, tag in enumerate(found.tags)
    ]
    other = element("span", element("span", class_="swatch grey"), "other", class_="other")
    return element("div", buttons, other, class_="legend", role="group", aria_label="Highlight a tag")


def _note(found: VideoMap) -> str:
    drawn = "All" if len(found.points) == found.videos else f"{count(len(found.points))} of"
    kept = (
        ""
        if found.kept is None
        else (
            f" Two dimensions cannot show everything: of each video’s ten nearest, {percent(found.kept)} are among "
            "its ten nearest on the map."
        )
    )
    return (
        f"{drawn} {count(found.videos)} videos. A video with several of these tags has the rarest one’s colour.{kept}"
    )
