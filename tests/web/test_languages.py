"""The pages speak nine languages: chosen by a cookie, by the browser, or English."""

import pytest

from submit.web.languages import LANGUAGES, PAGES, Language
from tests.live import Live
from tests.web.site import Browser, Page
from tests.web.templates_read import unwrapped

COOKIE = "nightferry_language"
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}


def speaks(browser: Browser, accepted: str, address: str = "/") -> tuple[str | None, str | None]:
    """Give the language and direction in which a page comes."""
    [html] = Page(browser.get(address, **{"Accept-Language": accepted}).text).all("html")
    return html["lang"], html["dir"]


def chooses(browser: Browser, language: str, back: str = "/", **headers: str) -> str:
    """Press a button of the control; give the address that the answer leads to."""
    answer = browser.post("/language", {"language": language, "back": back}, **headers)
    assert answer.status_code == 303
    return answer.headers["Location"]


def kept(browser: Browser) -> str | None:
    """Read the language out of the browser's cookies."""
    cookie = browser.client.get_cookie(COOKIE)
    return cookie.value if cookie else None


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("", "en"),
        ("en-US,en;q=0.5", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.8,en-US;q=0.5", "ru"),
        ("be", "be"),
        ("be-tarask, ru;q=0.5", "be"),
        ("uk-UA", "uk"),
        ("es-419", "es"),
        ("fr-CA;q=0.3, es;q=0.4", "es"),
        ("ar-EG", "ar"),
        ("fa-AF", "fa"),
        ("zh-CN", "zh-Hans"),
        ("zh-Hans-SG", "zh-Hans"),
        ("zh-TW", "zh-Hans"),  # simplified can be read, English perhaps not
        ("RU-ru", "ru"),
        ("ru_RU", "ru"),
        ("de, fr;q=0.9", "fr"),  # the first that there is
        ("de-DE", "en"),
        ("kk, ru;q=0", "en"),  # q=0: "not acceptable" (RFC 9110, 12.4.2)
        ("*", "en"),
        ("*, fa;q=0.1", "fa"),
        ("rus, rux, r", "en"),  # a beginning is no match
        (";;q=,,-,=\u00ff", "en"),
        ("../../etc/passwd", "en"),
        ("ru;q=nan", "en"),
        ("x" * 4_000, "en"),
    ],
)
def test_the_browser_is_asked_for_its_language(browser: Browser, accepted: str, tag: str) -> None:
    """The first language that we have is taken, whatever its region; otherwise English."""
    assert speaks(browser, accepted)[0] == tag


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_every_page_says_its_language_and_direction(browser: Browser, language: Language) -> None:
    """Screen readers and right-to-left layout rely on `lang` and `dir`, on every page."""
    expected = (language.tag, language.direction)
    for address in (*PAGES, "/nowhere"):
        [html] = Page(browser.opens(address, language.code).text).all("html")
        assert (html["lang"], html["dir"]) == expected, address


def test_right_to_left_is_right_to_left(browser: Browser) -> None:
    """Arabic and Persian, and no other."""
    rtl = {language.code for language in LANGUAGES if language.direction == "rtl"}
    assert rtl == {"ar", "fa"}


def test_the_choice_wins_over_the_browser(browser: Browser) -> None:
    """Tor Browser may ask for English whoever uses it: what was chosen counts."""
    assert chooses(browser, "fa", "/safety") == "/safety"
    assert speaks(browser, "en-US,en;q=0.5") == ("fa", "rtl")
    assert chooses(browser, "en") == "/"
    assert speaks(browser, "fa") == ("en", "ltr")


def test_the_choice_is_a_cookie_that_dies_with_the_browser(browser: Browser) -> None:
    """It has no lifetime, goes to no script and to no other site."""
    answer = browser.post("/language", {"language": "uk", "back": "/"})
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie == f"{COOKIE}=uk; HttpOnly; Path=/; SameSite=Strict"


def test_the_choice_needs_no_session_and_ends_none(browser: Browser) -> None:
    """Outside it works; inside one stays inside."""
    chooses(browser, "be")
    browser.begins()
    before = browser.session()
    assert chooses(browser, "ru", "/drop") == "/drop"
    assert browser.session() == before


