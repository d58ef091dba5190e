"""What staff do at the desk. It has no key and opens nothing: sealed files, counts and days.

Rule 1: every refusal here is for staff, and so in English alone.
Rule 2: nothing that was not fetched goes unless somebody says that it should.
"""
