"""Why the desk's pages refuse a request before anything inside is asked."""

from http import HTTPStatus

from submit.errors import StaffRefusal


class RangeError(StaffRefusal):
    """It is not one range of octets, or the file has none of them."""

    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    public = (
        "The file has no such part; perhaps all of it has been fetched already. Ask for one range "
        "of octets that begins before its end."
    )
