"""Replies, through the front door: staff use stock gpg, the source its codename, nobody else reads."""

import threading
from collections.abc import Callable

import pytest

from crypto.errors import GnuPGRefusedError
from crypto.session_key import NewMessageKeys
from submit.intake.refusals import (
    NoReplyKeyError,
    NotAReplyError,
    ReplyNotFoundError,
    ReplyTooLongError,
    SealingError,
    UnknownDesignationError,
)
from submit.intake.replies import LONGEST_MESSAGE
from submit.store.records import ReplyRow
from tests.crypto.keys.making import gpg, new_home
from tests.intake.conftest import Received, Scene, Source

TEXT = "Спасибо. Please send the rest of camera 4.\n"


def encrypt(certificate: bytes, text: str = TEXT) -> bytes:
    """Write a reply with stock gpg in a home that knows nothing, as the first time."""
    with new_home() as home:
        file = home / "reply-to.asc"
        file.write_bytes(certificate)
        done = gpg(home, "--armor", "-e", "--recipient-file", str(file), given=text.encode())
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


def answered(scene: Scene, source: Source, text: str = TEXT) -> str:
    """Answer a source that has sent something."""
    message = encrypt(scene.certificate(source), text)
    return scene.intake.replies.accept(scene.designation(source), message)


def test_a_source_reads_what_staff_wrote_with_stock_gpg(scene: Scene) -> None:
    """From the first submission to the reply: all that staff need came with what they opened."""
    source = scene.new_source()
    source.writes("What next?")
    reply = answered(scene, source)
    (shown,) = source.comes_back().intake.replies.show(source.session)
    assert (shown.id, shown.day, shown.text) == (reply, 20_000, TEXT)


def test_the_certificate_comes_with_the_first_submission_of_any_kind(scene: Scene) -> None:
    """Message, form or upload: the certificate is there before it, once, under its name."""
    ways: tuple[Callable[[Source], object], ...] = (
        lambda source: source.writes("hello"),
        lambda source: source.sends_by_form("a.txt", b"hello"),
        lambda source: source.begins("b.txt", b"hello"),
    )
    for send in ways:
        source = scene.new_source()
        before = {each.name for each in complete(scene)}
        send(source)
        name = "reply-to-" + scene.designation(source).replace(" ", "-") + ".asc"
        assert name in {each.name for each in complete(scene)} - before


def complete(scene: Scene) -> list[Received]:
    """Open what is complete; an upload that has only begun does not open."""
    rows = scene.intake.housekeeping.rows
    names = (name for name in scene.world.disk.names() if name.endswith(".tar.gpg"))
    return [scene.opens(n) for n in names if rows.is_complete(n.removesuffix(".tar.gpg"))]


def test_the_certificate_comes_once_and_is_never_counted(scene: Scene) -> None:
    """A source that sends again, in another session too, sees only what it sent itself."""
    source = scene.new_source()
    source.writes("one")
    source.sends_by_form("two.txt", b"2")
    source.comes_back().sends("three.txt", b"3")
    names = [each.name for each in scene.received()]
    assert sum(name.startswith("reply-to-") for name in names) == 1
    drop = scene.intake.drop.show(source.session)
    assert (drop.files, drop.messages, drop.unfinished) == (2, 1, ())


def test_nothing_is_sealed_for_a_source_that_sends_nothing(scene: Scene) -> None:
    """Whoever only looks leaves no file."""
    scene.new_source().comes_back()
    assert list(scene.world.disk.names()) == []


