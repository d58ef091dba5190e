"""The pages, as a source without scripts meets them."""

from collections import Counter

import pytest

from tests.crypto.keys.making import Ngo
from tests.web.site import BOUNDARY, INTRODUCTION, Browser, Page, Site, write_form

HOSTILE = [
    "видео.mp4",
    "فيديو.mp4",
    "\U0001f469\u200d\U0001f4bb.mp4",
    "report\u202efdp.exe",
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "../../.bashrc",
    "{{ 7 * 7 }}",
    "nul\x00 escape\x1b[2J",
]


def test_first_page_says_what_this_is_and_whom_it_is_sealed_to(browser: Browser, ngo: Ngo) -> None:
    """The NGO's fingerprint is shown in fours, and the certificate is one step away."""
    page = Page(browser.get("/").text)
    assert "You need no name" in page.text
    fours = [ngo.fingerprint[at : at + 4] for at in range(0, 40, 4)]
    assert " ".join(fours) in page.text
    key = browser.get("/key.asc")
    assert key.data == ngo.certificate.read_bytes()
    assert key.content_type == "text/plain; charset=us-ascii"


def test_codename_is_shown_once(browser: Browser) -> None:
    """Eight words come with the first answer, and no page shows them again."""
    answer = browser.begins()
    words = browser.codename.split()
    assert answer.status_code == 201
    assert len(words) == 8
    for address in ("/", "/drop", "/source"):
        assert browser.codename not in Page(browser.get(address).text).text


def test_loading_the_codename_page_again_makes_no_second_source(browser: Browser) -> None:
    """Lessons, users 15: people end with many accounts. The form works once."""
    token = browser.token("/")
    assert browser.post("/source", {"token": token}).status_code == 201
    again = browser.post("/source", {"token": token})
    assert again.status_code == 403
    assert "Your codename was shown already" in Page(again.text).text
    assert "/drop" in [link["href"] for link in Page(again.text).all("a")]
    assert browser.get("/drop").headers["Location"] == "/codename"


def test_source_comes_back_with_the_codename(browser: Browser, site: Site) -> None:
    """What was sent is counted for the source in another browser, on another day."""
    browser.begins()
    browser.sends(("a.txt", b"a"), ("b.txt", b"b"))
    browser.writes("hello")
    another = Browser(site)
    answer = another.enters(browser.codename)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/drop")
    assert another.counts() == (2, 1)


def test_codename_is_taken_however_it_is_spaced(browser: Browser, site: Site) -> None:
    """Capitals, line ends and numbers of words come from paper and phones."""
    browser.begins()
    typed = "\r\n".join(word.upper() for word in browser.codename.split())
    assert Browser(site).enters(f"  {typed} ").status_code == 303


def test_mistyped_word_is_named_by_its_place_and_not_repeated(browser: Browser) -> None:
    """The suggestion comes from the list; what was typed is nowhere in the answer."""
    words = ["abacus", "abdomen", "abdominal", "abide", "abiding", "abilityy", "ablaze", "able"]
    answer = browser.enters(" ".join(words))
    text = Page(answer.text).text
    assert answer.status_code == 403
    assert "Word number 6 is not in our list" in text
    assert "Did you mean “ability”?" in text
    assert "abilityy" not in answer.text
    assert "abdominal" not in answer.text


def test_word_that_is_near_to_none_gets_no_suggestion(browser: Browser) -> None:
    """Rather no help than a wrong one."""
    text = Page(browser.enters("xqxqxqxqxq " + "able " * 7).text).text
    assert "Word number 1 is not in our list" in text
    assert "Did you mean" not in text


@pytest.mark.parametrize("typed", ["", "able", "able " * 7, "able " * 9, "able " * 800])
def test_wrong_number_of_words_is_said(browser: Browser, typed: str) -> None:
    """Too few and too many words are no mystery to the source."""
    answer = browser.enters(typed)
    assert answer.status_code == 403
    assert "eight words" in Page(answer.text).text


