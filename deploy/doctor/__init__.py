"""Looks at the host and says, in words, what is wrong with it and how to mend it.

    Host -> Patient -> each check of the table -> findings -> words or JSON, and an exit status

Rule 1: a check is a pure judgement over what the host gives: it changes and remembers nothing.
Rule 2: what could not be looked at is a finding, never fine.
Rule 3: every finding says what it means for sources and staff, and what to do about it.
"""
