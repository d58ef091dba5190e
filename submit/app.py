"""Builds the service from its settings: the only place that constructs anything.

Rule 1: nothing is read from the environment or from a global.
Rule 2: it refuses to start rather than run without a protection.
"""

import datetime as dt
import os
import secrets
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from config.errors import SettingsError
from config.settings import Settings
from crypto.codename import RFC_9106_SECOND, Cost
from crypto.layout import MAX_CONTENT
from crypto.recipients import Recipient, inspect
from crypto.session_key import SessionKeyMaker
from submit.intake.admission import Admission
from submit.intake.arrivals import Arrivals
from submit.intake.calendar import Calendar
from submit.intake.desk.accounts import Accounts
from submit.intake.desk.door import Desk
from submit.intake.desk.erasing import Erasing
from submit.intake.desk.retention import Retention, Retiring
from submit.intake.desk.sealed import SealedShelf
from submit.intake.desk.sessions import StaffSessions
from submit.intake.desk.sources import DeskSources
from submit.intake.door import Intake, Site
from submit.intake.drop import Drops
from submit.intake.filling import Filling
from submit.intake.forms import Forms, Messages
from submit.intake.housekeeping import Housekeeping
from submit.intake.introductions import Introductions
from submit.intake.last_form import LastForms
from submit.intake.opening import Opening
from submit.intake.parts import Parts
from submit.intake.ports import Clock, Rules
from submit.intake.repeats import Repeats
from submit.intake.replies import Replies
from submit.intake.reply_keys import ReplyKeys
from submit.intake.sent import SentFiles
from submit.intake.sessions import Sessions
from submit.intake.sources import CodenameRules, Sources
from submit.intake.uploads import Uploads
from submit.intake.whole import Whole
from submit.store.database import Database, is_made, migrate
from submit.store.disk import Disk, FolderDisk
from submit.store.files import SealedFiles
from submit.store.owners import SharedOwners
from submit.store.records import Parts as PartRows
from submit.store.records import Replies as ReplyRows
from submit.store.records import Sent as SentRows
from submit.store.records import Sessions as SessionRows
from submit.store.records import Sources as SourceRows
from submit.store.records import Staff as StaffRows
from submit.store.records import StaffSessions as StaffSessionRows
from submit.store.records import Uploads as UploadRows
from submit.store.records import Work as WorkRows
from submit.store.sharing import masked, umask_of
from submit.tus.limits import Limits
from submit.web.answers import answer_refusals
from submit.web.desk.answers import answer_desk_refusals
from submit.web.desk.door import guard_desk
from submit.web.desk.figures import show_desk_figures
from submit.web.desk.inside import show_inside
from submit.web.desk.pages import desk_pages
from submit.web.figures import show_figures
from submit.web.frame import frame_pages
from submit.web.headers import DESK_POLICY, dress_answers, guard_door
from submit.web.languages import speak_english, speak_languages
from submit.web.pages import source_pages
from submit.web.tus import tus_routes

_GPG = "gpg"
_SALT_LENGTH = 32
_NO_SALT = (
    "{path} is missing, and none was made: with another one, no source could come back. Nothing was "
    "changed. Take it from a backup."
)
_DATABASE = "nightferry"  # where a site keeps it, among its extensions
DESK_THREADS = 64  # of its one worker process: a handful of people, and what they fetch


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie in the data folder."""

    data: Path

    @property
    def uploads(self) -> Path:
        """Sealed files and tails."""
        return self.data / "uploads"

    @property
    def run(self) -> Path:
        """What means nothing after a restart, and the marks of workers that run."""
        return self.data / "run"

    @property
    def gnupg(self) -> Path:
        """GnuPG's home, which is and stays empty."""
        return self.data / "gnupg"

    @property
    def salt(self) -> Path:
        """The secret salt of this deployment's codenames. Lost, no source can come back."""
        return self.data / "codename.salt"

    @property
    def umask(self) -> int:
        """What the sites deny to others in whatever they make."""
        return umask_of(self.data)

    def make(self) -> None:
        """Make what is missing; nobody may look into it but whom the data folder's mode lets in."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with masked(self.umask):
            self.uploads.mkdir(mode=0o770, exist_ok=True)
            self.run.mkdir(mode=0o770, exist_ok=True)
        if not self.gnupg.exists():
            self.gnupg.mkdir(mode=0o700)
            # GnuPG wants its folder without the bit that hands a shared folder's group on.
            self.gnupg.chmod(0o700)


class MissingSaltError(SettingsError):
    """There is a database, and the salt of its codenames is gone; none was made."""

    def __init__(self, path: Path) -> None:
        """Name the salt's place."""
        super().__init__(_NO_SALT.format(path=path))


