"""Both sites, asked over their sockets as tor asks them."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

from deploy.doctor.finding import Finding, wrong
from deploy.doctor.patient import Patient
from deploy.places import DESK_SOCKET, SOURCE_SOCKET

_PATIENCE = 10  # seconds
_SERVER_FAULT = 500


def judge(patient: Patient) -> Iterator[Finding]:
    """Find a site that does not answer."""
    settings = patient.settings
    sites = [("the source's site", SOURCE_SOCKET, settings.hosts[0], "nightferry-source")]
    if settings.desk_hosts:
        sites.append(("the desk", DESK_SOCKET, settings.desk_hosts[0], "nightferry-desk"))
    for name, place, host, unit in sites:
        fault = fault_of(patient.host.path(place), host, _PATIENCE)
        if fault:
            yield wrong(
                f"{name} does not answer at {place}: {fault}",
                f"systemctl restart {unit}.service; journalctl --namespace=nightferry "
                f"--unit={unit}.service says why",
            )


def fault_of(place: Path, host: str, patience: float) -> str:
    """Ask a site for its first page; say what was wrong, empty if nothing was.

    A refusal of what was asked is an answer: the desk sends everybody to its login.
    """
    connection = _UnixConnection(place, host, patience)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
    except FileNotFoundError:
        return "there is no socket"
    except ConnectionRefusedError:
        return "nobody listens"
    except TimeoutError:
        return f"no answer in {patience:.0f} s"
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
    return f"it answers {status}" if status >= _SERVER_FAULT else ""


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, place: Path, host: str, patience: float) -> None:
        super().__init__(host, timeout=patience)
        self._place = place

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._place))
