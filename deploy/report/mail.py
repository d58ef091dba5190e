"""Sends the sealed report by the host's own sendmail, if an address is set."""

from deploy.doctor.patient import Patient
from deploy.errors import DeployError

SUBJECT = "Nightferry report"

# No day and no number stands in it: what can be read on the way is the same every day.
_HEAD = """\
From: nightferry
To: {address}
Subject: {subject}
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii
Auto-Submitted: auto-generated

"""
_FAILED = (
    "the report is made and lies in {place}, but sendmail would not send it: {why}. It is tried "
    "again tomorrow; by hand: nightferry report"
)


def send(patient: Patient, sealed: bytes, place: object) -> bool:
    """Hand the report to sendmail; False if nobody is to have it. Raises DeployError."""
    address = patient.host_settings.report_to
    if not address:
        return False
    head = _HEAD.format(address=address, subject=SUBJECT).encode()
    ran = patient.host.run("sendmail", "-i", "-t", given=head + sealed)
    if ran.code != 0:
        lines = ran.complained.strip().splitlines() or ["no reason given"]
        raise DeployError(_FAILED.format(place=place, why=lines[-1]))
    return True
