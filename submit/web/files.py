"""Takes the files of one form, each of them as it arrives.

Rule 1: a file that arrived completely stays, whatever happens to those after it.
Rule 2: a file that is refused for itself alone does not stop the ones after it.
Rule 3: the answer counts exactly what is durable, and names what is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from submit.errors import Refusal
from submit.intake.forms import Forms
from submit.intake.refusals import TooLargeError
from submit.intake.repeats import FormPlace
from submit.intake.sessions import Session
from submit.web.errors import NoFileChosenError
from submit.web.multipart import Part


@dataclass(frozen=True)
class NotTaken:
    """A file that is not kept, by its name, and why."""

    name: str
    refusal: Refusal


@dataclass
class Taking:
    """What became of the files so far. `ended` is why the rest of the form was not read."""

    received: int = 0
    refused: list[NotTaken] = field(default_factory=list)
    ended: Refusal | None = None

    @property
    def status(self) -> int:
        """201 as soon as one file is kept and all were looked at; otherwise the refusal's own."""
        if self.ended:
            return self.ended.status
        return HTTPStatus.CREATED if self.received else self.refused[-1].refusal.status


def take_files(
    forms: Forms, session: Session, parts: Iterator[Part], boundary: bytes = b""
) -> Taking:
    """Give each file of the form to the intake; return when the form is over, for any reason.

    A file that is kept already, because the browser sends the form again, counts as received. One
    without a name is no file: browsers send such a part when none was chosen. Raises
    NoFileChosenError if the form ended well and held no file.
    """
    taking = Taking()
    try:
        for number, part in enumerate(parts):
            if part.filename:
                _take(forms, session, part, FormPlace(boundary, number), taking)
    except Refusal as refusal:
        taking.ended = refusal
    if not (taking.received or taking.refused or taking.ended):
        raise NoFileChosenError
    return taking


def _take(forms: Forms, session: Session, part: Part, place: FormPlace, taking: Taking) -> None:
    name = part.filename or ""
    try:
        forms.receive(session, name, part.content, place)
    except TooLargeError as refusal:
        taking.refused.append(NotTaken(name, refusal))
    except Refusal as refusal:
        taking.refused.append(NotTaken(name, refusal))
        raise
    else:
        taking.received += 1
