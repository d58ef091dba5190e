"""Runs gunicorn with the shipped settings, and keeps the marks that tell how a run ended.

Each worker has a file `worker-PID` in the run folder for as long as it lives. One that is
still there when its process is not tells that it was killed: uploads may hold a torn chunk.
"""

import logging
import os
import resource
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from config.settings import Settings
from submit.app import (
    DESK_THREADS,
    Places,
    World,
    close_app,
    create_desk_app,
    create_source_app,
    prepare,
    prepare_desk,
)
from submit.serve.log import FaultHandler, QuietLogger
from submit.serve.reader import Patience
from submit.serve.worker import PatientWorker
from submit.store.database import Database
from submit.store.records import Uploads

_MARKING = {"worker_exit", "child_exit"}
_HEAD_PATIENCE = 60  # seconds for a request head: Tor is slow, but a head is short


class PatientArbiter(Arbiter):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's master; every way to stop it lets the workers keep what has arrived."""

    def handle_int(self) -> None:
        """See gunicorn: Ctrl-C."""
        self.handle_term()

    def handle_quit(self) -> None:
        """See gunicorn."""
        self.handle_term()


class Site(BaseApplication):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn, set up from the settings; `ready` is called when the first worker serves."""

    def __init__(
        self, settings: Settings, world: World, ready: Callable[[], None] | None = None
    ) -> None:
        """Serve the source's site; with `ready`, on a terminal, where Ctrl-C is the way to end."""
        self._settings, self._world, self._ready = settings, world, ready
        self._marks = Marks(Places(settings.data).run)
        self._umask = Places(settings.data).umask
        super().__init__()

    def run(self) -> None:
        """Serve until a signal ends it; then SystemExit."""
        # A dump of a crashed process would put plaintext and keys on the disk.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.umask(self._umask)
        PatientArbiter(self).run()

    def load_config(self) -> None:
        """See gunicorn."""
        PatientWorker.patience = Patience(_HEAD_PATIENCE, self._settings.body_idle_seconds)
        spare = self._settings.threads - self._settings.uploads_at_once
        PatientWorker.reading_out = threading.BoundedSemaphore(spare // 2)
        for key, value in self._options().items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        """Build the application, in the worker."""
        return _quiet(create_source_app(self._settings, self._world))

    def _options(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "bind": [settings.listen],
            "worker_class": PatientWorker,
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_connections": settings.threads + 600,
            "keepalive": 30,
            "timeout": 60,
            "graceful_timeout": 20,
            "backlog": 512,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108 # a heartbeat, in memory
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "logger_class": QuietLogger,
            "limit_request_line": 2048,
            "limit_request_fields": 40,
            "limit_request_field_size": 8190,
            "forwarded_allow_ips": "",
            "proxy_allow_ips": "",
            "umask": self._umask,
            "capture_output": False,
            "proc_name": "nightferry",
            "on_starting": self._on_starting,
            "post_fork": self._on_fork,
            "post_worker_init": self._on_worker_ready,
            "worker_exit": self._on_worker_exit,
            "child_exit": self._on_child_exit,
        }

    def _on_starting(self, _arbiter: object) -> None:
        left = self._marks.left()
        prepare(self._settings, self._world, clean=not left)
        for pid in left:
            self._marks.clear(pid)

    def _on_fork(self, _arbiter: object, worker: Any) -> None:
        self._marks.set(worker.pid)
        self._leave_terminal()

    def _leave_terminal(self) -> None:
        if self._ready is not None:
            # A terminal sends Ctrl-C to its whole group. The master alone should hear it: a
            # worker's gpg would die of it in the middle of its work, and the worker with it.
            os.setpgid(0, 0)

    def _on_worker_ready(self, worker: Any) -> None:
        if self._ready is not None and worker.age == 1:
            self._ready()

    def _on_worker_exit(self, _arbiter: object, _worker: object) -> None:
        self._marks.clear(os.getpid())
        self._close()

    def _close(self) -> None:
        if self.callable is not None:  # none, if the worker could not begin
            close_app(self.callable)

    def _on_child_exit(self, _arbiter: object, worker: Any) -> None:
        """Mark all open uploads if a worker was killed, not ended."""
        if worker.pid in self._marks.left():
            with closing(Database(self._settings.database, 1)) as database:
                Uploads(database).suspect_all()
            self._marks.clear(worker.pid)
            logging.getLogger("gunicorn.error").error("a worker was killed")


class DeskSite(Site):
    """The staff's site, in a process of its own. It fills no upload, so it keeps no marks."""

    def load(self) -> Flask:
        """See `Site`."""
        return _quiet(create_desk_app(self._settings, self._world))

    def _options(self) -> dict[str, Any]:
        own = {
            "bind": [self._settings.desk_listen],
            "workers": 1,  # one login is checked at a time, whatever the number of workers
            "threads": DESK_THREADS,
            "worker_connections": 2 * DESK_THREADS,
            "proc_name": "nightferry-desk",
            "on_starting": lambda _arbiter: prepare_desk(self._settings),
            "post_fork": lambda _arbiter, _worker: self._leave_terminal(),
            "worker_exit": lambda _arbiter, _worker: self._close(),
        }
        unmarked = {key: value for key, value in super()._options().items() if key not in _MARKING}
        return unmarked | own


def _quiet(app: Flask) -> Flask:
    app.logger.handlers[:] = [FaultHandler()]
    app.logger.propagate = False
    return app


class Marks:
    """The files that stand for workers that run."""

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`."""
        self._folder = folder

    def set(self, pid: int) -> None:
        """Note that a worker runs."""
        (self._folder / f"worker-{pid}").touch(mode=0o600)
        # A power cut must not take the mark away that tells of it.
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def clear(self, pid: int) -> None:
        """Note that a worker has ended as it should, or that its death was dealt with."""
        (self._folder / f"worker-{pid}").unlink(missing_ok=True)

    def left(self) -> list[int]:
        """Give the workers that are not known to have ended."""
        return [int(path.name.partition("-")[2]) for path in self._folder.glob("worker-*")]
