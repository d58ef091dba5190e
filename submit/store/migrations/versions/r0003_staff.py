"""Staff, their sessions, and what the desk shows of sources and uploads."""

import base64
import os

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns to sources and uploads, and two tables."""
    op.add_column("sources", sa.Column("public_id", sa.String(26), nullable=True))
    _name_sources()
    op.create_index("uq_sources_public_id", "sources", ["public_id"], unique=True)
    op.add_column(
        "uploads", sa.Column("fetched", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("uploads", sa.Column("tenths", sa.Integer, nullable=True))
    op.create_table(
        "staff",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("verifier", sa.LargeBinary(32), nullable=False),
        sa.Column("wrapped_totp", sa.LargeBinary, nullable=False),
        sa.Column("wrong_codes", sa.Integer, nullable=False),
        sa.Column("wrong_quarter", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_staff"),
    )
    op.create_table(
        "staff_sessions",
        sa.Column("cookie_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("staff", sa.String(32), nullable=False),
        sa.Column("expires", sa.Integer, nullable=False),
        sa.Column("wrong_codes", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("cookie_hash", name="pk_staff_sessions"),
        sa.ForeignKeyConstraint(
            ["staff"], ["staff.name"], name="fk_staff_sessions_staff", ondelete="CASCADE"
        ),
    )


def _name_sources() -> None:
    connection = op.get_bind()
    name = sa.text("UPDATE sources SET public_id = :id WHERE locator = :locator")
    for (locator,) in connection.execute(sa.text("SELECT locator FROM sources")).all():
        random = base64.b32encode(os.urandom(16)).decode().rstrip("=").lower()
        connection.execute(name, {"id": random, "locator": locator})
