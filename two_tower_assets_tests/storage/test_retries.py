"""Waiting out passing faults, and knowing one's own success again."""

from __future__ import annotations

import pytest

from two_tower_assets.errors import StorageError
from two_tower_assets.storage.bucket import AlreadyStored, Patience, Unavailable
from two_tower_assets.storage.retries import create_patiently, patiently

QUICK = Patience(attempts=4, first_wait=0.001, longest_wait=0.002)


def busy(retry_after: float | None = None) -> Unavailable:
    return Unavailable("busy", remedy="Wait.", retry_after=retry_after)


class Script:
    """A call that raises each of the errors given, one a call, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.calls = list(errors), 0

    def __call__(self) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)


def test_passing_faults_are_waited_out() -> None:
    """The call is made until it succeeds, and its result is returned."""
    call = Script(busy(), busy(0.001), busy(None))
    patiently(call, QUICK)
    assert call.calls == 4


def test_patience_ends() -> None:
    """After the last attempt the last fault is raised."""
    call = Script(*[busy() for _ in range(9)])
    with pytest.raises(Unavailable):
        patiently(call, QUICK)
    assert call.calls == QUICK.attempts


def test_a_refusal_is_final() -> None:
    """What is no passing fault is raised at once."""
    call = Script(StorageError("no", remedy="None."))
    with pytest.raises(StorageError, match="no"):
        patiently(call, QUICK)
    assert call.calls == 1


def test_own_success_is_known_again() -> None:
    """When the reply to a create was lost and the file arrived, creating succeeds and sends nothing again."""
    create = Script(busy())
    create_patiently(create, lambda: True, QUICK)
    assert create.calls == 1


def test_what_a_slow_server_finished_meanwhile_is_known() -> None:
    """When the file arrives between asking and sending again, the refusal of the second is success too."""
    arrived = iter([False, True])
    create = Script(busy(), AlreadyStored("there", remedy="None."))
    create_patiently(create, lambda: next(arrived), QUICK)
    assert create.calls == 2


def test_a_file_of_somebody_else_is_no_success() -> None:
    """On the first attempt what is there is somebody else's; later it is when its bytes are others."""
    for errors, calls in (([], 1), ([busy()], 2)):
        create = Script(*errors, AlreadyStored("there", remedy="None."))
        with pytest.raises(AlreadyStored):
            create_patiently(create, lambda: False, QUICK)
        assert create.calls == calls
