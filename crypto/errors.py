"""What can go wrong in this room, grouped by whose fault it is.

Rule 1: one base; it and the groups refuse to be raised. Only a child that has words can be.
Rule 2: the words are a constant of the class: what is wrong, and what to do. Facts that are
        filled in (a file's path, a count) are harmless; no secret and nothing that a source
        typed is ever among them.
Rule 3: any other exception out of this room is a fault of ours.
"""

from pathlib import Path


class CryptoError(Exception):
    """Anything that this room refuses. Catch it; raise one of its children."""

    words: str

    def __init__(self, **facts: object) -> None:
        if not hasattr(type(self), "words"):
            raise TypeError(f"internal error: {type(self).__name__} is only for catching")
        super().__init__(self.words.format(**facts))


# --- Whoever wrote the bytes ------------------------------------------------------------------


class AuthenticationError(CryptoError):
    """Bytes are not what we sealed or wrapped under this key, purpose and context."""

    words = "these bytes do not authenticate: they were changed, or they belong somewhere else"


class MalformedPacketError(CryptoError):
    """Octets are not a whole row of OpenPGP packets of definite length (RFC 9580, 4.2)."""

    words = "these octets are not OpenPGP packets of definite length"


class UnreadableReplyError(CryptoError):
    """A reply holds something else than one text of bearable length, or is for another key."""

    words = "this reply holds something else than a text, or a text that is too long"


# --- The source -------------------------------------------------------------------------------

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


class CodenameError(CryptoError):
    """What the source typed is no codename. Says where, and never what was typed."""


class MistypedWordError(CodenameError):
    """A word is not in the list.

    `position` counts from 0; `suggestion` is the nearest word of the list, or None. It comes
    from the list alone: whether a codename exists plays no part in it.
    """

    words = "the {ordinal} word is not in the list"

    def __init__(self, position: int, suggestion: str | None) -> None:
        super().__init__(ordinal=_ORDINALS[position])
        self.position = position
        self.suggestion = suggestion

    @property
    def ordinal(self) -> str:
        """The position in words, "first" to "eighth"."""
        return _ORDINALS[self.position]


class WordCountError(CodenameError):
    """A codename has eight words; `count` were typed, or None: too much to be counted."""

    words = "a codename has eight words"

    def __init__(self, count: int | None) -> None:
        super().__init__()
        self.count = count


# --- The operator -----------------------------------------------------------------------------


class OperatorError(CryptoError):
    """The machine is not set up as it must be. The words tell the operator what to do."""


class WordListError(OperatorError):
    """The word list is not the EFF large list."""

    words = "the word list is not the one of 7776 words; install the locked version of diceware"


class SessionKeyError(OperatorError):
    """GnuPG did not give us a session key that every recipient can open."""


class NoRecipientError(SessionKeyError):
    """There is nobody to seal to."""

    words = "no recipient certificate is set; without one nothing can be sealed"


class GnuPGHomeError(SessionKeyError):
    """The directory for GnuPG is not an empty one that only we may enter."""

    words = "{path} must be an empty directory with mode 0700; GnuPG runs in it and leaves it empty"


class GnuPGMissingError(SessionKeyError):
    """GnuPG is not installed, or does not run."""

    words = "GnuPG does not run here; install it (Debian: apt-get install gpg)"


class GnuPGTooOldError(SessionKeyError):
    """GnuPG is older than 2.2."""

    words = "GnuPG 2.2 or newer is needed; this one is older"


class GnuPGRefusedError(SessionKeyError):
    """GnuPG ran and would not seal to the recipients."""

    words = "GnuPG would not seal to these certificates; check them with ./nightferry recipients"


class GnuPGOutputError(SessionKeyError):
    """GnuPG answered with something else than the message that we asked for."""

    words = "GnuPG wrote a message of another form than expected; nothing was sealed with it"


class RecipientError(OperatorError):
    """A certificate cannot be used as a recipient. `path` is the file as it was given."""

    def __init__(self, path: Path) -> None:
        super().__init__(path=path)
        self.path = path


class UnreadableRecipientError(RecipientError):
    """There is no such file, or we may not read it."""

    words = (
        "{path}: this file cannot be read; check that it exists and that the service may read it"
    )


class NotACertificateError(RecipientError):
    """GnuPG finds no OpenPGP certificate in the file."""

    words = (
        "{path}: this is no OpenPGP certificate; export the public key again (gpg --export --armor)"
    )


class SeveralCertificatesError(RecipientError):
    """There is more than one certificate in the file."""

    words = "{path}: this file holds several certificates; put each into a file of its own"


class SecretMaterialError(RecipientError):
    """The file holds a secret key, which must never be on this machine."""

    words = (
        "{path}: this file holds a SECRET key. Remove it from this machine, treat the key as known"
        " to others if anyone else could read the file, and put the public key here"
        " (gpg --export --armor)"
    )


class ExpiredRecipientError(RecipientError):
    """The certificate has expired."""

    words = "{path}: this certificate has expired; ask its owner to extend it and export it again"


class RevokedRecipientError(RecipientError):
    """The owner has revoked the certificate."""

    words = "{path}: this certificate was revoked by its owner; ask for the new one"


class InvalidRecipientError(RecipientError):
    """GnuPG finds the certificate invalid or disabled: no valid self-signature, for example."""

    words = "{path}: GnuPG finds this certificate invalid or disabled; ask its owner for a good one"


class CannotEncryptError(RecipientError):
    """No key of the certificate can be encrypted to today."""

    words = (
        "{path}: nothing can be encrypted to this certificate: its encryption key is missing,"
        " expired or revoked; ask its owner to add or extend one and export it again"
    )


class RepeatedRecipientError(RecipientError):
    """The same certificate is in another file of the list already."""

    words = "{path}: this certificate is listed twice; remove one of the two"
