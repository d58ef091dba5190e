"""What leaves the host every day: one sealed file, the same in size whether or not anything came.

Rule 1: in it are counts and the names of checks; no name, no id, no exact size or time.
Rule 2: it is made every day, and never because something has happened.
Rule 3: `health` says one word, and none that a stranger could use.
"""
