"""The demo's staff account: made once; what it takes to log in lies in the demo's folder."""

import os
import tomllib
from pathlib import Path

from config.settings import Settings
from crypto.totp import in_base32
from submit.app import World, build_accounts
from submit.intake.desk.accounts import Accounts, Credentials
from submit.store.database import Database

NAME = "demo"


def require_account(settings: Settings, data: Path) -> dict[str, str]:
    """Give `name` and `passphrase` of the demo's account, making it if it was not made whole.

    `staff.toml` holds both, as `fetch --credentials` takes them, `staff.secret` what makes codes.
    """
    login = data / "staff.toml"
    if not login.exists():
        database = Database(settings.database, 1)
        try:
            made = _make(build_accounts(World(), database))
        finally:
            database.close()
        _write(data / "staff.secret", f"secret {in_base32(made.totp)}\n")
        _write(login, f'name = "{made.name}"\npassphrase = "{made.passphrase}"\n')
    return tomllib.loads(login.read_text(encoding="ascii"))


def _make(accounts: Accounts) -> Credentials:
    return accounts.reset(NAME) if NAME in accounts.names() else accounts.add(NAME)


def _write(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    new.rename(path)
