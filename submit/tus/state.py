"""The life of one upload, as a table. What is not in the table does not happen.

Rule 1: a move that a client asks for and the table lacks is a Refusal, named in REFUSALS.
Rule 2: a move that the service asks for and the table lacks is a fault of ours: RuntimeError.

docs/protocol.md shows this table; a test compares the two.
"""

from enum import StrEnum

from submit.tus.refusals import (
    CompleteTerminationError,
    TusRefusal,
    UploadExpiredError,
    UploadForgottenError,
    UploadNotFoundError,
)


class State(StrEnum):
    """Where an upload stands."""

    # Octets are missing, and its source can send them.
    OPEN = "open"
    # Offset equals length; for a day its source can still ask about it.
    COMPLETE = "complete"
    # Complete, and its length is no longer known here.
    FORGOTTEN = "forgotten"
    # Left unfinished too long: what arrived is kept, but its key is gone.
    EXPIRED = "expired"
    # Removed; the same as never having been.
    GONE = "gone"


class Event(StrEnum):
    """What can be asked of an upload: the first three by its source, the others by the service."""

    LOOK = "look"
    APPEND = "append"
    TERMINATE = "terminate"
    FILL = "fill"
    FORGET = "forget"
    EXPIRE = "expire"
    REMOVE = "remove"


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.OPEN: {
        Event.LOOK: State.OPEN,
        Event.APPEND: State.OPEN,
        Event.TERMINATE: State.GONE,
        Event.FILL: State.COMPLETE,
        Event.EXPIRE: State.EXPIRED,
    },
    State.COMPLETE: {
        Event.LOOK: State.COMPLETE,
        # Only an empty append gets past decide_offset, and it changes nothing.
        Event.APPEND: State.COMPLETE,
        Event.FORGET: State.FORGOTTEN,
        Event.REMOVE: State.GONE,
    },
    State.FORGOTTEN: {Event.REMOVE: State.GONE},
    State.EXPIRED: {
        # What never became complete its owner may take back.
        Event.TERMINATE: State.GONE,
        Event.REMOVE: State.GONE,
    },
    State.GONE: {},
}

REFUSALS: dict[State, dict[Event, type[TusRefusal]]] = {
    State.OPEN: {},
    State.COMPLETE: {Event.TERMINATE: CompleteTerminationError},
    State.FORGOTTEN: {
        Event.LOOK: UploadForgottenError,
        Event.APPEND: UploadForgottenError,
        Event.TERMINATE: CompleteTerminationError,
    },
    State.EXPIRED: {
        Event.LOOK: UploadExpiredError,
        Event.APPEND: UploadExpiredError,
    },
    State.GONE: {
        Event.LOOK: UploadNotFoundError,
        Event.APPEND: UploadNotFoundError,
        Event.TERMINATE: UploadNotFoundError,
    },
}


def move(state: State, event: Event) -> State:
    """Return the state after the event, or raise the client's Refusal or our RuntimeError."""
    if event in TRANSITIONS[state]:
        return TRANSITIONS[state][event]
    if event in REFUSALS[state]:
        raise REFUSALS[state][event]
    raise RuntimeError(f"internal error: {event} of an upload that is {state}")
