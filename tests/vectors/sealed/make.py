"""Make the vectors of sealed files: a second writer, from docs/format.md, with hands for every fault.

    python -m tests.vectors.sealed.make

It shares no code with crypto/ and none with tests/reader.py. Keys, IV and content are fixed, so
it always writes the same files; a test compares them.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESOCB3

HERE = Path(__file__).parent
SESSION_KEY = bytes(range(0x40, 0x60))
PKESK = bytes([0xC1, 13, 3]) + bytes(8) + bytes([1, 0, 1, 1])
CHUNK = 65_536


@dataclass(frozen=True)
class File:
    """A sealed file in its parts. The defaults are right; each fault replaces one of them."""

    content: bytes = b"a testimony"
    name: bytes = b"note.txt"
    path: str | None = None  # the exact one, if it is not `name`
    modified: int | None = 1_700_000_000_123
    filetype: str | None = "text/plain"

    more_facts: Mapping[str, object] = field(default_factory=dict)
    separators: tuple[str, str] = (",", ":")
    entry_type: bytes = b"0"
    entry_mode: bytes = b"0000600"
    keyword: bytes = b"comment"
    archive_end: Callable[[bytes], bytes] = lambda end: end

    literal_fields: bytes = b"b\0" + bytes(4)
    literal_tag: int = 11
    definite: Callable[[int], bytes] = lambda length: b"\xff" + length.to_bytes(4, "big")

    padding_tag: int = 21
    padding: Callable[[bytes], bytes] = lambda zeros: zeros
    behind_padding: bytes = b""

    parameters: bytes = bytes([1, 9, 2, 10])
    associated: bytes = bytes([0xD4, 1, 9, 2, 10])
    iv: bytes = bytes(range(15))
    indices: Callable[[int], int] = lambda index: index
    total: Callable[[int], int] = lambda total: total
    chunks: Callable[[list[bytes]], list[bytes]] = lambda chunks: chunks
    end: Callable[[bytes], bytes] = lambda tag: tag

    pkesks: bytes = PKESK
    data_tag: int = 20
    data_length: Callable[[int], int] = lambda length: length
    data_definite: Callable[[int], bytes] = lambda length: b"\xff" + length.to_bytes(4, "big")
    sealed: Callable[[bytes], bytes] = lambda sealed: sealed


# --- tar --------------------------------------------------------------------------------------


def block(name: bytes, size: int, seconds: int, kind: bytes, mode: bytes) -> bytes:
    """One header block (POSIX ustar)."""
    numbers = mode + b"\0" + b"0000000\0" * 2 + b"%011o\0%011o\0" % (size, seconds)
    head = name.ljust(100, b"\0") + numbers + b" " * 8 + kind + bytes(100) + b"ustar\x0000"
    whole = bytearray(head.ljust(512, b"\0"))
    whole[148:156] = b"%06o\0 " % sum(whole)
    return bytes(whole)


def record(keyword: bytes, value: bytes) -> bytes:
    """One record of a pax header; its length counts its own digits."""
    length = len(keyword) + len(value) + 3
    digits = next(d for d in range(1, 9) if len(str(length + d)) == d)
    return b"%d %s=%s\n" % (length + digits, keyword, value)


def receipt(file: File) -> bytes:
    """The facts of a file, as JSON."""
    path = file.name.decode() if file.path is None else file.path
    facts = {
        "nightferry": 1,
        "upload": "a" * 26,
        "source": "quiet harbour",
        "received": "2023-11-15",
        "path": path,
        "modified": file.modified,
        "filetype": file.filetype,
        **file.more_facts,
    }
    known = {fact: value for fact, value in facts.items() if value is not None}
    return json.dumps(known, separators=file.separators).encode()


def tar(file: File) -> bytes:
    """The pax header, the entry's header, the content, and what follows it."""
    midnight = 1_700_006_400
    milliseconds = midnight * 1000 if file.modified is None else file.modified
    records = record(file.keyword, receipt(file))
    if not file.name.isascii() or len(file.name) > 100:
        records += record(b"path", file.name)
    records += record(b"mtime", f"{milliseconds / 1000}".encode())
    extended = block(b"././@PaxHeader", len(records), 0, b"x", b"0000000") + records
    extended += bytes(-len(extended) % 512)
    name = file.name.decode().encode("ascii", "replace")[:100]
    seconds = round(milliseconds / 1000)
    entry = block(name, len(file.content), seconds, file.entry_type, file.entry_mode)
    end = bytes(-len(file.content) % 512 + 1024)
    return extended + entry + file.content + file.archive_end(end)


