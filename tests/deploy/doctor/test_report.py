"""The sealed report: the same size every day, opened by gpg, and nothing in it but counts."""

import datetime as dt
import re
import stat

import pytest
from sqlalchemy import create_engine, insert

from deploy.doctor.patient import Patient
from deploy.errors import DeployError
from deploy.places import REPORTS
from deploy.report.command import make
from deploy.report.text import LENGTH
from submit.store.schema import sources, uploads
from tests.crypto.keys.making import Ngo
from tests.deploy.doctor.broken import TABLE
from tests.deploy.doctor.healthy import DESK, ONION, HealthyHost, write

LATEST = REPORTS / "latest.asc"
SICK = {
    "PoW is off",
    "a file of the source's",
    "a firewall that is open",
    "a journal that will be kept",
    "a lost protection",
    "another address",
    "nobody listens",
    "nobody sets the clock",
    "swap in clear",
    "the disk is full",
    "the salt is open",
}
KINDS = ("file", "file", "file", "message", "reply-to")


def arrive(host: HealthyHost, many: int) -> None:
    """Let sources send: of each `many`, one is not finished."""
    yesterday = (dt.datetime.now(dt.UTC).date() - dt.date(1970, 1, 1)).days - 1
    rows = [
        {
            "id": f"{number:026}".translate(str.maketrans("0123456789", "abcdefghij")),
            "source": b"locator",
            "kind": KINDS[number % 5],
            "state": "open" if number % many == 0 else "complete",
            "day": yesterday,
        }
        for number in range(many)
    ]
    engine = create_engine(f"sqlite:///{host.at('/var/lib/nightferry/nightferry.db')}")
    with engine.begin() as connection:
        who = {"locator": b"locator", "designation": "harmless walrus", "last_visit": yesterday}
        connection.execute(insert(sources).values(**who))
        connection.execute(insert(uploads), rows)
    engine.dispose()


def report(host: HealthyHost, patient: Patient | None = None) -> bytes:
    """Make the report; give what lies there."""
    make(patient or host.patient())
    return host.at(LATEST).read_bytes()


def opened(ngo: Ngo, sealed: bytes) -> str:
    """Open it as staff do: gpg -d."""
    done = ngo.gpg("--decrypt", given=sealed)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_every_day_has_the_same_size(healthy: HealthyHost, recipient: Ngo) -> None:
    """An empty day, a busy one and a sick host give the same number of octets, sealed and open."""
    empty = report(healthy)
    arrive(healthy, 3000)
    busy = report(healthy)
    for case in TABLE:
        if case.name in SICK:
            case.broken(healthy)
    sick = report(healthy)
    texts = [opened(recipient, each) for each in (empty, busy, sick)]
    assert len(set(texts)) == 3
    assert {len(text) for text in texts} == {LENGTH}
    assert len({len(each) for each in (empty, busy, sick)}) == 1


def test_the_size_never_wavers(healthy: HealthyHost) -> None:
    """GnuPG's own messages to an RSA key vary by an octet; the report's do not."""
    host = healthy.patient()
    from deploy.report.sealing import seal  # noqa: PLC0415

    assert len({len(seal(host, bytes(LENGTH))) for _ in range(6)}) == 1


def test_what_waits_is_counted(healthy: HealthyHost, recipient: Ngo) -> None:
    """Staff see how much there is for them, without opening the desk."""
    arrive(healthy, 100)
    text = opened(recipient, report(healthy))
    assert re.search(r"^  files +59$", text, re.MULTILINE)
    assert re.search(r"^  messages +20$", text, re.MULTILINE)
    assert re.search(r"^Unfinished +1 ", text, re.MULTILINE)
    assert re.search(r"^Arrived yesterday +79$", text, re.MULTILINE)


def test_a_sick_host_is_named_without_its_secrets(healthy: HealthyHost, recipient: Ngo) -> None:
    """The names of checks are told; what was found, which may be a source's file, is not."""
    arrive(healthy, 10)
    write(healthy.root, "/var/lib/nightferry/uploads/passport-of-ana.jpg", "in clear")
    text = opened(recipient, report(healthy))
    assert "WRONG    plaintext" in text
    secrets = ["passport", "walrus", "locator", "aaaa", ONION, DESK, str(healthy.root), "/var/"]
    assert [one for one in secrets if one in text] == []


def test_no_time_but_the_day_is_in_it(healthy: HealthyHost, recipient: Ngo) -> None:
    """Neither the text nor the packets around it say at which minute it was made."""
    sealed = report(healthy)
    listed = recipient.gpg("--list-packets", given=sealed).stdout.decode()
    [seconds] = re.findall(r"created (\d+)", listed)
    assert int(seconds) % 86400 == 86399
    assert re.findall(r"\d\d:\d\d", opened(recipient, sealed)) == []


def test_an_unreadable_database_stops_no_report(healthy: HealthyHost, recipient: Ngo) -> None:
    """When counts are not to be had, the day's report says so and comes all the same."""
    healthy.at("/var/lib/nightferry/nightferry.db").write_bytes(b"x" * 4096)
    text = opened(recipient, report(healthy))
    assert re.search(r"^  files +\?$", text, re.MULTILINE)
    assert "WRONG    database" in text


def test_only_the_group_may_read_it(healthy: HealthyHost) -> None:
    """It is sealed; still, nobody needs to see when it was made but who fetches it."""
    report(healthy)
    assert stat.S_IMODE(healthy.at(LATEST).stat().st_mode) == 0o640


def test_without_an_address_nothing_is_sent(healthy: HealthyHost) -> None:
    """As it is shipped, the report lies on the host and is fetched."""
    healthy.fails("sendmail", "must not be asked")
    assert make(healthy.patient()) is False


def test_the_mail_is_the_same_every_day(healthy: HealthyHost) -> None:
    """Of what can be read on the way, only the sealed octets differ between two days."""
    write(healthy.root, "/etc/nightferry/host.toml", 'report_to = "desk@ngo.example"\n')
    keeps = '#!/bin/sh\n/bin/cat > "$ROOT/sent"\n'
    write(healthy.root, "programs/sendmail", keeps, 0o755)
    heads = []
    for _ in range(2):
        assert make(healthy.patient()) is True
        head, _, body = (healthy.root / "sent").read_text().partition("\n\n")
        assert body.encode() == healthy.at(LATEST).read_bytes()
        heads.append(head)
        arrive(healthy, 500) if len(heads) == 1 else None
    assert heads[0] == heads[1]
    assert "To: desk@ngo.example\nSubject: Nightferry report\n" in heads[0]
    assert not re.search(r"\d{4}", heads[0])


def test_a_sendmail_that_fails_is_told(healthy: HealthyHost) -> None:
    """The report lies there; why it was not sent is said, and when it is tried again."""
    write(healthy.root, "/etc/nightferry/host.toml", 'report_to = "desk@ngo.example"\n')
    healthy.fails("sendmail", "no relay")
    with pytest.raises(
        DeployError, match=r"sendmail would not send it: no relay\. It is tried again"
    ):
        make(healthy.patient())
    assert healthy.at(LATEST).exists()


def test_a_key_that_cannot_be_sealed_to_leaves_the_last_report(healthy: HealthyHost) -> None:
    """Nothing is ever written unsealed; yesterday's report stays, and its day tells."""
    before = report(healthy)
    healthy.edit("/etc/nightferry/recipients/ngo.asc", "BEGIN PGP", "BEGIN PGB")
    with pytest.raises(DeployError, match="could not be sealed"):
        make(healthy.patient())
    assert healthy.at(LATEST).read_bytes() == before
