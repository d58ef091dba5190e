"""The hosts of `init`'s tests, and one on which only the running of it all is left to do."""

import pytest

from deploy.init.asking import Words
from tests.deploy.init.conftest import bare, given, machine, ngo
from tests.deploy.init.machine import Machine

__all__ = ["bare", "given", "machine", "ngo"]


@pytest.fixture
def ready(machine: Machine, given: Words) -> Machine:
    """Give a host on which `init` has made everything but what runs."""
    machine.interrupted_before(9, given)
    machine.forget_calls()
    return machine
