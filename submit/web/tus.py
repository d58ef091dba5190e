"""The tus routes: headers in, answers out. Everything is decided in submit.tus and the intake.

No cookie alone changes anything here: every request but OPTIONS must carry Tus-Resumable,
which a foreign page cannot send without asking first, and nobody answers that question.
"""

from dataclasses import replace

from flask import Blueprint, Response, request

from submit.errors import Refusal
from submit.intake.door import Intake
from submit.intake.refusals import BusyError, NoSessionError
from submit.intake.sessions import Session
from submit.intake.uploads import Status
from submit.tus.answers import (
    Answer,
    answer_append,
    answer_creation,
    answer_head,
    answer_options,
    answer_refusal,
    answer_termination,
)
from submit.tus.grammar import UploadId, parse_upload_id
from submit.tus.headers import Headers, collect_headers
from submit.tus.limits import Limits
from submit.tus.refusals import UnknownMethodError, UploadNotFoundError
from submit.tus.requests import (
    Method,
    decide_append,
    decide_creation,
    decide_head,
    decide_termination,
    effective_method,
)
from submit.web.asking import refuse_foreign_page
from submit.web.body import RequestBody
from submit.web.inside import recall
from submit.web.languages import gettext

_METHODS = ["OPTIONS", "POST", "HEAD", "PATCH", "DELETE", "GET", "PUT"]


def tus_routes(intake: Intake, limits: Limits) -> Blueprint:
    """Build the routes under /uploads."""
    routes = Blueprint("tus", __name__)
    views = TusViews(intake, limits)
    for rule in ("/uploads", "/uploads/", "/uploads/<upload>"):
        routes.add_url_rule(
            rule, rule, views.answer, methods=_METHODS, provide_automatic_options=False
        )
    return routes


class TusViews:
    """Answers tus requests."""

    def __init__(self, intake: Intake, limits: Limits) -> None:
        """Ask `intake` within `limits`."""
        self._intake, self._uploads, self._limits = intake, intake.uploads, limits

    def answer(self, upload: str | None = None) -> Response:
        """Answer any request under /uploads."""
        try:
            return _respond(self._answer(upload))
        except Refusal as refusal:
            # Clients of people who read no English show these words, too.
            said = gettext(refusal.public) + "\n"
            response = _respond(replace(answer_refusal(refusal), body=said))
            response.headers["Connection"] = "close"
            if isinstance(refusal, BusyError):
                response.headers["Retry-After"] = str(refusal.retry_after)
            return response

    def _answer(self, upload: str | None) -> Answer:
        headers = collect_headers(request.headers.items())
        method = effective_method(request.method, headers)
        if method is Method.OPTIONS:
            return answer_options(self._limits)
        refuse_foreign_page(request)
        if upload is None:
            if method is not Method.POST:
                raise UnknownMethodError
            return self._create(headers, RequestBody(request.environ))
        return self._answer_upload(method, headers, upload)

    def _answer_upload(self, method: Method, headers: Headers, text: str) -> Answer:
        if method is Method.HEAD:
            decide_head(headers)
            status = self._uploads.status(*self._own(text))
            return answer_head(status.offset, status.length, status.metadata, status.expires)
        if method is Method.PATCH:
            append = decide_append(headers, self._limits)
            session, upload = self._own(text)
            with self._intake.forms.admit():
                body = RequestBody(request.environ)
                body.take_time()
                status = self._uploads.append(session, upload, append, body)
            return answer_append(status.offset, status.expires)
        if method is Method.DELETE:
            decide_termination(headers)
            self._uploads.terminate(*self._own(text))
            return answer_termination()
        raise UnknownMethodError

    def _create(self, headers: Headers, body: RequestBody) -> Answer:
        creation = decide_creation(headers, self._limits)
        session = recall(self._intake.sources)
        with self._intake.forms.admit():
            body.take_time()
            status: Status = self._uploads.create(session, creation, body)
        unsaid = creation.body is None and creation.key is None
        offset = None if unsaid else status.offset
        unread = status.again and creation.body is not None
        return answer_creation(UploadId(status.id), offset, status.expires, unread=unread)

    def _own(self, text: str) -> tuple[Session, UploadId]:
        """Give session and id; without a session every id is as unknown as any other."""
        upload = parse_upload_id(text)
        try:
            return recall(self._intake.sources), upload
        except NoSessionError:
            raise UploadNotFoundError from None


def _respond(answer: Answer) -> Response:
    response = Response(answer.body, status=answer.status_line)
    if not answer.body:
        # Flask would announce a type of nothing.
        response.headers.pop("Content-Type", None)
    for name, value in answer.headers:
        response.headers[name] = value
    return response
