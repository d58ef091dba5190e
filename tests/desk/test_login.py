"""Coming in: passphrase and code, each taken as it should be, and nobody locked out."""

from collections.abc import Callable

import pytest

import submit.intake.desk.accounts
from crypto.codename import Cost
from crypto.passphrase import Stretched, stretch_passphrase
from submit.intake.desk.accounts import FREE_TRIES
from submit.intake.desk.refusals import NoSuchStaffError, StaffNameError, StaffNameTakenError
from tests.desk.conftest import STEP, House, Member
from tests.web.site import Page

QUARTER = 900  # seconds
WRONG = "000000"


def wrong(member: Member) -> str:
    """Give a code that no phone shows now."""
    return next(
        code
        for code in ("000000", "111111", "222222", "333333")
        if all(code != member.code(early) for early in (-1, 0, 1))
    )


def test_staff_come_in_with_words_and_code(ana: Member) -> None:
    """In capitals, with commas, with a space in the code: as people type."""
    typed = ana.made.passphrase.upper().replace(" ", ",  ")
    assert ana.types(typed, f"{ana.code()[:3]} {ana.code()[3:]}").status_code == 303
    assert "Sources" in ana.page("/")


def test_whatever_is_wrong_the_answer_is_the_same(ana: Member) -> None:
    """Unknown name, wrong passphrase, wrong code: nobody learns which names there are."""
    answers = {
        (answer.status_code, Page(answer.text).text)
        for answer in (
            ana.types(ana.made.passphrase, ana.code(), name="nobody"),
            ana.types("abacus abdomen abide able ablaze about", ana.code()),
            ana.types(ana.made.passphrase, wrong(ana)),
            ana.types("", ""),
            ana.types("x" * 3000, "9" * 3000),
        )
    }
    assert len(answers) == 1
    assert "do not fit together" in answers.pop()[1]