# --- OpenPGP ----------------------------------------------------------------------------------


def padme(length: int) -> int:
    """The Padmé size of a length, by trying: the first with few enough bits."""
    exponent = len(f"{length:b}") - 1
    unit = 2 ** (exponent - len(f"{exponent:b}"))
    while length % unit:
        length += 1
    return length


def plaintext(file: File) -> bytes:
    """The literal packet and the padding packet."""
    body = file.literal_fields + tar(file)
    literal = bytes([0xC0 | file.literal_tag]) + file.definite(len(body)) + body
    size = padme(max(4096, len(literal) + 7))
    zeros = file.padding(bytes(size - len(literal) - 6))
    header = bytes([0xC0 | file.padding_tag]) + b"\xff" + len(zeros).to_bytes(4, "big")
    return literal + header + zeros + file.behind_padding


def chunks(file: File, plain: bytes) -> Iterator[bytes]:
    """Each chunk, sealed in its place."""
    for index, at in enumerate(range(0, len(plain), CHUNK)):
        associated = file.associated + file.indices(index).to_bytes(8, "big")
        nonce = nonce_of(file, file.indices(index))
        yield AESOCB3(SESSION_KEY).encrypt(nonce, plain[at : at + CHUNK], associated)


def nonce_of(file: File, index: int) -> bytes:
    """The IV, its low octets XOR the index."""
    return file.iv[:7] + bytes(
        a ^ b for a, b in zip(file.iv[7:], index.to_bytes(8, "big"), strict=True)
    )


def seal(file: File) -> bytes:
    """The whole file."""
    plain = plaintext(file)
    sealed = list(chunks(file, plain))
    count, total = file.indices(len(sealed)), file.total(len(plain))
    counts = count.to_bytes(8, "big") + total.to_bytes(8, "big")
    end = AESOCB3(SESSION_KEY).encrypt(nonce_of(file, count), b"", file.associated + counts)
    body = file.parameters + file.iv + b"".join(file.chunks(sealed)) + file.end(end)
    length = file.data_definite(file.data_length(len(body)))
    return file.sealed(file.pkesks + bytes([0xC0 | file.data_tag]) + length + body)


# --- the vectors ------------------------------------------------------------------------------

TWO_CHUNKS = File(content=bytes(range(256)) * 250)


def definite_of_one_octet_more(length: int) -> bytes:
    """A length that counts one octet too many."""
    return b"\xff" + (length + 1).to_bytes(4, "big")


def short_form(length: int) -> bytes:
    """The shortest length of RFC 9580, two octets, where the format wants five."""
    return (length - 192 + 0xC000).to_bytes(2, "big")


def partial_form(length: int) -> bytes:
    """A partial length of 512 octets where the format wants one of five octets."""
    return bytes([224 + 9])


def flip(octets: bytes, at: int) -> bytes:
    """Change one bit of one octet."""
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]


OPENED = {
    "a_note": (File(), "Eleven octets in one chunk of 4096."),
    "empty": (File(content=b""), "No content at all is a content."),
    "two_chunks": (TWO_CHUNKS, "64,000 octets: the second chunk is shorter than the first."),
    "cyrillic_name": (File(name="видео-17.mp4".encode()), "A name beyond ASCII."),
    "climbing_name": (File(name=b"__/__/x", path="../../x"), "The exact name is in the receipt."),
    "name_with_nul": (File(name=b"a_b", path="a\0b"), "No file has NUL in its name."),
    "name_with_line_end": (File(name=b"a\nb"), "A file can have it, so the entry has it."),
    "long_name": (
        File(name=b"n" * 255),
        "The longest name; the entry's header has 100 octets of it.",
    ),
    "no_facts": (File(modified=None, filetype=None), "Without a time, the entry has midnight."),
    "before_the_first_second": (File(modified=1), "One millisecond after 1970 began."),
    "high_iv": (File(iv=b"\xff" * 15), "The index is XORed into octets that are all ones."),
    "several_recipients": (File(pkesks=PKESK * 3), "A packet for each recipient."),
}

