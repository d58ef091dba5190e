"""Sources, uploads and sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first three tables."""
    op.create_table(
        "sources",
        sa.Column("locator", sa.LargeBinary(32), nullable=False),
        sa.Column("designation", sa.String(64), nullable=False),
        sa.Column("last_visit", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("locator", name="pk_sources"),
        sa.UniqueConstraint("designation", name="uq_sources_designation"),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("source", sa.LargeBinary(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("suspect", sa.Boolean, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.ForeignKeyConstraint(
            ["source"], ["sources.locator"], name="fk_uploads_source", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_uploads_source", "uploads", ["source"])
    op.create_table(
        "sessions",
        sa.Column("cookie_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("source", sa.LargeBinary(32), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("expires", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("cookie_hash", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["source"], ["sources.locator"], name="fk_sessions_source", ondelete="CASCADE"
        ),
    )
