"""The list of sources, one source, answering it and deleting it."""

from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request

from submit.intake.desk.door import Desk
from submit.intake.desk.refusals import NoMessageError
from submit.intake.desk.sources import CERTIFICATE, OPEN, Consent, Item, Overview, SourceDetail
from submit.intake.replies import LONGEST_MESSAGE
from submit.web.answers import answer, send_on
from submit.web.asking import wants_json
from submit.web.body import open_short
from submit.web.desk.figures import PER_PAGE, pages
from submit.web.desk.inside import MAX_FIELD_LENGTH, YES, prove_inside, recall
from submit.web.errors import FormTokenError
from submit.web.figures import iso_day
from submit.web.forms import read_fields
from submit.web.multipart import Part, parse_boundary, read_parts, read_text
from submit.web.tokens import TOKEN_FIELD, prove_own_form

_MESSAGE = "message"


class SourceViews:
    """Views of sources."""

    def __init__(self, desk: Desk) -> None:
        """Take who is asked."""
        self._sessions, self._sources = desk.sessions, desk.sources

    def register(self, site: Blueprint) -> None:
        """Add the views to the desk's pages."""
        site.get("/")(self.show_sources)
        site.get("/sources/<source>")(self.show_source)
        site.post("/sources/<source>/replies")(self.take_reply)
        site.post("/sources/<source>/delete")(self.delete_source)

    def show_sources(self) -> Response:
        """List the sources that have sent something."""
        session, shown = recall(self._sessions), self._sources.show_all()
        facts = {"sources": [_describe(source) for source in shown]}
        today = self._sources.clock.day()
        return answer(facts, "sources.html", sources=shown, today=today, session=session)

    def show_source(self, source: str) -> Response:
        """Show one source; pages have a hundred items each, programs get them all."""
        detail = self._sources.show(source)
        page, last_page = pages(len(detail.items), request.args.get("page", ""))
        return answer(
            _describe_whole(detail),
            "source.html",
            source=detail,
            items=sorted(detail.items, key=_rank)[(page - 1) * PER_PAGE : page * PER_PAGE],
            page=page,
            last_page=last_page,
            today=self._sources.clock.day(),
        )

    def take_reply(self, source: str) -> Response:
        """Keep a reply that staff encrypted to this source."""
        reply = self._sources.answer(source, self._read_reply())
        if wants_json(request):
            response = jsonify({"id": reply})
            response.status_code = HTTPStatus.CREATED
            return response
        return send_on(f"/sources/{source}")

    def delete_source(self, source: str) -> Response:
        """Delete a source and everything of it that was known to whoever asks for it."""
        fields = prove_inside(self._sessions)
        consent = Consent(
            shown=fields.get("shown"),
            unfetched=fields.get("unfetched") == YES,
            unfinished=fields.get("unfinished") == YES,
        )
        self._sources.delete(source, fields.get("designation", ""), consent)
        return send_on("/")

    def _read_reply(self) -> bytes:
        """Give the message of a form, of JSON, or of a file in a form; NoMessageError."""
        session = recall(self._sessions)
        if request.mimetype == "multipart/form-data":
            parts = _open_form()
            prove_own_form(request, _first_token(parts), session.form_token)
            message = _read_message(parts)
        else:
            # One octet more, so that a reply that is too long is refused for what it is.
            fields = read_fields(request, LONGEST_MESSAGE + 1)
            prove_own_form(request, fields.get(TOKEN_FIELD), session.form_token)
            message = fields.get(_MESSAGE, "").encode()
        if not message.strip():
            raise NoMessageError
        return message


def _open_form() -> Iterator[Part]:
    boundary = parse_boundary(request.headers["Content-Type"])
    return read_parts(open_short(request), boundary)


def _first_token(parts: Iterator[Part]) -> str | None:
    if wants_json(request):
        return None
    first = next(parts, None)
    if first is None or first.name != TOKEN_FIELD:
        raise FormTokenError
    return read_text(first, MAX_FIELD_LENGTH)


def _read_message(parts: Iterator[Part]) -> bytes:
    """Give the octets of the message, and no more than tell that it is too long."""
    message = bytearray()
    for octets in (octets for part in parts if part.name == _MESSAGE for octets in part.content):
        message += octets
        if len(message) > LONGEST_MESSAGE:
            break
    return bytes(message)


def _rank(item: Item) -> tuple[bool, bool, bool, int]:
    # The certificate is looked for, the files are fetched by a program; the newest first.
    is_unread = not item.fetched and item.state != OPEN
    return item.kind != CERTIFICATE, not is_unread, item.state != OPEN, -item.day


def _describe(source: Overview) -> dict[str, object]:
    return {
        "id": source.id,
        "designation": source.designation,
        "day": iso_day(source.day),
        "files": source.files,
        "messages": source.messages,
        "unread": source.unread,
        "octets": source.octets,
        "waiting": source.is_waiting,
        "unfinished": [
            {"id": item.id, "share": item.share, "day": iso_day(item.day)}
            for item in source.unfinished
        ],
    }


def _describe_whole(source: SourceDetail) -> dict[str, object]:
    return {
        "id": source.overview.id,
        "designation": source.overview.designation,
        # It comes sealed, as an item: the server keeps it under the source's own key.
        "certificate": None,
        "outstanding": source.outstanding,
        "items": [_describe_item(item) for item in source.items],
        "replies": [{"id": reply.id, "day": iso_day(reply.day)} for reply in source.replies],
    }


def _describe_item(item: Item) -> dict[str, object]:
    return {
        "id": item.id,
        "kind": item.kind,
        "state": item.state,
        "day": iso_day(item.day),
        "length": item.length,
        "tail": item.has_tail,
        "fetched": item.fetched,
        "share": item.share,
    }
