"""What all tests share: how hypothesis searches, here and in CI."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings

from submit.app import close_app
from submit.cli.translations import compile_outdated

# Two shared cores make single examples slow at random: a deadline would only find the machine.
settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# As many examples as leave the whole suite under twenty minutes; a night can take more.
settings.register_profile("night", parent=settings.get_profile("here"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "here"))

# What runs in the background of a shell is told to ignore Ctrl-C, and hands that on: a test that
# presses it would wait for nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Here and not in a fixture: servers that tests start in other processes speak all languages too.
compile_outdated()

# `server`: a real gunicorn for a module's tests.
pytest_plugins = ["tests.live"]


CloseLater = Callable[[Flask], Flask]


@pytest.fixture
def close_later() -> Iterator[CloseLater]:
    """Give what every site built in this process is handed to: it is closed after the test."""
    with ExitStack() as sites:

        def keep(site: Flask) -> Flask:
            sites.callback(close_app, site)
            return site

        yield keep
