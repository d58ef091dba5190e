"""Logging in and out, and the guard at every other route."""

from http import HTTPMethod

from flask import Blueprint, Flask, Response, make_response, render_template, request

from submit.errors import Refusal
from submit.intake.desk.door import Desk
from submit.intake.desk.refusals import NoStaffSessionError
from submit.web.answers import send_on
from submit.web.asking import wants_json
from submit.web.cookie import form_secret, set_cookie
from submit.web.desk.inside import (
    FORM_COOKIE,
    let_in,
    let_out,
    prove_inside,
    prove_login_form,
    recall,
    session_cookie,
)
from submit.web.tokens import derive_form_token

LOGIN = "/login"
OPEN = ("/login", "/session", "/static/site.css", "/static/desk.css")
_PAGES = ("/", "/sources/")  # what a browser opens: there the login comes instead of a no


def guard_desk(app: Flask, desk: Desk) -> None:
    """Let nobody but staff who are logged in past the login, whatever they ask for."""

    def keep_out() -> Response | None:
        if request.path in OPEN:
            return None
        try:
            recall(desk.sessions)
        except NoStaffSessionError:
            if _opens_page():
                return send_on(LOGIN)
            raise
        return None

    app.before_request(keep_out)


def _opens_page() -> bool:
    is_page = request.path == _PAGES[0] or request.path.startswith(_PAGES[1])
    return is_page and request.method == HTTPMethod.GET and not wants_json(request)


class DoorViews:
    """Views of the login."""

    def __init__(self, desk: Desk) -> None:
        """Take who is asked."""
        self._sessions = desk.sessions

    def register(self, pages: Blueprint) -> None:
        """Add the views to the desk's pages."""
        pages.get(LOGIN)(self.show_login)
        pages.post("/session")(self.enter)
        pages.post("/session/end")(self.leave)

    def show_login(self) -> Response:
        """Ask for name, passphrase and code."""
        return show_login_form()

    def enter(self) -> Response:
        """Let somebody in; the same page and the same words whatever was wrong."""
        fields = prove_login_form()
        name, passphrase = fields.get("name", "").strip(), fields.get("passphrase", "")
        try:
            cookie = self._sessions.begin(name, passphrase, fields.get("code", ""))
        except Refusal as refusal:
            if wants_json(request):
                raise
            return show_login_form(refusal, name)
        # Whoever knew the cookie of before gains nothing by it.
        self._sessions.end(session_cookie(request))
        page = send_on("/")
        let_in(page, cookie)
        return page

    def leave(self) -> Response:
        """End the session."""
        prove_inside(self._sessions)
        self._sessions.end(session_cookie(request))
        page = send_on(LOGIN)
        let_out(page)
        return page


def show_login_form(refusal: Refusal | None = None, name: str = "") -> Response:
    """Show the login, after a no with its words and the name that was typed."""
    secret = form_secret(request, FORM_COOKIE)
    words = refusal.public if refusal else None
    token = derive_form_token(secret)
    page = render_template("login.html", form_token=token, words=words, name=name)
    response = make_response(page, refusal.status if refusal else 200)
    set_cookie(response, FORM_COOKIE, secret)
    return response
