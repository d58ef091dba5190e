"""How a form proves that it is ours.

Inside, the token is the session's own. On the first page there is no session yet, so a random
cookie stands in for it and the form repeats what only a page of ours could have worked out from
it (double submit). Nothing is remembered on the server: it may restart between page and form.
"""

import hashlib
import hmac

from flask import Request

from submit.web.asking import refuse_foreign_page, wants_json
from submit.web.errors import FormTokenError

TOKEN_FIELD = "token"  # noqa: S105 - the name of a form field


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


def derive_form_token(form_secret: str) -> str:
    """Return the token that goes with a form secret: HMAC-SHA256, hexadecimal."""
    return hmac.new(form_secret.encode(), b"form", hashlib.sha256).hexdigest()
