"""The life of an upload: what the table allows, what it refuses, and that it is whole."""

import pytest

from submit.tus.refusals import (
    CompleteTerminationError,
    TusRefusal,
    UploadExpiredError,
    UploadForgottenError,
    UploadNotFoundError,
)
from submit.tus.state import REFUSALS, TRANSITIONS, Event, State, move

BY_ITS_SOURCE = (Event.LOOK, Event.APPEND, Event.TERMINATE)

ALLOWED = (
    (State.OPEN, Event.LOOK, State.OPEN),
    (State.OPEN, Event.APPEND, State.OPEN),
    (State.OPEN, Event.TERMINATE, State.GONE),
    (State.OPEN, Event.FILL, State.COMPLETE),
    (State.OPEN, Event.EXPIRE, State.EXPIRED),
    (State.COMPLETE, Event.LOOK, State.COMPLETE),
    (State.COMPLETE, Event.APPEND, State.COMPLETE),
    (State.COMPLETE, Event.FORGET, State.FORGOTTEN),
    (State.COMPLETE, Event.REMOVE, State.GONE),
    (State.FORGOTTEN, Event.REMOVE, State.GONE),
    (State.EXPIRED, Event.TERMINATE, State.GONE),
    (State.EXPIRED, Event.REMOVE, State.GONE),
)

REFUSED = (
    (State.COMPLETE, Event.TERMINATE, CompleteTerminationError),
    (State.FORGOTTEN, Event.LOOK, UploadForgottenError),
    (State.FORGOTTEN, Event.APPEND, UploadForgottenError),
    (State.FORGOTTEN, Event.TERMINATE, CompleteTerminationError),
    (State.EXPIRED, Event.LOOK, UploadExpiredError),
    (State.EXPIRED, Event.APPEND, UploadExpiredError),
    (State.GONE, Event.LOOK, UploadNotFoundError),
    (State.GONE, Event.APPEND, UploadNotFoundError),
    (State.GONE, Event.TERMINATE, UploadNotFoundError),
)


@pytest.mark.parametrize(("state", "event", "after"), ALLOWED)
def test_allowed_event_moves_the_upload(state: State, event: Event, after: State) -> None:
    """The upload is then where the table says."""
    assert move(state, event) is after


@pytest.mark.parametrize(("state", "event", "refusal"), REFUSED)
def test_source_is_refused_in_words(state: State, event: Event, refusal: type[TusRefusal]) -> None:
    """What its source may not do now has a refusal of its own."""
    with pytest.raises(refusal):
        move(state, event)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_event_that_the_service_invents_is_our_fault(state: State, event: Event) -> None:
    """What is neither allowed nor refused above is a RuntimeError, and never a source's doing."""
    if (state, event) not in {row[:2] for row in (*ALLOWED, *REFUSED)}:
        assert event not in BY_ITS_SOURCE
        with pytest.raises(
            RuntimeError, match=f"^internal error: {event} of an upload .* {state}$"
        ):
            move(state, event)


def test_everything_a_source_can_ask_is_decided() -> None:
    """Every state answers each of its source's events in exactly one of the two tables."""
    for state in State:
        for event in BY_ITS_SOURCE:
            assert (event in TRANSITIONS[state]) is not (event in REFUSALS[state])


def test_what_was_complete_never_opens_again() -> None:
    """From no state but open can an upload be open: sealed chunks are never written again."""
    reopening = [state for state in State if State.OPEN in TRANSITIONS[state].values()]
    assert reopening == [State.OPEN]


def test_only_staff_remove_what_is_complete() -> None:
    """No event of its source leads from complete, by any way, to gone."""
    reached, waiting = set[State](), [State.COMPLETE]
    while waiting:
        state = waiting.pop()
        reached.add(state)
        steps = [TRANSITIONS[state].get(event) for event in (*BY_ITS_SOURCE, Event.FORGET)]
        waiting += [after for after in steps if after is not None and after not in reached]
    assert reached == {State.COMPLETE, State.FORGOTTEN}
