"""Answers which of some files a source has sent before, for our page's script and for programs.

It changes nothing, and needs no token: a foreign page can neither send JSON here nor read the
answer. Whoever has not asked to be remembered is told "no" for every file.
"""

import json

from flask import Blueprint, Response, jsonify, request

from submit.intake.door import Intake
from submit.intake.sent import SentFile
from submit.tus.metadata import LAST_MODIFIED_LIMIT, PATH_LIMIT
from submit.web.asking import refuse_foreign_page
from submit.web.body import open_short
from submit.web.errors import MalformedFormError, NotAFormError
from submit.web.forms import read_whole
from submit.web.inside import recall

MAX_FILES = 500  # that one question may name
_ESCAPED = 6  # octets of JSON that an octet of a path can take: \u0434 is two octets in UTF-8
_NUMBERS = 128  # octets around a path: the names of the fields, length and time
MAX_LENGTH = MAX_FILES * (_ESCAPED * PATH_LIMIT + _NUMBERS)
_LONGEST = 10**16 - 1  # as Upload-Length


class SentViews:
    """The one view."""

    def __init__(self, intake: Intake) -> None:
        """Ask `intake`."""
        self._intake = intake

    def register(self, pages: Blueprint) -> None:
        """Add the view to the site's pages."""
        pages.post("/drop/sent")(self.tell_sent)

    def tell_sent(self) -> Response:
        """Tell for each file, in their order, whether it was sent before."""
        refuse_foreign_page(request)
        session = recall(self._intake.sources)
        if request.mimetype != "application/json":
            raise NotAFormError
        with self._intake.sent.admit():
            files = parse_files(read_whole(open_short(request), MAX_LENGTH))
            return jsonify({"sent": self._intake.sent.known(session, files)})


def parse_files(body: bytes) -> list[SentFile]:
    """Read `{"files": [{"path", "length", "modified"}]}`, at most 500; MalformedFormError."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedFormError from None
    files = asked.get("files") if isinstance(asked, dict) else None
    if not isinstance(files, list) or len(files) > MAX_FILES:
        raise MalformedFormError
    return [_parse_file(file) for file in files]


def _parse_file(file: object) -> SentFile:
    if not isinstance(file, dict):
        raise MalformedFormError
    path, modified = file.get("path"), file.get("modified")
    if not isinstance(path, str) or len(path) > PATH_LIMIT:
        raise MalformedFormError
    length = _parse_number(file.get("length"), _LONGEST)
    # As in the metadata of an upload: a time that no calendar has is no time.
    known = type(modified) is int and 0 <= modified <= LAST_MODIFIED_LIMIT
    return SentFile(path, length, modified if known else None)


def _parse_number(value: object, limit: int) -> int:
    if type(value) is not int or not 0 <= value <= limit:
        raise MalformedFormError
    return value
