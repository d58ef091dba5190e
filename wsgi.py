"""The doors for a WSGI server: `wsgi:source()`, `wsgi:desk()`; settings from the file NIGHTFERRY_CONFIG names."""

import os
from pathlib import Path

from flask import Flask

from config.settings import load
from submit.app import World, create_desk_app, create_source_app


def source() -> Flask:
    """Build the source's site."""
    return create_source_app(load(Path(os.environ["NIGHTFERRY_CONFIG"])), World())


def desk() -> Flask:
    """Build the staff's site."""
    return create_desk_app(load(Path(os.environ["NIGHTFERRY_CONFIG"])), World())
