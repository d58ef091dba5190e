"""What listens on a healthy host: two sites and a tor, so far as the doctor speaks to them."""

import socketserver
from pathlib import Path


class HttpSpeaker(socketserver.ThreadingUnixStreamServer):
    """A site that answers every request with one status."""

    daemon_threads = True

    def __init__(self, place: Path) -> None:
        super().__init__(str(place), _Answer)
        place.chmod(0o660)
        self.status = 200


class _Answer(socketserver.StreamRequestHandler):
    server: HttpSpeaker

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(f"HTTP/1.1 {self.server.status} X\r\nContent-Length: 0\r\n\r\n".encode())


class ControlSpeaker(socketserver.ThreadingUnixStreamServer):
    """A tor that answers GETINFO (control-spec, section 3.9)."""

    daemon_threads = True

    def __init__(self, place: Path, cookie: bytes, onions: tuple[str, ...]) -> None:
        super().__init__(str(place), _Control)
        self.cookie = cookie
        self.knows = {
            "status/bootstrap-phase": 'NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"',
            "status/circuit-established": "1",
        }
        self.descriptors = {onion.removesuffix(".onion") for onion in onions}


class _Control(socketserver.StreamRequestHandler):
    server: ControlSpeaker

    def handle(self) -> None:
        while words := self.rfile.readline().decode().split():
            self.wfile.write(self._answer(words).encode())

    def _answer(self, words: list[str]) -> str:
        if words[0] == "AUTHENTICATE":
            right = words[1] == self.server.cookie.hex()
            return "250 OK\r\n" if right else "515 Authentication failed\r\n"
        key = words[1]
        if key in self.server.knows:
            return f"250-{key}={self.server.knows[key]}\r\n250 OK\r\n"
        if key.rpartition("/")[2] in self.server.descriptors:
            return f"250+{key}=\r\nhs-descriptor 3\r\n.\r\n250 OK\r\n"
        return f'552 Unknown key "{key}"\r\n'
