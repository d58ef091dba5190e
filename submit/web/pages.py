"""The source site's pages: the way in and out. HTML, and JSON for machine clients.

Rule 1: a view reads the request, asks the intake, and answers; it decides nothing itself.
Rule 2: nothing is changed by GET; every POST proves that it comes from a page of ours.
"""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request

from submit.intake.door import Intake, Site
from submit.intake.refusals import NoSessionError
from submit.intake.sources import Entered
from submit.web.answers import answer, answer_with_form
from submit.web.asking import wants_json
from submit.web.assets import serve_assets
from submit.web.cookie import form_secret, give_session, session_cookie, take_session
from submit.web.drop import DropViews
from submit.web.errors import CodenameShownError, FormTokenError
from submit.web.forms import Fields, read_fields
from submit.web.tokens import TOKEN_FIELD, derive_form_token, prove_own_form

MAX_CODENAME_LENGTH = 4_096  # octets; eight words need at most 80


def source_pages(intake: Intake, site: Site) -> Blueprint:
    """Build the pages; they ask `intake` and show what `site` says."""
    pages = Blueprint("source", __name__, template_folder="templates")
    serve_assets(pages)
    DoorViews(intake, site).register(pages)
    DropViews(intake, site).register(pages)
    return pages


class DoorViews:
    """Views for whoever comes to the site, and for leaving it."""

    def __init__(self, intake: Intake, site: Site) -> None:
        """Take who is asked, and what the first page shows."""
        self._sources = intake.sources
        self._site = site

    def register(self, pages: Blueprint) -> None:
        """Add the views to the site's pages."""
        pages.get("/")(self.show_landing)
        pages.get("/key.asc")(self.show_certificates)
        pages.post("/source")(self.create_source)
        pages.post("/session")(self.enter)
        pages.post("/session/end")(self.leave)

    def show_landing(self) -> Response:
        """Show what this is, whom it is sealed to, and the two ways in."""
        fingerprints = self._site.fingerprints
        return answer_with_form("landing.html", fingerprints=fingerprints, inside=self._is_inside())

    def show_certificates(self) -> Response:
        """Give the recipients' certificates, as they are."""
        return Response(self._site.certificates, content_type="text/plain; charset=us-ascii")

    def create_source(self) -> Response:
        """Make a source, and show its codename for the only time."""
        try:
            self._prove_landing_form()
        except FormTokenError:
            raise CodenameShownError if self._is_inside() else FormTokenError from None
        entered = self._sources.create()
        codename = str(entered.codename)
        page = answer(
            {"codename": codename}, "codename.html", HTTPStatus.CREATED, words=codename.split()
        )
        return self._let_in(page, entered)

    def enter(self) -> Response:
        """Let a source in by its codename."""
        fields = self._prove_landing_form()
        entered = self._sources.enter(fields.get("codename", ""))
        page = jsonify({}) if wants_json(request) else _see("/drop")
        return self._let_in(page, entered)

    def leave(self) -> Response:
        """End the session."""
        cookie = session_cookie(request)
        session = self._sources.recall(cookie)
        fields = read_fields(request, MAX_CODENAME_LENGTH)
        prove_own_form(request, fields.get(TOKEN_FIELD), session.form_token)
        self._sources.leave(cookie)
        page = answer({}, "left.html")
        take_session(page)
        return page

    def _prove_landing_form(self) -> Fields:
        fields = read_fields(request, MAX_CODENAME_LENGTH)
        expected = derive_form_token(form_secret(request))
        prove_own_form(request, fields.get(TOKEN_FIELD), expected)
        return fields

    def _let_in(self, page: Response, entered: Entered) -> Response:
        # Whoever knew the cookie of before gains nothing by it.
        self._sources.leave(session_cookie(request))
        give_session(page, entered.cookie)
        return page

    def _is_inside(self) -> bool:
        try:
            self._sources.recall(session_cookie(request))
        except NoSessionError:
            return False
        return True


def _see(address: str) -> Response:
    """Send the browser on with GET, so that loading again sends no form again."""
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": address})
