"""The source site's pages: the way in and out. HTML, and JSON for machine clients.

Rule 1: a view reads the request, asks the intake, and answers; it decides nothing itself.
Rule 2: nothing is changed by GET; every POST proves that it comes from a page of ours.
"""

from http import HTTPStatus

from flask import Blueprint, Response, request

from submit.intake.door import Intake, Site
from submit.intake.sources import Entered
from submit.web.advice import AdviceViews
from submit.web.answers import answer, answer_with_form, send_on
from submit.web.assets import serve_assets
from submit.web.codename import MAX_CODENAME_LENGTH, CodenameViews
from submit.web.conversation import ConversationViews
from submit.web.cookie import form_secret, give_session, session_cookie, take_session
from submit.web.drop import DropViews
from submit.web.errors import CodenameShownError, FormTokenError
from submit.web.forms import Fields, read_fields
from submit.web.inside import Inside, look
from submit.web.sent import SentViews
from submit.web.tokens import TOKEN_FIELD, derive_form_token, prove_own_form


def source_pages(intake: Intake, site: Site) -> Blueprint:
    """Build the pages; they ask `intake` and show what `site` says."""
    pages = Blueprint("source", __name__, template_folder="templates")
    serve_assets(pages)
    DoorViews(intake, site).register(pages)
    AdviceViews(intake, site).register(pages)
    CodenameViews(intake).register(pages)
    DropViews(intake, site).register(pages)
    ConversationViews(intake, site).register(pages)
    SentViews(intake).register(pages)
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
        return answer_with_form("landing.html", fingerprints=self._site.fingerprints)

    def show_certificates(self) -> Response:
        """Give the recipients' certificates, as they are."""
        return Response(self._site.certificates, content_type="text/plain; charset=us-ascii")

    def create_source(self) -> Response:
        """Make a source, and show its codename for the only time."""
        try:
            self._prove_landing_form()
        except FormTokenError:
            raise CodenameShownError if look(self._sources) else FormTokenError from None
        entered = self._sources.create()
        codename = str(entered.codename)
        page = answer(
            {"codename": codename},
            "codename.html",
            HTTPStatus.CREATED,
            words=codename.split(),
            inside=Inside(lambda: self._sources.recall(entered.cookie)),
        )
        return self._let_in(page, entered)

    def enter(self) -> Response:
        """Let a source in by its codename."""
        fields = self._prove_landing_form()
        entered = self._sources.enter(fields.get("codename", ""))
        return self._let_in(send_on("/drop"), entered)

    def leave(self) -> Response:
        """End the session. Whoever is not inside any more leaves all the same."""
        session = look(self._sources)
        fields = read_fields(request, MAX_CODENAME_LENGTH)
        if session:
            prove_own_form(request, fields.get(TOKEN_FIELD), session.form_token)
            self._sources.leave(session_cookie(request))
        page = send_on("/" if fields.get("again") else "/left")
        # A foreign page's form comes without our cookies, and so it takes none away.
        if session_cookie(request):
            take_session(page)
            # Not "cookies": on the way to the next page the language must not be lost.
            page.headers["Clear-Site-Data"] = '"cache", "storage"'
        return page

    def _let_in(self, page: Response, entered: Entered) -> Response:
        # Whoever knew the cookie of before gains nothing by it.
        self._sources.leave(session_cookie(request))
        give_session(page, entered.cookie)
        return page

    def _prove_landing_form(self) -> Fields:
        fields = read_fields(request, MAX_CODENAME_LENGTH)
        expected = derive_form_token(form_secret(request))
        prove_own_form(request, fields.get(TOKEN_FIELD), expected)
        return fields
