"""Somebody at the desk, with the real server: passphrase, phone, and a program that speaks JSON."""

import re
import time
from dataclasses import dataclass, field

import requests

from crypto.totp import TotpSecret, one_time_code, read_base32
from tests.live import Live

_PATIENCE = 60


@dataclass
class Phone:
    """Shows codes; each is read off once, for the desk takes it once."""

    secret: TotpSecret
    _shown: int = field(default=0, init=False)

    def code(self) -> str:
        """Give a code that was not shown before and is taken now: an early one if need be."""
        now = int(time.time()) // 30
        self._shown = max(now - 1, self._shown + 1)
        assert self._shown <= now + 1, "more logins in a minute than there are codes"
        return one_time_code(self.secret, self._shown)


@dataclass
class StaffMember:
    """Somebody with an account."""

    live: Live
    name: str
    passphrase: str
    phone: Phone

    def login(self) -> requests.Session:
        """Log in as a program."""
        session = requests.Session()
        session.headers["Accept"] = "application/json"
        answer = self.tries(session, self.passphrase, self.phone.code())
        assert answer.status_code == requests.codes.ok, answer.text
        return session

    def tries(self, session: requests.Session, passphrase: str, code: str) -> requests.Response:
        """Type these."""
        typed = {"name": self.name, "passphrase": passphrase, "code": code}
        return session.post(f"{self.live.desk}/session", json=typed, timeout=_PATIENCE)


def new_staff(live: Live, name: str) -> StaffMember:
    """Make an account on the command line."""
    return read_printed(
        live, name, live.command("staff", "add", name, "--config", str(live.config))
    )


def read_printed(live: Live, name: str, printed: str) -> StaffMember:
    """Read what the command line printed."""
    passphrase, secret = re.findall(r"^(?:passphrase|secret) +(.+)$", printed, re.MULTILINE)
    return StaffMember(live, name, passphrase, Phone(read_base32(secret)))
