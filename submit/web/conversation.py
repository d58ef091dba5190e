"""What the source writes to the staff and they to it. Its own words never come back.

Rule: a text that somebody typed is not lost, whatever is wrong with the request that brings it.
A browser keeps no text of a page that was left, so the page that says no has it again. Two texts
it cannot have: one that did not come whole, and one that is so long that there is no memory left
to read it; a short one is always read.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from hmac import compare_digest
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request

from submit.errors import Refusal
from submit.intake.door import Intake, Site
from submit.intake.refusals import NoSessionError
from submit.intake.replies import Reply
from submit.intake.sessions import Session, dead_form_token
from submit.web.answers import answer, answer_with_form, say, send_on, tell_when
from submit.web.asking import refuse_foreign_page, wants_json
from submit.web.codename import MAX_CODENAME_LENGTH, ask_to_confirm, must_confirm
from submit.web.cookie import form_secret, give_session, session_cookie
from submit.web.errors import FormTokenError, TooSlowError
from submit.web.figures import iso_day
from submit.web.forms import Fields, read_fields
from submit.web.inside import Inside, look, recall
from submit.web.tokens import TOKEN_FIELD, derive_form_token, prove_own_form

GIVEN_BACK = 65_536  # octets by which a message may be too long and still be shown again
# Octets of a body that is read at once: little more than any other form may hold in memory.
SHORT = 131_072


@dataclass(frozen=True, slots=True)
class Entry:
    """A reply, or how many messages went the other way on that day (UTC day number)."""

    day: int
    messages: int = 0
    reply: Reply | None = None


class ConversationViews:
    """Views of the messages in both directions."""

    def __init__(self, intake: Intake, site: Site) -> None:
        """Take who is asked, and the limit of a message."""
        self._intake = intake
        self._max_length = site.max_message_length + GIVEN_BACK

    def register(self, pages: Blueprint) -> None:
        """Add the views to the site's pages."""
        pages.get("/drop/messages")(self.show_messages)
        pages.post("/drop/messages")(self.take_message)
        pages.post("/drop/replies/<reply>/delete")(self.delete_reply)

    def show_messages(self) -> Response:
        """Show the replies, and the days of the source's own messages."""
        session = recall(self._intake.sources)
        if must_confirm(session):
            return ask_to_confirm()
        replies = self._intake.replies.show(session)
        drop = self._intake.drop.show(session)
        days = drop.message_days
        facts = {"replies": describe(replies), "messages": [iso_day(day) for day in days]}
        entries = list(_in_order(replies, days))
        taken = drop.messages_taken
        return answer(facts, "messages.html", entries=entries, replies=replies, taken=taken)

    def take_message(self) -> Response:
        """Seal a message. Whoever was away for too long comes in with it."""
        session = look(self._intake.sources)
        if session is None and wants_json(request):
            raise NoSessionError
        with self._admit(session):
            if session is None:
                return self._come_in_with(self._read_outside())
            fields = read_fields(request, self._max_length)
            try:
                prove_own_form(request, fields.get(TOKEN_FIELD), session.form_token)
            except FormTokenError as refusal:  # from a session before this one, in another tab
                return _hold(refusal, fields, proved=False)
            return self._seal(session, fields)

    def _admit(self, session: Session | None) -> AbstractContextManager[None]:
        """Hold a place for a long body: a short one takes none, so nobody can take its place."""
        length = request.content_length
        if length is not None and length <= SHORT:
            return nullcontext()
        return self._intake.messages.admit_long(inside=session is not None)

    def delete_reply(self, reply: str) -> Response:
        """Delete a reply."""
        session = recall(self._intake.sources)
        fields = read_fields(request, MAX_CODENAME_LENGTH)
        prove_own_form(request, fields.get(TOKEN_FIELD), session.form_token)
        self._intake.replies.delete(session, reply)
        return send_on("/drop/messages")

    def _seal(self, session: Session, fields: Fields) -> Response:
        text = fields.get("text", "")
        try:
            self._intake.messages.seal(session, text)
        except Refusal as refusal:
            return _give_back(refusal, text, session)
        shown = {"inside": Inside(lambda: session)}
        return answer({}, "message_arrived.html", HTTPStatus.CREATED, **shown)

    def _read_outside(self) -> Fields:
        refuse_foreign_page(request)
        try:
            return read_fields(request, self._max_length)
        except TooSlowError:
            raise
        except Refusal:
            raise NoSessionError from None

    def _come_in_with(self, fields: Fields) -> Response:
        """Let the source in and seal its message; ask for the codename if it is not there yet."""
        if "codename" not in fields:
            return _hold(NoSessionError(), fields, proved=_is_from_own_page(fields))
        try:
            expected = derive_form_token(form_secret(request))
            prove_own_form(request, fields.get(TOKEN_FIELD), expected)
        except FormTokenError as refusal:
            return _hold(refusal, fields, proved=False)
        try:
            entered = self._intake.sources.enter(fields["codename"])
        except Refusal as refusal:
            return _hold(refusal, fields, proved=True)
        page = self._seal(self._intake.sources.recall(entered.cookie), fields)
        give_session(page, entered.cookie)
        return page


def describe(replies: Sequence[Reply]) -> list[dict[str, object]]:
    """Give replies as JSON has them."""
    return [{"id": one.id, "day": iso_day(one.day), "text": one.text} for one in replies]


def _in_order(replies: Sequence[Reply], days: Sequence[int]) -> Iterator[Entry]:
    written = [Entry(day, messages=count) for day, count in Counter(days).items()]
    received = [Entry(reply.day, reply=reply) for reply in replies]
    # The sort is stable: on one day, the question stands before the answer.
    return iter(sorted(written + received, key=lambda entry: entry.day))


def _is_from_own_page(fields: Fields) -> bool:
    """Tell whether the form is one that this browser's session had, now that it has ended.

    Otherwise a foreign page could lay words in the mouth of somebody who enters a codename.
    """
    expected = dead_form_token(session_cookie(request))
    given = fields.get(TOKEN_FIELD, "")
    return expected is not None and compare_digest(given.encode(), expected.encode())


def _hold(refusal: Refusal, fields: Fields, *, proved: bool) -> Response:
    """Refuse a message and give its text back; if `proved`, in a form that sends it after all."""
    said = say(refusal)
    page = answer_with_form(
        "message_held.html",
        refusal.status,
        words=said,
        text=fields.get("text", ""),
        proved=proved,
    )
    return tell_when(page, refusal)


def _give_back(refusal: Refusal, text: str, session: Session) -> Response:
    """Refuse a message and show it again, to be changed."""
    said = say(refusal)
    if wants_json(request):
        return tell_when(answer({"error": said}, "", refusal.status), refusal)
    page = render_template(
        "message_refused.html", words=said, text=text, inside=Inside(lambda: session)
    )
    return tell_when(make_response(page, refusal.status), refusal)
