"""How much the protocol lets a client ask for. Named by what it costs us."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator allows; all in octets."""

    # Announced as Tus-Max-Size.
    max_upload_length: int
    # A body with a checksum is held in memory until it is verified: this much for each request.
    max_checksummed_body: int = 16 * MEBIBYTE
