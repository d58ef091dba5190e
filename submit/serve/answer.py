"""What gunicorn itself writes: no Server, no Date, no words of the client's or of the inside."""

from http import HTTPStatus

from gunicorn.http import wsgi

# For what is refused before Flask sees it; docs/protocol.md, "Before the application".
_HEADERS = (
    "Connection: close\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Cache-Control: no-store\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
)
_BAD_REQUEST = (
    "This request could not be read, so nothing was changed. What had arrived before is kept.\n"
)
_FAULT = (
    "Something broke on our side. What was confirmed before is kept. Try again in a few minutes.\n"
)


class QuietResponse(wsgi.Response):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's response without the headers that tell its clock and its name."""

    def default_headers(self) -> list[str]:
        """See gunicorn."""
        telltale = ("Server:", "Date:")
        return [line for line in super().default_headers() if not line.startswith(telltale)]

    def process_headers(self, headers: list[tuple[str, str]]) -> None:
        """See gunicorn, which would pass over the application's wish to close."""
        if ("connection", "close") in {(n.lower(), v.lower()) for n, v in headers}:
            self.force_close()
        super().process_headers(headers)


def constant_answer(status: HTTPStatus) -> bytes:
    """Give a whole answer in constant words."""
    words = _BAD_REQUEST if status < HTTPStatus.INTERNAL_SERVER_ERROR else _FAULT
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\n{_HEADERS}Content-Length: {len(words)}\r\n"
    return f"{head}\r\n{words}".encode("ascii")
