"""What the desk refuses, in words for staff who are no engineers."""

from http import HTTPStatus

from submit.errors import StaffRefusal


class WrongLoginError(StaffRefusal):
    """Name, passphrase and code are not right together; which of them is not said."""

    status = HTTPStatus.FORBIDDEN
    public = (
        "Name, passphrase and code do not fit together. Nothing was changed. Check the words, "
        "check that the clock of your phone is right, wait for the next code, and try again: "
        "each code is taken once."
    )


class NoStaffSessionError(StaffRefusal):
    """Nobody is logged in, or the session has ended."""

    status = HTTPStatus.UNAUTHORIZED
    public = (
        "You are not logged in, or nothing was done for too long. Nothing was changed. Log in, "
        "then go on where you were."
    )


class DeskBusyError(StaffRefusal):
    """Too many logins are being checked."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    public = (
        "Too many logins are being checked at this moment. Nothing was changed. Try again in a "
        "minute, with the code that is shown then."
    )
    retry_after = 30  # seconds


class SourceNotFoundError(StaffRefusal):
    """There is no source with this id."""

    status = HTTPStatus.NOT_FOUND
    public = "There is no such source any more: it was deleted, or its time was over."


class SealedNotFoundError(StaffRefusal):
    """There is no sealed file with this id."""

    status = HTTPStatus.NOT_FOUND
    public = (
        "There is no such file any more: staff deleted it, its source took it back before it was "
        "complete, or its time was over."
    )


class UnfinishedDeletionError(StaffRefusal):
    """The upload may still go on."""

    status = HTTPStatus.CONFLICT
    public = (
        "This upload is not finished, and its source may still go on with it. It was not deleted. "
        "To delete it all the same, say that you know that it is unfinished."
    )


class UnfinishedMarkError(StaffRefusal):
    """What is unfinished counts as fetched by nobody: it may still grow."""

    status = HTTPStatus.CONFLICT
    public = (
        "This upload is not finished, so it cannot be marked: more of it may come. Nothing was "
        "changed. Mark it when it is complete, or when it has been given up."
    )


class UnfetchedDeletionError(StaffRefusal):
    """Nobody has fetched the file."""

    status = HTTPStatus.CONFLICT
    public = (
        "Nobody has fetched this file, so it was not deleted: there is no other copy. Fetch it "
        "first, or say that you want to delete it unread."
    )


class ChangedSourceError(StaffRefusal):
    """What is unfetched or unfinished of the source is not what the page showed."""

    status = HTTPStatus.CONFLICT
    public = (
        "Since you opened the page of this source, something has arrived or has changed there, so "
        "nothing was deleted. Open the page again, see what has not been fetched, and decide then."
    )


class UnseenDeletionError(StaffRefusal):
    """Something of the source is unfetched or unfinished, and nobody said that this is known."""

    status = HTTPStatus.CONFLICT
    public = (
        "Something of this source has not been fetched, or is not finished, so nothing was "
        "deleted: there is no other copy. Fetch it first, or say that you know."
    )


class OtherDesignationError(StaffRefusal):
    """The typed words are not those of this source."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "These are not the two words of this source, so nothing was deleted. To delete it, type "
        "its two words exactly as they stand on the page."
    )


class NoMessageError(StaffRefusal):
    """A reply without anything in it."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "No reply was chosen, so nothing was kept. Choose the file that gpg has written, or paste "
        "all of its text."
    )


class StaffNameError(StaffRefusal):
    """It is no name for a staff account."""

    status = HTTPStatus.BAD_REQUEST
    public = (
        "A name has 1 to 32 characters: small letters, digits, dots and hyphens, a letter or digit "
        "first. Nothing was changed."
    )


class StaffNameTakenError(StaffRefusal):
    """There is an account of this name."""

    status = HTTPStatus.CONFLICT
    public = (
        "There is an account of this name already. Nothing was changed. For a new passphrase and "
        "a new code, reset it."
    )


class NoSuchStaffError(StaffRefusal):
    """There is no account of this name."""

    status = HTTPStatus.NOT_FOUND
    public = "There is no account of this name. Nothing was changed. `staff list` names them all."
