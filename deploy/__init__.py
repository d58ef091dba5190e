"""From a bare Debian host to two onion sites, and years of them: install, watch, keep.

Rule 1: nothing here is imported by the service; the service runs without it.
Rule 2: what is true of a host is asked of the host each time, never remembered.
Rule 3: what changes a host can be run again, and says first what it would do.
"""
