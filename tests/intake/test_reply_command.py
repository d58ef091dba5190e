"""`./nightferry reply`: what staff type, and what they are told."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crypto.keys.making import Ngo
from tests.live import Live

HOUSE = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("designation", "file", "words"),
    [
        ("nobody here", "message.gpg", "No source is called that"),
        ("nobody here", "missing.gpg", "cannot read this file"),
    ],
)
def test_a_reply_that_cannot_be_kept_ends_in_words(
    tmp_path: Path, ngo: Ngo, designation: str, file: str, words: str
) -> None:
    """Status 1, one line of what is wrong, and no traceback."""
    live = Live(tmp_path, ngo)
    (tmp_path / "message.gpg").write_bytes(b"no message")
    command = ["reply", "--config", str(live.config), designation, str(tmp_path / file)]
    done = subprocess.run(
        [sys.executable, "-m", "submit.cli", *command],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("nightferry: ")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
