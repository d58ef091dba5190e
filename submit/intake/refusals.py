"""What the intake refuses, in words for a frightened person."""

from http import HTTPStatus

from submit.errors import Refusal


class NoSessionError(Refusal):
    """There is no session, or it has ended."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "You are not logged in, or you were away for too long. Everything that had arrived is "
        "kept. Enter your codename again to go on."
    )


class WrongCodenameError(Refusal):
    """No source has this codename."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "This codename is not known here. Nothing is lost. Compare each word with what you wrote "
        "down, and their order, and try again."
    )


class MistypedWordRefusal(Refusal):
    """A word of the codename is not in the list. `position` counts from 0."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "One word of the codename is not in our list of words. Nothing is lost. Compare it with "
        "what you wrote down and try again."
    )

    def __init__(self, position: int, suggestion: str | None) -> None:
        """Take the word's place and, from the list alone, the word it is nearest to."""
        super().__init__()
        self.position = position
        self.suggestion = suggestion


class WordCountRefusal(Refusal):
    """A codename has eight words. `count` were typed, or None: too much to be counted."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "A codename has eight words, with a space between each two. Nothing is lost. Enter all "
        "eight, in the order in which you wrote them down."
    )

    def __init__(self, count: int | None) -> None:
        """Take how many words there were."""
        super().__init__()
        self.count = count


class BusyError(Refusal):
    """Too many uploads at once, or too many codenames being checked."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    public = (
        "Too many people are sending at this moment. Everything that had arrived is kept. Wait "
        "a minute, then go on; there is no need to start again."
    )
    retry_after = 30  # seconds


class TooLargeError(Refusal):
    """A form's file is longer than a form may carry."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    public = (
        "This file is too large for one piece of a form. It was not kept; the files before it "
        "were. Split it into smaller parts and send those."
    )


class MessageTooLongError(Refusal):
    """A message is longer than the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    public = (
        "This message is too long and was not kept. Save it as a text file and send the file, "
        "or send it in several messages."
    )


class EmptyMessageError(Refusal):
    """A message without a letter in it."""

    status = HTTPStatus.BAD_REQUEST
    public = "The message was empty, so nothing was sent."


class SealingError(Refusal):
    """GnuPG made no session key: a certificate has expired, or GnuPG is gone."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    public = (
        "The server cannot seal anything new at the moment, so it takes nothing. Everything that "
        "had arrived is kept and sealed. Try again tomorrow."
    )


class DamagedUploadError(Refusal):
    """Reading back found a chunk that does not authenticate; the offset went back to it."""

    status = HTTPStatus.CONFLICT
    public = (
        "The server's disk had damaged a part of this upload, and it was found before it was too "
        "late. What is sound is kept. Go on with the same upload: the damaged part is sent again."
    )
