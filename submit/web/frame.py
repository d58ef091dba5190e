"""What stands around the content of every page: the way out, and the warning about the address.

Tor's promise to the source rests on the onion address: another address leads over machines that
see who comes, and from where. So a page that was reached in another way says it first.
"""

from dataclasses import dataclass

from flask import Flask, request

from submit.intake.sources import Sources
from submit.web.headers import host_name
from submit.web.inside import Inside, look

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, slots=True)
class Address:
    """How this page was reached. `address` is the onion address to use, where one is known."""

    is_onion: bool
    is_loopback: bool
    address: str | None


def frame_pages(app: Flask, sources: Sources, hosts: tuple[str, ...]) -> None:
    """Let every template know who is `inside`, and whether it was reached through Tor: `onion`."""
    onion = next(filter(_is_onion, hosts), None)

    def frame() -> dict[str, object]:
        name = host_name(request.headers.get("Host", ""))
        reached = Address(_is_onion(name), name in _LOOPBACK, onion)
        return {"onion": reached, "inside": Inside(lambda: look(sources))}

    app.context_processor(frame)


def _is_onion(host: str) -> bool:
    return host.endswith(".onion")
