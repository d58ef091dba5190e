"""Pages that only say something: safety, large files, a lost codename, goodbye."""

from flask import Blueprint, Response, make_response, render_template, request

from submit.intake.door import Intake, Site
from submit.web.inside import look

# Small enough to arrive whole over a circuit that breaks every quarter of an hour, large enough
# that `split`, whose names end at .zz, cuts 60 GB with it.
PART_MEBIBYTES = 100
_MEBIBYTE = 1 << 20


class AdviceViews:
    """Views that anybody may see, inside or not."""

    def __init__(self, intake: Intake, site: Site) -> None:
        """Take who is asked whether the visitor is inside, and the limits that pages name."""
        self._sources, self._site = intake.sources, site

    def register(self, pages: Blueprint) -> None:
        """Add the views to the site's pages."""
        pages.get("/safety")(self.show_safety)
        pages.get("/large")(self.show_large)
        pages.get("/lost")(self.show_lost)
        pages.get("/left")(self.show_left)

    def show_safety(self) -> Response:
        """Say what protects the source here, and what does not."""
        return self._show("safety.html")

    def show_large(self) -> Response:
        """Say how to cut a large file into parts that the form takes."""
        limit = self._site.max_form_file_length
        part = max(1, min(PART_MEBIBYTES, limit // _MEBIBYTE))
        return self._show("large.html", part=part, max_file_length=limit)

    def show_lost(self) -> Response:
        """Say what it means that a codename is lost, and what to do."""
        return self._show("lost.html")

    def show_left(self) -> Response:
        """Say goodbye, and let the browser forget everything of this site.

        Only if the browser says that it comes from a page of ours and nobody is inside: a
        foreign page that fetches this address must not throw anybody out.
        """
        session = look(self._sources)
        page = make_response(render_template("left.html"))
        if session is None and request.headers.get("Sec-Fetch-Site") == "same-origin":
            page.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
        return page

    def _show(self, template: str, **shown: object) -> Response:
        return make_response(render_template(template, **shown))
