"""The source's own page: what arrived, and the two plain forms that send more."""

from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, Response, request

from submit.errors import Refusal
from submit.intake.door import Intake, Site
from submit.intake.drop import Drop
from submit.intake.sessions import Session
from submit.web.answers import answer, close_unread, say
from submit.web.asking import wants_json
from submit.web.cookie import session_cookie
from submit.web.errors import FormTokenError, NotAFormError
from submit.web.files import Taking, take_files
from submit.web.forms import read_fields
from submit.web.multipart import Part, parse_boundary, read_parts, read_text
from submit.web.tokens import TOKEN_FIELD, prove_own_form

MAX_TOKEN_LENGTH = 256  # octets
GIVEN_BACK = 65_536  # octets by which a message may be too long and still be shown again


class DropViews:
    """Views for a source that is inside."""

    def __init__(self, intake: Intake, site: Site) -> None:
        """Take who is asked, and the limits that the page names."""
        self._intake = intake
        self._site = site

    def register(self, pages: Blueprint) -> None:
        """Add the views to the site's pages."""
        pages.get("/drop")(self.show)
        pages.post("/drop/messages")(self.take_message)
        pages.post("/drop/files")(self.take_files)

    def show(self) -> Response:
        """Show what arrived, and the forms."""
        session = self._recall()
        drop = self._intake.drop.show(session)
        return answer(
            _describe(drop),
            "drop.html",
            drop=drop,
            form_token=session.form_token,
            max_file_length=self._site.max_form_file_length,
        )

    def take_message(self) -> Response:
        """Seal a message."""
        session = self._recall()
        with self._intake.messages.admit():
            fields = read_fields(request, self._site.max_message_length + GIVEN_BACK)
            prove_own_form(request, fields.get(TOKEN_FIELD), session.form_token)
            text = fields.get("text", "")
            try:
                self._intake.messages.seal(session, text)
            except Refusal as refusal:
                return _give_back(refusal, text, session)
        return answer({}, "message_arrived.html", HTTPStatus.CREATED)

    def take_files(self) -> Response:
        """Seal each file of a form as it arrives."""
        session = self._recall()
        parts = _open_form()
        prove_own_form(request, _first_token(parts), session.form_token)
        with self._intake.forms.admit():
            taking = take_files(self._intake.forms, session, parts)
        return _account(taking)

    def _recall(self) -> Session:
        return self._intake.sources.recall(session_cookie(request))


def _describe(drop: Drop) -> dict[str, object]:
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
    received = {"files": drop.files, "messages": drop.messages}
    return {"received": received, "unfinished": unfinished, "replies": []}


def _give_back(refusal: Refusal, text: str, session: Session) -> Response:
    """Refuse a message and show it again: Tor Browser keeps no text of a page that was left."""
    said = say(refusal)
    return answer(
        {"error": said},
        "message_refused.html",
        refusal.status,
        words=said,
        text=text,
        form_token=session.form_token,
    )


def _open_form() -> Iterator[Part]:
    if request.mimetype != "multipart/form-data":
        raise NotAFormError
    boundary = parse_boundary(request.headers["Content-Type"])
    return read_parts(request.stream.read, boundary)


def _first_token(parts: Iterator[Part]) -> str | None:
    """Return the token, which stands before all files: nothing is taken until it is proved."""
    if wants_json(request):
        return None
    first = next(parts, None)
    if first is None or first.name != TOKEN_FIELD:
        raise FormTokenError
    return read_text(first, MAX_TOKEN_LENGTH)


def _account(taking: Taking) -> Response:
    refused = [{"name": one.name, "error": say(one.refusal)} for one in taking.refused]
    facts: dict[str, object] = {"received": taking.received, "refused": refused}
    ended = say(taking.ended) if taking.ended else None
    if ended:
        facts["error"] = ended
    response = answer(
        facts,
        "files_arrived.html",
        taking.status,
        received=taking.received,
        refused=refused,
        ended=ended,
    )
    return close_unread(response) if ended else response
