"""The staff's offline tool: opens what was sealed, and puts it into bags (docs/unseal.md).

Rule 1: nothing of this room is imported by the service, and nothing in it can reach a network.
Rule 2: it needs Python and GnuPG, and no other package (`./nightferry build` makes it one file).
Rule 3: what it reads was sealed by strangers. Names, times and lengths are claims until checked, and
        none of them reaches a path or a terminal as it is.
Rule 4: a file appears under its name only when all of it has been verified.
"""

VERSION = "0.1.0"
