"""What every answer carries, and which requests change nothing."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from config.settings import Settings
from crypto.codename import CHEAPEST
from submit.app import World, create_source_app
from submit.web.headers import CONTENT_SECURITY_POLICY, SECURITY_HEADERS
from tests.conftest import CloseLater
from tests.web.site import BOUNDARY, Browser, Machine, Page, Site, write_form

UPLOAD = "a" * 26
POSTS = [
    "/source",
    "/codename",
    "/session",
    "/session/end",
    "/drop/messages",
    "/drop/files",
    f"/drop/replies/{UPLOAD}/delete",
    f"/drop/parts/{UPLOAD}/close",
    "/drop/sent/remember",
    "/drop/sent/forget",
]
# These have no token: the one changes the browser's own language alone, the other only asks.
TOKENLESS = {"/language", "/drop/sent"}


def every_route(app: Flask) -> Iterator[tuple[str, str]]:
    """Give each method and address of the route table."""
    for rule in app.url_map.iter_rules():
        address = re.sub(r"<[^>]+>", UPLOAD, rule.rule)
        yield from ((method, address) for method in sorted(rule.methods or ()))


def is_dressed(answer: TestResponse) -> bool:
    """Tell whether an answer carries all that it must, once, and nothing that tells tales."""
    telltale = {"Server", "Date", "ETag", "Last-Modified", "Content-Encoding", "X-Powered-By"}
    once = all(answer.headers.getlist(k) == [v] for k, v in SECURITY_HEADERS.items())
    return once and not telltale & set(answer.headers.keys())


def test_the_policy_allows_nothing_but_our_own_files_and_forms() -> None:
    """Lessons 31: written out here once more, so that a change is a decision."""
    assert CONTENT_SECURITY_POLICY == (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert SECURITY_HEADERS["Cache-Control"] == "no-store"
    assert SECURITY_HEADERS["Referrer-Policy"] == "no-referrer"
    assert SECURITY_HEADERS["X-Content-Type-Options"] == "nosniff"
    assert SECURITY_HEADERS["Cross-Origin-Opener-Policy"] == "same-origin"
    assert SECURITY_HEADERS["Cross-Origin-Resource-Policy"] == "same-origin"


def test_every_answer_of_every_route_carries_the_headers(app: Flask, browser: Browser) -> None:
    """Lessons 31: pages, forms, stylesheet, key and tus alike, outside and inside."""
    for inside in (False, True):
        if inside:
            browser.begins()
        for method, address in every_route(app):
            answer = browser.client.open(address, method=method)
            assert is_dressed(answer), (method, address, inside)


@pytest.mark.parametrize(
    ("method", "address", "headers"),
    [
        ("GET", "/nope", {}),
        ("DELETE", "/", {}),
        ("GET", "/", {"Host": "evil.example"}),
        ("GET", "/", {"X-Tor2web": "1"}),
        ("PATCH", "/uploads/nope", {"Tus-Resumable": "1.0.0"}),
        ("POST", "/drop/files", {"Content-Type": "text/plain"}),
    ],
)
def test_every_refusal_carries_the_headers(
    browser: Browser, method: str, address: str, headers: dict[str, str]
) -> None:
    """Lessons 31: an error is an answer like any other."""
    answer = browser.client.open(address, method=method, headers=headers)
    assert answer.status_code >= 400
    assert is_dressed(answer)


def test_a_fault_of_ours_says_nothing_about_us(app: Flask, browser: Browser) -> None:
    """A bare 500 in constant words, with all headers; what went wrong inside is not in it."""

    def fail() -> str:
        raise ValueError("the codename was abacus")

    app.add_url_rule("/fail", view_func=fail)
    answer = browser.get("/fail")
    assert answer.status_code == 500
    assert is_dressed(answer)
    assert "Something broke on our side" in Page(answer.text).text
    for inner in ("abacus", "ValueError", "Traceback"):
        assert inner not in answer.text
    in_json = browser.get("/fail", Accept="application/json")
    assert in_json.json is not None
    assert list(in_json.json) == ["error"]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "ABCDEFGHIJ.onion", "abcdefghij.onion:80"]
)
def test_own_host_is_answered(browser: Browser, host: str) -> None:
    """The name alone counts, in any case, with any port."""
    assert browser.get("/", Host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.localhost",
        "localhost:80:80",
        "localhost@evil.example",
        "127.0.0.1",
        "localhost.",
        "",
    ],
)
def test_foreign_host_is_refused_in_words(browser: Browser, host: str) -> None:
    """Lessons 32: a page that is reached under another name may be somebody else's copy."""
    for method, address in (("GET", "/"), ("GET", "/static/site.css"), ("OPTIONS", "/uploads")):
        answer = browser.client.open(address, method=method, headers={"Host": host})
        assert answer.status_code == 421, (host, address)
    assert "only at its own onion address" in Page(browser.get("/", Host=host).text).text


