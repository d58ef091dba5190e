"""What the NGO gets of a form: opened with stock gpg, read as a tar."""

from tests.crypto.keys.making import Ngo
from tests.web.site import Browser, File, Site
from tests.web.staff import open_sealed

NAMES = [
    "видео.mp4",
    "فيديو.mp4",
    "\U0001f469\u200d\U0001f4bb.mp4",
    "report\u202efdp.exe",
    "../../.bashrc",
    "/etc/passwd",
    "CON",
    "two\nlines\r\n.txt",
    'say "hi" and \\"bye\\"',
    "<img src=x onerror=alert(1)>",
    "x" * 400,
    "語" * 85,
    " spaces ",
    ".",
    "%41",
    "nul\x00here",
]


def open_all(site: Site, ngo: Ngo) -> list[File]:
    """Open everything that arrived, but for the certificate to answer the source with."""
    opened = [open_sealed(path, ngo) for path in (site.data / "uploads").glob("*.tar.gpg")]
    return sorted(file for file in opened if not file[0].startswith("reply-to-"))


def test_names_and_contents_arrive_exactly(browser: Browser, site: Site, ngo: Ngo) -> None:
    """Lessons 8 and 9: what the form said is what the NGO reads, and equal names stay two files."""
    browser.begins()
    files = [(name, name.encode() * 3) for name in NAMES] + [("same", b"1"), ("same", b"2")]
    browser.sends(*files)
    assert open_all(site, ngo) == sorted(files)


def test_content_that_looks_like_the_form_arrives_exactly(
    browser: Browser, site: Site, ngo: Ngo
) -> None:
    """Line ends, dashes and other boundaries inside a file are only octets of it."""
    browser.begins()
    contents = [
        b"",
        b"\r",
        b"\r\n",
        b"--",
        b"\r\n--",
        b"\r\n------formboundary7f3\r\n",
        b"-" * 70_000,
    ]
    contents += [b"x" * 65_535 + b"\r\n", b"\r\n--" * 20_000]
    files = [(f"{n:02}", content) for n, content in enumerate(contents)]
    browser.sends(*files)
    assert open_all(site, ngo) == files


def test_message_arrives_exactly(browser: Browser, site: Site, ngo: Ngo) -> None:
    """Every letter of a message, with the line ends that browsers write."""
    browser.begins()
    text = "Привет,\r\n\r\nэто <b>видео</b> \U0001f469\u200d\U0001f4bb\r\n"  # noqa: RUF001
    browser.writes(text)
    [(_, content)] = open_all(site, ngo)
    assert content.decode() == text