def test_refused_codename_can_be_typed_again_at_once(browser: Browser, site: Site) -> None:
    """The page that says no has the form, with a token that works."""
    browser.begins()
    another = Browser(site)
    refused = Page(another.enters("able " * 8).text)
    token = next(one["value"] for one in refused.all("input") if one.get("name") == "token")
    answer = another.post("/session", {"token": token or "", "codename": browser.codename})
    assert answer.status_code == 303


def test_counts_are_exact(browser: Browser) -> None:
    """Lessons 8: count in is count out, also for equal names and names in every script."""
    browser.begins()
    names = [*HOSTILE, "same.mp4", "same.mp4", "SAME.MP4"]
    answer = browser.sends(*((name, name.encode()) for name in names))
    assert answer.status_code == 201
    assert f"{len(names)} files arrived complete" in Page(answer.text).text
    assert browser.counts() == (len(names), 0)


def test_two_hundred_files_in_one_form_arrive(browser: Browser, site: Site) -> None:
    """Lessons 8 and 10: many small files in the same second block nothing."""
    browser.begins()
    answer = browser.sends(*((f"{n % 7}.jpg", bytes([n])) for n in range(200)))
    assert "200 files arrived complete" in Page(answer.text).text
    assert len(site.sealed()) == 200 + INTRODUCTION


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_is_only_text_on_the_page(browser: Browser, name: str) -> None:
    """Lessons 9 and 30: a name makes no element, runs nothing, hides nothing, turns nothing."""
    browser.begins()
    answer = browser.sends((name, b"x" * 300_001))
    assert answer.status_code == 413
    page = Page(answer.text)
    assert not page.all("img") + page.all("script")
    assert not set("\u202e\x00\x1b") & set(answer.text)
    for part in ("onerror", "alert(1)", "видео", "فيديو", "{{ 7 * 7 }}", "\u200d"):
        assert (part in page.text) == (part in name)


def test_file_that_is_too_large_is_named_and_the_others_arrive(browser: Browser) -> None:
    """One file too many megabytes long costs only itself."""
    browser.begins()
    answer = browser.sends(("a", b"a"), ("too large", b"x" * 300_001), ("b", b"b"))
    text = Page(answer.text).text
    assert answer.status_code == 201
    assert "Not everything arrived" in text
    assert "2 files arrived complete" in text
    assert "too large This file is too large" in text
    assert browser.counts() == (2, 0)


def test_file_of_exactly_the_limit_arrives(browser: Browser) -> None:
    """The limit itself is allowed."""
    browser.begins()
    assert browser.sends(("a", b"x" * 300_000)).status_code == 201


def test_empty_file_arrives(browser: Browser) -> None:
    """A file of no octets has a name, and that may be the message."""
    browser.begins()
    browser.sends(("they know.txt", b""))
    assert browser.counts() == (1, 0)


def test_no_file_chosen_is_said_and_makes_nothing(browser: Browser, site: Site) -> None:
    """Lessons 11: an empty form leaves no trace."""
    browser.begins()
    before = site.at_rest()
    answer = browser.sends(("", b""))
    assert answer.status_code == 400
    assert "No file was chosen" in Page(answer.text).text
    assert site.at_rest() == before


@pytest.mark.parametrize("left", [1, 5, 30, 200, 1000])
def test_broken_connection_costs_only_the_last_file(
    browser: Browser, site: Site, left: int
) -> None:
    """Lessons 8 and promise 2: what had arrived whole is counted, what had not is not there."""
    browser.begins()
    body = write_form(browser.token("/drop"), ("whole", b"w"), ("cut", b"c" * 200_000))
    answer = browser.posts_body(body[: -len(f"\r\n--{BOUNDARY}--\r\n") - left], cut=True)
    text = Page(answer.text).text
    assert answer.status_code == 400
    assert "1 file arrived complete" in text
    assert "cut The connection broke" in text
    assert browser.counts() == (1, 0)
    assert len(site.sealed()) == 1 + INTRODUCTION


