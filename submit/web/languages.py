"""Which language a page speaks, and the control that changes it.

Rule 1: the source's own choice comes first, then what its browser asks for, then English.
Rule 2: the choice is kept by the browser alone, in a cookie; the server remembers and logs none.
Rule 3: a time is always UTC: neither the source's place nor the server's shows in it.
"""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import flask_babel
from flask import Blueprint, Flask, Request, Response, request

from submit.web.asking import refuse_foreign_page
from submit.web.cookie import keep_language, kept_language
from submit.web.forms import read_fields

MAX_CHOICE_LENGTH = 256  # octets
CATALOGUES = Path(__file__).parent / "translations"

# Pages that GET alone shows again: what a POST answered (the codename, a message given back)
# would be lost by changing the language on it, so those have no control.
PAGES = ("/", "/codename", "/drop", "/drop/messages", "/large", "/left", "/lost", "/safety")


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its code in forms and cookie, its CLDR locale, its own name for itself."""

    code: str
    locale: str
    name: str
    direction: str = "ltr"

    @property
    def tag(self) -> str:
        """The BCP 47 tag, for HTML's `lang`."""
        return self.locale.replace("_", "-")


ENGLISH = Language("en", "en", "English")
LANGUAGES = (
    ENGLISH,
    Language("ru", "ru", "Русский"),
    Language("uk", "uk", "Українська"),
    Language("be", "be", "Беларуская"),
    Language("es", "es", "Español"),
    Language("fr", "fr", "Français"),
    Language("ar", "ar", "العربية", "rtl"),
    Language("fa", "fa", "فارسی", "rtl"),
    Language("zh", "zh_Hans", "简体中文"),
)
_BY_CODE = {language.code: language for language in LANGUAGES}


def speak_languages(app: Flask) -> None:
    """Make the app speak each request's language, and answer POST /language."""
    flask_babel.Babel(
        app,
        default_locale=ENGLISH.locale,
        default_timezone="UTC",
        default_translation_directories=str(CATALOGUES),
        locale_selector=lambda: choose_language(request).locale,
    )
    # A text may stand on several lines of a template, and is still one line for translators.
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.context_processor(_show)
    routes = Blueprint("language", __name__)
    routes.post("/language")(change_language)
    app.register_blueprint(routes)


def speak_english(app: Flask) -> None:
    """Make the app write numbers and days in English, whoever asks."""
    flask_babel.Babel(
        app,
        default_locale=ENGLISH.locale,
        default_timezone="UTC",
        locale_selector=lambda: ENGLISH.locale,
    )


def choose_language(request: Request) -> Language:
    """Return the language of the cookie, or the first that the browser asks for, or English."""
    chosen = _BY_CODE.get(kept_language(request) or "")
    return chosen or _first_wanted(request) or ENGLISH


def change_language() -> Response:
    """Keep the choice in the browser, and show the same page again.

    It carries no token, because a page must be able to speak before there is anything to prove.
    The browser's own word (`refuse_foreign_page`) keeps other sites from choosing.
    """
    refuse_foreign_page(request)
    fields = read_fields(request, MAX_CHOICE_LENGTH)
    back = fields.get("back")
    location = back if back in PAGES else PAGES[0]
    response = Response(status=HTTPStatus.SEE_OTHER, headers={"Location": location})
    chosen = _BY_CODE.get(fields.get("language", ""))
    if chosen:
        keep_language(response, chosen.code)
    return response


def gettext(text: str, /, **values: object) -> str:
    """Return an English text in the request's language; `%(name)s` takes a value."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """Return one of two English texts in the form that the language has for `%(num)s` things."""
    return str(flask_babel.ngettext(one, many, number, **values))


def marked(text: str) -> str:
    """Return an English text as it is: it is only marked here, and translated where it is shown."""
    return text


def _first_wanted(request: Request) -> Language | None:
    for wanted, quality in request.accept_languages:
        # One script is offered for each: zh-TW can read zh-Hans better than English.
        found = _BY_CODE.get(wanted.replace("_", "-").split("-")[0].lower())
        if found and quality > 0:
            return found
    return None


def _show() -> dict[str, Any]:
    language = choose_language(request)
    shows_again = request.method in {"GET", "HEAD"} and request.path in PAGES
    return {
        "locale": language.tag,
        "direction": language.direction,
        "languages": LANGUAGES,
        "language_back": request.path if shows_again else None,
    }
