"""Ten users: what they liked, what they would get and why, and what they did afterwards."""

from __future__ import annotations

from two_tower_assets.evaluation.page.data import Missed, PageData, Person, Suggestion
from two_tower_assets.evaluation.page.formats import count, counted
from two_tower_assets.evaluation.page.markup import Child, Html, element
from two_tower_assets.evaluation.page.parts import missing, quiet, section, title

_LEAD = (
    "Chosen by how much they had decided, from nothing to most, and not by how well the lists did. Below each "
    "suggestion stand the liked videos nearest to it. This is people’s data: keep the page private."
)
_GROUPS = {"new": "new user", "light": "light user", "heavy": "heavy user"}
_LATER = {"liked": ("♥", "liked later"), "noped": ("✕", "refused later")}


def persons(page: PageData) -> Html:
    """One card a user."""
    heading = "Ten users" if len(page.people) == 10 else "Some users"
    content = [_person(person) for person in page.people] or missing("Nobody was asked.")
    return section("people", heading, _LEAD if page.people else None, content)


def _person(person: Person) -> Html:
    hits = sum(suggestion.later == "liked" for suggestion in person.shown)
    found = f"{hits} of {counted(person.later_likes, 'later LIKE')} in the first {len(person.shown)}"
    summary = element(
        "summary",
        element("code", person.user),
        element("span", _GROUPS[person.group], class_=f"group {person.group}"),
        quiet(f"{counted(person.decisions, 'decision')} before · {found}"),
    )
    columns = element("div", _liked(person), _shown(person), class_="pair")
    return element("details", summary, columns, _missed(person), class_="person", open=True)


def _liked(person: Person) -> Html:
    if not person.liked:
        content: Child = element("p", "Nothing yet.", class_="quiet")
    else:
        content = element("ol", [element("li", title(name)) for name in person.liked], class_="liked")
    more = person.likes - len(person.liked)
    return element(
        "div",
        element("h3", "Had liked, newest first"),
        content,
        element("p", f"and {count(more)} more", class_="quiet") if more > 0 else None,
    )


def _shown(person: Person) -> Html:
    return element(
        "div",
        element("h3", "Would get"),
        element("p", "The fallback answers: what was popular lately.", class_="quiet")
        if person.group == "new"
        else None,
        element("ol", [_suggestion(suggestion) for suggestion in person.shown], class_="shown"),
    )


def _suggestion(suggestion: Suggestion) -> Html:
    similarity = None if suggestion.similarity is None else quiet(f" {suggestion.similarity:.2f}")
    because = [
        [", " if place else "near ", title(reason.title), f" {reason.similarity:.2f}"]
        for place, reason in enumerate(suggestion.reasons)
    ]
    return element(
        "li",
        title(suggestion.title),
        similarity,
        _later(suggestion),
        element("small", because) if because else None,
        class_=suggestion.later,
    )


def _later(suggestion: Suggestion) -> Html | None:
    if suggestion.later is None:
        return None
    sign, words = _LATER[suggestion.later]
    return element("span", f" {sign} {words}", class_=f"later {suggestion.later}")


def _missed(person: Person) -> Html | None:
    if not person.missed:
        return None
    items: list[Child] = [
        [", " if place else None, _missed_video(missed)] for place, missed in enumerate(person.missed)
    ]
    return element("p", quiet("Liked later, further down: "), items, class_="missed")


def _missed_video(missed: Missed) -> list[Child]:
    place = "beyond the end" if missed.rank is None else f"place {missed.rank}"
    return [title(missed.title), quiet(f" ({place})")]