def test_connection_broken_between_files_is_said(browser: Browser) -> None:
    """No file is on its way, so none is named; that something is missing is still said."""
    browser.begins()
    body = write_form(browser.token("/drop"), ("whole", b"w"))
    answer = browser.posts_body(body[: -len("--\r\n")], cut=True)
    assert "1 file arrived complete" in Page(answer.text).text
    assert "The connection broke" in Page(answer.text).text


def test_too_many_at_once_is_said_and_costs_nothing(browser: Browser, site: Site) -> None:
    """While the one place is taken, the next form is told to wait; the first one arrives."""
    browser.begins()
    second = Browser(site)
    second.begins()
    refused = []

    def interrupted() -> bytes:
        refused.append(second.sends(("b", b"b")))
        return b""

    body = write_form(browser.token("/drop"), ("a", b"a"))
    browser.posts_slowly(lambda: body[:-30], interrupted, lambda: body[-30:])
    [answer] = refused
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "Wait a minute" in Page(answer.text).text
    assert (browser.counts(), second.counts()) == ((1, 0), (0, 0))


def test_message_arrives(browser: Browser) -> None:
    """Any script, any line ends, and markup is only text."""
    browser.begins()
    answer = browser.writes("Привет\r\n<script>alert(1)</script>\U0001f469\u200d\U0001f4bb")
    assert answer.status_code == 201
    assert "Your message arrived" in Page(answer.text).text
    assert browser.counts() == (0, 1)


def test_message_that_is_refused_is_not_lost(browser: Browser) -> None:
    """Lessons 12: too long is refused in words, and the text comes back to be changed."""
    browser.begins()
    text = "<b>ж</b>" + "я" * 4_996
    answer = browser.writes(text)
    assert answer.status_code == 413
    page = Page(answer.text)
    assert "too long and was not kept" in page.text
    assert text in page.text
    assert not page.all("b")
    assert browser.counts() == (0, 0)


def test_message_of_exactly_the_limit_arrives(browser: Browser) -> None:
    """10,000 octets of UTF-8 are 5,000 Cyrillic letters."""
    browser.begins()
    assert browser.writes("я" * 5_000).status_code == 201


def test_message_without_end_is_not_gathered(browser: Browser) -> None:
    """Lessons 12: memory for a form has a cap, far below what could hurt."""
    browser.begins()
    answer = browser.writes("x" * 2_000_000)
    assert answer.status_code == 413
    assert "too long" in Page(answer.text).text


@pytest.mark.parametrize("text", ["", " \r\n\t "])
def test_empty_message_is_refused(browser: Browser, text: str) -> None:
    """Nothing is sealed for nothing."""
    browser.begins()
    assert browser.writes(text).status_code == 400
    assert browser.counts() == (0, 0)


def test_leaving_ends_the_session_everywhere(browser: Browser, site: Site) -> None:
    """Lessons 23: a cookie that was copied before opens nothing afterwards."""
    browser.begins()
    copied = browser.session()
    assert "You have left" in Page(browser.leaves().text).text
    assert browser.get("/drop").status_code == 403
    thief = Browser(site)
    thief.client.set_cookie("nightferry", copied)
    assert thief.get("/drop").status_code == 403


def test_first_page_knows_who_is_inside(browser: Browser) -> None:
    """Whoever is inside already is told so before making a second codename."""
    assert "You are already inside" not in browser.get("/").text
    browser.begins()
    assert "You are already inside" in browser.get("/").text


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/drop/../../etc/passwd", 404),
        ("GET", "/static/../pages.py", 404),
        ("GET", "/static/", 404),
        ("PUT", "/drop", 405),
        ("GET", "/source", 405),
        ("GET", "/session/end", 405),
        ("GET", "/drop", 403),
    ],
)
def test_everything_is_answered_in_words(
    browser: Browser, method: str, address: str, status: int
) -> None:
    """No bare status line, and a way back."""
    answer = browser.client.open(address, method=method)
    assert answer.status_code == status
    page = Page(answer.text)
    assert "/" in [link["href"] for link in page.all("a")]
    assert len(page.text.split()) > 10


