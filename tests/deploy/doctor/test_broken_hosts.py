"""The doctor against a table of broken hosts: each found, in words, and by one check alone."""

import datetime as dt
import itertools
import os
import re

import pytest

from deploy.doctor.checks import files, plaintext
from deploy.doctor.examine import examine
from deploy.doctor.patient import Patient
from deploy.doctor.table import CHECKS
from tests.deploy.doctor.broken import TABLE, Broken
from tests.deploy.doctor.healthy import UPLOAD, HealthyHost


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


def test_of_many_files_each_has_its_turn(healthy: HealthyHost) -> None:
    """A disk with thousands of clips is not read whole each day, and no file is never read."""
    uploads = healthy.at("/var/lib/nightferry/uploads")
    names = ["".join(letters) for letters in itertools.product("abcd", repeat=6)][:2500]
    for name in names:
        (uploads / f"{name:a<26}.tail").write_bytes(b"in clear " * 20)
    found = []
    for day in range(3):
        patient = healthy.patient()
        later = Patient(patient.host, patient.now + dt.timedelta(day), patient.pause)
        said = " ".join(finding.what for finding in plaintext.judge(later))
        found.append(int(re.findall(r"and (\d+) more can be read", said)[0]) + 3)
    assert sum(found) == len(names)
    assert max(found) <= 1000


def test_what_comes_in_meanwhile_is_no_orphan(healthy: HealthyHost) -> None:
    """A file whose row is a moment late is looked at again, and not said."""
    late = healthy.at(f"/var/lib/nightferry/uploads/{UPLOAD}.tar.gpg")
    late.write_bytes(os.urandom(100))
    patient = healthy.patient()
    after = Patient(patient.host, patient.now, late.unlink)
    assert list(files.judge(after)) == []
