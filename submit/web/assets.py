"""The files that pages fetch: a fixed table, read into memory once, when the service starts.

Rule 1: what is not in the table is not there; no part of an address is ever a path.
Rule 2: from memory, so that no file time and no ETag comes with them.
Rule 3: without the vendored script (no Node at install) the pages have no script, and work.
"""

from collections.abc import Callable
from pathlib import Path

from flask import Blueprint, Response
from flask.blueprints import BlueprintSetupState

STATIC = Path(__file__).parent / "static"
VENDORED = "vendor/tus.min.js"  # brought by ./nightferry from node_modules

SHEETS = ("site.css", "script.css")
# In the order of who imports whom: the last one is the page's, the others can be fetched early.
SCRIPTS = (
    "nostorage.js",
    "words.js",
    "server.js",
    "sameness.js",
    "choosing.js",
    "pace.js",
    "sending.js",
    "queue.js",
    "view.js",
    "source.js",
)

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


def serve_assets(pages: Blueprint, folder: Path = STATIC) -> None:
    """Add a route for each file of the table; templates learn `scripts`, none without Node."""
    scripts = (VENDORED, *SCRIPTS) if (folder / VENDORED).exists() else ()
    for name in (*SHEETS, *scripts):
        pages.add_url_rule(
            f"/static/{name}", f"static {name}".replace(".", " "), give(folder, name)
        )

    def tell_templates(state: BlueprintSetupState) -> None:
        state.app.jinja_env.globals["scripts"] = scripts

    pages.record(tell_templates)


def give(folder: Path, name: str) -> Callable[[], Response]:
    """Make the view of one file, which is read now."""
    content, kind = (folder / name).read_bytes(), _TYPES[Path(name).suffix]
    return lambda: Response(content, content_type=kind)
