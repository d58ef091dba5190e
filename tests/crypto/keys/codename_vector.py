"""Print the vector of test_codename.py by a second way: argon2-cffi, and RFC 5869 with hmac alone.

pip install argon2-cffi && python tests/crypto/keys/codename_vector.py
"""

import hashlib
import hmac

# No dependency of ours: whoever wants to check the vector installs it elsewhere.
from argon2.low_level import Type, hash_secret_raw  # type: ignore[import-not-found]

CODENAME = b"abacus yo-yo t-shirt zoom drop-down felt-tip abdomen unclamped"
STRETCHED = hash_secret_raw(
    CODENAME,
    bytes(range(16)),
    time_cost=3,
    memory_cost=64 * 1024,
    parallelism=4,
    hash_len=32,
    type=Type.ID,
)

for label, length in ((b"nightferry locator 1", 16), (b"nightferry source key 1", 32)):
    print(hmac.digest(STRETCHED, label + b"\x01", hashlib.sha256)[:length].hex())
