"""The intake: the one hall with doors to the protocol, the sealing and the store.

Rule 1: plaintext content exists in `receive.py` alone, in memory, between two lines.
Rule 2: no lock is held while a client is waited for.
Rule 3: an answer leaves after what it promises is durable.
"""
