"""What stands around every page: above all the warning about the address."""

import pytest

from tests.web.site import Browser, Page, Site

ADDRESSES = ["/", "/safety", "/large", "/lost", "/left", "/nope", "/drop"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_page_that_was_not_reached_through_tor_says_so(browser: Browser, address: str) -> None:
    """On this computer: that trying is fine, and sending is not."""
    text = Page(browser.get(address).text).text
    assert "This is not an onion address." in text
    assert "Send nothing real" in text


@pytest.mark.parametrize("address", ADDRESSES)
def test_page_at_the_onion_address_does_not_warn(site: Site, address: str) -> None:
    """A warning that is always there is read by nobody."""
    text = Browser(site, "abcdefghij.onion").get(address).text
    assert "onion address" not in Page(text).text.replace("Open our onion address", "")


def test_page_of_an_unknown_name_tells_the_right_address(browser: Browser) -> None:
    """Whoever came by a foreign name is refused, and told where to go."""
    answer = browser.get("/", Host="nightferry.example")
    assert answer.status_code == 421
    text = Page(answer.text).text
    assert "Others can see that you visit this site" in text
    assert "http://abcdefghij.onion" in text


def test_titles_tell_nothing(browser: Browser) -> None:
    """They stand in lists of windows and of visited pages, on other people's screens."""
    browser.begins()
    for address in (*ADDRESSES, "/drop/messages"):
        html = browser.get(address).text
        title = html[html.index("<title>") : html.index("</title>")].lower()
        assert not [word for word in ("nightferry", "leak", "source", "codename") if word in title]


def test_large_file_page_names_sizes_below_the_limit(browser: Browser) -> None:
    """A part that is cut as the page says fits into the form: the limit here is 300,000 octets."""
    page = Page(browser.get("/large").text)
    assert "at most 300 KB" in page.text
    for words in ('split -b 1m "film.mp4" "film.mp4."', "film.mp4.aa", "film.mp4.001", "7-Zip"):
        assert words in page.text


def test_safety_is_said_in_words(browser: Browser) -> None:
    """What protects and what does not, on a page of its own that every page leads to."""
    page = Page(browser.get("/safety").text)
    said = ("taken over the server", "gigabytes in one place stand out", "bridge", "evidence")
    for part in (*said, "computer, phone or network of your work", "has your codename"):
        assert part in page.text
    for address in ADDRESSES:
        links = [link["href"] for link in Page(browser.get(address).text).all("a")]
        assert "/safety" in links
