"""Requests by hand, octet by octet, on sockets that stay open as long as a test wants."""

import socket
from urllib.parse import urlsplit

import requests

from tests.live import Live


class Wire:
    """One connection to the server."""

    def __init__(self, live: Live) -> None:
        self.socket = socket.create_connection(("127.0.0.1", live.port), timeout=30)

    def begin_patch(self, source: requests.Session, url: str, offset: int, length: int) -> None:
        """Send the head of a PATCH; its body is sent by `send`."""
        cookies = "; ".join(f"{name}={value}" for name, value in source.cookies.items())
        self.send(
            f"PATCH {urlsplit(url).path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n"
            f"Tus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\nContent-Length: {length}\r\n"
            "Content-Type: application/offset+octet-stream\r\n\r\n".encode()
        )

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def answer(self) -> bytes:
        """Read one answer's head, or what comes until the server ends the connection."""
        received = b""
        while b"\r\n\r\n" not in received and (octets := self.socket.recv(65536)):
            received += octets
        return received

    def is_closed(self) -> bool:
        """Wait until the server ends the connection."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        self.socket.close()
