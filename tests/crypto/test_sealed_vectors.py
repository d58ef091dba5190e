"""The vectors of sealed files: made by a second writer, judged by a second reader and by GnuPG."""

import base64
import datetime as dt
import json
import subprocess
from pathlib import Path

import pytest

from crypto.archive import Entry, encode_head
from crypto.layout import Layout
from crypto.seal import ChunkCipher, Sealer, data_header, first_plaintext
from tests import reader
from tests.vectors.sealed.make import vectors

FOLDER = Path(__file__).parents[1] / "vectors" / "sealed"
FILES = sorted(FOLDER.glob("*.json"))
every_vector = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
every_opened = pytest.mark.parametrize(
    "file",
    [file for file in FILES if json.loads(file.read_text(encoding="utf-8"))["expect"] == "ok"],
    ids=lambda file: file.stem,
)


class Vector:
    """One vector's file."""

    def __init__(self, file: Path) -> None:
        facts = json.loads(file.read_text(encoding="utf-8"))
        self.expect: str = facts["expect"]
        self.name, self.path = facts.get("name", ""), facts.get("path", "")
        self.content = base64.b64decode(facts.get("content", ""))
        self.session_key = bytes.fromhex(facts["session_key"])
        self.sealed = base64.b64decode(facts["sealed"])


@every_vector
def test_the_second_reader_says_what_the_vector_says(file: Path) -> None:
    """What is well formed opens to its name and content; each fault is refused in its own class."""
    vector = Vector(file)
    if vector.expect == "ok":
        opened = reader.read(vector.sealed, vector.session_key)
        found = (opened.name, opened.receipt["path"], opened.content)
        assert found == (vector.name, vector.path, vector.content)
    else:
        with pytest.raises(reader.ReaderError) as refused:
            reader.read(vector.sealed, vector.session_key)
        assert type(refused.value).__name__ == vector.expect


@every_vector
def test_gpg_refuses_what_does_not_authenticate(file: Path) -> None:
    """GnuPG opens the well formed, and gives no whole message out of what was changed."""
    vector = Vector(file)
    key = f"9:{vector.session_key.hex()}"
    command = ["gpg", "--batch", "--no-options", "--no-keyring", "--override-session-key", key]
    opened = subprocess.run(
        [*command, "--decrypt"], input=vector.sealed, capture_output=True, check=False, timeout=60
    )
    if vector.expect == "ok":
        assert (opened.returncode, vector.content in opened.stdout) == (0, True)
    if vector.expect in {"ChunkError", "EndError", "ParametersError"}:
        assert opened.returncode != 0


def head_of(vector: Vector) -> bytes:
    """Take the tar head out of a vector."""
    prefix = reader.after_pkesks(vector.sealed)
    data = reader.packet(vector.sealed, prefix, reader.ENCRYPTED_DATA)
    plaintext = reader.open_chunks(data.body, vector.session_key)
    tar = reader.tar_of(reader.packet(plaintext, 0, reader.LITERAL).body)
    return tar[: reader.entry(tar).offset_data]


@every_opened
def test_our_sealer_makes_the_same_octets(file: Path) -> None:
    """With the same keys and head, the two writers agree on every octet of a file."""
    vector = Vector(file)
    prefix, head = reader.after_pkesks(vector.sealed), head_of(vector)
    body = reader.packet(vector.sealed, prefix, reader.ENCRYPTED_DATA).body
    iv, layout = body[4:19], Layout(prefix, len(head), len(vector.content))
    cipher = ChunkCipher(vector.session_key, iv)
    sealer = Sealer(cipher, layout, 0, first_plaintext(layout, head))
    sealed = [*sealer.add(vector.content), *sealer.end()]
    assert vector.sealed == vector.sealed[:prefix] + data_header(layout, iv) + b"".join(sealed)


@every_opened
def test_our_head_has_the_same_octets(file: Path) -> None:
    """The tar head that Python's tarfile writes for us is the one built by hand."""
    vector = Vector(file)
    facts = reader.read(vector.sealed, vector.session_key).receipt
    modified, filetype = facts.get("modified"), facts.get("filetype")
    entry = Entry(
        path=vector.path,
        modified=modified if isinstance(modified, int) else None,
        received=dt.date.fromisoformat(str(facts["received"])),
        filetype=filetype if isinstance(filetype, str) else None,
        upload=str(facts["upload"]),
        source=str(facts["source"]),
    )
    assert encode_head(entry, len(vector.content)) == head_of(vector)


def test_the_vectors_are_those_that_the_script_makes() -> None:
    """Nobody edits a vector by hand, and none is left over."""
    made = dict(vectors())
    committed = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FILES}
    assert committed == made


def test_most_vectors_are_refusals() -> None:
    """A reader that accepts everything passes few of them."""
    expects = [Vector(file).expect for file in FILES]
    assert len(expects) > 70
    assert expects.count("ok") < len(expects) / 4