@pytest.mark.parametrize(
    "header",
    ["X-Tor2web", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"],
)
def test_gateway_is_refused_in_words(browser: Browser, header: str) -> None:
    """Lessons 32: whoever came through tor2web is told, and gets no form to fill in."""
    answer = browser.get("/", **{header: "1"})
    assert answer.status_code == 403
    assert "go-between" in Page(answer.text).text
    assert {form["action"] for form in Page(answer.text).all("form")} <= {"/language"}


def test_gateway_cannot_change_who_we_think_we_are(browser: Browser) -> None:
    """X-Forwarded-Host does not stand in for Host."""
    answer = browser.get("/", Host="evil.example", **{"X-Forwarded-Host": "localhost"})
    assert answer.status_code in {403, 421}


def test_no_get_changes_anything(app: Flask, browser: Browser, site: Site) -> None:
    """Lessons 27: after a GET and a HEAD of every address all is as it was."""
    browser.begins()
    browser.writes("x")
    before = site.at_rest(), browser.counts()
    for method, address in every_route(app):
        if method in {"GET", "HEAD", "OPTIONS"}:
            browser.client.open(address, method=method)
    assert (site.at_rest(), browser.counts()) == before
    assert browser.get("/drop").status_code == 200


def test_the_route_table_holds_no_other_way_to_change_something(app: Flask) -> None:
    """A new route that changes something must come into the tests of this page."""
    unsafe = {
        address
        for method, address in every_route(app)
        if method not in {"GET", "HEAD", "OPTIONS"} and not address.startswith("/uploads")
    }
    # POST /language keeps a word in the browser and nothing here: tests/web/test_languages.py.
    assert unsafe == {*POSTS, *TOKENLESS}


@pytest.mark.parametrize("token", [None, "", "wrong", "ж", "stranger's"])
@pytest.mark.parametrize("address", POSTS)
def test_form_without_our_token_changes_nothing(
    browser: Browser, site: Site, address: str, token: str | None
) -> None:
    """Lessons 27: refused 403 in words, with a session and its cookie at hand."""
    browser.begins()
    if token == "stranger's":
        stranger = Browser(site)
        stranger.begins()
        token = stranger.token("/" if address in {"/source", "/session"} else "/drop")
    before = site.at_rest(), browser.counts()
    answer = posts(browser, address, token)
    assert answer.status_code == 403
    words = "was shown already" if address == "/source" else "could not tell that this form"
    assert words in Page(answer.text).text
    assert "nightferry=" not in str(answer.headers.getlist("Set-Cookie"))
    assert (site.at_rest(), browser.counts()) == before
    assert browser.get("/drop").status_code == 200


def test_first_form_without_our_token_makes_no_source(browser: Browser) -> None:
    """Lessons 27: nobody is logged in against their will, as somebody that another chose."""
    browser.get("/")
    for address in ("/source", "/session"):
        answer = browser.post(address, {"token": "wrong", "codename": "able " * 8})
        assert answer.status_code == 403
        assert "could not tell that this form" in Page(answer.text).text
    assert browser.session() == ""


def posts(browser: Browser, address: str, token: str | None) -> TestResponse:
    """Send what the address takes, with this token."""
    if address == "/drop/files":
        return browser.posts_body(write_form(token, ("a", b"a")))
    fields = {"codename": browser.codename, "text": "x"}
    return browser.post(address, fields if token is None else {"token": token, **fields})


def test_token_after_the_files_comes_too_late(browser: Browser, site: Site) -> None:
    """Nothing is taken before the token is proved."""
    browser.begins()
    token = browser.token("/drop")
    files, end = write_form(None, ("a", b"a")), f"--{BOUNDARY}--\r\n".encode()
    body = files.removesuffix(end) + write_form(token)
    assert browser.posts_body(body).status_code == 403
    assert site.sealed() == []


def test_form_with_referrer_policy_no_referrer_works(browser: Browser) -> None:
    """Lessons 29: browsers then send `Origin: null`, which must not break our own forms."""
    browser.begins()
    fields = {"token": browser.token("/drop"), "text": "x"}
    assert browser.post("/drop/messages", fields, Origin="null").status_code == 201


def test_form_stays_good_for_as_long_as_the_session(browser: Browser) -> None:
    """Lessons 29: a page that was opened before a long upload still sends its message."""
    browser.begins()
    token = browser.token("/drop")
    browser.sends(("a", b"a"))
    browser.get("/")
    assert browser.post("/drop/messages", {"token": token, "text": "x"}).status_code == 201


def test_first_page_in_two_tabs_works_in_both(browser: Browser, site: Site) -> None:
    """The second tab does not make the first one's form invalid."""
    known = Browser(site)
    known.begins()
    first = browser.token("/")
    browser.token("/")
    answer = browser.post("/session", {"token": first, "codename": known.codename})
    assert answer.status_code == 303


def test_first_page_outlives_a_restart(
    browser: Browser, settings: Settings, close_later: CloseLater
) -> None:
    """Its token needs nothing that a process remembers: another worker may take the form."""
    token = browser.token("/")
    secret = browser.client.get_cookie("nightferry_form")
    assert secret is not None
    again = close_later(create_source_app(settings, World(cost=CHEAPEST)))
    restarted = Browser(Site(again, settings.data))
    restarted.client.set_cookie("nightferry_form", secret.value)
    assert restarted.post("/source", {"token": token}).status_code == 201


@pytest.mark.parametrize("value", ["", "short", "a" * 44, "é" * 43, "a" * 42 + "."])
def test_form_cookie_that_is_not_ours_is_replaced(browser: Browser, value: str) -> None:
    """Only 43 characters of base64url are taken for a form secret."""
    answer = browser.get("/", Cookie=f"nightferry_form={value}")
    assert "nightferry_form=" in answer.headers["Set-Cookie"]
    assert f"nightferry_form={value};" not in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "http://localhost.evil.example"},
    ],
)
@pytest.mark.parametrize("address", POSTS)
def test_foreign_page_cannot_pass_for_a_program(
    machine: Machine, site: Site, address: str, headers: dict[str, str]
) -> None:
    """JSON carries no token, so a browser that says who is asking is believed."""
    machine.post("/source", {})
    fields = {"text": "x", "codename": "able"}
    answer = machine.post(address, fields, **headers)
    if address == "/drop/files":
        answer = machine.client.post(
            address,
            data=write_form(None, ("a", b"a")),
            headers={"Accept": "application/json", **headers},
            content_type=f"multipart/form-data; boundary={BOUNDARY}",
        )
    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["error"].startswith("Another site")
    assert site.sealed() == []
    assert machine.get("/drop").status_code == 200


