"""The source site's cookies: the session, the form secret of who is not inside yet, the language.

The first two are random and say nothing. None has a lifetime: it dies with the browser.
"""

import re
import secrets

from flask import Request, Response

SESSION_COOKIE = "nightferry"
FORM_COOKIE = "nightferry_form"
LANGUAGE_COOKIE = "nightferry_language"
_FORM_SECRET = re.compile(r"[0-9A-Za-z_-]{43}")  # 32 octets in base64url


def session_cookie(request: Request) -> str | None:
    """Return the session cookie that came with a request."""
    return request.cookies.get(SESSION_COOKIE)


def form_secret(request: Request, name: str = FORM_COOKIE) -> str:
    """Return this browser's form secret, or a new one: an open second tab stays usable."""
    kept = request.cookies.get(name, "")
    return kept if _FORM_SECRET.fullmatch(kept) else secrets.token_urlsafe(32)


def keep_form_secret(response: Response, secret: str) -> None:
    """Let the browser keep its form secret."""
    set_cookie(response, FORM_COOKIE, secret)


def give_session(response: Response, cookie: str) -> None:
    """Give the session to the browser, and take back the form secret.

    Without the secret, loading the page with the codename again makes no second source.
    """
    set_cookie(response, SESSION_COOKIE, cookie)
    forget_cookie(response, FORM_COOKIE)


def take_session(response: Response) -> None:
    """Make the browser forget its session."""
    forget_cookie(response, SESSION_COOKIE)


def kept_language(request: Request) -> str | None:
    """Return the language that came in the cookie, as it came: whatever somebody wrote there."""
    return request.cookies.get(LANGUAGE_COOKIE)


def keep_language(response: Response, code: str) -> None:
    """Let the browser keep the chosen language."""
    set_cookie(response, LANGUAGE_COOKIE, code)


def set_cookie(response: Response, name: str, value: str) -> None:
    """Give the browser a cookie that dies with it."""
    # No `Secure`: an onion address is reached over http, inside Tor's own encryption.
    response.set_cookie(name, value, httponly=True, samesite="Strict", path="/")


def forget_cookie(response: Response, name: str) -> None:
    """Make the browser forget a cookie."""
    response.delete_cookie(name, httponly=True, samesite="Strict", path="/")
