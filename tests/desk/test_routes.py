"""Who may ask for what: the route table of the desk, walked."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from submit.app import World, create_source_app
from submit.web.desk.door import OPEN
from submit.web.headers import SECURITY_HEADERS
from tests.conftest import CloseLater
from tests.desk.conftest import House, Member

UPLOAD = "a" * 26
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def every_route(app: Flask) -> Iterator[tuple[str, str]]:
    """Give each method and address of the route table."""
    for rule in app.url_map.iter_rules():
        address = re.sub(r"<[^>]+>", UPLOAD, rule.rule)
        yield from ((method, address) for method in sorted(rule.methods or ()))


def closed_routes(app: Flask) -> list[tuple[str, str]]:
    """Give those that are for staff."""
    return [(method, address) for method, address in every_route(app) if address not in OPEN]


def test_every_route_is_denied_without_login(house: House) -> None:
    """SEC-01-002, SD#974: nobody has to remember to write a decorator."""
    routes = closed_routes(house.desk)
    assert len(routes) > 20
    for cookie in (None, "A" * 43, "nonsense"):
        client = house.desk.test_client()
        if cookie:
            client.set_cookie("nightferry_desk", cookie)
        for method, address in [*routes, ("GET", "/no-such-page"), ("PUT", "/")]:
            for accepted in ("application/json", "text/html", "*/*"):
                answer = client.open(address, method=method, headers={"Accept": accepted})
                if answer.status_code == 303:
                    assert answer.headers["Location"] == "/login"
                    assert accepted != "application/json"
                else:
                    assert answer.status_code == 401, (method, address)
                    assert answer.headers["WWW-Authenticate"].startswith("Cookie ")


def test_a_download_without_login_is_no_page(house: House) -> None:
    """A program that takes whatever comes must not keep the login page as a sealed file."""
    answer = house.desk.test_client().get(f"/sealed/{UPLOAD}.tar.gpg")
    assert answer.status_code == 401


def test_a_form_after_the_session_has_ended_says_so(house: House, staff: Member) -> None:
    """A page was left open over lunch: nothing was changed, and the login is one press away."""
    token = staff.token()
    house.waits(house.world.settings.session_idle_minutes * 60 + 1800)
    answer = staff.post(f"/sealed/{UPLOAD}/fetched", token)
    assert answer.status_code == 401
    assert "nothing was done for too long. Nothing was changed" in answer.text
    assert 'href="/login"' in answer.text


def test_every_change_needs_post_and_a_token(staff: Member) -> None:
    """SEC-01-003, TRA-2021-17: no GET changes anything, and no form of another site's."""
    posts = [address for method, address in every_route(staff.house.desk) if method == "POST"]
    assert len(posts) == 7
    for address in posts:
        assert staff.get(address).status_code in {404, 405}
        answer = staff.client.post(address, data={"token": "f" * 64, "name": "ana"})
        assert answer.status_code == 403
        assert "form came from our own page" in answer.text
        foreign = {"Sec-Fetch-Site": "cross-site"}
        token = staff.token()
        answer = staff.client.post(address, data={"token": token}, headers=foreign)
        assert "Another site" in answer.text
        foreign = {"Origin": "http://evil.example", "Accept": "application/json"}
        assert staff.client.post(address, json={}, headers=foreign).status_code == 403
    assert staff.get("/").status_code == 200


def test_every_answer_carries_the_headers(staff: Member) -> None:
    """Lessons 31; and at the desk no script runs, not even one of ours."""
    outside = staff.house.desk.test_client()
    for method, address in [*every_route(staff.house.desk), ("GET", "/no-such-page")]:
        for client in (staff.client, outside):
            if address == "/session/end" and client is staff.client:
                continue
            answer = client.open(address, method=method)
            wanted = {**SECURITY_HEADERS, "Content-Security-Policy": POLICY}
            assert all(answer.headers.getlist(k) == [v] for k, v in wanted.items()), address
            assert not {"Server", "Date", "ETag", "Last-Modified"} & set(answer.headers.keys())
            assert "<script" not in answer.text
            assert " style=" not in answer.text


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Host": "127.0.0.1"}])
def test_another_host_is_refused(staff: Member, headers: dict[str, str]) -> None:
    """The source site's name is another host, too."""
    assert staff.get("/", **headers).status_code == 421


def test_neither_site_has_routes_of_the_other(house: House, close_later: CloseLater) -> None:
    """A mistake in one cannot open the other."""
    source = close_later(create_source_app(house.world.settings, World()))
    shared = {"/", "/session", "/session/end", "/static/site.css"}
    here = {rule.rule for rule in house.desk.url_map.iter_rules()}
    there = {rule.rule for rule in source.url_map.iter_rules()}
    assert here & there == shared
    assert not any(rule.startswith(("/drop", "/uploads", "/key", "/codename")) for rule in here)
    assert "/source" not in here
    assert not any(rule.startswith(("/sealed", "/sources", "/login")) for rule in there)


def test_a_sources_cookie_opens_nothing_at_the_desk(house: House) -> None:
    """Both sites may stand on one machine; a session is of one of them."""
    client = house.desk.test_client()
    cookie = house.new_source().cookie
    for name in ("nightferry", "nightferry_desk"):
        client.set_cookie(name, cookie)
    assert client.get("/").status_code == 303


def test_a_fault_of_ours_says_nothing_about_us(house: House, ana: Member) -> None:
    """A bare 500 in constant words."""

    def fail() -> str:
        raise ValueError("the passphrase was abacus")

    house.desk.add_url_rule("/fail", view_func=fail)
    answer = ana.enters().get("/fail")
    assert answer.status_code == 500
    assert "abacus" not in answer.text
    assert "Something broke" in answer.text
