"""The host as checks see it: its files and programs, and the moment at which they look."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from config.settings import Settings, load
from deploy.doctor import systemd
from deploy.errors import DeployError
from deploy.host import Host
from deploy.places import SETTINGS
from deploy.settings import HostSettings, load_host_settings

_NOT_FOUND = 127


class UnseenError(DeployError):
    """Something could not be looked at; the text says what stood in the way."""


@dataclass(frozen=True)
class Patient:
    """What a check may ask. `now` is aware and in UTC; `pause` waits a moment before a second look."""

    host: Host
    now: dt.datetime
    pause: Callable[[], None]

    @cached_property
    def settings(self) -> Settings:
        """The service's settings. Raises `SettingsError`."""
        return load(self.host.path(SETTINGS))

    @cached_property
    def host_settings(self) -> HostSettings:
        """The host's own settings. Raises `SettingsError`."""
        return load_host_settings(self.host)

    @cached_property
    def units(self) -> Mapping[str, Mapping[str, str]]:
        """What systemd says of each of our units. Raises `UnseenError`."""
        return systemd.parse_show(self.ask("systemctl", *systemd.SHOW, *systemd.UNITS_ALL))

    def ask(self, *command: str) -> str:
        """Give what a program says. Raises `UnseenError` if it fails."""
        ran = self.host.run(*command)
        if ran.code == _NOT_FOUND:
            raise UnseenError(f"the program {command[0]} is not on this host")
        if ran.code != 0:
            last = (ran.complained.strip() or "no reason given").splitlines()[-1]
            raise UnseenError(f"{' '.join(command[:3])} failed: {last}")
        return ran.said

    def read(self, absolute: Path) -> str:
        """Give a file's text, empty if there is no such file."""
        try:
            return self.host.path(absolute).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def days_since(self, seconds: float) -> float:
        """Give how many days ago a moment was."""
        return (self.now.timestamp() - seconds) / 86400
