"""An archivist, who has never heard of us: judges bags by the program that the archives use."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verdict:
    """What `python -m bagit --validate` ended with, and said."""

    is_valid: bool
    words: str


def judge(bag: Path) -> Verdict:
    """Validate a bag as an archive does: every file, every hash, the counts."""
    done = subprocess.run(
        [sys.executable, "-I", "-m", "bagit", "--validate", str(bag)],
        capture_output=True,
        check=False,
        timeout=300,
    )
    words = (done.stdout + done.stderr).decode()
    assert "Traceback" not in words, words
    return Verdict(done.returncode == 0, words)
