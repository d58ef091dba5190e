"""Recipients: what the operator is shown of them, and when there is a warning."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crypto.errors import RecipientError
from crypto.recipients import Recipient, expiring_soon, inspect
from tests.crypto.keys.making import Ngo

TODAY = dt.datetime.now(dt.UTC).date()
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("left", "warned"), [(0, True), (1, True), (30, True), (31, False), (4000, False)]
)
def test_thirty_days_before_the_end_there_is_a_warning(left: int, warned: bool) -> None:
    """The operator is warned while there is time to ask for a new certificate."""
    recipient = Recipient(Path("ngo.asc"), "0" * 40, ("An NGO",), TODAY + left * DAY)

    assert expiring_soon(recipient, TODAY) is warned


def test_without_an_end_there_is_no_warning(ngo: Ngo, empty_home: Path) -> None:
    """A certificate that does not expire never warns."""
    (recipient,) = inspect([ngo.certificate], empty_home, TODAY)

    assert not expiring_soon(recipient, dt.date.max)


def test_names_of_every_script_are_shown(made: Callable[..., Path], empty_home: Path) -> None:
    """Cyrillic and Arabic names come out as they are, colons and all."""
    name = "Хроника: правда هيئة <desk@ngo.example>"

    (recipient,) = inspect([made(name=name)], empty_home, TODAY)
    assert recipient.user_ids == (name,)


def test_a_name_cannot_play_with_the_terminal(made: Callable[..., Path], empty_home: Path) -> None:
    """Direction marks and other unprintable characters of a user id are replaced."""
    (recipient,) = inspect([made(name="An \u202eNGO\u200f <d@ngo.example>")], empty_home, TODAY)

    assert recipient.user_ids == ("An \ufffdNGO\ufffd <d@ngo.example>",)


@pytest.mark.parametrize("word", ["fpr", "uid", "pub", "sec", "sub"])
def test_a_name_cannot_forge_a_line(made: Callable[..., Path], empty_home: Path, word: str) -> None:
    """A line separator in a user id, with a record's name behind it, is refused, not obeyed."""
    path = made(name=f"An NGO\u2028{word}\u2028")

    with pytest.raises(RecipientError) as refused:
        inspect([path], empty_home, TODAY)
    assert refused.value.path == path


def test_a_name_of_any_octets_is_shown(made: Callable[..., Path], empty_home: Path) -> None:
    """A user id that is not UTF-8, as old programs made them, does not stop the start."""
    raw = "An \udcff\udcfe NGO <d@ngo.example>"  # two octets that no UTF-8 text holds

    (recipient,) = inspect([made(name=raw)], empty_home, TODAY)
    assert recipient.user_ids == ("An \ufffd\ufffd NGO <d@ngo.example>",)


@pytest.fixture
def kiritimati(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Move this machine to where the day begins fourteen hours before UTC."""
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("kiritimati")
def test_days_are_days_in_utc(made: Callable[..., Path], empty_home: Path) -> None:
    """Wherever the machine stands, the day of expiry is the same."""
    path = made(expires="10d", today="20200101T120000")

    (recipient,) = inspect([path], empty_home, dt.date(2020, 1, 2))
    assert recipient.expires == dt.date(2020, 1, 11)
