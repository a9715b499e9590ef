from __future__ import annotations

import threading
from collections.abc import Iterator

from two_tower_assets.doctor.examination import Check, examine
from two_tower_assets.doctor.finding import Finding, ok, problem
from two_tower_assets.errors import DatabaseError


def _refuse() -> list[Finding]:
    raise DatabaseError("it is gone", where="there", remedy="Fetch it.")


def _break() -> Iterator[Finding]:
    yield ok("half")
    raise ZeroDivisionError


def test_one_that_fails_or_hangs_hides_no_other() -> None:
    """An error for people is told whole, any other by its kind, a hanging look by its limit; the rest is there."""
    ever = threading.Event()
    checks = [
        Check("hangs", lambda: [ok(str(ever.wait()))]),
        Check("refuses", _refuse),
        Check("breaks", _break),
        Check("fine", lambda: [ok("one"), ok("two")]),
    ]
    found = list(examine(checks, seconds=0.5))
    ever.set()
    assert [(name, finding.level) for name, finding in found] == [
        ("hangs", "problem"),
        ("refuses", "problem"),
        ("breaks", "problem"),
        ("fine", "ok"),
        ("fine", "ok"),
    ]
    hung, refused, broken, *_ = (finding for _, finding in found)
    assert hung.what == "no answer within 0.5 s"
    assert (refused.what, refused.where, refused.remedy) == ("it is gone", "there", "Fetch it.")
    assert broken.what == "the look itself broke: ZeroDivisionError"


def test_only_what_has_a_remedy_of_its_own_is_mended_and_only_when_asked() -> None:
    """Without `fix` nothing is done; with it each is, and one that cannot be stays a problem and says so."""
    done: list[str] = []

    def mend() -> str:
        done.append("mended")
        return "mended it"

    def fail() -> str:
        raise DatabaseError("it is gone", remedy="Fetch it.")

    checks = [
        Check("mendable", lambda: [problem("torn", remedy="Sew.", fix=mend)]),
        Check("hopeless", lambda: [problem("burnt", remedy="Buy.", fix=fail)]),
        Check("manual", lambda: [problem("lost", remedy="Look.")]),
    ]
    assert [finding.done for _, finding in examine(checks)] == [None, None, None]
    assert done == []
    found = [finding for _, finding in examine(checks, fix=True)]
    assert [(finding.level, finding.done) for finding in found] == [
        ("ok", "mended it"),
        ("problem", "could not be mended: it is gone"),
        ("problem", None),
    ]
