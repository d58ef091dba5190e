"""The tables. Every column says what it holds; times are UTC day numbers, never finer.

There is no column for a codename, a name, a path, a length or an offset: what the server
must know of an unfinished upload is wrapped under its source's key, and the offset is the
sealed file's own length. What must be found again without being known is a mark: an HMAC
under the source's key (crypto/marks.py). Portable SQL: PostgreSQL would do (docs/decisions).
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A source exists from the moment it is shown its codename until it is deleted or expires.
sources = Table(
    "sources",
    metadata,
    Column("locator", LargeBinary(32), primary_key=True),  # from the codename, by Argon2id
    Column("designation", String(64), nullable=False, unique=True),  # the words staff use
    Column("public_id", String(26), nullable=True, unique=True),  # random; for the desk's addresses
    Column("last_visit", Integer, nullable=False),  # day number
    # It has typed its codename back, or has come in with it.
    Column("confirmed", Boolean, nullable=False, default=False),
    # What it takes to answer it was sealed to the recipients, with the first thing it sent.
    Column("introduced", Boolean, nullable=False, default=False),
    # It wants to be told what it has sent already.
    Column("remembers", Boolean, nullable=False, default=False),
    # The id of the key that replies are encrypted to. The certificate itself holds the second at
    # which it was made, so it stands with its secret half under the source's key.
    Column("reply_key_id", LargeBinary(8), nullable=True),
    Column("wrapped_reply_key", LargeBinary, nullable=True),
    # What became of its last form: counts and a day, under the source's key.
    Column("wrapped_form", LargeBinary, nullable=True),
    # How many of its complete files and messages were deleted here: what arrived stays counted.
    Column("files_taken", Integer, nullable=False, default=0),
    Column("messages_taken", Integer, nullable=False, default=0),
)

# One thing a source sent. Its sealed file is named after `id`.
uploads = Table(
    "uploads",
    metadata,
    Column("id", String(26), primary_key=True),  # random
    Column("source", ForeignKey("sources.locator", ondelete="CASCADE"), nullable=False),
    Column("kind", String(8), nullable=False),  # 'file', 'message' or 'reply-to'
    Column("state", String(8), nullable=False),  # 'open', 'complete' or 'expired'
    Column("day", Integer, nullable=False),  # day number of the last change
    # A crash or a disk fault came in between: read back and authenticate all before completion.
    Column("suspect", Boolean, nullable=False, default=False),
    # Under the source's key. Open: session key, IV and facts. Complete: the length, for a day.
    Column("wrapped", LargeBinary, nullable=True),
    # Staff have brought it to their side.
    Column("fetched", Boolean, nullable=False, default=False),
    # How many whole tenths of it have arrived; none once it is complete.
    Column("tenths", Integer, nullable=True),
    Index(None, "source"),
)

# One browser that is logged in.
sessions = Table(
    "sessions",
    metadata,
    Column("cookie_hash", LargeBinary(32), primary_key=True),
    Column("source", ForeignKey("sources.locator", ondelete="CASCADE"), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),  # the source's key under the cookie
    Column("expires", Integer, nullable=False),  # quarters of an hour since 1970, rounded up
    # Day number of the visit before this one; none for the session in which the source was made.
    Column("visit_before", Integer, nullable=True),
)

# What staff wrote to a source: an OpenPGP message to its reply key, as they made it.
replies = Table(
    "replies",
    metadata,
    Column("id", String(26), primary_key=True),  # random
    Column("source", ForeignKey("sources.locator", ondelete="CASCADE"), nullable=False),
    Column("day", Integer, nullable=False),  # day number of its arrival
    Column("message", LargeBinary, nullable=False),
    Index(None, "source"),
)

# A large file that comes in parts, until the last has come.
part_sets = Table(
    "part_sets",
    metadata,
    Column("id", String(26), primary_key=True),  # random; stands in the receipt of each part
    Column("source", ForeignKey("sources.locator", ondelete="CASCADE"), nullable=False),
    Column("mark", LargeBinary(32), nullable=False),  # of the name, keyed by the source's key
    Column("day", Integer, nullable=False),  # day number of the last change
    Column("wrapped", LargeBinary, nullable=False),  # the name, under the source's key
    UniqueConstraint("source", "mark"),
)

# A part that has arrived whole.
parts = Table(
    "parts",
    metadata,
    Column("set", ForeignKey("part_sets.id", ondelete="CASCADE"), primary_key=True),
    Column("mark", LargeBinary(32), primary_key=True),  # of its number, keyed by the source's key
    Column("wrapped", LargeBinary, nullable=False),  # number and length, under the source's key
)

# What a source that wants to be told has sent: one keyed value for each file, and nothing of it.
sent = Table(
    "sent",
    metadata,
    Column("source", ForeignKey("sources.locator", ondelete="CASCADE"), primary_key=True),
    Column("mark", LargeBinary(32), primary_key=True),
)

# When the daily work was last done: one row.
work = Table(
    "work",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False),  # day number
    # Day number of the last jump of the clock, while nothing ends because of it.
    Column("jumped", Integer, nullable=True),
)

# Who may use the desk. What is kept proves a passphrase and opens nothing.
staff = Table(
    "staff",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("salt", LargeBinary(16), nullable=False),  # random
    Column("verifier", LargeBinary(32), nullable=False),  # from the passphrase, by Argon2id
    # Under a key from the passphrase: what makes the one-time codes, and the last one used.
    Column("wrapped_totp", LargeBinary, nullable=False),
    # Codes that were typed with the right passphrase since the last login, all of them wrong.
    Column("wrong_codes", Integer, nullable=False),
    Column("wrong_quarter", Integer, nullable=False),  # of an hour since 1970: that of the last
)

# One browser, or program, of somebody who is logged in at the desk.
staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("cookie_hash", LargeBinary(32), primary_key=True),
    Column("staff", ForeignKey("staff.name", ondelete="CASCADE"), nullable=False),
    Column("expires", Integer, nullable=False),  # quarters of an hour since 1970, rounded up
    Column("wrong_codes", Integer, nullable=False),  # as they were counted when it began
)
