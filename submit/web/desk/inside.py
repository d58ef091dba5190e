"""Who is logged in at the desk, its cookies, and how each request proves where it comes from."""

from functools import cached_property

from flask import Flask, Request, Response, request

from submit.intake.desk.refusals import NoStaffSessionError
from submit.intake.desk.sessions import StaffSession, StaffSessions
from submit.web.cookie import forget_cookie, form_secret, set_cookie
from submit.web.forms import Fields, read_fields
from submit.web.tokens import TOKEN_FIELD, derive_form_token, prove_own_form

SESSION_COOKIE = "nightferry_desk"
FORM_COOKIE = "nightferry_desk_form"
YES = "yes"  # what a field says that agrees to something
MAX_FIELD_LENGTH = 4_096  # octets of a name, a passphrase, a designation


class Inside:
    """Whom a page is shown to; templates know it as `inside`."""

    def __init__(self, sessions: StaffSessions) -> None:
        """Look the session up the first time that a page asks."""
        self._sessions = sessions

    @cached_property
    def session(self) -> StaffSession | None:
        """The session of this request, if there is one."""
        try:
            return recall(self._sessions)
        except NoStaffSessionError:
            return None

    @property
    def token(self) -> str | None:
        """The token that forms carry; None outside."""
        return self.session.form_token if self.session else None


def show_inside(app: Flask, sessions: StaffSessions) -> None:
    """Let every template know who is `inside`."""
    app.context_processor(lambda: {"inside": Inside(sessions)})


def session_cookie(request: Request) -> str | None:
    """Return the session cookie that came with a request."""
    return request.cookies.get(SESSION_COOKIE)


def recall(sessions: StaffSessions) -> StaffSession:
    """Open the session of this request; NoStaffSessionError if there is none."""
    return sessions.recall(session_cookie(request))


def prove_inside(sessions: StaffSessions) -> Fields:
    """Give the fields of a short form that somebody inside sent from a page of ours."""
    session = recall(sessions)
    fields = read_fields(request, MAX_FIELD_LENGTH)
    prove_own_form(request, fields.get(TOKEN_FIELD), session.form_token)
    return fields


def prove_login_form() -> Fields:
    """Give the fields of the login form, proved to be ours."""
    fields = read_fields(request, MAX_FIELD_LENGTH)
    expected = derive_form_token(form_secret(request, FORM_COOKIE))
    prove_own_form(request, fields.get(TOKEN_FIELD), expected)
    return fields


def let_in(page: Response, cookie: str) -> None:
    """Give the session to the browser, and take the form secret back."""
    set_cookie(page, SESSION_COOKIE, cookie)
    forget_cookie(page, FORM_COOKIE)


def let_out(page: Response) -> None:
    """Make the browser forget its session, and everything else of this site."""
    forget_cookie(page, SESSION_COOKIE)
    page.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
