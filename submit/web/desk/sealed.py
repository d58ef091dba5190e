"""Fetching sealed files, marking and deleting them."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, Response, request

from submit.intake.desk.door import Desk
from submit.web.answers import send_on
from submit.web.desk.answers import answer_refusal
from submit.web.desk.errors import RangeError
from submit.web.desk.inside import YES, prove_inside, recall
from submit.web.desk.ranges import parse_range
from submit.web.forms import Fields

_SOURCE_PAGE = re.compile(r"/sources/[a-z2-7]{26}")


class SealedViews:
    """Views of single sealed files."""

    def __init__(self, desk: Desk) -> None:
        """Take who is asked."""
        self._sessions, self._sealed = desk.sessions, desk.sealed

    def register(self, pages: Blueprint) -> None:
        """Add the views to the desk's pages."""
        pages.get("/sealed/<upload>.tar.gpg")(self.give_sealed)
        pages.get("/sealed/<upload>.tail")(self.give_tail)
        pages.get("/sealed/<upload>/digest")(self.tell_digest)
        pages.post("/sealed/<upload>/fetched")(self.mark_fetched)
        pages.post("/sealed/<upload>/unread")(self.mark_unread)
        pages.post("/sealed/<upload>/delete")(self.delete_sealed)

    def give_sealed(self, upload: str) -> Response:
        """Give a sealed file, or a range of it, as it is."""
        return self._give(upload, f"{upload}.tar.gpg", tail=False)

    def give_tail(self, upload: str) -> Response:
        """Give the tail of an upload that is not complete."""
        return self._give(upload, f"{upload}.tail", tail=True)

    def tell_digest(self, upload: str) -> Response:
        """Tell length and SHA-256 of a sealed file as it is on the disk now."""
        session = recall(self._sessions)
        opened = self._sealed.open(upload, tail=False)

        def tell() -> Iterator[bytes]:
            for digest in self._sealed.digest(session, opened):
                # White space before it is JSON, too: so the connection is never silent for long.
                facts = {"length": opened.length, "sha256": digest}
                yield b" " if digest is None else json.dumps(facts).encode() + b"\n"

        response = Response(tell(), content_type="application/json")
        response.call_on_close(opened.close)
        return response

    def mark_fetched(self, upload: str) -> Response:
        """Note that staff have it on their side."""
        return self._mark(upload, fetched=True)

    def mark_unread(self, upload: str) -> Response:
        """Note that staff have not got it after all."""
        return self._mark(upload, fetched=False)

    def delete_sealed(self, upload: str) -> Response:
        """Delete a sealed file."""
        fields = prove_inside(self._sessions)
        self._sealed.delete(
            upload,
            unfinished=fields.get("unfinished") == YES,
            unfetched=fields.get("unfetched") == YES,
        )
        return send_on(_back(fields))

    def _mark(self, upload: str, *, fetched: bool) -> Response:
        fields = prove_inside(self._sessions)
        self._sealed.mark(upload, fetched=fetched)
        return send_on(_back(fields))

    def _give(self, upload: str, name: str, *, tail: bool) -> Response:
        session = recall(self._sessions)
        opened = self._sealed.open(upload, tail=tail)
        asked = request.headers.get("Range")
        try:
            begin, end = parse_range(asked, opened.length)
        except RangeError as refusal:
            opened.close()
            response = answer_refusal(refusal)
            response.headers["Content-Range"] = f"bytes */{opened.length}"
            return response
        octets = self._sealed.read(session, opened, begin, end)
        response = Response(octets, content_type="application/octet-stream")
        response.call_on_close(opened.close)
        response.content_length = end - begin
        response.headers["Accept-Ranges"] = "bytes"
        response.headers["Content-Disposition"] = f"attachment; filename={name}"
        if asked is not None:
            response.status_code = HTTPStatus.PARTIAL_CONTENT
            response.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{opened.length}"
        return response


def _back(fields: Fields) -> str:
    back = fields.get("back", "")
    return back if _SOURCE_PAGE.fullmatch(back) else "/"
