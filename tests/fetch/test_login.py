"""Who fetches: asked on the terminal, again when it is needed, and never shown."""

import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import termios
from contextlib import closing

from tests.fetch.circuit import Circuit
from tests.fetch.errand import ROOT, TIMEOUT, Errand, new_member, send
from tests.live import Live

_FETCH = [sys.executable, "-S", "-m", "submit.fetch"]


def test_a_wrong_code_is_asked_again(errand: Errand) -> None:
    """The desk's words are said, and the next code is taken."""
    ended = errand.run(stdin="000000\n{code}\n")
    assert (ended.code, "nothing is new" in ended.said) == (0, True)
    assert "do not fit together" in ended.complained


def test_a_session_that_expires_is_renewed(live: Live, errand: Errand) -> None:
    """A new code is asked for in the middle, and what was under way goes on."""
    upload = send(live, 500_000)
    with EndsSession(errand) as circuit:
        errand.base = circuit.base
        ended = errand.run()
        assert circuit.ended
    assert (ended.code, "expired" in ended.complained) == (0, True), ended.complained
    assert upload in errand.index()


class EndsSession(Circuit):
    """Ends the session at the desk when the first sealed file is asked for."""

    def __init__(self, errand: Errand) -> None:
        super().__init__(errand.live.desk_port)
        self._database, self._errand = errand.live.data / "nightferry.db", errand
        self.ended = False

    def translated(self, octets: bytes) -> bytes:
        if b"GET /sealed/" in octets and not self.ended:
            self.ended = True
            with closing(sqlite3.connect(self._database)) as database, database:
                name = self._errand.member.name
                database.execute("DELETE FROM staff_sessions WHERE staff = ?", (name,))
        return octets


def test_nobody_at_the_terminal_ends_it_in_words(errand: Errand) -> None:
    """A run without anybody to type a code does not hang."""
    process = errand.begin(stdin="")
    said, complained = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, "nobody is here" in complained, said) == (
        1,
        True,
        "looking at what the desk has ...\n",
    )


class Person:
    """Somebody at a real terminal."""

    def __init__(self, errand: Errand) -> None:
        self.shown = ""
        self.terminal, inner = pty.openpty()
        self.process = subprocess.Popen(
            [*_FETCH, "--desk", errand.live.desk, "--to", str(errand.stick)],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        self._inner = inner

    def answers(self, question: str, typed: str) -> None:
        self.waits_for(question)
        os.write(self.terminal, f"{typed}\n".encode())

    def waits_for(self, words: str) -> None:
        while words not in self.shown:
            assert select.select([self.terminal], [], [], TIMEOUT)[0], self.shown
            self.shown += os.read(self.terminal, 4096).decode()

    @property
    def sees_what_is_typed(self) -> bool:
        return bool(termios.tcgetattr(self._inner)[3] & termios.ECHO)

    def ends(self) -> int:
        code = self.process.wait(TIMEOUT)
        while select.select([self.terminal], [], [], 0)[0]:
            self.shown += os.read(self.terminal, 4096).decode()
        return code


def test_a_passphrase_is_never_shown(live: Live, errand: Errand) -> None:
    """Typed at a terminal, it is not on the screen, and the screen is as it was afterwards."""
    send(live, 50_000)
    member = new_member(live)
    person = Person(errand)
    person.answers("name at the desk", member.name)
    person.answers("not shown", member.passphrase)
    person.answers("six digits", member.phone.code())
    assert person.ends() == 0
    assert member.passphrase not in person.shown
    assert "verified" in person.shown
    assert person.sees_what_is_typed


def test_ctrl_c_at_the_passphrase_gives_the_screen_back(errand: Errand) -> None:
    """Whoever stops at a question sees again what they type."""
    person = Person(errand)
    person.answers("name at the desk", "ana")
    person.waits_for("not shown")
    assert not person.sees_what_is_typed
    person.process.send_signal(signal.SIGINT)
    assert person.ends() == 130
    assert person.sees_what_is_typed


def test_no_argument_takes_a_passphrase() -> None:
    """Other users of the machine see arguments."""
    shown = subprocess.run(
        [*_FETCH, "--help"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "--passphrase" not in shown
    assert "--code" not in shown
