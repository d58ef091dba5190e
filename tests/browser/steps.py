"""A source's steps, as the pages lead through them; words as on the English pages."""

import re

from tests.browser.person import Person, awaits

_SHOWN = re.compile(r"only once\. ((?:[a-z-]+ ){7}[a-z-]+) With these words")


def begin(person: Person, base: str) -> str:
    """Get a codename, write it down, type it back; give it. The source's own page is open."""
    person.begins_anew()
    person.goes(base)
    person.presses("Get a codename")
    found = _SHOWN.search(awaits(person, "Write these eight words"))
    assert found
    person.presses("I have written it down")
    awaits(person, "Type your codename")
    person.types("codename", found[1])
    person.presses("Continue")
    awaits(person, "What has arrived")
    return found[1]


def come_back(person: Person, base: str, codename: str) -> str:
    """Enter with a codename; give the words of the source's page."""
    person.begins_anew()
    person.goes(base)
    person.types("codename", codename)
    person.presses("Go to my page")
    return awaits(person, "What has arrived")


def count(shown: str, of: str) -> int:
    """Read how many files or messages a page counts; 0 if it counts none."""
    found = re.search(rf"([\d,]+) {of}s?\b", shown)
    return int(found[1].replace(",", "")) if found else 0
