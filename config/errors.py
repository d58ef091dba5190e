"""What is wrong with the settings file, in words for the sysadmin.

Rule 1: each message names the key, says what is wrong with it, and what is expected.
Rule 2: the service does not start with settings that it would have to guess about.
"""


class SettingsError(Exception):
    """The settings file cannot be used. `str(error)` is for the sysadmin's screen."""


class UnreadableSettingsError(SettingsError):
    """The file is missing, not readable, or no TOML."""


class UnknownSettingError(SettingsError):
    """A key that no setting has; most often a misspelt one."""


class MissingSettingError(SettingsError):
    """A setting without a default is absent."""


class WrongTypeError(SettingsError):
    """The value has another TOML type than the setting."""


class AbsurdValueError(SettingsError):
    """The value has the right type and no sense."""
