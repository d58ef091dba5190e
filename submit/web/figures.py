"""Numbers, sizes and days as the page's language writes them."""

import datetime as dt

import flask_babel
from flask import Flask

from submit.web import words
from submit.web.languages import gettext

_EPOCH = dt.date(1970, 1, 1)


def show_figures(app: Flask) -> None:
    """Give templates the filters and functions of this module, and those of `words`."""
    app.jinja_env.filters.update(
        day=day, number=number, size=size, in_fours=words.in_fours, shown=words.shown
    )
    app.jinja_env.globals.update(share=share)


def number(count: int) -> str:
    """Write a count with the language's own grouping."""
    return str(flask_babel.format_decimal(count))


def day(number: int) -> str:
    """Write a UTC day number (0 is 1970-01-01) as a date."""
    return str(flask_babel.format_date(_EPOCH + dt.timedelta(days=number), "long"))


def iso_day(number: int) -> str:
    """Write a UTC day number as programs read it: ISO 8601."""
    return (_EPOCH + dt.timedelta(days=number)).isoformat()


def size(octets: int) -> str:
    """Write a length in octets; see `words.tenths`, never rounded up."""
    tenths, unit = words.tenths(octets)
    amount = str(flask_babel.format_decimal(tenths, "#,##0.#"))
    # Written out, so that translators meet each of them.
    match unit:
        case "bytes":
            return gettext("%(amount)s bytes", amount=amount)
        case "KB":
            return gettext("%(amount)s KB", amount=amount)
        case "MB":
            return gettext("%(amount)s MB", amount=amount)
        case "GB":
            return gettext("%(amount)s GB", amount=amount)
        case _:
            return gettext("%(amount)s TB", amount=amount)


def share(offset: int, length: int) -> str:
    """Write how much of an upload has arrived, in whole hundredths, never rounded up."""
    hundredths = words.hundredths(offset, length)
    if offset and not hundredths:
        return gettext("less than %(share)s", share=flask_babel.format_percent(0.01))
    return str(flask_babel.format_percent(hundredths / 100))