@dataclass(frozen=True, slots=True)
class World:
    """What tests put another of in place of: the clock, the disk, the cost of a codename."""

    seconds: Callable[[], float] = time.time  # noqa: TID251 # the edge, where the clock enters
    cost: Cost = RFC_9106_SECOND
    disk: Callable[[Path], Disk] = FolderDisk
    # Memory that all workers share, so it is made before there are any.
    repeats: Repeats = field(default_factory=Repeats)


def inspect_recipients(settings: Settings, world: World) -> tuple[Recipient, ...]:
    """Look at the certificates; one of crypto's recipient errors, in words, if one will not do."""
    places = Places(settings.data)
    places.make()
    today = dt.datetime.fromtimestamp(world.seconds(), dt.UTC).date()
    return inspect(settings.recipients, places.gnupg, today)


def prepare(settings: Settings, world: World, *, clean: bool) -> None:
    """Do what must be done once before workers start; `clean` if the last run ended well."""
    # First the database: without it, nothing is made in what may be the place of a disk.
    with closing(_current_database(settings, 1)) as database:
        inspect_recipients(settings, world)
        build_intake(settings, world, database).housekeeping.start(clean=clean)


def make_database(settings: Settings) -> None:
    """Make the database, and the salt with it; or bring it to this version's form.

    Raises MissingSaltError for a database whose salt is gone.
    """
    places = Places(settings.data)
    places.make()
    if not places.salt.exists():
        if is_made(settings.database):
            raise MissingSaltError(places.salt)
        _write_once(places.salt, secrets.token_bytes(_SALT_LENGTH))
    migrate(settings.database)


def prepare_desk(settings: Settings) -> None:
    """Refuse (WrongRevisionError, MissingDatabaseError) what the desk's workers would find before they start."""
    _current_database(settings, 1).close()


def close_app(app: Flask) -> None:
    """Close what a site stands on, when it serves nobody any more."""
    database: Database = app.extensions[_DATABASE]
    database.close()


def _salt(places: Places) -> bytes:
    try:
        return places.salt.read_bytes()
    except FileNotFoundError:
        raise MissingSaltError(places.salt) from None


def _current_database(settings: Settings, connections: int) -> Database:
    database = Database(settings.database, connections)
    try:
        database.require_current()
    except BaseException:
        database.close()
        raise
    return database


def build_intake(settings: Settings, world: World, database: Database) -> Intake:
    """Build the intake and everything it stands on."""
    places = Places(settings.data)
    clock = Clock(world.seconds)
    rules = _rules(settings)
    files = SealedFiles(
        world.disk(places.uploads), SharedOwners(places.run / "owners"), settings.disk_reserve
    )
    source_rows, upload_rows = SourceRows(database), UploadRows(database)
    session_rows = SessionRows(database)
    sessions = Sessions(session_rows, clock, rules)
    parts, sent = Parts(PartRows(database), clock), SentFiles(SentRows(database))
    arrivals = Arrivals(parts, sent)
    keys = SessionKeyMaker(_GPG, places.gnupg, settings.recipients)
    opening = Opening(keys, source_rows, clock)
    whole = Whole(upload_rows, files, opening, sessions, clock, rules)
    reply_keys = ReplyKeys(source_rows)
    introductions = Introductions(source_rows, reply_keys, whole)
    erasing = Erasing(source_rows, upload_rows, files)
    retention = Retention(settings.retention_days)
    filling = Filling.build(upload_rows, files, sessions, clock, rules, arrivals)
    uploads = Uploads(filling, opening, introductions)
    codenames = CodenameRules(_salt(places), world.cost)
    return Intake(
        sources=Sources(source_rows, sessions, clock, codenames, reply_keys, files),
        uploads=uploads,
        drop=Drops(upload_rows, source_rows, uploads, parts),
        forms=Forms(
            whole, introductions, arrivals, world.repeats, Admission(settings.uploads_at_once)
        ),
        last_form=LastForms(source_rows, upload_rows, clock),
        messages=Messages(whole, introductions),
        replies=Replies(ReplyRows(database), source_rows, reply_keys, clock),
        parts=parts,
        sent=sent,
        housekeeping=Housekeeping(
            upload_rows,
            session_rows,
            PartRows(database),
            StaffSessionRows(database),
            Retiring(source_rows, upload_rows, erasing, retention, clock),
            files,
            clock,
            rules,
            Calendar(WorkRows(database), clock),
        ),
    )


