"""What GnuPG's status lines prove (doc/DETAILS of GnuPG 2.2.40 and 2.4.7).

GnuPG can warn and exit with 0; and for one changed octet GnuPG 2.2.40 says DECRYPTION_OKAY and GOODMDC
and exits with 2. So neither the exit status nor one line is believed alone: the whole sequence has to
be the one that a good message gives, and a line that is not in the table refuses the file.
"""

import re
from dataclasses import dataclass, field
from enum import Enum, auto

from crypto.unseal.errors import (
    DamagedError,
    LockedError,
    NoKeyError,
    StrangeGnuPGError,
    UnusableKeyError,
)

_PREFIX = b"[GNUPG:] "
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_BINARY, _NO_DATE = "62", "0"
_AES_256, _OCB = "9", {"0", "2"}  # GnuPG 2.2.40 opens OCB and reports 0
_NO_MDC = "0"
_ERROR_CODE, _NO_SECRET_KEY = 0xFFFF, 17  # libgpg-error: above the code is who says it


class Phase(Enum):
    """How far GnuPG is in one message."""

    KEYS = auto()
    BEGUN = auto()
    INFO = auto()
    TEXT = auto()
    LENGTH = auto()
    OKAY = auto()
    GOOD = auto()
    ENDED = auto()


_BEFORE_THE_TEXT = {Phase.KEYS, Phase.BEGUN, Phase.INFO}
# What may be said while a key is looked for; none of it says anything about the message.
_ABOUT_KEYS = {
    "CARDCTRL",
    "ENC_TO",
    "GOOD_PASSPHRASE",
    "INQUIRE_MAXLEN",
    "KEY_CONSIDERED",
    "KEYEXPIRED",
    "NEED_PASSPHRASE",
    "NEED_PASSPHRASE_PIN",
    "NO_SECKEY",
    "PINENTRY_LAUNCHED",
    "PROGRESS",
    "SC_OP_SUCCESS",
    "USERID_HINT",
}
# The one sequence of a good message. Absent means refused.
_SEQUENCE = {
    **{(Phase.KEYS, word): Phase.KEYS for word in _ABOUT_KEYS},
    (Phase.KEYS, "DECRYPTION_KEY"): Phase.KEYS,
    (Phase.KEYS, "BEGIN_DECRYPTION"): Phase.BEGUN,
    (Phase.BEGUN, "DECRYPTION_INFO"): Phase.INFO,
    # It stands before or behind DECRYPTION_INFO, by version and key.
    (Phase.BEGUN, "DECRYPTION_COMPLIANCE_MODE"): Phase.BEGUN,
    (Phase.INFO, "DECRYPTION_COMPLIANCE_MODE"): Phase.INFO,
    (Phase.INFO, "SESSION_KEY"): Phase.INFO,
    (Phase.INFO, "PLAINTEXT"): Phase.TEXT,
    (Phase.TEXT, "PLAINTEXT_LENGTH"): Phase.LENGTH,
    (Phase.TEXT, "DECRYPTION_OKAY"): Phase.OKAY,
    (Phase.LENGTH, "DECRYPTION_OKAY"): Phase.OKAY,
    (Phase.OKAY, "GOODMDC"): Phase.GOOD,
    (Phase.GOOD, "END_DECRYPTION"): Phase.ENDED,
}
# How a message ends that does not open; from here on only the reason is looked for.
_OF_A_FAILURE = {
    "BADMDC",
    "BAD_PASSPHRASE",
    "DECRYPTION_FAILED",
    "DECRYPTION_OKAY",
    "END_DECRYPTION",
    "ERROR",
    "FAILURE",
    "GOODMDC",
    "MISSING_PASSPHRASE",
    "NODATA",
    "SC_OP_FAILURE",
    "UNEXPECTED",
    "WARNING",
}
# Somebody was asked for a passphrase, a PIN or a card.
_ASKING = {
    "BAD_PASSPHRASE",
    "CARDCTRL",
    "MISSING_PASSPHRASE",
    "NEED_PASSPHRASE_PIN",
    "PINENTRY_LAUNCHED",
    "SC_OP_FAILURE",
}
_KNOWN = _OF_A_FAILURE | {word for _phase, word in _SEQUENCE}


@dataclass(frozen=True, slots=True)
class OpenedWith:
    """The key that GnuPG used: the fingerprints of the subkey and of its certificate."""

    key: str
    certificate: str


