"""How a form proves that it is ours, and the two cookies of the source site.

Inside, the token is the session's own. On the first page there is no session yet, so a random
cookie stands in for it and the form repeats what only a page of ours could have worked out from
it (double submit). Nothing is remembered on the server: it may restart between page and form.
"""

import hashlib
import hmac
import re
import secrets

from flask import Request, Response

from submit.web.asking import refuse_foreign_page, wants_json
from submit.web.errors import FormTokenError

SESSION_COOKIE = "nightferry"
FORM_COOKIE = "nightferry_form"
TOKEN_FIELD = "token"  # noqa: S105 - the name of a form field
_FORM_SECRET = re.compile(r"[0-9A-Za-z_-]{43}")  # 32 octets in base64url


def prove_own_form(request: Request, given: str | None, expected: str) -> None:
    """Return if the request comes from our own page, or from no page at all.

    A machine client that asks for JSON carries no token; see `refuse_foreign_page` for why a
    foreign page cannot pass for one. Raises FormTokenError, ForeignPageError.
    """
    refuse_foreign_page(request)
    if wants_json(request):
        return
    if not hmac.compare_digest((given or "").encode(), expected.encode()):
        raise FormTokenError


def recall_form_secret(request: Request) -> str:
    """Return this browser's form secret, or a new one: an open second tab stays usable."""
    kept = request.cookies.get(FORM_COOKIE, "")
    return kept if _FORM_SECRET.fullmatch(kept) else secrets.token_urlsafe(32)


def derive_form_token(form_secret: str) -> str:
    """Return the token that goes with a form secret: HMAC-SHA256, hexadecimal."""
    return hmac.new(form_secret.encode(), b"form", hashlib.sha256).hexdigest()


def keep_form_secret(response: Response, form_secret: str) -> None:
    """Let the browser keep its form secret until it is closed."""
    _set(response, FORM_COOKIE, form_secret)


def give_session(response: Response, cookie: str) -> None:
    """Give the session to the browser, and take back the form secret.

    Without it, loading the page with the codename again does not make a second source.
    """
    _set(response, SESSION_COOKIE, cookie)
    _forget(response, FORM_COOKIE)


def take_session(response: Response) -> None:
    """Make the browser forget its session."""
    _forget(response, SESSION_COOKIE)


def _set(response: Response, name: str, value: str) -> None:
    # No `Secure`: an onion address is reached over http, inside Tor's own encryption.
    # No lifetime: the cookie dies with the browser.
    response.set_cookie(name, value, httponly=True, samesite="Strict", path="/")


def _forget(response: Response, name: str) -> None:
    response.delete_cookie(name, httponly=True, samesite="Strict", path="/")
