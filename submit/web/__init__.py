"""The web: parse, ask the intake, answer.

Rule 1: a view decides nothing and touches neither disk nor key; it asks `submit.intake`.
Rule 2: nothing that a source sends is spooled to a temporary file or gathered in memory.
"""
