"""What the web room may ask for: the whole intake, and the facts of this site."""

from dataclasses import dataclass

from submit.intake.drop import Drops
from submit.intake.forms import Forms, Messages
from submit.intake.housekeeping import Housekeeping
from submit.intake.last_form import LastForms
from submit.intake.parts import Parts
from submit.intake.replies import Replies
from submit.intake.sent import SentFiles
from submit.intake.sources import Sources
from submit.intake.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Intake:
    """Everything that a request can be about."""

    sources: Sources
    uploads: Uploads
    drop: Drops
    forms: Forms
    last_form: LastForms
    messages: Messages
    replies: Replies
    parts: Parts
    sent: SentFiles
    housekeeping: Housekeeping


@dataclass(frozen=True, slots=True)
class Site:
    """What this site is. Lengths in octets."""

    hosts: tuple[str, ...]
    fingerprints: tuple[str, ...]
    certificates: bytes
    max_message_length: int
    max_form_file_length: int
    max_upload_length: int
