"""Why the pages refuse a request before anything inside is asked.

The words are for a source who is frightened and on a bad connection: what happened, what was
kept, what to do next. What the inside refuses is written in submit/intake and submit/tus.
"""

from http import HTTPStatus

from submit.errors import Refusal


class WrongHostError(Refusal):
    """The Host header names none of this service's own addresses."""

    status = HTTPStatus.MISDIRECTED_REQUEST
    public = (
        "This page answers only at its own onion address. Nothing was kept. "
        "Open the address again, exactly as it was given to you."
    )


class ProxiedError(Refusal):
    """A header shows that a proxy stands between the source and Tor."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "Your request came through a go-between that can see who you are and what you send. "
        "Nothing was kept. Please close this page and open our onion address in Tor Browser."
    )


class FormTokenError(Refusal):
    """The form carries no token, or one that this browser's cookie did not make."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "We could not tell that this form came from our own page: the page may be old, used "
        "already, or your browser did not keep our cookie. Nothing from it was kept. "
        "Go back to the start and try again. If it happens again, allow cookies for this site."
    )


class OtherSourceError(Refusal):
    """The request carries the mark of a page that was made for another source."""

    # Not 403: that says that nobody is logged in, and not 404: the upload is no other's.
    status = HTTPStatus.PRECONDITION_FAILED
    public = (
        "This browser is logged in with another codename now, so nothing more was sent from this "
        "page. What had arrived is kept. To go on, enter the codename that you began with on the "
        "first page, and choose the same files or folder again."
    )


class CodenameShownError(Refusal):
    """The page with the codename was loaded again; a second source must not come of that."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "Your codename was shown already. It is shown only once. Go on, and type it from your "
        "paper. If you did not write it down, you can get a new one there; nothing is lost."
    )


class ForeignPageError(Refusal):
    """The browser says that another site's page made this request."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "Another site tried to send this in your name. Nothing was kept or changed. "
        "Open our address yourself and try again."
    )


class MalformedFormError(Refusal):
    """The body is not the form, or the JSON object, that its Content-Type announces."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "We could not read what arrived. Files that had arrived before this point are kept; "
        "the rest is not. Please try again."
    )


class FormCutShortError(Refusal):
    """The body ended before the form did: the connection broke."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "The connection broke before everything had arrived. Files that had arrived completely "
        "are kept; the last one is not. Please send the missing ones again."
    )


class TooSlowError(Refusal):
    """A short form was on its way for so long that its thread was needed for others."""

    status = HTTPStatus.REQUEST_TIMEOUT
    public = "We could not read this request. Nothing from it was kept. Please try again."


class NotAFormError(Refusal):
    """The Content-Type is neither a form nor JSON."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    public = (
        "We could not read this kind of request. Nothing was kept. "
        "Please use the forms on our own pages."
    )


class FieldTooLongError(Refusal):
    """A text is longer than the memory that is set aside for it."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    public = (
        "This text is too long. It was not kept. "
        "Send it in several messages, or save it as a file and send the file."
    )


class TooManyPartsError(Refusal):
    """One form holds more parts than MAX_PARTS."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    public = (
        "There were too many files at once. Those that are counted here arrived and are kept; "
        "the others are not. Please send the others in smaller groups."
    )


class NoFileChosenError(Refusal):
    """The form arrived whole and no file was in it."""

    status = HTTPStatus.BAD_REQUEST
    public = "No file was chosen, so nothing was sent. Choose one or more files, then send them."