def every_page(browser: Browser) -> dict[str, str]:
    """Walk through the site, and give each page that comes."""
    pages = {"landing": browser.get("/").text, "codename": browser.asks_for_codename().text}
    pages["type back"] = browser.get("/codename").text
    pages["typed wrong"] = browser.types_back("able " * 8).text
    browser.types_back(browser.codename)
    pages["drop"] = browser.get("/drop").text
    pages["no messages"] = browser.get("/drop/messages").text
    pages["message"] = browser.writes("x").text
    pages["refused message"] = browser.writes("").text
    pages["messages"] = browser.get("/drop/messages").text
    pages["files"] = browser.sends(("a", b"a"), ("b", b"x" * 300_001)).text
    pages["cut"] = browser.posts_body(write_form(browser.token("/drop"))[:-4], cut=True).text
    browser.sends(("film.001", b"1"), ("film.003", b"3"), ("clip.aa", b"a"))
    pages["full drop"] = browser.get("/drop").text
    pages.update({name: browser.get(name).text for name in ("/safety", "/large", "/lost")})
    pages["left"] = browser.leaves().text
    pages["wrong codename"] = browser.enters("able " * 8).text
    pages["missing"] = browser.get("/nope").text
    pages["held message"] = browser.post("/drop/messages", {"text": "x"}).text
    return pages


def test_every_page_is_sound_html(browser: Browser) -> None:
    """Language, direction, title, one heading, a label for each input, no id twice, no script."""
    for name, html in every_page(browser).items():
        page = Page(html)
        assert page.open == [], name
        assert html.startswith("<!DOCTYPE html>"), name
        assert page.all("html") == [{"lang": "en", "dir": "ltr"}], name
        assert len(page.all("title")) == len(page.all("h1")) == len(page.all("main")) == 1, name
        ids = Counter(one["id"] for _, one in page.elements if "id" in one)
        assert set(ids.values()) <= {1}, name
        labelled = {one["for"] for one in page.all("label")}
        visible = [one for one in page.all("input") if one.get("type") != "hidden"]
        for field in visible + page.all("textarea"):
            assert field["id"] in labelled, name
        aria = ("aria-labelledby", "aria-describedby")
        named = {one[key] for _, one in page.elements for key in aria if key in one}
        assert named <= set(ids), name


def test_no_page_has_anything_inline_or_foreign(browser: Browser) -> None:
    """Lessons 31: no script, no style attribute, nothing from elsewhere: the policy never bites."""
    for name, html in every_page(browser).items():
        page = Page(html)
        assert not page.all("style") + page.all("img") + page.all("svg"), name
        assert all(script.get("src") for script in page.all("script")), name
        for tag, attributes in page.elements:
            assert not [a for a in attributes if a == "style" or a.startswith("on")], (name, tag)
            for address in ("href", "src", "action"):
                assert (attributes.get(address) or "/").startswith(("/", "#")), (name, tag)


def test_every_form_is_posted_and_carries_a_token(browser: Browser) -> None:
    """Lessons 27: no form changes anything by GET, none goes without a token."""
    for name, html in every_page(browser).items():
        page = Page(html)
        tokens = [one for one in page.all("input") if one.get("name") == "token"]
        forms = [one for one in page.all("form") if one["action"] != "/language"]
        assert len(tokens) == len(forms), name
        assert all(one["value"] for one in tokens), name
        assert all(one["method"] == "post" for one in page.all("form")), name


def test_stylesheet_stands_on_logical_properties_alone(browser: Browser) -> None:
    """Right-to-left languages need no second sheet."""
    sheet = browser.get("/static/site.css").text
    for side in ("left", "right"):
        assert side not in sheet.replace("right-to-left", "")
    assert "url(" not in sheet
    assert "@import" not in sheet
