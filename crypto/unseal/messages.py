"""All messages of a source in one file, to be read in any order of windows: by day."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from crypto.unseal.content import disk_errors
from crypto.unseal.journal import Item
from crypto.unseal.terminal import is_plain

_LONGEST = 1 << 20  # octets of one message that are shown here
_MESSAGE = "message"


def as_text(folder: Path, items: Sequence[Item]) -> str:
    """Give the messages of a bag, oldest first, harmless for a terminal. Their files are untouched."""
    messages = [item for item in items if item.kind == _MESSAGE]
    if not messages:
        return "This source has sent no message.\n"
    messages.sort(key=lambda item: (item.received, item.place))
    return "\n".join(line for item in messages for line in _lines(folder, item))


def _lines(folder: Path, item: Item) -> Iterator[str]:
    with disk_errors(folder), (folder / item.place).open("rb") as file:
        text = file.read(_LONGEST).decode(errors="replace")
    yield f"=== {item.received}   ({item.place}) ==="
    yield ""
    yield from (_plain(line) for line in text.splitlines())
    if item.kept > _LONGEST:
        yield "[the rest of this message is in its file]"
    yield ""


def _plain(line: str) -> str:
    return "".join(c if is_plain(c) or c == "\t" else f"<U+{ord(c):04X}>" for c in line)
