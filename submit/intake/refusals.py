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


class OtherCodenameError(Refusal):
    """What was typed back is a codename, but not that of this source."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "These are eight words of our list, but not the codename that you were shown, or they are "
        "in another order. Nothing is lost. Compare each word with what you wrote down, and try "
        "again."
    )


class CodenameInMessageError(Refusal):
    """A message holds the codename of the source that wrote it."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "This message contains your codename, so it was not sent and not kept. Nobody needs your "
        "codename, not even those who read your messages. Take the words out and send it again."
    )


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


class ReplyNotFoundError(Refusal):
    """This source has no reply with this id."""

    status = HTTPStatus.NOT_FOUND
    public = (
        "There is no such reply any more. Perhaps you have deleted it already. Everything else is "
        "as it was. Go back to your messages."
    )


class PartSetNotFoundError(Refusal):
    """This source has no open set of parts with this id."""

    status = HTTPStatus.NOT_FOUND
    public = (
        "This file is not waiting for parts any more. Every part that had arrived is kept. Go "
        "back to your page to see what has arrived."
    )


class UnknownDesignationError(Refusal):
    """Staff named a source that does not exist."""

    status = HTTPStatus.NOT_FOUND
    public = (
        "No source is called that. The reply was not kept. Compare the two words with those in "
        "the name of the source's certificate."
    )


class NotAReplyError(Refusal):
    """It is no OpenPGP message to this source's reply certificate and to nobody else."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "This is no OpenPGP message to this source alone, so it was not kept. Encrypt the text "
        "with gpg --encrypt --recipient-file, to the certificate that came with what this source "
        "sent first, without other recipients and without a passphrase."
    )


class ReplyTooLongError(Refusal):
    """A reply is longer than a reply may be."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    public = (
        "This reply is too long and was not kept. A reply is a text: shorten it, or send several."
    )


class NoReplyKeyError(Refusal):
    """A source from before there were replies has not come back since."""

    status = HTTPStatus.CONFLICT
    public = (
        "This source cannot be answered yet, so the reply was not kept. It gets a certificate for "
        "replies when it comes back for the first time; try again when that has arrived."
    )