def test_foreign_page_with_a_stolen_token_is_refused(browser: Browser) -> None:
    """Where the browser tells on the foreign page, even a right token does not help."""
    browser.begins()
    fields = {"token": browser.token("/drop"), "text": "x"}
    answer = browser.post("/drop/messages", fields, **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_own_page_and_program_are_let_through(machine: Machine, headers: dict[str, str]) -> None:
    """No header at all is curl; same-origin is our own page."""
    assert machine.post("/source", {}, **headers).status_code == 201


def test_cookies_say_nothing_and_live_no_longer_than_the_browser(browser: Browser) -> None:
    """Lessons 20: HttpOnly, SameSite=Strict, no lifetime, and not a word of the codename."""
    landing = browser.get("/")
    entered = browser.begins()
    given = [*landing.headers.getlist("Set-Cookie"), *entered.headers.getlist("Set-Cookie")]
    for cookie in given:
        assert "; HttpOnly" in cookie
        assert "; SameSite=Strict" in cookie
        assert "; Path=/" in cookie
        assert "Domain" not in cookie
        if "=;" not in cookie:
            assert "Expires" not in cookie
            assert "Max-Age" not in cookie
        assert not [word for word in browser.codename.split() if word in cookie]
    assert sum(cookie.startswith("nightferry=") for cookie in given) == 1


def test_session_cookie_is_new_at_each_login(browser: Browser) -> None:
    """Lessons 23: a cookie that somebody planted is not taken over, and the old one dies."""
    browser.client.set_cookie("nightferry", "A" * 43)
    browser.begins()
    first = browser.session()
    assert first != "A" * 43
    browser.enters(browser.codename)
    second = browser.session()
    assert second != first
    browser.client.set_cookie("nightferry", first)
    assert browser.get("/drop").status_code == 403


def test_known_and_unknown_codename_get_the_same_page(browser: Browser, site: Site) -> None:
    """Lessons 21: same status and same words, whatever the words of a wrong codename were."""
    browser.begins()
    another = Browser(site)
    near = " ".join(reversed(browser.codename.split()))
    answers = [another.enters(near), another.enters("able " * 8)]
    assert {answer.status_code for answer in answers} == {403}
    assert len({re.sub('value="[0-9a-f]+"', "", answer.text) for answer in answers}) == 1


def test_nothing_is_compressed(browser: Browser) -> None:
    """Lessons 32: a page with a secret in it never changes its length by what it says."""
    answer = browser.get("/", **{"Accept-Encoding": "gzip, br, zstd"})
    assert "Content-Encoding" not in answer.headers
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_nothing_can_be_read_back(app: Flask, browser: Browser) -> None:
    """Lessons 14: no GET gives content; after a file has arrived only its count is there."""
    browser.begins()
    browser.sends(("canary-name.txt", b"canary-content"))
    for method, address in every_route(app):
        if method == "GET":
            text = browser.get(address).text
            assert "canary" not in text, address
