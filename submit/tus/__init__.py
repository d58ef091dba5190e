"""What the service answers, tus 1.0.0: core, creation (with upload), termination, expiration, checksum.

Rule 1: every status code that the protocol can produce is decided here.
Rule 2: nothing here reads a clock, a socket or a disk; nothing here is kept between calls.
Rule 3: any headers at all get an answer or raise a Refusal, never anything else.
Rule 4: what a client wrote (names, lengths, checksums) is never put into an exception or a repr.
"""