@pytest.mark.parametrize(
    "chosen", ["", "xx", "RU", "ru-RU", "../be", "zh_Hans", "\r\nSet-Cookie: a=b", "ru;be", "😀"]
)
def test_an_unknown_language_changes_nothing(browser: Browser, chosen: str) -> None:
    """Only our own codes are kept; others leave the page as it was."""
    assert chooses(browser, chosen) == "/"
    assert kept(browser) is None


@pytest.mark.parametrize("cookie", ["xx", "RU", "../../../etc/passwd", "ru%0a", '"ru', "a" * 3_000])
def test_a_hostile_cookie_is_no_language(browser: Browser, cookie: str) -> None:
    """What stands in the cookie is compared with our codes and used for nothing else."""
    browser.client.set_cookie(COOKIE, cookie)
    assert speaks(browser, "uk") == ("uk", "ltr")


@pytest.mark.parametrize(
    "back",
    [
        "",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/drop/../session/end",
        "/session/end",
        "/uploads/0",
        "/drop?x=1",
        "/drop#x",
        "drop",
        "/\r\nX-Evil: 1",
    ],
)
def test_the_control_leads_to_our_own_pages_only(browser: Browser, back: str) -> None:
    """An address that is not in the table leads to the first page (no open redirect)."""
    assert chooses(browser, "ru", back) == "/"


def test_without_back_it_leads_to_the_first_page(browser: Browser) -> None:
    """The form is ours, but others may write one."""
    answer = browser.post("/language", {"language": "ru"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_another_site_cannot_choose(browser: Browser) -> None:
    """A form on another site's page changes no language."""
    answer = browser.post("/language", {"language": "ru", "back": "/"}, **FOREIGN)
    assert answer.status_code == 403
    assert kept(browser) is None


def test_get_chooses_nothing(browser: Browser) -> None:
    """A link or an image cannot change the language."""
    assert browser.get("/language?language=ru&back=/").status_code == 405
    assert kept(browser) is None


@pytest.mark.parametrize("address", PAGES)
def test_the_control_names_each_language_in_itself(browser: Browser, address: str) -> None:
    """On every page that can be shown again; whoever reads no English finds the own name."""
    page = Page(browser.opens(address).text)
    buttons = [button for button in page.all("button") if button.get("name") == "language"]
    found = {(b["value"], b["lang"], b["dir"]) for b in buttons}
    assert found == {(one.code, one.tag, one.direction) for one in LANGUAGES}
    assert [one.name for one in LANGUAGES if one.name not in page.text] == []
    assert {"name": "back", "value": address, "type": "hidden"} in page.all("input")


def test_no_control_where_changing_would_lose_something(browser: Browser) -> None:
    """The page with the codename and a message given back are answers to POST."""
    assert "/language" not in browser.begins().text
    assert "/language" not in browser.writes("").text


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        '<input type="submit" value="Send">',
        '<nav aria-label="Pages"></nav>',
        '<p title="More">1</p>',
        "{{ 'file' if n == 1 else 'files' }}",
        "{{ 'Hello' ~ name }}",
        "{{ show('Two words') }}",
        "{% set text = 'Hello' %}{{ text }}",
        "{% block title %}Hello{% endblock %}",
        "{% if x %}<p>{{ _('a') }} and {{ _('b') }}</p>{% endif %}",
    ],
)
def test_the_search_for_visible_strings_finds_them(source: str) -> None:
    """The search itself can fail: each of these would stay English."""
    assert len(unwrapped(source)) > 0


def test_the_language_is_in_no_log(server: Live) -> None:
    """Which language a source reads says something about it."""
    browser = server.new_source()
    browser.headers["Accept-Language"] = "be-BY"
    address = f"{server.base}/language"
    browser.post(address, data={"language": "fa", "back": "/"}, timeout=30)
    browser.get(f"{server.base}/drop", timeout=30)
    written = server.log.read_text().lower()
    assert [word for word in ("be-by", "language", "=fa", " fa") if word in written] == []
