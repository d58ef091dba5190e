"""The tables. Every column says what it holds; times are UTC day numbers, never finer.

There is no column for a codename, a name, a path, a length or an offset: what the server
must know of an unfinished upload is wrapped under its source's key, and the offset is the
sealed file's own length. Portable SQL: PostgreSQL would do (docs/decisions).
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
    Column("last_visit", Integer, nullable=False),  # day number
)

# One thing a source sent. Its sealed file is named after `id`.
uploads = Table(
    "uploads",
    metadata,
    Column("id", String(26), primary_key=True),  # random
    Column("source", ForeignKey("sources.locator", ondelete="CASCADE"), nullable=False),
    Column("kind", String(8), nullable=False),  # 'file' or 'message'
    Column("state", String(8), nullable=False),  # 'open', 'complete' or 'expired'
    Column("day", Integer, nullable=False),  # day number of the last change
    # A crash or a disk fault came in between: read back and authenticate all before completion.
    Column("suspect", Boolean, nullable=False, default=False),
    # Under the source's key. Open: session key, IV and facts. Complete: the length, for a day.
    Column("wrapped", LargeBinary, nullable=True),
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
)
