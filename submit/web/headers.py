"""What every answer carries, and which requests are not answered at all.

Rule: one place sets the security headers, for every answer of the site, also the refused ones,
the missing ones and the tus ones. A view never sets any of them.
"""

import re

from flask import Flask, Request, Response, request

from submit.web.errors import ProxiedError, WrongHostError

# Scripts are our own files and nothing else: none inline, none made of text. They add comfort
# to the source's page and talk to this site alone.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

# The desk has no scripts at all.
DESK_POLICY = CONTENT_SECURITY_POLICY.replace("script-src 'self'; connect-src 'self'; ", "")

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

# They tell the machine's clock, its software, or which answer a browser has seen before.
TELLTALE_HEADERS = ("Server", "Date", "ETag", "Last-Modified")

_PORT = re.compile(r":[0-9]+\Z")


def dress_answers(app: Flask, policy: str = CONTENT_SECURITY_POLICY) -> None:
    """Make the app set the security headers, with this policy, on every answer it gives."""
    headers = {**SECURITY_HEADERS, "Content-Security-Policy": policy}

    def dress(response: Response) -> Response:
        for name in TELLTALE_HEADERS:
            response.headers.pop(name, None)
        response.headers.update(headers)
        return response

    app.after_request(dress)


def guard_door(app: Flask, hosts: tuple[str, ...]) -> None:
    """Make the app refuse requests that did not come straight to one of `hosts`.

    `hosts` are names without port, in lower case. WrongHostError, ProxiedError.
    """
    own = frozenset(hosts)

    def refuse_strangers() -> None:
        refuse_proxied(request)
        if host_name(request.headers.get("Host", "")) not in own:
            raise WrongHostError

    app.before_request(refuse_strangers)


def host_name(host: str) -> str:
    """Return the name in a Host header, without port, in lower case."""
    return _PORT.sub("", host).lower()


def refuse_proxied(request: Request) -> None:
    """Refuse what a tor2web gateway or a proxy passed on; ProxiedError.

    Such a gateway reads everything and knows the source's address. Tor itself adds no header.
    """
    for name, _ in request.headers:
        if name.lower().startswith(("x-forwarded-", "x-tor2web")) or name.lower() == "forwarded":
            raise ProxiedError