@dataclass(slots=True)
class Report:
    """All that GnuPG said about one message. `length` is that of the literal data, if it said so."""

    phase: Phase = Phase.KEYS
    keys: list[OpenedWith] = field(default_factory=list)
    sealed_to: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    session_key: bytes | None = None
    length: int | None = None
    strange: str | None = None
    strange_late: str | None = None
    failed: bool = False
    asked: bool = False
    has_key: bool = False

    def take(self, line: bytes) -> None:
        """Read one line; what is not known is kept for `require_good`."""
        if not line.startswith(_PREFIX):
            return self._is_strange(line.decode(errors="replace"))
        word, *facts = line.removeprefix(_PREFIX).decode(errors="replace").split(" ")
        following = None if self.failed else _SEQUENCE.get((self.phase, word))
        if following is None:
            self.failed = True
            if word not in _KNOWN:
                self._is_strange(word)
        self.phase = following or self.phase
        self.asked = self.asked or word in _ASKING
        return self._note(word, facts)

    def _is_strange(self, line: str) -> None:
        self.failed = True
        if self.phase in _BEFORE_THE_TEXT:
            self.strange = self.strange or line
        self.strange_late = self.strange_late or line

    def _note(self, word: str, facts: list[str]) -> None:
        match word, facts:
            case "ENC_TO", [key, *_]:
                self.sealed_to.append(key)
            case "NO_SECKEY", [key, *_]:
                self.missing.append(key)
            case "ERROR", ["pkdecrypt_failed", code, *_] if code.isascii() and code.isdigit():
                # GnuPG 2.4 says NO_SECKEY too where nobody typed the passphrase of a key it has.
                self.has_key = self.has_key or int(code) & _ERROR_CODE != _NO_SECRET_KEY
            case "DECRYPTION_KEY", [key, certificate, *_]:
                self._note_key(key, certificate)
            case "DECRYPTION_INFO", _:
                right = facts[:2] == [_NO_MDC, _AES_256] and set(facts[2:]) <= _OCB
                self._require(right, word, facts)
            case "SESSION_KEY", [value]:
                # GnuPG 2.2.40 writes `9.2:`, with the mode.
                self.session_key = bytes.fromhex(value.partition(":")[2])
            case "PLAINTEXT", _:
                self._require(facts[:2] == [_BINARY, _NO_DATE] and not any(facts[2:]), word, facts)
            case "PLAINTEXT_LENGTH", [length] if length.isascii() and length.isdigit():
                self.length = int(length)
            case _:
                pass

    def _note_key(self, key: str, certificate: str) -> None:
        exact = _FINGERPRINT.fullmatch(key) and _FINGERPRINT.fullmatch(certificate)
        self._require(bool(exact) and not self.keys, "DECRYPTION_KEY", [key, certificate])
        self.keys.append(OpenedWith(key, certificate))

    def _require(self, right: bool, word: str, facts: list[str]) -> None:  # noqa: FBT001
        if not right:
            self._is_strange(" ".join([word, *facts]))

    # --- verdicts ---

    def require_key(self, said: str) -> OpenedWith:
        """Give the key that was used.

        Raises NoKeyError, LockedError, UnusableKeyError, StrangeGnuPGError. Enough for what is
        salvaged: where a message breaks off, GnuPG may take what follows for anything.
        """
        if self.strange:
            raise StrangeGnuPGError(line=self.strange)
        if self.keys:
            return self.keys[0]
        if len(self.missing) >= len(self.sealed_to) and not (self.asked or self.has_key):
            raise NoKeyError(keys=" and ".join(f"key {key}" for key in self.sealed_to) or "nobody")
        if self.asked:
            raise LockedError(said=said or "nothing")
        raise UnusableKeyError(said=said or "nothing")

    def require_good(self, code: int, octets: int, said: str) -> OpenedWith:
        """Give the key with which all of a message of `octets` was opened.

        Raises DamagedError, and what `require_key` raises.
        """
        key = self.require_key(said)
        if self.strange_late:
            raise StrangeGnuPGError(line=self.strange_late)
        whole = self.phase is Phase.ENDED and not self.failed and code == 0
        if not whole or self.length not in {None, octets}:
            first, _semicolon, _rest = said.partition(";")
            raise DamagedError(why=first or f"gpg ended with {code}")
        return key
