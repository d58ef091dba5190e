"""What a request asks for, and what it says about where it comes from."""

from http import HTTPMethod

from flask import Request

from submit.web.errors import ForeignPageError

_HTML, _JSON = "text/html", "application/json"


def wants_json(request: Request) -> bool:
    """Tell whether the client prefers JSON. Who accepts anything, or says nothing, gets HTML."""
    return request.accept_mimetypes.best_match([_HTML, _JSON], default=_HTML) == _JSON


def refuse_foreign_page(request: Request) -> None:
    """Refuse a request that another site's page made; ForeignPageError.

    Sec-Fetch-Site is written by the browser alone (W3C Fetch Metadata). Origin proves nothing for
    a form, because `Referrer-Policy: no-referrer` makes every form say `Origin: null` (Fetch,
    "append a request Origin header"); so for HTML the token proves it, and here only JSON,
    which carries no token, is held to its Origin.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise ForeignPageError
    own = {f"{scheme}://{request.headers.get('Host')}" for scheme in ("http", "https")}
    if wants_json(request) and request.headers.get("Origin", min(own)) not in own:
        raise ForeignPageError


def brings_body(request: Request) -> bool:
    """Tell whether the client may still be sending while we answer."""
    return request.method not in {HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS}
