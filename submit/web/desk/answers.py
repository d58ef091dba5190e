"""How a no, and anything that is not there, becomes a page or JSON at the desk."""

import re
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from submit.errors import Refusal
from submit.intake.desk.refusals import DeskBusyError
from submit.web.answers import answer, close_unread

_SCHEME = "Cookie"
_OF_SOURCE = re.compile(r"(/sources/[a-z2-7]{26})/")
_WORDS = {
    HTTPStatus.NOT_FOUND: "There is no such page here. Nothing was changed.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This page cannot be used in this way. Nothing was changed.",
}
_UNREADABLE = "We could not read this request. Nothing was changed. Try again."
_FAULT = (
    "Something broke on the server's side. What is sealed there is as it was. Try again in a few "
    "minutes; if it happens again, tell whoever runs the server."
)


def answer_desk_refusals(app: Flask) -> None:
    """Make the desk answer every refusal, missing page and fault in constant words."""
    app.register_error_handler(Refusal, answer_refusal)
    app.register_error_handler(HTTPException, _answer_http_exception)


def answer_refusal(refusal: Refusal) -> Response:
    """Return the page, or the JSON, of a refusal."""
    response = _say(refusal.public, refusal.status, back=_way_back(refusal))
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        # RFC 9110, 15.5.2: there must be one. Browsers know none of this name, and ask nothing.
        response.headers["WWW-Authenticate"] = f'{_SCHEME} realm="desk"'
    if isinstance(refusal, DeskBusyError):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return close_unread(response)


def _way_back(refusal: Refusal) -> str | None:
    of_source = _OF_SOURCE.match(request.path)
    is_gone = refusal.status == HTTPStatus.NOT_FOUND
    return of_source[1] if of_source and not is_gone else None


def _answer_http_exception(fault: HTTPException) -> Response:
    status = HTTPStatus(fault.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    # After a fault of ours the page asks nothing more of the inside.
    shown = {"inside": None} if is_ours else {}
    said = _FAULT if is_ours else _WORDS.get(status, _UNREADABLE)
    response = _say(said, status, **shown)
    allowed = dict(fault.get_headers()).get("Allow")
    if allowed:
        response.headers["Allow"] = allowed
    return close_unread(response)


def _say(words: str, status: int, **shown: object) -> Response:
    return answer({"error": words}, "refused.html", status, words=words, **shown)
