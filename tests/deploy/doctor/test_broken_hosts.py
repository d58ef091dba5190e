"""The doctor against a table of broken hosts: each found, in words, and by one check alone."""

import pytest

from deploy.doctor.examine import examine
from deploy.doctor.table import CHECKS
from tests.deploy.doctor.broken import TABLE, Broken
from tests.deploy.doctor.healthy import HealthyHost


def test_a_healthy_host_is_fine(healthy: HealthyHost) -> None:
    """Nothing is found where nothing is wrong: a doctor who cries is soon not heard."""
    found = [(one.check.name, one.findings) for one in examine(healthy.patient()) if one.findings]
    assert found == []


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name.replace(" ", "-"))
def test_a_broken_host_is_found(case: Broken, healthy: HealthyHost) -> None:
    """What is broken is named, graded, and comes with a way to mend it."""
    case.broken(healthy)
    results = {one.check.name: one for one in examine(healthy.patient()) if one.findings}
    assert case.check in results
    findings = results[case.check].findings
    assert case.words in " | ".join(one.what for one in findings)
    assert results[case.check].grade is case.grade
    assert all(one.mend for one in findings)
    strangers = {name for name, one in results.items() if any(each.mend for each in one.findings)}
    assert strangers == {case.check}


def test_every_check_finds_a_host_that_it_alone_finds() -> None:
    """A check that could be left out unnoticed is not in the table."""
    assert {case.check for case in TABLE} == {check.name for check in CHECKS}
