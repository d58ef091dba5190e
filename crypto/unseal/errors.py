"""What can go wrong while opening, in the words that staff read.

Rule 1: one base, two groups: what is wrong with one sealed file (the others go on), and what ends
        the run. Only a child that has words can be raised.
Rule 2: the words say what happened, what was kept, and what to do next.
Rule 3: facts that are filled in pass through `terminal.visible`: a stranger may have chosen them.
"""

from crypto.unseal.terminal import visible


class UnsealError(Exception):
    """Anything that this room refuses. Catch it; raise one of its children."""

    words: str

    def __init__(self, **facts: object) -> None:
        if not hasattr(type(self), "words"):
            raise TypeError(f"internal error: {type(self).__name__} is only for catching")
        super().__init__(self.words.format(**{k: visible(str(v)) for k, v in facts.items()}))


# --- One sealed file: it is refused, and the others go on -------------------------------------


class SealedFileError(UnsealError):
    """This sealed file is refused. Nothing of it was kept."""


class NotSealedError(SealedFileError):
    """Its outermost octets are not what the service writes (docs/format.md)."""

    words = (
        "This is no file that Nightferry sealed, or its beginning was changed ({why}). "
        "Nothing of it was kept. Fetch it again; if it is the same then, keep it apart and report it."
    )


class DamagedError(SealedFileError):
    """An octet was changed, or the file is shorter than it says, or GnuPG found another fault."""

    words = (
        "The file was changed or damaged after it was sealed ({why}). Nothing of it was kept. Fetch "
        "it again. If it stays so, --salvage opens what stands before the damage."
    )


class UnreadableError(SealedFileError):
    """The stick gave an error where the sealed file lies, or the tail beside it."""

    words = (
        "This file could not be read ({why}): the stick or its port may be failing. Nothing of it was "
        "kept; all else went on. Try another port and run unseal again, or fetch it again, onto "
        "another stick."
    )


class CutError(SealedFileError):
    """Not even the beginning of the content is there."""

    words = (
        "Too little of this upload has arrived to say what it is. Nothing of it was kept. Fetch it "
        "again later: the source may still be sending it."
    )


class NoKeyError(SealedFileError):
    """None of the secret keys of this machine opens it."""

    words = (
        "None of your keys opens this file: it was sealed to {keys}. Nothing of it was kept. Put in "
        "the smartcard, or import the secret key it was sealed to (an older key stays needed for "
        "what was sealed to it), and run unseal again."
    )


class UnusableKeyError(SealedFileError):
    """A key is here, nobody was asked for anything, and GnuPG still could not use it."""

    words = (
        "You have a key for this file, but GnuPG could not use it ({said}). Nothing of it was kept. If "
        "it is so with every file, GnuPG cannot ask you for your passphrase here: try gpg -d FILE. If "
        "it is this file alone, it was changed: fetch it again, and report it if it stays the same."
    )


class NotTheContentError(SealedFileError):
    """GnuPG opened it, but what is inside is not one file with its receipt."""

    words = (
        "It opens with your key, but inside is not what Nightferry seals ({why}). Anybody who has "
        "your public key could have made it. Nothing of it was kept. Keep it apart and report it."
    )


class OtherUploadError(SealedFileError):
    """The name on the stick belongs to another upload than the receipt inside."""

    words = (
        "Its name belongs to another upload: inside it says {upload}. Somebody has exchanged or "
        "renamed it. Nothing of it was kept. If you renamed it yourself, give it back its name, "
        "{upload}.tar.gpg, and run unseal again; otherwise report it."
    )


class SecondFileError(SealedFileError):
    """Another file of this upload was opened before, and this one is not the same or more of it."""

    words = (
        "It says that it is an upload which was opened before, and it is not the same. Before: {first} "
        "(source {first_source}). This one: {second} (source {second_source}). The first was kept as "
        "it is, and nothing of this one: anybody who has your public key could have made either. Keep "
        "this stick apart, open it into another folder (--into) to compare them, and report it."
    )


class StrangeGnuPGError(SealedFileError):
    """GnuPG said something that is not in the one sequence we accept."""

    words = (
        "GnuPG said something that this unseal does not know ({line}), and an unknown word is not "
        "taken for a good one. Nothing of it was kept. Look for a newer unseal; until then: "
        "gpg -d FILE | tar x"
    )


# --- The run: it ends here, and goes on when it is started again -------------------------------


class RunError(UnsealError):
    """The run ends. What was opened before is kept."""


class NothingFoundError(RunError):
    """No sealed file where one was said to be."""

    words = (
        "There is no sealed file (its name ends in .tar.gpg) in {where}. Nothing was done. Is the "
        "stick in, and is this its folder?"
    )


class NoGnuPGError(RunError):
    """There is no GnuPG, or it does not start."""

    words = (
        "GnuPG (the program gpg) could not be started. Nothing was done. Tails has it; on Debian: "
        "apt install gpg gpg-agent pinentry-gtk2 scdaemon"
    )


class LockedError(RunError):
    """The key is here, and GnuPG could not use it: no passphrase, no PIN, no card."""

    words = (
        "GnuPG has your key but could not use it: the passphrase or PIN was not given or was wrong, "
        "or the smartcard is not in. What was opened before is kept. Run unseal again. "
        "GnuPG said: {said}"
    )


class DiskFullError(RunError):
    """No room is left where the result goes."""

    words = (
        "The disk under {where} is full. What was opened before is kept; the file that did not fit "
        "is not. Make room or take a larger disk (move the whole folder), and run unseal again."
    )


class TooSmallError(RunError):
    """The result cannot fit; nothing was begun."""

    words = (
        "The disk under {where} is too small: about {need} are needed, {free} are free. Nothing was "
        "done. Make room, choose another folder with --into, or give fewer files."
    )


class DiskError(RunError):
    """The disk refused to read or write."""

    words = (
        "The disk gave an error at {where}: {why}. What was opened before is kept. If it is the "
        "stick, fetch again onto another one; then run unseal again."
    )


class AnotherRunError(RunError):
    """Another unseal is at work in the same folder."""

    words = (
        "Another unseal is working in {where}. Nothing was done. Wait until it has ended, or choose "
        "another folder with --into."
    )


class UnreadableStateError(RunError):
    """The notes of earlier runs cannot be read."""

    words = (
        "The notes of earlier runs ({where}) were changed by somebody and cannot be read. Nothing "
        "was done. Choose a new folder with --into: everything is opened again there."
    )


class SigningError(RunError):
    """GnuPG did not sign."""

    words = (
        "GnuPG did not sign the custody report of {bag} ({said}). The bag is complete, without a "
        "signature. Run unseal again with --sign; nothing is opened twice."
    )


class StrangerInBagError(RunError):
    """The bag holds files that unseal did not put there."""

    words = (
        "In {bag} are files that unseal did not put there, the first is {name}. They were not "
        "touched, and the bag was not closed: it would call them evidence. Move them out, and run "
        "unseal again."
    )


class NotABagError(RunError):
    """`verify` was given something else."""

    words = "{where} is no bag that can be checked: {why}."
