"""Who listens on the network: the services must not, and neither must their tor."""

from collections.abc import Iterator
from pathlib import Path

from deploy.doctor.finding import Finding, wrong
from deploy.doctor.patient import Patient, UnseenError
from deploy.places import DESK_USER, SOURCE_USER, TOR_USER

_TABLES = (Path("/proc/1/net/tcp"), Path("/proc/1/net/tcp6"))
_LISTEN = "0A"


def judge(patient: Patient) -> Iterator[Finding]:
    """Find a TCP port at which one of our users listens: a way past tor."""
    users = {patient.host.user_id(name): name for name in (SOURCE_USER, DESK_USER, TOR_USER)}
    tables = [patient.read(table) for table in _TABLES]
    if not tables[0]:
        raise UnseenError(f"{_TABLES[0]} is not there")
    for table in tables:
        for line in table.splitlines()[1:]:
            fields = line.split()
            user = users.get(int(fields[7]))
            if fields[3] == _LISTEN and user is not None:
                port = int(fields[1].rpartition(":")[2], 16)
                yield wrong(
                    f"{user} listens on TCP port {port}: a way to the site that is not tor",
                    f"ss -ltnp 'sport = :{port}' shows the process; stop it, and find out who "
                    "started it",
                )
