"""How a no, and anything that is not there, becomes a page or JSON.

Rule 1: what is shown is constant words, never what the client wrote or what the inside knows.
Rule 2: a fault of ours answers 500 and says only what the source needs: what is kept, what to do.
"""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from submit.errors import Refusal
from submit.intake.refusals import (
    BusyError,
    MistypedWordRefusal,
    NoSessionError,
    WordCountRefusal,
    WrongCodenameError,
)
from submit.web.asking import brings_body, wants_json
from submit.web.body import read_out
from submit.web.cookie import form_secret, keep_form_secret
from submit.web.inside import NOBODY
from submit.web.languages import gettext
from submit.web.tokens import derive_form_token

# After these the next step is to enter the codename, so the page has the form for it.
_ASK_FOR_CODENAME = (MistypedWordRefusal, NoSessionError, WordCountRefusal, WrongCodenameError)


def answer(
    facts: Mapping[str, object], template: str, status: int = HTTPStatus.OK, **shown: object
) -> Response:
    """Answer with `facts` as JSON, or with the page made of `shown`, as the client prefers."""
    body = jsonify(facts) if wants_json(request) else render_template(template, **shown)
    response = make_response(body)
    response.status_code = status
    return response


def answer_with_form(template: str, status: int = HTTPStatus.OK, **shown: object) -> Response:
    """Answer with a page whose forms work before there is a session."""
    secret = form_secret(request)
    page = render_template(template, form_token=derive_form_token(secret), **shown)
    response = make_response(page, status)
    keep_form_secret(response, secret)
    return response


def send_on(address: str) -> Response:
    """Answer a form: JSON gets `{}`, a browser goes on with GET, so that loading sends nothing."""
    if wants_json(request):
        return jsonify({})
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": address})


def answer_refusals(app: Flask) -> None:
    """Make the app answer every refusal, missing page and fault in words."""
    app.register_error_handler(Refusal, answer_refusal)
    app.register_error_handler(HTTPException, _answer_http_exception)


def answer_refusal(refusal: Refusal) -> Response:
    """Return the page, or the JSON, of a refusal."""
    said = say(refusal)
    if isinstance(refusal, _ASK_FOR_CODENAME) and not wants_json(request):
        response = answer_with_form("refused.html", refusal.status, words=said)
    else:
        response = answer({"error": said}, "refused.html", refusal.status, words=said)
    return close_unread(tell_when(response, refusal))


def tell_when(response: Response, refusal: Refusal) -> Response:
    """Say after how many seconds to come again, if there is such a time."""
    if isinstance(refusal, BusyError):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def say(refusal: Refusal) -> str:
    """Return a refusal's words. A mistyped word is named by its place, never repeated."""
    if not isinstance(refusal, MistypedWordRefusal):
        return gettext(refusal.public)
    place = refusal.position + 1
    if refusal.suggestion is None:
        return gettext(
            "Word number %(place)s is not in our list, so it is mistyped. "
            "Please enter all eight words again.",
            place=place,
        )
    return gettext(
        "Word number %(place)s is not in our list, so it is mistyped. "
        "Did you mean “%(suggestion)s”? Please enter all eight words again.",
        place=place,
        suggestion=refusal.suggestion,
    )


def close_unread(response: Response) -> Response:
    """End the connection after an answer that came before the whole body was read.

    A program hears the answer at once. A browser looks for it only when it has sent everything,
    so the rest is read and thrown away first; docs/decisions/0011-early-answers.md.
    """
    if brings_body(request):
        response.headers["Connection"] = "close"
        if not wants_json(request):
            read_out(request)
    return response


def _answer_http_exception(fault: HTTPException) -> Response:
    status = HTTPStatus(fault.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    said = _words_of(status)
    # After a fault of ours the page asks nothing more of the inside.
    shown = {"inside": NOBODY} if status >= HTTPStatus.INTERNAL_SERVER_ERROR else {}
    response = answer({"error": said}, "refused.html", status, words=said, **shown)
    allowed = dict(fault.get_headers()).get("Allow")
    if allowed:
        response.headers["Allow"] = allowed
    return close_unread(response)


def _words_of(status: HTTPStatus) -> str:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return gettext(
            "Something broke on our side. What was counted as arrived is kept. Wait a few "
            "minutes, enter your codename again, look at what has arrived, and send the rest."
        )
    match status:
        case HTTPStatus.NOT_FOUND:
            return gettext("There is no such page here. Nothing was changed.")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return gettext(
                "This page cannot be used in this way. Nothing was changed. "
                "Please start again from the first page."
            )
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return gettext(
                "This was more than can be sent in one go. Nothing from it was kept. "
                "Please send it in smaller parts."
            )
        case _:
            return gettext(
                "We could not read this request. Nothing from it was kept. Please try again."
            )
