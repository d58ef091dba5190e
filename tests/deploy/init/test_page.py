"""docs/install.md says what the programs say."""

import argparse
import dataclasses
import re

from deploy.build.tree import papers
from deploy.init.asking import Asker, Words, make_plan
from deploy.init.command import add_command
from deploy.init.steps import all_steps
from deploy.init.texts import _SERVICE
from deploy.onion.command import add_command as add_onion
from deploy.settings import HostSettings
from tests.deploy.init.machine import HOUSE, TODAY, Machine

PAGE = (HOUSE / "docs" / "install.md").read_text(encoding="utf-8")


def test_every_step_is_on_the_page_in_order(machine: Machine, given: Words) -> None:
    """What the sysadmin reads there is what the terminal will show."""
    with_staff = dataclasses.replace(given, staff="anna")
    plan = make_plan(machine.host, with_staff, Asker(None, print, TODAY))
    lines = [f"{step.name:<12}{step.why}" for step in all_steps(machine.host, plan)]
    begun = PAGE[PAGE.index("## 2.") : PAGE.index("## 3.")]

    assert [line for line in lines if line not in begun] == []
    assert [line for line in lines if line not in PAGE[PAGE.index("## 3.") :]] == []
    assert [begun.index(line) for line in lines] == sorted(begun.index(line) for line in lines)


def test_every_option_is_on_the_page() -> None:
    """An option that nobody can find is none."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    add_command(commands)
    add_onion(commands)
    init = commands.choices["init"]
    options = [word for action in init._actions for word in action.option_strings]

    assert [word for word in options if word not in PAGE and word not in {"-h", "--help"}] == []
    for command in ("show", "export", "import", "staff-key", "remove-key"):
        assert f"nightferry onion {command}" in PAGE


def test_every_setting_of_the_host_is_on_the_page() -> None:
    """Each key of host.toml is named where the file is."""
    keys = [field.name for field in dataclasses.fields(HostSettings)]
    assert [key for key in keys if f"`{key}`" not in PAGE] == []


def test_what_the_settings_point_to_is_in_the_package() -> None:
    """The sysadmin looks for all the keys there, at night."""
    packaged = {f"/{path}" for path in papers(HOUSE)}
    named = re.findall(r"/usr/share/doc/\S+?(?=\. )", _SERVICE)

    assert named
    assert [path for path in named if path not in packaged] == []
