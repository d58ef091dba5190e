"""What can go wrong while staff look, clean and answer, in the words that they read.

The rules are those of `errors.py`: each says what happened, what was kept, and what to do next.
"""

from crypto.unseal.errors import RunError

# --- Answering ----------------------------------------------------------------------------------


class NotADesignationError(RunError):
    """This cannot be what staff call a source."""

    words = (
        "{designation} is no designation. Nothing was written. It is two words, as the desk shows "
        "them: unseal answer quiet-harbour --stick STICK"
    )


class NoCertificateError(RunError):
    """The source's reply certificate is not where openings put it."""

    words = (
        "There is no certificate to answer {designation} with in {where}. Nothing was written. Say "
        "with --bags the folder into which its stick was opened (the one after --into). If that "
        "folder has none, the source's first upload was not fetched or not opened yet."
    )


class ManyCertificatesError(RunError):
    """More than one certificate says that it is the source's."""

    words = (
        "There are {count} different certificates to answer {designation} with. Nothing was "
        "written: the source can open a reply to the right one only. custody.txt in its bag says "
        "which came when; name the first one with --certificate FILE."
    )


class UnusableCertificateError(RunError):
    """GnuPG cannot encrypt to what is in the file."""

    words = (
        "No reply can be encrypted to {where} ({why}). Nothing was written. Open the stick again "
        "into a new folder, and if it stays so, report it."
    )


class NoMemoryFolderError(RunError):
    """There is no place for the text that is not a disk."""

    words = (
        "Neither XDG_RUNTIME_DIR nor /dev/shm is a folder in memory, and a reply must not lie on a "
        "disk while it is written. Nothing was written. Tails and Debian have both: log in again, "
        "in a usual session."
    )


class NoEditorError(RunError):
    """The editor does not start."""

    words = (
        "The editor {editor} could not be started. Nothing was written. Say which one you use: "
        "EDITOR=nano unseal answer …"
    )


class EditorFailedError(RunError):
    """The editor ended with an error."""

    words = (
        "The editor {editor} ended with an error ({code}), so what it wrote was not sent. Nothing "
        "was kept. Run it again."
    )


class NotTextError(RunError):
    """What the editor wrote is no UTF-8."""

    words = (
        "What the editor wrote is not UTF-8 text. Nothing was kept. Save it as plain text in UTF-8; "
        "a reply cannot be a document of a word processor."
    )


class TooLongError(RunError):
    """The reply would be refused by the desk."""

    words = (
        "The reply is too long: {length} octets, and {most} are possible. Nothing was kept. Write "
        "two replies."
    )


class EncryptionError(RunError):
    """GnuPG did not encrypt, or not as it was told to."""

    words = (
        "GnuPG did not make a reply that is for this source alone ({said}). Nothing was written to "
        "the stick."
    )


class NoStickError(RunError):
    """There is nothing at the place that was given for the stick."""

    words = "{where} is no folder. Nothing was written. Is the stick in, and is this its name?"


# --- Copies for publishing ------------------------------------------------------------------------


class NoMat2Error(RunError):
    """There is no mat2."""

    words = (
        "mat2, which takes metadata out, is not on this machine. Nothing was done. Tails has it; on "
        "Debian: apt install mat2 bubblewrap ffmpeg"
    )


class NoWallsError(RunError):
    """There is no sandbox, and nobody said that there need be none."""

    words = (
        "The sandbox (bubblewrap, the program bwrap) is not on this machine or does not start, and "
        "without it no program is let at files from strangers. Nothing was done. On Debian: apt "
        "install bubblewrap. If there can be none, --no-sandbox runs mat2 with all your rights."
    )


class NotInBagError(RunError):
    """A file was named that the bag does not hold."""

    words = "{name} is no file of {where}. Nothing was done. Its files are named in custody.txt."


class CleaningInBagError(RunError):
    """The copies would lie among the evidence."""

    words = (
        "{where} lies inside {bag}. Nothing was done: copies must not lie among the evidence. Choose "
        "another folder with --into."
    )