FRAMING = {
    "cut_in_the_last_tag": (File(sealed=lambda s: s[:-1]), "One octet missing."),
    "final_tag_missing": (File(sealed=lambda s: s[:-16]), "Cut at the end of the last chunk."),
    "cut_behind_the_iv": (File(sealed=lambda s: s[: 15 + 25]), "No chunk at all."),
    "cut_in_the_length": (File(sealed=lambda s: s[: 15 + 3]), "Not even a whole length."),
    "only_recipients": (File(sealed=lambda _: PKESK), "No encrypted data."),
    "nothing": (File(sealed=lambda _: b""), "An empty file."),
    "octet_behind": (File(sealed=lambda s: s + b"\0"), "One octet too many."),
    "two_messages": (File(sealed=lambda s: s + s), "A second message behind the first."),
    "no_recipient": (File(pkesks=b""), "Nobody could open it."),
    "recipients_packet_of_version_6": (
        File(pkesks=PKESK[:2] + b"\x06" + PKESK[3:]),
        "A session key's packet that we never write.",
    ),
    "marker_packet_first": (File(pkesks=b"\xca\x03PGP" + PKESK), "RFC 9580 ignores it; we do not."),
    "data_of_rfc_9580": (File(data_tag=18), "Another tag of encrypted data."),
    "data_length_of_two_octets": (File(data_definite=short_form), "A length in its short form."),
    "data_length_partial": (File(data_definite=partial_form), "Partial lengths below 2^32."),
    "data_length_too_large": (File(data_length=lambda n: n + 1), "More is promised than there is."),
    "data_length_too_small": (File(data_length=lambda n: n - 1), "Less is promised than there is."),
    "literal_length_of_two_octets": (File(definite=short_form), "The same inside."),
    "literal_length_partial": (File(definite=partial_form), "The same inside."),
    "literal_length_too_large": (
        File(definite=definite_of_one_octet_more),
        "The padding begins one octet late.",
    ),
    "compressed": (File(literal_tag=8), "A packet that GnuPG would write there by default."),
    "marker_instead_of_padding": (File(padding_tag=10), "Zeros in a packet of another kind."),
    "packet_behind_padding": (File(behind_padding=b"\xca\x03PGP"), "Nothing follows the padding."),
}

