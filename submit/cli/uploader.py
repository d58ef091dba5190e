"""tuspy's uploader, making its requests on a session of ours.

tuspy's own requests open a connection each, and wait for ever on one that is dead.
"""

import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.uploader.uploader import Uploader

_FIRST_PIECE, _LEAST_PIECE, _LARGEST_PIECE = 1 << 20, 1 << 18, 4 << 20  # octets in one PATCH
_A_PIECE = 15.0  # seconds that one should take: the offset moves, also on a slow circuit
_BLOCK = 1 << 16  # octets


class SessionUploader(Uploader):
    """One file on its way. What breaks is a TusCommunicationError or requests' own."""

    url: str | None  # type: ignore[assignment] # tuspy's own type is that of its beginning

    def __init__(
        self,
        session: requests.Session,
        uploads: str,
        path: Path,
        metadata: dict[str, str],
        url: str | None,
    ) -> None:
        """Go on at `url`, or begin at `uploads`."""
        self._session, self._uploads = session, uploads
        self._file = path.open("rb")  # It lives as long as this does, through all attempts.
        super().__init__(
            file_stream=self._file,
            client=TusClient(uploads),
            url=url,
            metadata=metadata,
            chunk_size=_FIRST_PIECE,
        )

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def create_url(self) -> str:
        """See tuspy."""
        headers = self.get_url_creation_headers()  # type: ignore[no-untyped-call]
        answer = self._ask("POST", self._uploads, headers)
        return urljoin(self._uploads, _require(answer, "Location"))

    def get_offset(self) -> int:
        """See tuspy."""
        headers = self.get_headers()  # type: ignore[no-untyped-call]
        return int(_require(self._ask("HEAD", str(self.url), headers), "Upload-Offset"))

    def upload_chunk(self) -> None:
        """See tuspy; afterwards the next piece is as long as this one's time allows."""
        octets: int = self.get_request_length()  # type: ignore[no-untyped-call]
        begun = time.monotonic()
        headers = {
            **self.get_headers(),  # type: ignore[no-untyped-call]
            "Upload-Offset": str(self.offset),
            "Content-Type": "application/offset+octet-stream",
        }
        piece = _Piece(self._file, self.offset, octets)
        answer = self._ask("PATCH", str(self.url), headers, piece)
        self.offset = int(_require(answer, "Upload-Offset"))
        if octets == self.chunk_size:
            self.chunk_size = _next_piece(octets, time.monotonic() - begun)

    def _ask(
        self, method: str, url: str, headers: dict[str, Any], body: "_Piece | None" = None
    ) -> requests.Response:
        # What went wrong is to come as a sentence, not as JSON.
        return self._session.request(method, url, headers={**headers, "Accept": "*/*"}, data=body)


class _Piece:
    """A body that is read while it is sent: each block has the patience of a request."""

    def __init__(self, file: IO[bytes], offset: int, octets: int) -> None:
        file.seek(offset)
        self._file, self.len = file, octets

    def __iter__(self) -> Iterator[bytes]:
        left = self.len
        while left and (block := self._file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block


def _next_piece(octets: int, seconds: float) -> int:
    wanted = int(octets / max(seconds, 0.1) * _A_PIECE)
    return min(_LARGEST_PIECE, max(_LEAST_PIECE, wanted))


def ask_metadata(session: requests.Session, url: str) -> str:
    """Give the Upload-Metadata of an unfinished upload; empty if it has none, or is none."""
    answer = session.head(url, headers=Uploader.DEFAULT_HEADERS)
    if answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return ""
    if not answer.ok:
        raise broken(answer.status_code, answer.content)
    return answer.headers.get("Upload-Metadata", "")


def broken(status: int, words: bytes) -> TusCommunicationError:
    """Make tuspy's error of an answer."""
    return TusCommunicationError(None, status, words)  # type: ignore[no-untyped-call]


def _require(answer: requests.Response, header: str) -> str:
    if answer.status_code >= HTTPStatus.MULTIPLE_CHOICES or header not in answer.headers:
        raise broken(answer.status_code, answer.content)
    return str(answer.headers[header])
