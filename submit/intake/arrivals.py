"""What is noted when a file has arrived whole: its place in a set, and that it was sent."""

from dataclasses import dataclass

from submit.intake.parts import Membership, Parts
from submit.intake.sent import SentFile, SentFiles
from submit.intake.sessions import Session
from submit.intake.state import UploadState
from submit.tus.grammar import parse_metadata
from submit.tus.metadata import parse_facts


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Notes arrivals, after they are durable and never before: a note promises the file."""

    parts: Parts
    sent: SentFiles

    def note_upload(self, session: Session, state: UploadState) -> None:
        """Note an upload that is complete."""
        modified = parse_facts(parse_metadata(state.metadata)).modified
        member = None
        if state.part_set is not None and state.part is not None:
            member = Membership(state.part_set, state.part)
        self.note(session, SentFile(state.path or state.name, state.length, modified), member)

    def note(self, session: Session, file: SentFile, member: Membership | None) -> None:
        """Note one file."""
        if member is not None:
            self.parts.arrive(session, member, file.length)
        self.sent.note(session, file)
