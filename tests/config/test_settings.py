"""The settings file, read as the service reads it at start."""

import dataclasses
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import (
    AbsurdValueError,
    MissingSettingError,
    SettingsError,
    UnknownSettingError,
    UnreadableSettingsError,
    WrongTypeError,
)
from config.settings import Settings, load

EXAMPLE = Path(__file__).parents[2] / "config" / "example.toml"

NEEDED = {
    "data": '"/srv/data"',
    "database": '"sqlite:////srv/data/x.db"',
    "recipients": '["/etc/ngo.asc"]',
    "hosts": '["abc.onion"]',
    "listen": '"unix:/run/http.sock"',
}


def write(path: Path, **changes: str | None) -> Path:
    """Write a settings file: what is needed, with changes; None leaves a key out."""
    lines = [f"{key} = {value}" for key, value in (NEEDED | changes).items() if value is not None]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A place for a settings file."""
    return tmp_path / "nightferry.toml"


def test_example_loads_and_shows_the_defaults() -> None:
    """The shipped example is accepted, and the values in it are the defaults."""
    example = load(EXAMPLE)
    for field in dataclasses.fields(Settings):
        if field.default is not dataclasses.MISSING:
            assert getattr(example, field.name) == field.default


def test_example_names_every_setting() -> None:
    """A setting that the example does not show would never be found."""
    shown = tomllib.loads(EXAMPLE.read_text()).keys()
    assert shown == {field.name for field in dataclasses.fields(Settings)}


def test_every_setting_of_the_file_reaches_the_value(file: Path) -> None:
    """No key is accepted and then not read."""
    other = {
        "data": '"/other"',
        "database": '"postgresql://x/y"',
        "recipients": '["/a.asc", "/b.asc"]',
        "hosts": '["one.onion", "two.onion"]',
        "listen": '"127.0.0.1:8080"',
        "desk_listen": '"127.0.0.1:8081"',
        "desk_hosts": '["three.onion"]',
        "max_upload_length": "1000",
        "max_form_file_length": "1001",
        "max_message_length": "1002",
        "disk_reserve": "16777217",
        "session_idle_minutes": "11",
        "upload_idle_days": "12",
        "retention_days": "17",
        "body_idle_seconds": "13",
        "uploads_at_once": "14",
        "threads": "46",
        "workers": "3",
    }
    usual, changed = load(write(file)), load(write(file, **other))
    for field in dataclasses.fields(Settings):
        assert getattr(changed, field.name) != getattr(usual, field.name), field.name


def test_what_is_read_has_its_types(file: Path) -> None:
    """Paths arrive as paths, and lists as tuples that nobody can add to."""
    settings = load(write(file))
    assert settings.data == Path("/srv/data")
    assert settings.recipients == (Path("/etc/ngo.asc"),)
    assert settings.hosts == ("abc.onion",)


def test_settings_cannot_be_changed_afterwards(file: Path) -> None:
    """What was checked at start stays what it was."""
    settings = load(write(file))
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.threads = 1  # type: ignore[misc]


@pytest.mark.parametrize("key", NEEDED)
def test_a_missing_setting_is_named(file: Path, key: str) -> None:
    """Whatever has no default must be said."""
    with pytest.raises(MissingSettingError, match=f"^{key}: "):
        load(write(file, **{key: None}))


def test_a_misspelt_key_is_named_with_the_right_one(file: Path) -> None:
    """A typo never means 'use the default'."""
    with pytest.raises(UnknownSettingError, match=r"^thread: .*did you mean threads\?"):
        load(write(file, thread="500"))


def test_a_misspelt_needed_key_is_told_as_a_typo(file: Path) -> None:
    """The typo is shown, rather than that its right spelling is missing."""
    with pytest.raises(UnknownSettingError, match=r"did you mean recipients\?"):
        load(write(file, recipients=None, recipient='["/etc/ngo.asc"]'))


def test_an_unknown_key_points_to_the_example(file: Path) -> None:
    """Where no key is near, the sysadmin learns where all of them are."""
    with pytest.raises(UnknownSettingError, match=r"^smtp: .*config/example\.toml"):
        load(write(file, smtp='"x"'))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data", "7"),
        ("database", '["sqlite:////x"]'),
        ("recipients", '"/etc/ngo.asc"'),
        ("recipients", '["/etc/ngo.asc", 7]'),
        ("hosts", '"abc.onion"'),
        ("listen", "8080"),
        ("desk_listen", "8081"),
        ("desk_hosts", '"xyz.onion"'),
        ("retention_days", "false"),
        ("threads", '"400"'),
        ("threads", "400.0"),
        ("workers", "true"),
    ],
)
def test_another_type_is_refused(file: Path, key: str, value: str) -> None:
    """Nothing is converted: a quoted number or a true for 1 is a mistake to be shown."""
    with pytest.raises(WrongTypeError, match=f"^{key}: is .*; expected "):
        load(write(file, **{key: value}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data", '"srv/data"'),
        ("database", '"sqlite://"'),
        ("database", '"sqlite:///relative.db"'),
        ("database", '"mysql://x/y"'),
        ("recipients", "[]"),
        ("recipients", '["ngo.asc"]'),
        ("recipients", '["/ngo.asc", "/ngo.asc"]'),
        ("hosts", "[]"),
        ("hosts", '["abc.onion", "abc.onion"]'),
        ("hosts", '["abc.onion:80"]'),
        ("desk_listen", '"unix:/run/http.sock"'),
        ("desk_listen", '"0.0.0.0:80"'),
        ("desk_hosts", '["xyz.onion", "xyz.onion"]'),
        ("desk_hosts", '["http://xyz.onion"]'),
        ("desk_hosts", '["abc.onion"]'),
        ("retention_days", "-1"),
        ("retention_days", "3651"),
        ("hosts", '["http://abc.onion"]'),
        ("hosts", '["ABC.onion"]'),
        ("hosts", '["abc.onion\\n"]'),
        ("hosts", '[""]'),
        ("listen", '"0.0.0.0:80"'),
        ("listen", '"[::]:80"'),
        ("listen", '"192.168.1.2:80"'),
        ("listen", '"127.0.0.1"'),
        ("listen", '"127.0.0.1:0"'),
        ("listen", '"127.0.0.1:65536"'),
        ("listen", '"127.0.0.999:80"'),
        ("listen", '"unix:relative.sock"'),
        ("listen", f'"unix:/{"x" * 107}"'),
        ("max_upload_length", "0"),
        ("max_upload_length", "1125899906842625"),
        ("max_form_file_length", "0"),
        ("max_form_file_length", "4293918720"),
        ("max_message_length", "0"),
        ("max_message_length", "16777217"),
        ("disk_reserve", "-1"),
        ("disk_reserve", "16777215"),
        ("session_idle_minutes", "0"),
        ("session_idle_minutes", "10081"),
        ("upload_idle_days", "0"),
        ("upload_idle_days", "3651"),
        ("body_idle_seconds", "0"),
        ("body_idle_seconds", "3601"),
        ("uploads_at_once", "0"),
        ("uploads_at_once", "10001"),
        ("threads", "351"),
        ("threads", "20001"),
        ("workers", "0"),
        ("workers", "65"),
    ],
)
def test_an_absurd_value_is_refused(file: Path, key: str, value: str) -> None:
    """A value without sense stops the start, and the words name its key."""
    with pytest.raises(AbsurdValueError, match=f"^{key}: .*expected "):
        load(write(file, **{key: value}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("listen", '"[::1]:65535"'),
        ("listen", '"127.0.0.1:1"'),
        ("listen", f'"unix:/{"x" * 106}"'),
        ("hosts", '["127.0.0.1", "localhost", "a"]'),
        ("database", '"postgresql+psycopg://x/y"'),
        ("max_upload_length", "1125899906842624"),
        ("max_form_file_length", "4293918719"),
        ("max_message_length", "16777216"),
        ("disk_reserve", "16777216"),
        ("session_idle_minutes", "10080"),
        ("upload_idle_days", "3650"),
        ("body_idle_seconds", "3600"),
        ("threads", "352"),
        ("threads", "20000"),
        ("workers", "64"),
    ],
)
def test_a_value_at_the_edge_is_taken(file: Path, key: str, value: str) -> None:
    """The limits that the words promise are the limits that hold."""
    assert key in dataclasses.asdict(load(write(file, **{key: value})))


def test_pages_always_have_threads(file: Path) -> None:
    """Uploads can never take every thread, however both numbers are chosen."""
    with pytest.raises(AbsurdValueError, match=r"^threads: is 1000; expected 1032 "):
        load(write(file, uploads_at_once="1000", threads="1000"))


def test_a_file_that_is_not_there_is_told(file: Path) -> None:
    """The words name the file."""
    with pytest.raises(UnreadableSettingsError, match=r"nightferry\.toml: cannot be read: No such"):
        load(file)


@pytest.mark.parametrize("content", [b"data = ", b"\xff\xfe", b"threads = 1\nthreads = 2\n"])
def test_what_is_no_toml_is_told(file: Path, content: bytes) -> None:
    """A broken file is refused whole."""
    file.write_bytes(content)
    with pytest.raises(UnreadableSettingsError, match=r"is no TOML file"):
        load(file)


@given(content=st.binary(max_size=200))
def test_any_octets_are_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Any file either loads or raises a SettingsError; never anything else."""
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError):
        load(file)
