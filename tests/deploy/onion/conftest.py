"""The hosts of `init`'s tests."""

from tests.deploy.init.conftest import bare, given, machine, ngo

__all__ = ["bare", "given", "machine", "ngo"]
