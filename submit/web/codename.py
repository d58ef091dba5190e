"""Typing the codename back: nobody goes on who could not come back.

A program is never held up here: it keeps what it was given.
"""

from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request

from submit.errors import Refusal
from submit.intake.door import Intake
from submit.intake.sessions import Session
from submit.web.answers import say, send_on
from submit.web.asking import wants_json
from submit.web.forms import read_fields
from submit.web.inside import recall
from submit.web.tokens import TOKEN_FIELD, prove_own_form

MAX_CODENAME_LENGTH = 4_096  # octets; eight words need at most 80
CONFIRM = "/codename"


class CodenameViews:
    """Views for a source that was shown its codename."""

    def __init__(self, intake: Intake) -> None:
        """Take who is asked."""
        self._sources = intake.sources

    def register(self, pages: Blueprint) -> None:
        """Add the views to the site's pages."""
        pages.get(CONFIRM)(self.ask_back)
        pages.post(CONFIRM)(self.confirm)

    def ask_back(self) -> Response:
        """Ask for the codename that was shown."""
        if recall(self._sources).confirmed:
            return send_on("/drop")
        return make_response(render_template("confirm.html"))

    def confirm(self) -> Response:
        """Compare what was typed; a page that asks again if it is not the codename."""
        session = recall(self._sources)
        fields = read_fields(request, MAX_CODENAME_LENGTH)
        prove_own_form(request, fields.get(TOKEN_FIELD), session.form_token)
        try:
            self._sources.confirm(session, fields.get("codename", ""))
        except Refusal as refusal:
            if wants_json(request):
                raise
            page = make_response(render_template("confirm.html", words=say(refusal)))
            page.status_code = refusal.status
            return page
        return send_on("/drop")


def must_confirm(session: Session) -> bool:
    """Tell whether a page is not for this source yet."""
    return not session.confirmed and not wants_json(request)


def ask_to_confirm() -> Response:
    """Send the browser to where the codename is typed back."""
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": CONFIRM})
