"""The desk's pages, put together."""

from pathlib import Path

from flask import Blueprint

from submit.intake.desk.door import Desk
from submit.web.assets import STATIC, give
from submit.web.desk.door import DoorViews
from submit.web.desk.sealed import SealedViews
from submit.web.desk.sources import SourceViews

_OWN = Path(__file__).parent / "static"


def desk_pages(desk: Desk) -> Blueprint:
    """Build the pages; they ask `desk`."""
    pages = Blueprint("desk", __name__)
    for folder, name in ((STATIC, "site.css"), (_OWN, "desk.css")):
        pages.add_url_rule(f"/static/{name}", name.replace(".", " "), give(folder, name))
    DoorViews(desk).register(pages)
    SourceViews(desk).register(pages)
    SealedViews(desk).register(pages)
    return pages
