"""Debian roots as archives, kept between runs: making one takes a minute, unpacking it seconds."""

import hashlib
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

# What a host has before the package comes: an init, its bus and clock.
BARE = ("systemd", "systemd-sysv", "dbus", "systemd-timesyncd", "iproute2")


def find_or_make(release: str, packages: Sequence[str], folder: Path) -> Path:
    """Give the archive of a root with these packages; it is made if the folder has none."""
    wanted = ",".join(sorted({*BARE, *packages}))
    archive = folder / f"{release}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}.tar"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        half = archive.with_suffix(".half.tar")
        making = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={wanted}"]
        subprocess.run([*making, release, str(half)], check=True, stdin=subprocess.DEVNULL)
        half.rename(archive)
    return archive


def unpack(archive: Path, root: Path) -> None:
    """Make a root that has never been started, as an installer leaves it."""
    root.mkdir(parents=True)
    subprocess.run(["tar", "-C", root, "-xf", archive], check=True)
    (root / "etc" / "hostname").write_text("host\n")
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n127.0.1.1 host\n")
    # Without a number of its own, systemd would take this for a first start and enable everything.
    (root / "etc" / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
    console = root / "etc" / "systemd" / "system" / "console-getty.service"
    console.symlink_to("/dev/null")  # There is no console.
