"""A new key, while sources are sending: nobody has to begin again, and staff open everything."""

from pathlib import Path
from random import Random

from tests.crypto.keys.making import Ngo, make_ngo, new_home
from tests.live import Live, running

CONTENT = Random(9).randbytes(400_000)


def seal_to(live: Live, *ngos: Ngo) -> None:
    """Name other recipients in the settings and restart, as the sysadmin does."""
    lines = live.config.read_text().splitlines()
    listed = ", ".join(f'"{ngo.certificate}"' for ngo in ngos)
    kept = [line for line in lines if not line.startswith("recipients")]
    live.config.write_text("\n".join([f"recipients = [{listed}]", *kept]))
    live.stop()
    live.start()


def opened_by(ngo: Ngo, sealed: Path) -> bool:
    """Tell whether a key opens a sealed file."""
    return ngo.gpg("-d", str(sealed)).returncode == 0


def test_a_new_key_while_an_upload_is_unfinished(tmp_path: Path) -> None:
    """It goes on and is for the key of the day it began; what begins after it is for both."""
    with running(tmp_path, workers=1) as live, new_home() as home:
        new = make_ngo(home, tmp_path, "ed25519", "cv25519")
        source, old = live.new_source(), live.ngo
        before = live.create(source, len(CONTENT))
        assert live.append(source, before, 0, CONTENT[:150_000]).status_code == 204

        seal_to(live, old, new)
        assert live.offset(source, before) == 150_000
        assert live.append(source, before, 150_000, CONTENT[150_000:]).status_code == 204
        after = live.create(source, len(CONTENT))
        assert live.append(source, after, 0, CONTENT).status_code == 204

        sealed = [live.sealed(url) for url in (before, after)]
        assert [opened_by(old, path) for path in sealed] == [True, True]
        assert [opened_by(new, path) for path in sealed] == [False, True]
        assert live.open(sealed[0], tmp_path / "opened").content == CONTENT
