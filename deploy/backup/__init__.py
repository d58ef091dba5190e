"""Backups of a service that runs, and the way back from them.

Rule 1: nothing in a backup can be read but by the recipients: sealed files as they are, everything
        else sealed like them. No copy in clear is written anywhere on the way, on no disk.
Rule 2: what has its final name is whole and durable. What was interrupted goes on.
Rule 3: what is over never changes again, so it is copied once and never read a second time.
Rule 4: nothing is removed, replaced or missed without a word.
"""
