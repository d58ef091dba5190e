"""How a page stays with the source that it was made for, though the browser changes hands.

A browser has one session for all its tabs. A page that was opened with one codename and goes on
sending after another tab came in with another one would put both in one hand. So the page has a
mark, its script sends it back with every request, and what came under another source is refused.

A mark is a fresh nonce and its MAC under the source's own key: no two pages have the same one,
nobody without the codename can tell whose it is, and the server keeps nothing of it.
"""

import hashlib
import hmac
import secrets

from flask import Request

from submit.intake.sessions import Session
from submit.web.errors import OtherSourceError

SOURCE_HEADER = "Nightferry-Source"
_NONCE_OCTETS = 16
_LABEL = b"nightferry page mark 1"


def mark_page(session: Session) -> str:
    """Give a page the mark of its source: nonce and MAC, hexadecimal, with a dot between."""
    nonce = secrets.token_hex(_NONCE_OCTETS)
    return f"{nonce}.{_mac(session, nonce)}"


def require_same_source(request: Request, session: Session) -> None:
    """Return if the request carries no mark, or one of this source's; OtherSourceError."""
    mark = request.headers.get(SOURCE_HEADER)
    if mark is None:
        return
    nonce, _, mac = mark.partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(session, nonce).encode()):
        raise OtherSourceError


def _mac(session: Session, nonce: str) -> str:
    return hmac.new(session.key, _LABEL + nonce.encode(), hashlib.sha256).hexdigest()