def test_two_first_submissions_at_once_give_one_certificate(scene: Scene) -> None:
    """Two tabs, or eight uploads of a script, begin in the same second."""
    source = scene.new_source()
    session = source.session
    start = threading.Barrier(4)

    def write(number: int) -> None:
        start.wait(30)
        scene.intake.messages.seal(session, f"message {number}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    names = [each.name for each in scene.received()]
    assert len(names) == 5
    assert sum(name.startswith("reply-to-") for name in names) == 1


class _Refusing:
    """GnuPG, on the day on which the NGO's key expires."""

    def make(self) -> NewMessageKeys:
        raise GnuPGRefusedError


def test_without_the_certificate_nothing_is_taken(scene: Scene) -> None:
    """If it cannot be sealed, the submission is refused and nothing of either remains."""
    source = scene.new_source()
    openings = (scene.intake.uploads._opening, scene.intake.messages._whole.opening)
    makers = [opening._keys for opening in openings]
    for opening in openings:
        opening._keys = _Refusing()
    for send in (
        lambda: source.writes("hello"),
        lambda: source.sends_by_form("a.txt", b"hello"),
        lambda: source.begins("b.txt", b"hello"),
    ):
        with pytest.raises(SealingError):
            send()
    assert list(scene.world.disk.names()) == []
    for opening, maker in zip(openings, makers, strict=True):
        opening._keys = maker
    source.writes("hello")
    assert len(scene.received()) == 2


def test_replies_stand_in_the_order_in_which_they_came(scene: Scene) -> None:
    """A conversation is read from top to bottom, also when it all happened on one day."""
    source = scene.new_source()
    source.writes("hello")
    came = [answered(scene, source, f"reply {number}") for number in range(8)]
    assert [each.id for each in scene.intake.replies.show(source.session)] == came


def test_the_same_message_again_is_the_same_reply(scene: Scene) -> None:
    """Staff whose connection broke before the answer send it again; the source reads it once."""
    source = scene.new_source()
    source.writes("hello")
    message = encrypt(scene.certificate(source))
    designation = scene.designation(source)
    replies = {scene.intake.replies.accept(designation, message) for _ in range(2)}
    assert {shown.id for shown in source.intake.replies.show(source.session)} == replies
    other = encrypt(scene.certificate(source))
    assert scene.intake.replies.accept(designation, other) not in replies


def test_deleted_replies_are_gone(scene: Scene) -> None:
    """Deleting removes one reply, at once and from the log too; a second time there is none."""
    source = scene.new_source()
    source.writes("hello")
    first, second = answered(scene, source, "one"), answered(scene, source, "two")
    message = next(row.message for row in rows(scene, source) if row.id == first)
    assert message[-200:] in scene.at_rest()
    scene.intake.replies.delete(source.session, first)
    assert [each.id for each in scene.intake.replies.show(source.session)] == [second]
    assert message[-200:] not in scene.at_rest()
    with pytest.raises(ReplyNotFoundError):
        scene.intake.replies.delete(source.session, first)


def rows(scene: Scene, source: Source) -> list[ReplyRow]:
    return scene.intake.replies._rows.to(source.session.source)


def test_another_source_neither_sees_nor_deletes_a_reply(scene: Scene) -> None:
    """A reply's id is of no use without the codename."""
    source = scene.new_source()
    source.writes("hello")
    reply = answered(scene, source)
    stranger = scene.new_source()
    assert scene.intake.replies.show(stranger.session) == ()
    with pytest.raises(ReplyNotFoundError):
        scene.intake.replies.delete(stranger.session, reply)
    assert len(scene.intake.replies.show(source.session)) == 1


def test_a_reply_for_another_source_is_refused(scene: Scene) -> None:
    """Staff who mix up two certificates are told, before the wrong person waits in vain."""
    source = scene.new_source()
    source.writes("hello")
    message = encrypt(scene.certificate(source))
    stranger = scene.new_source()
    with pytest.raises(NotAReplyError):
        scene.intake.replies.accept(scene.designation(stranger), message)


@pytest.mark.parametrize("message", [b"", TEXT.encode(), b"\xc1\x00"])
def test_what_is_no_message_to_this_source_is_refused(scene: Scene, message: bytes) -> None:
    """Plaintext is never kept as a reply, whatever it is called (HL PR#376)."""
    source = scene.new_source()
    with pytest.raises(NotAReplyError):
        scene.intake.replies.accept(scene.designation(source), message)
    assert rows(scene, source) == []


def test_unknown_designations_and_long_messages_are_refused(scene: Scene) -> None:
    """Both in words, and nothing is kept."""
    source = scene.new_source()
    with pytest.raises(UnknownDesignationError):
        scene.intake.replies.accept("nobody here", b"")
    with pytest.raises(ReplyTooLongError):
        scene.intake.replies.accept(scene.designation(source), bytes(LONGEST_MESSAGE + 1))


def test_a_reply_that_cannot_be_opened_is_shown_as_such(scene: Scene) -> None:
    """A text beyond the limit, or octets that went bad, cost that reply and no other."""
    source = scene.new_source()
    source.writes("hello")
    answered(scene, source, "x" * 200_000)
    answered(scene, source, "readable")
    assert {each.text for each in scene.intake.replies.show(source.session)} == {None, "readable"}


def test_neither_text_nor_certificate_is_at_rest(scene: Scene) -> None:
    """The database holds the message as gpg made it; nothing in it opens that or dates the key."""
    source = scene.new_source()
    source.writes("hello")
    answered(scene, source)
    scene.intake.replies.show(source.session)
    certificate = scene.certificate(source)
    at_rest = scene.at_rest()
    for secret in (TEXT.encode(), certificate, *octets_of(certificate), source.codename.encode()):
        assert secret not in at_rest


def octets_of(certificate: bytes) -> list[bytes]:
    """Give the public keys in a certificate, each with the second in which it was made."""
    with new_home() as home:
        dearmored = gpg(home, "--dearmor", given=certificate).stdout
    return [dearmored[2:53], dearmored[3:7]]


def test_a_source_from_before_there_were_replies_gets_a_certificate(scene: Scene) -> None:
    """Its next login makes one, and its next submission brings it to the staff."""
    source = scene.new_source()
    forget_reply_key(scene)
    with pytest.raises(NoReplyKeyError):
        scene.intake.replies.accept(scene.designation(source), b"")
    source = source.comes_back()
    source.writes("I am back")
    answered(scene, source)
    assert [each.text for each in scene.intake.replies.show(source.session)] == [TEXT]


def test_a_session_from_before_there_were_replies_goes_on(scene: Scene) -> None:
    """An update of the server in the middle of somebody's sending costs them nothing."""
    source = scene.new_source()
    forget_reply_key(scene)
    source.writes("I never left")
    answered(scene, source)
    assert [each.text for each in scene.intake.replies.show(source.session)] == [TEXT]


def forget_reply_key(scene: Scene) -> None:
    """Make all sources as they were before revision 2."""
    with scene.world.database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE sources SET reply_key_id=NULL, wrapped_reply_key=NULL")


def test_refusals_to_staff_hold_nothing_of_the_message(scene: Scene) -> None:
    """Whatever is handed in, the words are constants."""
    designation = scene.designation(scene.new_source())
    for message in (b"secret words", b"\xc1secret words"):
        with pytest.raises(NotAReplyError) as refused:
            scene.intake.replies.accept(designation, message)
        assert "secret" not in str(refused.value) + refused.value.public
