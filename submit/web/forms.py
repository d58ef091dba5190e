"""Reads the short forms: a codename, a message. In memory, up to a limit, never on disk.

Flask's own `request.form` and `request.get_data` are not used anywhere: above 500 KB they put
form parts into temporary files, in clear.
"""

import json
from urllib.parse import parse_qsl

from flask import Request

from submit.web.body import open_short
from submit.web.errors import FieldTooLongError, MalformedFormError, NotAFormError
from submit.web.multipart import READ_LENGTH, Read, parse_boundary, read_parts, read_text

MAX_FIELDS = 16  # our own forms have two
# How much longer a text can be on its way: an octet is %D0, two are \u0434.
_ESCAPED = 3

Fields = dict[str, str]


def read_fields(request: Request, max_length: int) -> Fields:
    """Return the form's texts, of which none is longer than `max_length` octets.

    Takes a form in either of HTML's encodings, or a JSON object of strings. Of two fields with
    one name the last counts. Raises NotAFormError, MalformedFormError, FormCutShortError,
    TooSlowError, FieldTooLongError, TooManyPartsError.
    """
    read = open_short(request)
    match request.mimetype:
        case "multipart/form-data":
            return _read_multipart(read, request.headers["Content-Type"], max_length)
        case "application/x-www-form-urlencoded":
            fields = _parse_urlencoded(read_whole(read, _ESCAPED * max_length))
        case "application/json":
            fields = _parse_json(read_whole(read, _ESCAPED * max_length))
        case "" if not read_whole(read, 0):
            return {}  # a machine client's empty POST
        case _:
            raise NotAFormError
    return _within(fields, max_length)


def read_whole(read: Read, max_length: int) -> bytes:
    """Read a short body into memory; FieldTooLongError if it is clearly longer than allowed."""
    body = bytearray()
    # The field's name and a token come on top of the text.
    while octets := read(READ_LENGTH):
        body += octets
        if len(body) > max_length + READ_LENGTH:
            raise FieldTooLongError
    return bytes(body)


def _read_multipart(read: Read, content_type: str, max_length: int) -> Fields:
    parts = read_parts(read, parse_boundary(content_type), max_parts=MAX_FIELDS)
    return {part.name: read_text(part, max_length) for part in parts}


def _parse_urlencoded(body: bytes) -> Fields:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise MalformedFormError from None
    return dict(pairs)


def _parse_json(body: bytes) -> Fields:
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise MalformedFormError from None
    if not isinstance(fields, dict):
        raise MalformedFormError
    for text in fields.values():
        if not isinstance(text, str) or _has_lone_surrogate(text):
            raise MalformedFormError
    return fields


def _has_lone_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _within(fields: Fields, max_length: int) -> Fields:
    if any(len(text.encode()) > max_length for text in fields.values()):
        raise FieldTooLongError
    return fields
