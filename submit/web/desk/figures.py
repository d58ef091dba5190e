"""Days and shares as the desk's pages say them."""

from flask import Flask

PER_PAGE = 100  # items of one source: a page of thousands would take minutes over Tor
_TODAY, _YESTERDAY = 0, 1


def show_desk_figures(app: Flask) -> None:
    """Give templates the functions of this module."""
    app.jinja_env.globals.update(ago=ago, arrived=arrived)


def ago(day: int, today: int) -> str:
    """Say how many days ago a UTC day was.

    >>> ago(7, 7), ago(6, 7), ago(4, 7)
    ('today', 'yesterday', '3 days ago')
    """
    match today - day:
        case days if days <= _TODAY:
            return "today"
        case days if days == _YESTERDAY:
            return "yesterday"
        case days:
            return f"{days} days ago"


def arrived(share: int | None) -> str:
    """Say how much of an unfinished upload has arrived.

    >>> arrived(None), arrived(0), arrived(60)
    ('unfinished', 'less than 10 % arrived', '60 % arrived')
    """
    if share is None:
        return "unfinished"
    return f"{share} % arrived" if share else "less than 10 % arrived"


def pages(count: int, asked: str) -> tuple[int, int]:
    """Give which page is asked for, from 1, and how many there are.

    >>> pages(250, "2"), pages(250, "9"), pages(0, "x")
    ((2, 3), (3, 3), (1, 1))
    """
    last = max(1, -(-count // PER_PAGE))
    known = asked.isascii() and asked.isdecimal() and len(asked) < len(str(1 << 31))
    return (min(max(1, int(asked)), last) if known else 1), last
