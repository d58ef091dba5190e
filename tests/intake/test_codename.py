"""The codename: typed back before going on, never in a message, and who was here last."""

import pytest

from crypto.codename import generate
from submit.intake.refusals import (
    CodenameInMessageError,
    MistypedWordRefusal,
    OtherCodenameError,
    WordCountRefusal,
)
from tests.intake.conftest import Scene
from tests.intake.world import DAY


def test_a_source_is_confirmed_when_it_has_typed_its_codename(scene: Scene) -> None:
    """However it is typed; and it stays confirmed."""
    source = scene.new_source()
    before = source.session
    source.intake.sources.confirm(source.session, source.codename.upper().replace(" ", ",  "))
    assert (before.confirmed, source.session.confirmed) == (False, True)
    assert source.comes_back().session.confirmed


def test_whoever_comes_in_with_it_has_typed_it(scene: Scene) -> None:
    """Nobody is asked twice."""
    assert scene.new_source().comes_back().session.confirmed


def test_what_is_typed_wrongly_confirms_nothing(scene: Scene) -> None:
    """Each error has words of its own, and nothing is lost by it."""
    source = scene.new_source()
    words = source.codename.split()
    for typed, refusal in (
        (" ".join(words[:7]), WordCountRefusal),
        (" ".join([*words[:7], "qqqqq"]), MistypedWordRefusal),
        (generate(), OtherCodenameError),
        (" ".join(reversed(words)), OtherCodenameError),
    ):
        with pytest.raises(refusal):
            source.intake.sources.confirm(source.session, typed)
    assert not source.session.confirmed


def test_another_sources_codename_confirms_nothing(scene: Scene) -> None:
    """It must be this source's own, whether the other one exists or not."""
    source, other = scene.new_source(), scene.new_source()
    with pytest.raises(OtherCodenameError):
        source.intake.sources.confirm(source.session, other.codename)
    assert not source.session.confirmed
    assert not other.session.confirmed


def test_a_source_is_told_when_somebody_was_here_before(scene: Scene) -> None:
    """The day of the visit before this one; the first time there was none."""
    source = scene.new_source()
    assert source.session.last_visit is None
    scene.world.now += 3 * DAY
    somebody = source.comes_back()
    assert somebody.session.last_visit == 20_000
    scene.world.now += 4 * DAY
    assert source.comes_back().session.last_visit == 20_003
    again = source.comes_back()
    assert again.session.last_visit == 20_007


@pytest.mark.parametrize("again", [False, True], ids=["the first time", "come back"])
def test_a_message_with_the_codename_is_refused(scene: Scene, again: bool) -> None:
    """However it is written there; nothing is kept of it (SD#525, codename_detected)."""
    source = scene.new_source()
    if again:
        source = source.comes_back()
    for text in (
        source.codename,
        f"I am {source.codename}, hello",
        "\n".join(f"{number}. {word}" for number, word in enumerate(source.codename.split(), 1)),
        source.codename.upper().replace(" ", ""),
    ):
        with pytest.raises(CodenameInMessageError):
            source.writes(text)
    assert list(scene.world.disk.names()) == []


def test_words_of_a_codename_are_an_ordinary_message(scene: Scene) -> None:
    """Seven of them, or somebody else's eight, are nobody's secret here."""
    source = scene.new_source()
    source.writes(" ".join(source.codename.split()[:7]))
    source.writes(str(generate()))
    assert source.intake.drop.show(source.session).messages == 2


def test_nothing_of_the_codename_is_at_rest(scene: Scene) -> None:
    """Neither word nor letters, after making, typing back, coming back and a refused message."""
    source = scene.new_source()
    source.intake.sources.confirm(source.session, source.codename)
    with pytest.raises(CodenameInMessageError):
        source.writes(source.codename)
    mark = source.session.codename_mark
    assert mark is not None
    at_rest = scene.at_rest()
    letters = source.codename.replace(" ", "").replace("-", "")
    for secret in (source.codename.encode(), letters.encode(), mark, mark[1:]):
        assert secret not in at_rest