def test_whatever_is_wrong_the_work_is_the_same(
    ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GL#857: one derivation each, at the cost that is set."""
    costs: list[Cost] = []

    def counted(typed: str, salt: bytes, cost: Cost) -> Stretched:
        costs.append(cost)
        return stretch_passphrase(typed, salt, cost)

    monkeypatch.setattr(submit.intake.desk.accounts, "stretch_passphrase", counted)
    for passphrase, name in (("abacus", "ana"), ("abacus", "nobody"), (ana.made.passphrase, "ana")):
        costs.clear()
        ana.types(passphrase, WRONG, name=name)
        assert len(costs) == 1


def test_a_code_is_taken_once(ana: Member) -> None:
    """Whoever looked over the shoulder comes too late."""
    code = ana.code()
    assert ana.types(ana.made.passphrase, code).status_code == 303
    assert ana.types(ana.made.passphrase, code).status_code == 403
    assert ana.types(ana.made.passphrase, ana.code(early=-1)).status_code == 403


@pytest.mark.parametrize(("early", "status"), [(-2, 403), (-1, 303), (0, 303), (1, 303), (2, 403)])
def test_a_clock_may_be_a_step_off(ana: Member, early: int, status: int) -> None:
    """Half a minute before and after; no more."""
    assert ana.types(ana.made.passphrase, ana.code(early)).status_code == status


def test_strangers_lock_nobody_out(ana: Member) -> None:
    """SD#3563: guesses of who has not the passphrase are not even counted."""
    for _ in range(200):
        assert ana.types("abacus abdomen abide able ablaze about", ana.code()).status_code == 403
    assert ana.types(ana.made.passphrase, ana.code()).status_code == 303
    assert "wrong code" not in ana.page("/")


def test_a_thief_of_the_passphrase_guesses_slowly_and_is_noticed(ana: Member, house: House) -> None:
    """After ten wrong codes one in a quarter of an hour is looked at; its owner is told."""
    for _ in range(FREE_TRIES):
        assert ana.types(ana.made.passphrase, wrong(ana)).status_code == 403
    assert ana.types(ana.made.passphrase, ana.code()).status_code == 403
    house.waits(QUARTER)
    assert ana.types(ana.made.passphrase, ana.code()).status_code == 303
    assert f"{FREE_TRIES} wrong codes came with your passphrase" in ana.page("/")
    house.waits(STEP)
    assert ana.types(ana.made.passphrase, ana.code()).status_code == 303
    assert "wrong code" not in ana.page("/")


def test_each_login_has_a_cookie_of_its_own(ana: Member) -> None:
    """Lessons 23: a cookie from before the login is worth nothing after it."""
    ana.client.set_cookie("nightferry_desk", "A" * 43)
    ana.enters()
    first = ana.client.get_cookie("nightferry_desk")
    assert first is not None
    assert first.value != "A" * 43
    assert first.http_only
    assert first.same_site == "Strict"
    assert first.max_age is None
    ana.enters()
    ana.client.set_cookie("nightferry_desk", first.value)
    assert ana.get("/").status_code == 303


def test_a_session_ends_when_nothing_is_done(staff: Member, house: House) -> None:
    """Every request renews it, for the time that is set."""
    idle = house.world.settings.session_idle_minutes * 60
    house.waits(idle - QUARTER)
    assert staff.get("/").status_code == 200
    house.waits(idle - QUARTER)
    assert staff.get("/").status_code == 200
    house.waits(idle + 2 * QUARTER)
    assert staff.get("/").headers["Location"] == "/login"
    house.tidies()
    assert b"nightferry_desk" not in house.scene.at_rest()


def test_leaving_ends_the_session(staff: Member) -> None:
    """Its cookie is worth nothing any more, whoever has a copy."""
    kept = staff.client.get_cookie("nightferry_desk")
    assert kept is not None
    assert staff.post("/session/end").headers["Location"] == "/login"
    staff.client.set_cookie("nightferry_desk", kept.value)
    assert staff.get("/").status_code == 303


def test_reset_ends_sessions_and_old_secrets(staff: Member, house: House) -> None:
    """SD#2756: whoever stole the passphrase is out at once."""
    old = staff.made
    staff.made = house.accounts.reset("ana")
    assert staff.get("/").status_code == 303
    house.waits(STEP)
    assert staff.types(old.passphrase, staff.code()).status_code == 403
    staff.enters()


def test_removed_staff_are_out(
    staff: Member, house: House, new_member: Callable[[str], Member]
) -> None:
    """At once; the others stay."""
    bela = new_member("bela").enters()
    house.accounts.remove("ana")
    assert staff.get("/").status_code == 303
    assert bela.get("/").status_code == 200
    assert house.accounts.names() == ["bela"]
    with pytest.raises(NoSuchStaffError):
        house.accounts.remove("ana")
    with pytest.raises(NoSuchStaffError):
        house.accounts.reset("ana")


def test_accounts_have_plain_names_and_each_its_own(house: House, ana: Member) -> None:
    """A name stands in lists and on pages."""
    with pytest.raises(StaffNameTakenError):
        house.accounts.add("ana")
    for name in ("", "Ana", "a b", "-a", "a" * 33, "<b>", "ana\n"):
        with pytest.raises(StaffNameError):
            house.accounts.add(name)


def test_a_seized_disk_has_neither_passphrase_nor_codes(staff: Member, house: House) -> None:
    """Not as they are, and the secret of the codes not in base32."""
    kept = house.scene.at_rest()
    assert bytes(staff.made.totp) not in kept
    assert staff.made.passphrase.encode() not in kept
    cookie = staff.client.get_cookie("nightferry_desk")
    assert cookie is not None
    assert cookie.value.encode() not in kept
    [row] = [house.accounts._rows.find("ana")]
    assert row is not None
    # No time finer than a quarter of an hour: that of the last code is wrapped.
    assert max(row.wrong_codes, row.wrong_quarter) <= house.world.now / QUARTER
