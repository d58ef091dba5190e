"""The source's own page: what arrived, what is missing, and the plain form that sends more."""

from collections.abc import Iterator, Sequence
from itertools import chain

from flask import Blueprint, Response, request

from submit.errors import Refusal
from submit.intake.door import Intake, Site
from submit.intake.drop import Drop
from submit.intake.refusals import TooLargeError
from submit.intake.replies import Reply
from submit.intake.sessions import Session
from submit.web.answers import answer, close_unread, say, send_on
from submit.web.asking import wants_json
from submit.web.body import RequestBody
from submit.web.codename import MAX_CODENAME_LENGTH, ask_to_confirm, must_confirm
from submit.web.conversation import describe
from submit.web.errors import FormTokenError, NoFileChosenError, NotAFormError
from submit.web.files import Taking, take_files
from submit.web.forms import read_fields
from submit.web.inside import recall
from submit.web.languages import gettext
from submit.web.multipart import Part, parse_boundary, read_parts, read_text
from submit.web.same_source import mark_page
from submit.web.tokens import TOKEN_FIELD, prove_own_form

MAX_TOKEN_LENGTH = 256  # octets
MOST_NAMED = 20  # missing parts: enough to go and look for, few enough to read


class DropViews:
    """Views for a source that is inside."""

    def __init__(self, intake: Intake, site: Site) -> None:
        """Take who is asked, and the limits that the page names."""
        self._intake = intake
        self._site = site

    def register(self, pages: Blueprint) -> None:
        """Add the views to the site's pages."""
        pages.get("/drop")(self.show_drop)
        pages.post("/drop/files")(self.take_files)
        pages.post("/drop/parts/<part_set>/close")(self.close_parts)
        pages.post("/drop/sent/remember")(self.remember)
        pages.post("/drop/sent/forget")(self.forget)

    def show_drop(self) -> Response:
        """Show what arrived, and the forms."""
        session = recall(self._intake.sources)
        if must_confirm(session):
            return ask_to_confirm()
        drop, replies = self._intake.drop.show(session), self._intake.replies.show(session)
        form = self._intake.last_form.show(session)
        return answer(
            _describe(drop, replies, session),
            "drop.html",
            drop=drop,
            replies=len(replies),
            form=form,
            reason=gettext(form.reason.public) if form and form.reason else None,
            last_visit=session.last_visit,
            max_file_length=self._site.max_form_file_length,
            most_named=MOST_NAMED,
            mark=mark_page(session),
        )

    def take_files(self) -> Response:
        """Seal each file of a form as it arrives."""
        session = recall(self._intake.sources)
        body = RequestBody(request.environ)
        parts = _open_form(body)
        prove_own_form(request, _first_token(parts), session.form_token)
        with self._intake.forms.admit():
            body.take_time()
            taking = self._take(session, parts)
        return self._account(session, taking)

    def close_parts(self, part_set: str) -> Response:
        """Take the source's word that all parts of a file have arrived."""
        self._intake.parts.close(self._prove(), part_set)
        return send_on("/drop")

    def remember(self) -> Response:
        """Remember from now on what the source sends."""
        self._intake.sent.begin(self._prove())
        return send_on("/drop")

    def forget(self) -> Response:
        """Forget what the source has sent."""
        self._intake.sent.forget(self._prove())
        return send_on("/drop")

    def _prove(self) -> Session:
        session = recall(self._intake.sources)
        fields = read_fields(request, MAX_CODENAME_LENGTH)
        prove_own_form(request, fields.get(TOKEN_FIELD), session.form_token)
        return session

    def _take(self, session: Session, parts: Iterator[Part]) -> Taking:
        """Take the files; the note of it is begun first, for the server may stop on the way."""
        try:
            first = next((part for part in parts if part.filename), None)
        except Refusal as refusal:
            return Taking(ended=refusal)
        if first is None:
            raise NoFileChosenError
        form = self._intake.last_form.begin(session, _boundary())
        taking = take_files(self._intake.forms, session, chain([first], parts), _boundary())
        too_large = sum(isinstance(one.refusal, TooLargeError) for one in taking.refused)
        self._intake.last_form.end(session, form, taking.received, too_large, taking.ended)
        return taking

    def _account(self, session: Session, taking: Taking) -> Response:
        """Answer with what is kept and what is not."""
        refused = [{"name": one.name, "error": say(one.refusal)} for one in taking.refused]
        facts: dict[str, object] = {"received": taking.received, "refused": refused}
        ended = say(taking.ended) if taking.ended else None
        if ended:
            facts["error"] = ended
        shown = {
            "received": taking.received,
            "refused": refused,
            "ended": ended,
            "total": self._intake.drop.show(session).files,
        }
        response = answer(facts, "files_arrived.html", taking.status, **shown)
        return close_unread(response) if taking.ended else response


def _describe(drop: Drop, replies: Sequence[Reply], session: Session) -> dict[str, object]:
    unfinished = [
        {
            "url": f"/uploads/{upload.id}",
            "name": upload.name,
            "path": upload.path,
            "length": upload.length,
            "offset": upload.offset,
        }
        for upload in drop.unfinished
    ]
    parts = [
        {
            "id": one.id,
            "name": one.name,
            "arrived": one.arrived,
            "missing": list(one.missing),
            "next": one.next,
        }
        for one in drop.parts
    ]
    return {
        "received": {"files": drop.files, "messages": drop.messages},
        "taken_off": {"files": drop.files_taken, "messages": drop.messages_taken},
        "unfinished": unfinished,
        "parts": parts,
        "replies": describe(replies),
        "remembers": drop.remembers,
        "token": session.form_token,
    }


def _open_form(body: RequestBody) -> Iterator[Part]:
    if request.mimetype != "multipart/form-data":
        raise NotAFormError
    # What has arrived of a form is not kept waiting for more to fill a read.
    return read_parts(body.read, _boundary())


def _boundary() -> bytes:
    return parse_boundary(request.headers["Content-Type"])


def _first_token(parts: Iterator[Part]) -> str | None:
    """Return the token, which stands before all files: nothing is taken until it is proved."""
    if wants_json(request):
        return None
    first = next(parts, None)
    if first is None or first.name != TOKEN_FIELD:
        raise FormTokenError
    return read_text(first, MAX_TOKEN_LENGTH)
