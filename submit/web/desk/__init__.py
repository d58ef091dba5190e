"""The desk: the staff's site. HTML, and JSON for `fetch` and scripts of their own.

Rule 1: no route but those of the login answers anybody who is not logged in.
Rule 2: nothing of a source's content or names is ever here, for nothing here could open it.
Rule 3: in English alone; no scripts.
"""
