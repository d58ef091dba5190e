"""What the server must remember of an unfinished upload; at rest only wrapped.

It is wrapped under the source's key, so it opens while its source is logged in and at no
other time. When the upload is complete it is replaced by the length alone, for a day.
"""

import base64
import json
from dataclasses import dataclass, field

from crypto.layout import Layout
from crypto.wrap import PaddedWrapped, WrappingKey, unwrap_padded, wrap_padded

_STATE = b"unfinished upload"
_LENGTH = b"complete upload's length"


@dataclass(frozen=True, slots=True)
class UploadState:
    """Everything that a request needs to go on. The head is kept as it was made at creation."""

    session_key: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    prefix: int
    head: bytes = field(repr=False)
    length: int
    name: str = field(repr=False)
    path: str | None = field(repr=False)
    metadata: str = field(repr=False)
    part_set: str | None = None
    part: int | None = None

    @property
    def layout(self) -> Layout:
        """Where everything lies in this upload's file."""
        return Layout(self.prefix, len(self.head), self.length)


def wrap_state(key: WrappingKey, upload: str, state: UploadState) -> bytes:
    """Wrap the state under the source's key, bound to the upload's id."""
    fields = {
        "session_key": base64.b64encode(state.session_key).decode(),
        "iv": base64.b64encode(state.iv).decode(),
        "prefix": state.prefix,
        "head": base64.b64encode(state.head).decode(),
        "length": state.length,
        "name": state.name,
        "path": state.path,
        "metadata": state.metadata,
        "part_set": state.part_set,
        "part": state.part,
    }
    return wrap_padded(key, _STATE, upload.encode(), json.dumps(fields).encode())


def unwrap_state(key: WrappingKey, upload: str, wrapped: bytes) -> UploadState:
    """Undo `wrap_state`; crypto's AuthenticationError if it was another key's or upload's."""
    fields = json.loads(unwrap_padded(key, _STATE, upload.encode(), PaddedWrapped(wrapped)))
    for name in ("session_key", "iv", "head"):
        fields[name] = base64.b64decode(fields[name])
    return UploadState(**fields)


def wrap_length(key: WrappingKey, upload: str, length: int) -> bytes:
    """Wrap what is still answered of a complete upload."""
    return wrap_padded(key, _LENGTH, upload.encode(), str(length).encode())


def unwrap_length(key: WrappingKey, upload: str, wrapped: bytes) -> int:
    """Undo `wrap_length`."""
    return int(unwrap_padded(key, _LENGTH, upload.encode(), PaddedWrapped(wrapped)))
