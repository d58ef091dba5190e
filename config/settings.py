"""What the sysadmin decides: one TOML file, read once at start into a frozen value.

Rule 1: every setting is named here with its unit, and in config/example.toml.
Rule 2: unknown keys, missing keys, other types and absurd values are refused, never mended.
Rule 3: nothing here touches what the settings name: whoever uses a path looks whether it is there.
"""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from config import sense
from config.errors import UnreadableSettingsError
from config.table import Table

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
TEBIBYTE = 1 << 40

# 1 PiB. No disk that this runs on holds it: a larger number is a slip of the keyboard.
LONGEST_UPLOAD = 1 << 50
# The form's sealed file is begun before its length is known: 32 bits are kept for it.
LONGEST_FORM_FILE = (1 << 32) - MEBIBYTE - 1
# A message is held in memory, once for each source that sends one.
LONGEST_MESSAGE = 16 * MEBIBYTE
# Room for the database, its write-ahead log and the tails of some thousand uploads.
LEAST_RESERVE = 16 * MEBIBYTE
THREADS_FOR_PAGES = 32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one service.

    invariant: an instance that exists makes sense; construction refuses every other.

    Raises `AbsurdValueError` on construction.
    """

    # The folder of sealed uploads, absolute. Only the service's own user may read it; it needs
    # the room for everything that sources send, and lies best on an encrypted disk.
    data: Path

    # SQLAlchemy's address of the database. It holds locators, sessions and states, no content.
    # With SQLite (three slashes and an absolute path) it lies best beside `data`.
    database: str

    # Files with the OpenPGP certificates to which everything is sealed, absolute paths, at least
    # one. Each of these recipients alone can open what arrives. No secret key may be in them.
    recipients: tuple[Path, ...]

    # The names under which the site is reached, without port: the onion address. A request that
    # names another host is refused, so no other site can be put in front of this one.
    hosts: tuple[str, ...]

    # Where to listen: `unix:/absolute/path` (the production way: tor speaks to it) or
    # `127.0.0.1:PORT`. Another address than loopback would be reachable without Tor: refused.
    listen: str

    # Where the staff's site, the desk, listens: as `listen`, and another address.
    desk_listen: str = "unix:/run/nightferry/desk.sock"

    # The names under which the desk is reached: an onion address of its own, with client
    # authorization. None, and there is no desk.
    desk_hosts: tuple[str, ...] = ()

    # The longest upload, in octets. The default is 1 TiB, which at 1 Mbit/s takes three months.
    max_upload_length: int = TEBIBYTE

    # The longest file in the plain form, in octets. The form tells no length in advance, so the
    # sealed format keeps 32 bits for it, and 1 MiB of room: below 2^32 - 2^20.
    max_form_file_length: int = 4_000_000_000

    # The longest written message, in octets of UTF-8. It is held in memory while it is sealed.
    max_message_length: int = 524_288

    # Octets of the disk that uploads leave free. Below this, new uploads and appends are refused
    # in words, while the database and the tails of what already arrived still have room.
    disk_reserve: int = 2 * GIBIBYTE

    # Minutes after which a session without a request ends. Octets that flow keep it alive.
    session_idle_minutes: int = 120

    # Days after which an unfinished upload that nobody moved can no longer be resumed. What
    # arrived of it stays for the staff.
    upload_idle_days: int = 30

    # Days after the last content or visit after which a source and what was fetched of it are
    # deleted; a random tenth more, so that the day says little. 0: never. What was not fetched
    # stays, and its source with it.
    retention_days: int = 0

    # Seconds without a single octet after which the body of a request is given up. A slow sender
    # renews it with each octet; a circuit that is dead without saying so ends here.
    body_idle_seconds: int = 120

    # Uploads that one worker process receives at the same time. The next one is told to wait.
    uploads_at_once: int = 320

    # Threads of one worker process. The difference to `uploads_at_once`, at least 32, is what
    # always remains for pages.
    threads: int = 400

    # Worker processes. Uploads are moved by any of them; two keep both cores of a small machine
    # busy, and more threads help more than more processes.
    workers: int = 2

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        self._check_places()
        self._check_names()
        self._check_lengths()
        self._check_times()
        self._check_room_for_pages()

    def _check_places(self) -> None:
        sense.absolute("data", self.data)
        sense.database_address("database", self.database)
        sense.listening("listen", self.listen)
        sense.listening("desk_listen", self.desk_listen)
        sense.all_different("desk_listen", (self.listen, self.desk_listen))

    def _check_names(self) -> None:
        sense.at_least_one("recipients", self.recipients)
        sense.all_different("recipients", self.recipients)
        for path in self.recipients:
            sense.absolute("recipients", path)
        sense.at_least_one("hosts", self.hosts)
        sense.all_different("hosts", self.hosts)
        for name in self.hosts:
            sense.host_name("hosts", name)
        sense.all_different("desk_hosts", self.desk_hosts)
        for name in self.desk_hosts:
            sense.host_name("desk_hosts", name)
        sense.apart("desk_hosts", self.desk_hosts, self.hosts)

    def _check_lengths(self) -> None:
        sense.within("max_upload_length", self.max_upload_length, 1, LONGEST_UPLOAD)
        sense.within("max_form_file_length", self.max_form_file_length, 1, LONGEST_FORM_FILE)
        sense.within("max_message_length", self.max_message_length, 1, LONGEST_MESSAGE)
        sense.within("disk_reserve", self.disk_reserve, LEAST_RESERVE, LONGEST_UPLOAD)

    def _check_times(self) -> None:
        sense.within("session_idle_minutes", self.session_idle_minutes, 1, 7 * 24 * 60)
        sense.within("upload_idle_days", self.upload_idle_days, 1, 3650)
        sense.within("retention_days", self.retention_days, 0, 3650)
        sense.within("body_idle_seconds", self.body_idle_seconds, 1, 3600)

    def _check_room_for_pages(self) -> None:
        sense.within("workers", self.workers, 1, 64)
        sense.within("uploads_at_once", self.uploads_at_once, 1, 10_000)
        # Slow uploads hold their threads for hours; pages need threads that no upload can take.
        sense.within("threads", self.threads, self.uploads_at_once + THREADS_FOR_PAGES, 20_000)


def load(path: Path) -> Settings:
    """Read the settings from a TOML file.

    Raises `UnreadableSettingsError`, `UnknownSettingError`, `MissingSettingError`,
    `WrongTypeError` or `AbsurdValueError`, each of them a `SettingsError`.
    """
    table = Table(read_toml(path))
    table.refuse_unknown([field.name for field in fields(Settings)])
    return read_settings(table)


def read_settings(table: Table) -> Settings:
    """Take every setting from a table. Raises as `load` does, but for unknown keys."""
    return Settings(
        data=table.path("data"),
        database=table.text("database"),
        recipients=table.paths("recipients"),
        hosts=table.texts("hosts"),
        listen=table.text("listen"),
        desk_listen=table.text("desk_listen", Settings.desk_listen),
        desk_hosts=table.texts("desk_hosts", Settings.desk_hosts),
        max_upload_length=table.integer("max_upload_length", Settings.max_upload_length),
        max_form_file_length=table.integer("max_form_file_length", Settings.max_form_file_length),
        max_message_length=table.integer("max_message_length", Settings.max_message_length),
        disk_reserve=table.integer("disk_reserve", Settings.disk_reserve),
        session_idle_minutes=table.integer("session_idle_minutes", Settings.session_idle_minutes),
        upload_idle_days=table.integer("upload_idle_days", Settings.upload_idle_days),
        retention_days=table.integer("retention_days", Settings.retention_days),
        body_idle_seconds=table.integer("body_idle_seconds", Settings.body_idle_seconds),
        uploads_at_once=table.integer("uploads_at_once", Settings.uploads_at_once),
        threads=table.integer("threads", Settings.threads),
        workers=table.integer("workers", Settings.workers),
    )


def read_toml(path: Path) -> dict[str, object]:
    """Read a TOML file. Raises `UnreadableSettingsError`."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableSettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # of TOML and of UTF-8
        raise UnreadableSettingsError(f"{path}: is no TOML file: {error}") from None