def create_source_app(settings: Settings, world: World) -> Flask:
    """Build the source's site."""
    site = _site(settings, inspect_recipients(settings, world))
    database = _current_database(settings, settings.threads)
    intake = build_intake(settings, world, database)
    app = Flask("submit.web", static_folder=None)
    app.extensions[_DATABASE] = database
    app.config["PROPAGATE_EXCEPTIONS"] = False
    guard_door(app, site.hosts)
    dress_answers(app)
    speak_languages(app)
    answer_refusals(app)
    show_figures(app)
    frame_pages(app, intake.sources, site.hosts)
    app.register_blueprint(source_pages(intake, site))
    app.register_blueprint(tus_routes(intake, Limits(site.max_upload_length)))
    return app


def build_accounts(world: World, database: Database) -> Accounts:
    """Build what makes and proves staff accounts."""
    return Accounts(StaffRows(database), Clock(world.seconds), world.cost)


def build_desk(settings: Settings, world: World, database: Database) -> Desk:
    """Build what the desk stands on: no salt, no certificate and no key is among it."""
    places, clock = Places(settings.data), Clock(world.seconds)
    files = SealedFiles(
        world.disk(places.uploads), SharedOwners(places.run / "owners"), settings.disk_reserve
    )
    source_rows, upload_rows = SourceRows(database), UploadRows(database)
    reply_rows = ReplyRows(database)
    accounts = build_accounts(world, database)
    idle_quarters = _rules(settings).session_idle_quarters
    sessions = StaffSessions(StaffSessionRows(database), accounts, clock, idle_quarters)
    replies = Replies(reply_rows, source_rows, ReplyKeys(source_rows), clock)
    erasing = Erasing(source_rows, upload_rows, files)
    return Desk(
        sessions=sessions,
        sources=DeskSources(
            source_rows,
            upload_rows,
            reply_rows,
            replies,
            files,
            clock,
            Retention(settings.retention_days),
            erasing,
        ),
        sealed=SealedShelf(upload_rows, files, sessions, clock, erasing),
    )


def create_desk_app(settings: Settings, world: World) -> Flask:
    """Build the staff's site."""
    database = _current_database(settings, DESK_THREADS)
    desk = build_desk(settings, world, database)
    app = Flask("submit.web.desk", static_folder=None)
    app.extensions[_DATABASE] = database
    app.config["PROPAGATE_EXCEPTIONS"] = False
    guard_door(app, tuple(host.lower() for host in settings.desk_hosts))
    guard_desk(app, desk)
    dress_answers(app, DESK_POLICY)
    speak_english(app)
    answer_desk_refusals(app)
    show_figures(app)
    show_desk_figures(app)
    show_inside(app, desk.sessions)
    app.register_blueprint(desk_pages(desk))
    return app


def _rules(settings: Settings) -> Rules:
    return Rules(
        max_form_file_length=settings.max_form_file_length,
        max_message_length=settings.max_message_length,
        session_idle_quarters=-(-settings.session_idle_minutes // 15),
        upload_idle_days=settings.upload_idle_days,
    )


def _site(settings: Settings, recipients: tuple[Recipient, ...]) -> Site:
    return Site(
        hosts=tuple(host.lower() for host in settings.hosts),
        fingerprints=tuple(recipient.fingerprint for recipient in recipients),
        certificates=b"".join(path.read_bytes() for path in settings.recipients),
        max_message_length=settings.max_message_length,
        max_form_file_length=settings.max_form_file_length,
        max_upload_length=min(settings.max_upload_length, MAX_CONTENT),
    )


def _write_once(path: Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
