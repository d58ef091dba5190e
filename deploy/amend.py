"""Change one list in the service's settings, and nothing else of what the sysadmin wrote there.

Rule 1: comments, order and all other keys stay as they are, and that is proved before writing.
Rule 2: settings that the service would refuse are never put in place.
"""

import re
import tomllib
from collections.abc import Sequence

from config.settings import Settings, read_settings, read_toml
from config.table import Table
from deploy.errors import DeployError
from deploy.host import Host
from deploy.places import GROUP, SETTINGS

_NOT_ONE_PLACE = (
    "{path}: cannot change '{key}' here without touching something else. Nothing was changed. "
    "Write this line there by hand, then run the command again:\n  {line}"
)


def write_settings(host: Host, text: str) -> None:
    """Put the settings in place, durable, readable by the service alone.

    Raises a `SettingsError` if the service would refuse them.
    """
    _read(text)
    host.write(SETTINGS, text.encode(), "root", GROUP, 0o640)


def amend_list(host: Host, key: str, values: Sequence[str]) -> None:
    """Give a list of texts in the settings other values. Raises DeployError or `SettingsError`."""
    path = host.path(SETTINGS)
    before = read_toml(path)
    text = path.read_text(encoding="utf-8")
    line = f"{key} = [{', '.join(_quoted(value) for value in values)}]"
    pattern = re.compile(rf"^{re.escape(key)}\s*=\s*\[[^\]]*\]", re.MULTILINE)
    amended, places = pattern.subn(lambda _: line, text)
    if places == 0 and key not in before:
        amended = f"{text.rstrip()}\n{line}\n"
    if _parsed(amended) != before | {key: list(values)}:
        raise DeployError(_NOT_ONE_PLACE.format(path=SETTINGS, key=key, line=line))
    write_settings(host, amended)


def _read(text: str) -> Settings:
    return read_settings(Table(tomllib.loads(text)))


def _parsed(text: str) -> dict[str, object] | None:
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def _quoted(value: str) -> str:
    """Write a text as TOML does, if it needs no escapes. Paths of ours and host names need none."""
    if any(letter in "\"'\\" or not letter.isprintable() for letter in value):
        raise DeployError(f"{value!r}: this cannot be written into the settings. Nothing changed.")
    return f'"{value}"'
