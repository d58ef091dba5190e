"""The demo's second process: the desk, which ends when the first does, in whatever way."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from config.settings import Settings
from submit.app import World
from submit.cli.failure import CommandError
from submit.serve.site import DeskSite


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """Serve the desk in a process of its own, from now on until the end; CommandError."""
    ready, tell_ready = os.pipe()
    # Whoever holds the writing end lives: the system closes it, even after kill -9.
    life, hold_life = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hold_life)
        _serve(settings, life, tell_ready)
    os.close(tell_ready)
    try:
        if not os.read(ready, 1):
            raise CommandError("the desk did not start; its own words are above")
        yield
    finally:
        os.close(hold_life)
        with suppress(ChildProcessError):  # gunicorn may have reaped it
            os.waitpid(pid, 0)


def _serve(settings: Settings, life: int, tell_ready: int) -> None:
    threading.Thread(target=_end_after, args=(life, os.getpid()), daemon=True).start()

    def tell() -> None:
        os.write(tell_ready, b"1")

    site, status = DeskSite(settings, World(), tell), 1
    try:
        site.run()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        # Not back into the first process's story, of which this one is a copy.
        os._exit(status)


def _end_after(life: int, pid: int) -> None:
    os.read(life, 1)
    os.kill(pid, signal.SIGTERM)
