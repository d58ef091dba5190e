"""The door for a WSGI server: `wsgi:source()`; settings from the file NIGHTFERRY_CONFIG names."""

import os
from pathlib import Path

from flask import Flask

from config.settings import load
from submit.app import World, create_source_app


def source() -> Flask:
    """Build the source's site."""
    return create_source_app(load(Path(os.environ["NIGHTFERRY_CONFIG"])), World())
