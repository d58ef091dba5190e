"""Every text of the pages is translated, completely, and with nothing in it broken."""

import json
import os
import re
import shutil
from collections import Counter
from gettext import c2py
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from flask import Flask

from submit.cli.translations import (
    compile_outdated,
    gather,
    po_path,
    read,
    untranslated,
    update,
    write,
)
from submit.web.languages import ENGLISH, LANGUAGES, PAGES, Language, gettext, speak_languages
from tests.web.site import Browser, Machine, Page
from tests.web.templates_read import TEMPLATES, unwrapped

OTHERS = [language for language in LANGUAGES if language is not ENGLISH]
RUSSIAN = next(language for language in LANGUAGES if language.code == "ru")

# What must be in a translation as often as in the English: values, percent signs, tags.
FIXED = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}|</?\w[^>]*>")
NAMES = ("Tor Browser", "Tails", "7-Zip", "Nightferry", "gpg", "OpenPGP", "Upload-", "HEAD", "tus")
QUOTED = re.compile(r"“([^”]+)”").findall
INVISIBLE = re.compile(r"[\x00-\x1f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
NEEDED = {"ar": "\u200e", "fa": "\u200c\u200e"}  # else 7-Zip shows as Zip-7

# Three words in a row in Latin letters: what stays in English on purpose is shorter, is in
# brackets beside its translation, or is a name.
ENGLISH_WORDS = re.compile(r"\b[A-Za-z]{2,}(?:[ ,.]+[A-Za-z]{2,}){2,}")
ENGLISH_ON_PURPOSE = re.compile(r"\([A-Za-z ,…]+\)|7-Zip File Manager")
EXACT = re.compile(r"<(code|kbd|pre|samp)\b.*?</\1>|<(\w+)[^>]* lang=\"(?!ru).*?</\2>", re.DOTALL)

every_other_language = pytest.mark.parametrize(
    "language", OTHERS, ids=lambda language: language.code
)


def english_left(html: str) -> list[str]:
    """Give the English that a reader of a Russian page meets."""
    return ENGLISH_WORDS.findall(ENGLISH_ON_PURPOSE.sub("", Page(EXACT.sub("", html)).text))


def pairs(catalogue: Catalog) -> list[tuple[str, str, int]]:
    """Give each English text, its translation, and which plural form that is."""
    found = []
    for message in catalogue:
        if message.id:
            english = message.id if isinstance(message.id, str) else message.id[1]
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            found += [(english, str(string), form) for form, string in enumerate(strings)]
    return found


def lone_forms(catalogue: Catalog) -> set[int]:
    """Give the plural forms that stand for one number only: there it can be said in a word."""
    form_of = c2py(catalogue.plural_expr)
    counts = Counter(form_of(number) for number in range(1_000))
    return {form for form, count in counts.items() if count == 1}


@every_other_language
def test_every_text_is_translated(language: Language) -> None:
    """A page that is half in English says: this is not for you."""
    catalogue = read(language)
    assert [message.id for message in untranslated(catalogue)] == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert list(catalogue.obsolete) == []


@every_other_language
def test_the_catalogue_is_up_to_date(language: Language) -> None:
    """It holds exactly the texts of the sources: run ./nightferry translations."""
    assert po_path(language).read_text("utf-8") == write(update(language, gather()))


@every_other_language
def test_values_and_tags_are_in_their_places(language: Language) -> None:
    """A lost `%(count)s` hides a number, a misspelt one breaks the page, so does a tag."""
    catalogue = read(language)
    lone = lone_forms(catalogue)
    wrong = []
    for english, said, form in pairs(catalogue):
        lacks = Counter(FIXED.findall(english))
        lacks.subtract(FIXED.findall(said))
        if form in lone and english not in catalogue:  # "one file": a word may say the number
            lacks["%(count)s"] = 0
        if any(lacks.values()):
            wrong.append(said)
    assert wrong == []


@every_other_language
def test_names_of_programs_are_kept(language: Language) -> None:
    """The reader looks for the same name on the screen."""
    every = pairs(read(language))
    assert [
        said for english, said, _ in every for n in NAMES if n in english and n not in said
    ] == []


@every_other_language
def test_a_button_is_named_as_it_is_called(language: Language) -> None:
    """“Leave” in a sentence is the same word as on the button."""
    catalogue = read(language)
    called = {english: said for english, said, _ in pairs(catalogue)}
    named = [
        (said, called.get(name)) for english, said in called.items() for name in QUOTED(english)
    ]
    assert [said for said, label in named if label and label not in said] == []
    assert any(label for _, label in named)


@every_other_language
def test_translations_hide_nothing(language: Language) -> None:
    """No control character, no character without width that the language does not need."""
    needed = NEEDED.get(language.code, "")
    every = [said for _, said, _ in pairs(read(language))]
    assert [
        said for said in every if INVISIBLE.search(said.translate({ord(c): "" for c in needed}))
    ] == []
    assert [said for said in every if said != said.strip() or '"' in FIXED.sub("", said)] == []


def test_a_text_is_one_line_for_translators() -> None:
    """However a template breaks it: `trimmed`, or one line."""
    ids = [id_ for m in gather() for id_ in ([m.id] if isinstance(m.id, str) else m.id)]
    assert [text for text in ids if "\n" in text or "  " in text or text != text.strip()] == []


def test_every_room_is_searched() -> None:
    """Templates, calls of gettext, and the words of refusals everywhere."""
    places = {place for message in gather() for place, _ in message.locations}
    for room in ("web/templates", "web/answers", "web/errors", "intake", "store", "tus"):
        assert any(place.startswith(f"submit/{room}") for place in places), room


@pytest.mark.parametrize("address", PAGES)
def test_no_page_has_english_left_in_it(browser: Browser, address: str) -> None:
    """In Russian, three English words in a row are a text that nobody wrapped."""
    assert english_left(browser.opens(address, "ru").text) == []


def test_the_search_for_english_finds_it() -> None:
    """The search itself can fail."""
    assert english_left("<p>Файлы: What has arrived</p>")
    assert english_left("<p>Нажмите «Новая цепочка» (New circuit for this site)</p>") == []
    assert english_left('<ol lang="en"><li>able acid acre</li></ol>') == []


@pytest.mark.parametrize(
    "template", sorted(TEMPLATES.rglob("*.html")), ids=lambda template: template.name
)
def test_every_visible_string_is_wrapped(template: Path) -> None:
    """A translator sees each text, each label and each title of every template."""
    assert unwrapped(template.read_text("utf-8")) == []


def test_a_program_without_a_language_gets_english(machine: Machine) -> None:
    """Its log is searched for the words; the script of a page asks in the page's language."""
    english = machine.post("/session", {"codename": "a"}).text
    assert "A codename has eight words" in english
    russian = machine.post("/session", {"codename": "a"}, **{"Accept-Language": "ru"})
    assert not ENGLISH_WORDS.search(json.loads(russian.text)["error"])


def test_tus_clients_hear_it_in_their_language(machine: Machine) -> None:
    """What an upload program shows to a person is in that person's language; status as ever."""
    answer = machine.client.patch("/uploads/x", headers={"Accept-Language": "ru"})
    assert (answer.status_code, answer.text[0]) == (412, "Э")


def test_without_compiled_catalogues_the_site_speaks_english(tmp_path: Path) -> None:
    """Who could not compile them has a site that works."""
    app = Flask("submit.web")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(tmp_path)
    speak_languages(app)
    with app.test_request_context("/", headers={"Accept-Language": "ru"}):
        assert gettext("Your page") == "Your page"


def test_a_catalogue_that_changed_is_compiled_again(tmp_path: Path) -> None:
    """Nobody has to think of it; one that did not change is left as it is."""
    source = po_path(RUSSIAN, tmp_path)
    source.parent.mkdir(parents=True)
    shutil.copy(po_path(RUSSIAN), source)
    compile_outdated(tmp_path)
    target = source.with_suffix(".mo")
    first = target.stat().st_mtime_ns
    compile_outdated(tmp_path)
    assert target.stat().st_mtime_ns == first
    os.utime(source, ns=(first + 1, first + 1))
    compile_outdated(tmp_path)
    assert target.stat().st_mtime_ns > first
    assert [path.name for path in sorted(target.parent.iterdir())] == ["messages.mo", "messages.po"]
