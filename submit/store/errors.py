"""What can go wrong on the disk, by cause."""

from http import HTTPStatus

from submit.errors import Refusal


class DiskFullError(Refusal):
    """The disk has no room left above the reserve."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    public = (
        "The server has no room left at the moment. Everything that had arrived is kept. "
        "Wait a few hours, then go on with the same upload; there is no need to start again."
    )


class DiskFaultError(Refusal):
    """The disk failed to write or to make durable; the offset is back at what is durable."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    public = (
        "The server could not write to its disk. What it had confirmed is kept; what came after "
        "is not. Try to go on with the same upload in a few minutes."
    )


class MovedOnError(Exception):
    """Another request has taken this upload over, or the file is no longer as long as expected."""


class MissingFileError(Exception):
    """There is no such sealed file."""


class WrongRevisionError(Exception):
    """The database is not at this version's schema: run `./nightferry migrate`."""


class TakenError(Exception):
    """Another source has this locator or designation already, or somebody makes this upload."""
