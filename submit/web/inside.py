"""Who is inside, as far as a page needs to know: the token for its forms.

Rule: a page never shows more of the session than the token that its forms carry.
"""

from collections.abc import Callable
from functools import cached_property

from flask import request

from submit.intake.refusals import NoSessionError
from submit.intake.sessions import Session
from submit.intake.sources import Sources
from submit.web.cookie import session_cookie
from submit.web.same_source import require_same_source


class Inside:
    """Whether a page is shown to somebody inside; templates know it as `inside`."""

    def __init__(self, find: Callable[[], Session | None]) -> None:
        """Find the session with `find`, the first time that a page asks."""
        self._find = find

    @cached_property
    def token(self) -> str | None:
        """The token that forms carry; None outside."""
        session = self._find()
        return session.form_token if session else None


NOBODY = Inside(lambda: None)


def recall(sources: Sources) -> Session:
    """Open the session of this request; NoSessionError if there is none, OtherSourceError."""
    session = sources.recall(session_cookie(request))
    require_same_source(request, session)
    return session


def look(sources: Sources) -> Session | None:
    """Open the session of this request, if there is one."""
    try:
        return sources.recall(session_cookie(request))
    except NoSessionError:
        return None