OTHERS = {
    "ParametersError": {
        "version_2": (File(parameters=bytes([2, 9, 2, 10])), "Another version of the packet."),
        "aes_128": (File(parameters=bytes([1, 7, 2, 10])), "Another cipher."),
        "eax": (File(parameters=bytes([1, 9, 1, 10])), "Another mode."),
        "smaller_chunks": (File(parameters=bytes([1, 9, 2, 9])), "Chunks of 32 KiB."),
    },
    "ChunkError": {
        "first_chunk_changed": (File(chunks=lambda c: [flip(c[0], 0)]), "One bit of a chunk."),
        "tag_changed": (File(chunks=lambda c: [flip(c[0], len(c[0]) - 1)]), "One bit of its tag."),
        "iv_changed": (File(sealed=lambda s: flip(s, 15 + 24)), "One bit of the IV."),
        "second_chunk_changed": (
            replace(TWO_CHUNKS, chunks=lambda c: [c[0], flip(c[1], 5)]),
            "The first chunk may be salvaged.",
        ),
        "chunks_swapped": (replace(TWO_CHUNKS, chunks=lambda c: c[::-1]), "The second one first."),
        "first_chunk_missing": (
            replace(TWO_CHUNKS, chunks=lambda c: c[1:]),
            "An end without its beginning.",
        ),
        "wrong_index": (
            File(indices=lambda index: index + 1),
            "Sealed as chunk 1, standing first.",
        ),
        "index_in_no_nonce": (
            File(associated=bytes([0xD4, 1, 9, 2, 10]) + bytes(8)),
            "Other associated data.",
        ),
        "associated_with_another_tag": (
            File(associated=bytes([0xD2, 1, 9, 2, 10])),
            "The packet's tag is authenticated.",
        ),
        "empty_chunk_last": (
            File(chunks=lambda c: [*c, AESOCB3(SESSION_KEY).encrypt(bytes(15), b"", b"")]),
            "A chunk of no octets.",
        ),
    },
    "EndError": {
        "last_chunk_missing": (
            replace(TWO_CHUNKS, chunks=lambda c: c[:1]),
            "Cut at a chunk's edge, with a new length.",
        ),
        "final_tag_of_another_length": (File(total=lambda n: n + 1), "It counts one octet more."),
        "final_tag_changed": (File(end=lambda tag: flip(tag, 3)), "One bit of the final tag."),
        "final_tag_twice_the_chunk_tag": (
            File(end=lambda _: bytes(16)),
            "Zeros where the final tag belongs.",
        ),
    },
    "LiteralError": {
        "literal_text": (File(literal_fields=b"t\0" + bytes(4)), "A text, which gpg may convert."),
        "literal_with_date": (File(literal_fields=b"b\0\x65\0\0\0"), "A date outside the tar."),
        "literal_with_name": (File(literal_fields=b"b\x01n" + bytes(4)), "A name outside the tar."),
    },
    "PaddingError": {
        "padding_not_zero": (File(padding=lambda z: b"\x01" + z[1:]), "Its first octet is 1."),
        "padding_not_zero_at_the_end": (File(padding=lambda z: z[:-1] + b"\x01"), "Its last is 1."),
        "padding_too_short": (File(padding=lambda z: z[1:]), "4095 octets of plaintext."),
        "padding_too_long": (File(padding=lambda z: z + bytes(256)), "The next Padmé size."),
    },
    "ArchiveError": {
        "link": (File(entry_type=b"2"), "A symbolic link: findings OS 2.6.4, CVE-2022-21690."),
        "device": (File(entry_type=b"3"), "A character device."),
        "folder": (File(entry_type=b"5"), "A folder."),
        "executable": (File(entry_mode=b"0000700"), "Finding SD#2238: nothing can be run."),
        "set_user_id": (File(entry_mode=b"0004600"), "Another bit of the mode."),
        "climbing_entry": (File(name=b"../../x"), "The entry itself climbs out of its folder."),
        "entry_from_the_root": (File(name=b"/etc/x"), "The entry itself begins at the root."),
        "another_name": (File(name=b"note.txt", path="other.txt"), "Entry and receipt disagree."),
        "no_receipt": (File(keyword=b"remark"), "A tar like any other."),
        "receipt_of_a_later_version": (File(more_facts={"nightferry": 2}), "Not ours to guess."),
        "receipt_with_another_fact": (File(more_facts={"sha256": "00"}), "Not in the format."),
        "receipt_with_spaces": (File(separators=(", ", ": ")), "Another form of the same facts."),
        "receipt_with_a_number_as_path": (File(more_facts={"path": 7}), "A fact of another type."),
        "receipt_with_no_day": (File(more_facts={"received": "soon"}), "A day that is none."),
        "another_time": (File(more_facts={"modified": 5}), "Entry and receipt disagree."),
        "octets_behind_the_content": (
            File(archive_end=lambda end: b"x" + end[1:]),
            "Something hides in the last block.",
        ),
        "second_entry": (File(archive_end=lambda end: end + bytes(512)), "Room for one more."),
        "tar_end_missing": (File(archive_end=lambda end: end[:-1024]), "No empty blocks."),
        "header_without_entry": (File(entry_type=b"x"), "A pax header that no entry follows."),
    },
}


def vector(file: File, expect: str, comment: str) -> dict[str, str]:
    """One vector, as docs/format.md's readers find it."""
    exact = file.name.decode() if file.path is None else file.path
    opened = {
        "name": file.name.decode(),
        "path": exact,
        "content": base64.b64encode(file.content).decode(),
    }
    return {
        "comment": comment,
        "expect": expect,
        "session_key": SESSION_KEY.hex(),
        **(opened if expect == "ok" else {}),
        "sealed": base64.b64encode(seal(file)).decode(),
    }


def vectors() -> Iterator[tuple[str, dict[str, str]]]:
    """Every vector with its name."""
    for expect, group in {"ok": OPENED, "FramingError": FRAMING, **OTHERS}.items():
        for name, (file, comment) in group.items():
            yield name, vector(file, expect, comment)


if __name__ == "__main__":
    for name, content in vectors():
        (HERE / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
